"""Walking along a series that grows at its end: what was walked before is not walked again.

A memo holds for one patient, and can be thrown away: without it every result is the same, only later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from monitor.core.series import Series

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Walked:
    """Where a walk has come to: along which items, on what it rested beside them, and what it has made of them."""

    items: Any
    given: object
    state: Any


Memo = dict[tuple[str, ...], Walked]


def walk(
    memo: Memo, name: tuple[str, ...], items: Sequence[T], start: S, step: Callable[[S, T], S], given: object = None
) -> S:
    """Fold `step` over the items, from where the last walk of this name ended if it was along the same beginning.

    `step` must be a pure function, the same for the same name and the same `given`; states must never change.
    """
    return walk_while(memo, name, items, lambda _item: True, start, step, lambda _state: given)[0]


def walk_while(
    memo: Memo,
    name: tuple[str, ...],
    items: Sequence[T],
    ready: Callable[[T], bool],
    start: S,
    step: Callable[[S, T], S],
    given: Callable[[S], object],
) -> tuple[S, Iterator[T]]:
    """Walk as long as the items are `ready`, which they then stay; and the items that are left.

    What a state rests on beside the items is asked of that state: it may be no more than what was known early on.
    """
    series: Series[T] = items if isinstance(items, Series) else Series(items)
    state, length, last = start, 0, memo.get(name)
    if last is not None and _same(last.given, given(last.state)) and series.continues(last.items):
        if last.items is series:
            return last.state, iter(())  # as most walks: nothing has come since
        state, length = last.state, len(last.items)
    for item in series.since(length):
        if not ready(item):
            break
        state, length = step(state, item), length + 1
    memo[name] = Walked(series.first(length), given(state), state)
    return state, series.since(length)


def chosen(
    memo: Memo, name: tuple[str, ...], items: Sequence[T], wanted: Callable[[T], bool], given: object = None
) -> Series[T]:
    """The items that are wanted, as a series that grows with them."""
    start: Series[T] = Series()
    return walk(memo, name, items, start, lambda kept, item: kept.with_item(item) if wanted(item) else kept, given)


def merged(
    memo: Memo, name: tuple[str, ...], parts: tuple[Series[Any], ...], order: Callable[[Any], Any]
) -> Series[Any]:
    """The items of several series in one order, as a series that grows with them."""
    last = memo.get(name)
    together: Series[Any] = Series()
    known: tuple[Series[Any], ...] = tuple(Series() for _ in parts)
    if last is not None and all(part.continues(was) for part, was in zip(parts, last.items, strict=True)):
        together, known = last.state, last.items
    for item in sorted((i for part, was in zip(parts, known, strict=True) for i in part.since(len(was))), key=order):
        together = together.with_sorted(item, order)
    memo[name] = Walked(parts, None, together)
    return together


def unchanged(memo: Memo, name: tuple[str, ...], given: tuple[object, ...], make: Callable[[], S]) -> S:
    """What was made of these values, or is made now if one of them is another."""
    last = memo.get(name)
    state: S = last.state if last is not None and _same(last.given, given) else make()
    memo[name] = Walked((), given, state)
    return state


def _same(one: object, other: object) -> bool:
    return one is other or one == other
