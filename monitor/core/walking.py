"""Walking along a series that grows at its end: what was walked before is not walked again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

S = TypeVar("S")
T = TypeVar("T")

Memo = dict[tuple[str, ...], tuple[tuple[Any, ...], Any]]


def walk(memo: Memo, name: tuple[str, ...], items: Sequence[T], start: S, step: Callable[[S, T], S]) -> S:
    """Fold `step` over the items, from where the last walk of this name ended if it was along the same beginning.

    `step` must be a pure function that is the same for the same name, and states must never change. A memo holds for
    one patient under one protocol file; without it the result is the same, only later.
    """
    series = tuple(items)
    walked: tuple[Any, ...]
    state: S
    walked, state = memo.get(name, ((), start))
    if series[: len(walked)] != walked:
        walked, state = (), start
    for item in series[len(walked) :]:
        state = step(state, item)
    memo[name] = (series, state)
    return state
