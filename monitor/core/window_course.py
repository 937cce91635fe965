"""The course of a restart window (clause stop.2): pending, blocked or open, until the first thing that ends it.

Remission and an explicit "no cGVHD", both since the stop, open it from its first day on. What is provisional suspends
it; what is sure, a restart, or the end of its last day ends it for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from monitor.core.context import Context
from monitor.core.finding import Evidence
from monitor.core.grading.acute import graded
from monitor.core.grading.chronic import judged
from monitor.core.history import Fact, RecordKey, T_co
from monitor.core.sequences import with_next
from monitor.core.stops import Lift, Stop
from monitor.core.times import Effective, precedes
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.record import RecordBlock

PENDING, BLOCKED, OPEN = "pending", "blocked", "open"
EXPIRED, INVALIDATED, USED = "expired", "invalidated", "used"
_ENDINGS = (EXPIRED, INVALIDATED, USED)  # at the same instant the first of these
Stops = tuple[Stop, ...]  # that share a window


@dataclass(frozen=True, slots=True)
class Ending:
    """What ended a window, and when; `by` is the fact that did, if a fact did."""

    at: datetime
    state: str
    effective: Effective
    by: RecordKey | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """A stretch of one state: from `start` to `end` (None: still so)."""

    state: str
    start: datetime
    end: datetime | None


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
    return min(in_time, key=lambda e: (e.at, _ENDINGS.index(e.state), e.by or ("", "")), default=None)


def _comes(at: datetime, until: datetime | None, ctx: Context) -> bool:
    """Has this instant come? Once a window is over the clock no longer waits for it."""
    return ctx.reached(at) if until is None else at <= until


def _invalidations(stop: Stop, held_since: Stop, ctx: Context) -> Iterator[Ending]:
    """Any cGVHD or overlap since treatment was held, any permanent stop; provisional ones only suspend.

    Acute GVHD that comes back while the stop still holds has a window of its own, but undoes no chronic GVHD.
    """
    for fact, verdict in ctx.chronic:
        sure = not fact.preliminary and fact.data.diagnostic_sign is not False and not fact.record.rivals
        if sure and _since(held_since, fact, ctx) and (verdict.active or verdict.overlap):
            yield _invalidated(fact, stop)
    for other in ctx.stops:
        if other.permanent and (other.lift is None or other.lift.at > stop.first.at):
            yield from (_invalidated(evidence, stop) for evidence in other.evidence if not _doubtful(evidence))


def _invalidated(by: Fact[RecordBlock] | Evidence, stop: Stop) -> Ending:
    """What was so before the stop invalidates its window from the first day."""
    dated = max((by, stop.first), key=lambda e: e.at)
    return Ending(dated.at, INVALIDATED, dated.effective, by.key)


def stretches_of(stops: Stops, earliest_on: date, until: datetime | None, ctx: Context) -> Iterator[Opening]:
    """The course of the window's state, from the stop until it ended or now."""
    start, end = stops[0].first.at, until or ctx.now
    turns = {start, *(f.at for f, _ in ctx.acute), *(f.at for f, _ in ctx.chronic)}
    turns |= {stop.first.at for stop in ctx.stops} | {stop.lift.at for stop in ctx.stops if stop.lift}
    if _comes(ctx.start_of(earliest_on), until, ctx):
        turns.add(ctx.start_of(earliest_on))
    ordered = sorted(at for at in turns if start <= at and (at < end or (until is None and at <= end)))
    course = [(at, _state(stops, earliest_on, at, ctx)) for at in ordered]
    changes = [pair for before, pair in pairwise([(start, ""), *course]) if before[1] != pair[1]]
    for (at, state), following in with_next(changes):
        yield Opening(state, at, following[0] if following else until)


def _state(stops: Stops, earliest_on: date, at: datetime, ctx: Context) -> str:
    """Pending, blocked or open at this instant."""
    if any(s.permanent and all(map(_doubtful, s.evidence)) and s.stands_at(at) for s in ctx.stops):
        return PENDING
    stop = [s for s in stops if s.first.at <= at][-1]
    if at < ctx.start_of(earliest_on):
        return PENDING
    if not any(_since(stop, f, ctx) and f.at <= at for f, _ in ctx.chronic):
        return BLOCKED
    return OPEN if len(documented_by(stop, at, ctx)) == 2 else PENDING


def _since(stop: Stop, fact: Fact[T_co], ctx: Context) -> bool:
    """Was it assessed since the stop? Not on an earlier day, where either has only a date."""
    return not precedes(fact.effective, stop.first.effective, ctx.tz)


def _doubtful(evidence: Evidence) -> bool:
    """Derived, preliminary, contested, or without a diagnostic sign: it suspends a window and does not close it."""
    return evidence.provisional or evidence.details.get("diagnostic_sign") is False


def documented_by(stop: Stop, at: datetime, ctx: Context) -> list[Fact[RecordBlock]]:
    """Where remission and "no cGVHD", both since the stop and neither gainsaid after, were first written down."""
    reading = ctx.protocol.restart.remission
    starts: list[Fact[RecordBlock]] = []
    improved = [f for f in ctx.history.of(AcuteGvhdAssessed) if precedes(stop.first.effective, f.effective, ctx.tz)]
    looked = [f for f in ctx.history.of(ChronicGvhdAssessed) if _since(stop, f, ctx)]
    for course, says in ((improved, lambda data: _says_remission(data, reading)), (looked, _says_none)):
        run: Fact[RecordBlock] | None = None
        for fact in course:
            if fact.at > at:
                continue
            said = {says(version.data) for version in fact.record.contents_of_latest}
            if False in said:
                run = None
            elif said == {True} and not fact.preliminary:
                run = run or fact
        if run is not None:
            starts.append(run)
    return starts


def _says_remission(data: RecordBlock, reading: str) -> bool | None:
    """Remission, active disease, or neither: organs not assessed leave it open."""
    if not isinstance(data, AcuteGvhdAssessed):
        return None
    verdict = graded(data)
    if verdict.in_remission(reading):
        return True
    beyond = 1 if reading == "complete_or_grade_1" else 0
    return False if verdict.grade is not None and verdict.grade > beyond else None


def _says_none(data: RecordBlock) -> bool | None:
    """An explicit "no cGVHD", active disease, or neither: a form not filled in is not a "none"."""
    if not isinstance(data, ChronicGvhdAssessed):
        return None
    verdict = judged(data)
    if verdict.explicit_none:
        return True
    return False if verdict.active or verdict.overlap else None
