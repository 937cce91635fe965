"""What is settled: conclusions about days long past are not drawn again, unless something is taken about those days.

A memo of them holds as long as nothing more is known about the days they rest on; then all are drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import reduce
from typing import TypeVar

from monitor.core.context import Context
from monitor.core.finding import Finding, Found
from monitor.core.series import Series
from monitor.core.walking import walk_while

S = TypeVar("S")
T = TypeVar("T")

LATE = timedelta(days=7)  # hardly anything is sent later than that: waiting for it costs less than beginning anew
_LONG_AGO = date(1, 1, 2)  # before all facts, and the day before it is a date in every zone


def settle(
    ctx: Context,
    name: str,
    items: Sequence[T],
    rests_on: Callable[[T], date | None],
    start: S,
    step: Callable[[S, T], S],
) -> tuple[S, Iterator[T]]:
    """Fold `step` over the items that are settled; and the items that are not yet.

    What `step` makes of an item rests on facts about local days up to `rests_on` (None: on some to come) and nothing
    else: not on now, nor on what facts about later days can change.
    """

    def ready(item: T) -> bool:
        day = rests_on(item)
        return day is not None and ctx.start_of(day + LATE) <= ctx.now

    def onward(settled: tuple[date, S], item: T) -> tuple[date, S]:
        until, state = settled
        return max(until, rests_on(item) or until), step(state, item)

    def given(settled: tuple[date, S]) -> object:
        return ctx.before(settled[0] + timedelta(days=1)), ctx.superseded

    first = (_LONG_AGO, start)
    (_, state), left = walk_while(ctx.memo, (ctx.protocol.hash, "settled", name), items, ready, first, onward, given)
    return state, left


def settled_findings(
    ctx: Context,
    name: str,
    items: Sequence[T],
    rests_on: Callable[[T], date | None],
    of: Callable[[T], Iterable[Finding]],
) -> Iterator[Found]:
    """What a rule finds of each item: of those that are settled in one series, of the others anew."""
    start: Series[Finding] = Series()
    settled, left = settle(
        ctx, name, items, rests_on, start, lambda told, item: reduce(Series.with_item, of(item), told)
    )
    yield settled
    for item in left:
        yield from of(item)
