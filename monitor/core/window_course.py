"""The course of a restart window: pending, blocked or open, until the first thing that ends it (clause stop.2).

What is provisional suspends it; the first of used, invalidated and expired stays for good.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from monitor.core.context import Context
from monitor.core.finding import Evidence
from monitor.core.grading.chronic import ChronicSeverity
from monitor.core.history import Fact, RecordKey
from monitor.core.sequences import between, first_from, with_next
from monitor.core.stops import Lift, Stop
from monitor.core.times import Effective
from monitor.core.window_documents import Written, assessed_since
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.record import RecordBlock

PENDING, BLOCKED, OPEN = "pending", "blocked", "open"
EXPIRED, INVALIDATED, USED = "expired", "invalidated", "used"
_ENDINGS = (EXPIRED, INVALIDATED, USED)  # at the same instant the first of these


@dataclass(frozen=True, slots=True)
class Ending:
    """What ended a window, and when; `by` is the fact that did, if a fact did.

    What invalidated it: the permanent stop of a `rule`, or else the chronic GVHD that was found (`sick`).
    """

    at: datetime
    state: str
    effective: Effective
    by: RecordKey | None = None
    rule: str = ""
    sick: ChronicSeverity | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """A stretch of one state: from `start` to `end` (None: still so)."""

    state: str
    start: datetime
    end: datetime | None


def stretches_of(stops: tuple[Stop, ...], earliest_on: date, until: datetime | None, ctx: Context) -> Iterator[Opening]:
    """The course of the window's state, from the stop until it ended or now."""
    start, end = stops[0].first.at, until or ctx.now
    turns = {start, *(f.at for f in between(ctx.history.of(AcuteGvhdAssessed), start, end))}
    turns |= {f.at for f in between(ctx.history.of(ChronicGvhdAssessed), start, end)}
    turns.update(ctx.turns[bisect_left(ctx.turns, start) : bisect_right(ctx.turns, end)])
    if _comes(ctx.start_of(earliest_on), until, ctx):
        turns.add(ctx.start_of(earliest_on))
    ordered = sorted(at for at in turns if start <= at and (at < end or (until is None and at <= end)))
    course = list(zip(ordered, _states(stops, earliest_on, ordered, ctx), strict=True))
    changes = [pair for before, pair in pairwise([(start, ""), *course]) if before[1] != pair[1]]
    for (at, state), following in with_next(changes):
        yield Opening(state, at, following[0] if following else until)


def _states(stops: tuple[Stop, ...], earliest_on: date, ordered: list[datetime], ctx: Context) -> Iterator[str]:
    """Pending, blocked or open at each of these instants."""
    suspending = [hold for hold in ctx.holds if hold.permanent and hold.certain is None]
    earliest_at, end = ctx.start_of(earliest_on), ordered[-1] if ordered else ctx.now
    coming = iter([*with_next(stops)])
    stop, following = next(coming)
    written = Written.since(stop, following.first.at if following else end, ctx)
    for at in ordered:
        while following is not None and following.first.at <= at:
            stop, following = next(coming)
            written = Written.since(stop, following.first.at if following else end, ctx)
        if at < earliest_at or any(hold.stands_at(at) for hold in suspending):
            yield PENDING
        elif written.looked_at is None or at < written.looked_at:
            yield BLOCKED
        else:
            yield OPEN if len(written.documented(at)) == 2 else PENDING


def ending_of(
    stop: Stop, held_since: Stop, used: Lift | None, over_at: datetime | None, closes_on: date, ctx: Context
) -> Ending | None:
    """The first of used, invalidated and expired, by effective time; none once the window is over in another way."""
    endings = list(_invalidations(stop, held_since, ctx))
    expires_on = closes_on + timedelta(days=1)
    if _comes(ctx.start_of(expires_on), over_at, ctx):
        endings.append(Ending(ctx.start_of(expires_on), EXPIRED, expires_on))
    if used is not None:
        endings.append(Ending(used.at, USED, used.effective, used.key))
    in_time = (ending for ending in endings if over_at is None or ending.at <= over_at)
    return min(in_time, key=_ending_order, default=None)


def _ending_order(ending: Ending) -> tuple[datetime, int, RecordKey, bool]:
    return ending.at, _ENDINGS.index(ending.state), ending.by or ("", ""), not ending.rule


def _invalidations(stop: Stop, held_since: Stop, ctx: Context) -> Iterator[Ending]:
    """Any cGVHD or overlap since treatment was held, any permanent stop; provisional ones only suspend.

    Acute GVHD that comes back while the stop still holds has a window of its own, but undoes no chronic GVHD.
    """
    looked = first_from(ctx.history.of(ChronicGvhdAssessed), ctx.start_of(ctx.on(held_since.first.effective)))
    invalid_at: datetime | None = None
    for fact, verdict in ctx.chronic.since(looked):
        if invalid_at is not None and fact.at > invalid_at:
            break  # the first counts
        sure = not fact.preliminary and fact.data.diagnostic_sign is not False and not fact.record.rivals
        if sure and assessed_since(held_since, fact, ctx) and (verdict.active or verdict.overlap):
            ending = _invalidated(fact, stop, sick=verdict)
            invalid_at = ending.at
            yield ending
    for hold in ctx.holds:
        if hold.permanent and hold.certain is not None and (hold.lift is None or hold.lift.at > stop.first.at):
            yield _invalidated(hold.certain, stop, hold.rule)


def _invalidated(
    by: Fact[RecordBlock] | Evidence, stop: Stop, rule: str = "", sick: ChronicSeverity | None = None
) -> Ending:
    """What was so before the stop invalidates its window from the first day."""
    dated = max((by, stop.first), key=lambda e: e.at)
    return Ending(dated.at, INVALIDATED, dated.effective, by.key, rule, sick)


def _comes(at: datetime, until: datetime | None, ctx: Context) -> bool:
    """Has this instant come? Once a window is over the clock no longer waits for it."""
    return ctx.reached(at) if until is None else at <= until
