"""What is settled: conclusions about days long past are not drawn again, unless something is taken about those days.

A memo of them holds as long as nothing more is known about the days they rest on; then all are drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import TypeVar

from monitor.core.context import Context
from monitor.core.walking import walk_while

S = TypeVar("S")
T = TypeVar("T")

LATE = timedelta(days=7)  # hardly anything is sent later than that: waiting for it costs less than beginning anew


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

    def onward(settled: tuple[date | None, S], item: T) -> tuple[date | None, S]:
        until, state = settled
        day = rests_on(item) or until
        return (max(until or day, day) if day else until), step(state, item)

    def given(settled: tuple[date | None, S]) -> object:
        until, _ = settled
        return (until and ctx.before(until + timedelta(days=1))), ctx.superseded

    first: tuple[date | None, S] = (None, start)
    (_, state), left = walk_while(ctx.memo, (ctx.protocol.hash, "settled", name), items, ready, first, onward, given)
    return state, left
