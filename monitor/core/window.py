"""The restart window after a stop for acute GVHD (clause stop.2): when it opens and closes, and what ends it.

t0 is the signed stop or hold in force at the stop, else the first one after it, else the stop itself (provisional).
Remission and an explicit "no cGVHD", both since the stop, open it from t0+30; it closes at the end of day t0+60.
The first of used, invalidated and expired stays for good. Acute GVHD that comes back after something was given has a
window of its own, and the one before is over: a restart is judged by the last window whose stop it lifts.
"""

from __future__ import annotations

import calendar
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from monitor.core.context import Context
from monitor.core.finding import Evidence
from monitor.core.grading.acute import graded
from monitor.core.grading.chronic import judged
from monitor.core.history import Fact, RecordKey, T_co
from monitor.core.once import Once
from monitor.core.sequences import first_from, with_next
from monitor.core.series import Series
from monitor.core.states import ON_HOLD, STOPPED, treatment_state
from monitor.core.stops import Lift, Stop
from monitor.core.times import Effective, precedes
from monitor.core.walking import unchanged
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.record import RecordBlock

PENDING, BLOCKED, OPEN = "pending", "blocked", "open"
EXPIRED, INVALIDATED, USED = "expired", "invalidated", "used"
_ENDINGS = (EXPIRED, INVALIDATED, USED)  # at the same instant the first of these
_TERMS = {"days": (30, 60), "cycle_days": (28, 56), "calendar_months": (1, 2)}


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


@dataclass(frozen=True, slots=True)
class Window:
    """One restart window. Days are the site's; `opens_on` is the earliest day it can open."""

    stops: tuple[Stop, ...]
    t0: date
    provisional: bool
    earliest_on: date
    opens_on: date
    closes_on: date
    state: str
    stretches: tuple[Opening, ...]
    ending: Ending | None
    restart: Lift | None
    known_as: str | None  # the state in which the restart found it, by what had been issued before
    succeeded_at: datetime | None  # a new stop has a window of its own since then
    documents: tuple[RecordKey, ...]

    @property
    def first(self) -> Evidence:
        return self.stops[0].first

    @property
    def outside(self) -> bool:
        """Was the restart signed while the window was not open?"""
        return self.known_as not in (None, OPEN)


def windows(ctx: Context) -> tuple[Window, ...]:
    """Every restart window, in order of their stops."""
    given = (ctx.stops, ctx.doses, ctx.lifts)
    groups = unchanged(ctx.memo, ("windows", ctx.protocol.hash), given, lambda: list(_groups(ctx)))
    return tuple(_window(groups, n, ctx) for n in range(len(groups)))


def current(known: Sequence[Window]) -> Window | None:
    """The window to show: the last one whose stop stands, else the last."""
    standing = [window for window in known if window.stops[-1].lift is None]
    return (standing or known)[-1] if known else None


def _held_since(earlier: Sequence[tuple[Stop, ...]], stops: tuple[Stop, ...], ctx: Context) -> Stop:
    """The first stop that has held treatment without a break until these came."""
    return next((held[0] for held in earlier if not _lifted_before(held, stops, ctx)), stops[0])


def _successor(stops: tuple[Stop, ...], later: Sequence[tuple[Stop, ...]], ctx: Context) -> tuple[Stop, ...] | None:
    """The stops that came while this window was not used, and have one of their own in its place."""
    standing = (new for new in later if not _lifted_before(stops, new, ctx))
    return next((new for new in standing if _given_between(stops[0], new[0], ctx)), None)


def _lifted_before(stops: tuple[Stop, ...], new: tuple[Stop, ...], ctx: Context) -> bool:
    lift = stops[-1].lift
    return lift is not None and precedes(lift.effective, new[0].first.effective, ctx.tz)


def _groups(ctx: Context) -> Iterator[tuple[Stop, ...]]:
    """Stops that share a window: nothing was given and no restart signed between them."""
    group: list[Stop] = []
    for stop in (s for s in ctx.stops if not s.permanent):
        if group and (stop.lift != group[-1].lift or _given_between(group[0], stop, ctx)):
            yield tuple(group)
            group = []
        group.append(stop)
    if group:
        yield tuple(group)


def _given_between(first: Stop, second: Stop, ctx: Context) -> bool:
    def within(effective: Effective) -> bool:
        after = precedes(first.first.effective, effective, ctx.tz)
        return after and precedes(effective, second.first.effective, ctx.tz)

    start, end = ctx.start_of(ctx.on(first.first.effective)), second.first.at
    given = ctx.doses[first_from(ctx.doses, start) : first_from(ctx.doses, end)]
    return any(within(f.effective) for f in given) or any(within(lift.effective) for lift in ctx.lifts)


def _window(groups: Sequence[tuple[Stop, ...]], n: int, ctx: Context) -> Window:
    stops = groups[n]
    held_since, successor = _held_since(groups[:n], stops, ctx), _successor(stops, groups[n + 1 :], ctx)
    lift = stops[-1].lift
    restart = None if successor is not None and successor[-1].lift == lift else lift
    t0, provisional = _t0(stops[0], lift, ctx)
    earliest_on, closes_on = _term(t0, ctx)
    known_as = _known_at(restart, stops, ctx) if restart is not None else None
    succeeded_at = successor[0].first.at if successor is not None else None
    over_at = min((at for at in (restart and restart.at, succeeded_at, ctx.off_study_at) if at), default=None)
    used = restart if known_as == OPEN else None
    ending = _ending(stops[0], held_since, used, over_at, closes_on, ctx)
    until = ending.at if ending is not None else over_at
    stretches = tuple(_stretches(stops, earliest_on, until, ctx))
    documented = _documented(stops[-1], until or ctx.now, ctx)
    documented_on = [fact.on for fact in documented]
    course = stretches[-1].state if stretches else PENDING
    return Window(
        stops=stops,
        t0=t0,
        provisional=provisional,
        earliest_on=earliest_on,
        opens_on=max(earliest_on, *documented_on) if len(documented) == 2 else earliest_on,
        closes_on=closes_on,
        state=ending.state if ending else known_as or course,  # what is learnt after a restart no longer opens it
        stretches=stretches,
        ending=ending,
        restart=restart,
        known_as=known_as,
        succeeded_at=succeeded_at,
        documents=tuple(fact.key for fact in documented),
    )


def _t0(stop: Stop, restart: Lift | None, ctx: Context) -> tuple[date, bool]:
    """The day the discontinuation counts from, and whether it is provisional."""
    orders = [f for f in ctx.signed if f.data.decision in ("stop", "hold")]
    before = [f for f in orders if f.at <= stop.first.at]
    if before and treatment_state(ctx, stop.first.at) in (STOPPED, ON_HOLD):
        return before[-1].on, False
    after = [f for f in orders if not precedes(f.effective, stop.first.effective, ctx.tz)]
    after = [f for f in after if restart is None or f.at < restart.at]
    return (after[0].on, False) if after else (ctx.on(stop.first.effective), True)


def _term(t0: date, ctx: Context) -> tuple[date, date]:
    opens, closes = _TERMS[ctx.protocol.restart.unit]
    if ctx.protocol.restart.unit == "calendar_months":
        return _add_months(t0, opens), _add_months(t0, closes)
    return t0 + timedelta(days=opens), t0 + timedelta(days=closes)


def _add_months(day: date, months: int) -> date:
    """The same day some months later, or the last day of a month that has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _known_at(restart: Lift, stops: tuple[Stop, ...], ctx: Context) -> str:
    """The window's state at the restart, by what had been issued before it was."""
    day_alone = not isinstance(restart.effective, datetime)
    at = (
        ctx.start_of(ctx.on(restart.effective) + timedelta(days=1)) - timedelta(microseconds=1)
        if day_alone
        else restart.at
    )
    keys = frozenset().union(*(stop.keys for stop in stops))

    def state() -> str:
        known = ctx.as_known(restart.issued, at)
        groups = list(_groups(known))
        same = (n for n in reversed(range(len(groups))) if any(keys & stop.keys for stop in groups[n]))
        return next((_window(groups, n, known).state for n in same), PENDING)  # this one alone: each asks for another

    name = ("window known", ctx.protocol.hash, *restart.key, *stops[0].first.key)
    given = (ctx.history.taken_before(restart.issued), restart, keys, ctx.superseded)
    return unchanged(ctx.memo, name, given, state)


def _ending(
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
    looked = first_from(ctx.history.of(ChronicGvhdAssessed), ctx.start_of(ctx.on(held_since.first.effective)))
    invalid_at: datetime | None = None
    for fact, verdict in ctx.chronic.since(looked):
        if invalid_at is not None and fact.at > invalid_at:
            break  # the first counts
        sure = not fact.preliminary and fact.data.diagnostic_sign is not False and not fact.record.rivals
        if sure and _since(held_since, fact, ctx) and (verdict.active or verdict.overlap):
            ending = _invalidated(fact, stop)
            invalid_at = ending.at
            yield ending
    for other in ctx.stops:
        if other.permanent and (other.lift is None or other.lift.at > stop.first.at) and (certain := _certain(other)):
            yield _invalidated(min(certain, key=lambda e: (max(e.at, stop.first.at), e.key)), stop)


@Once
def _certain(stop: Stop) -> tuple[Evidence, ...]:
    return tuple(evidence for evidence in stop.evidence if not _doubtful(evidence))


def _invalidated(by: Fact[RecordBlock] | Evidence, stop: Stop) -> Ending:
    """What was so before the stop invalidates its window from the first day."""
    dated = max((by, stop.first), key=lambda e: e.at)
    return Ending(dated.at, INVALIDATED, dated.effective, by.key)


def _stretches(stops: tuple[Stop, ...], earliest_on: date, until: datetime | None, ctx: Context) -> Iterator[Opening]:
    """The course of the window's state, from the stop until it ended or now."""
    start, end = stops[0].first.at, until or ctx.now
    turns = {start, *(f.at for f in _between(ctx.history.of(AcuteGvhdAssessed), start, end))}
    turns |= {f.at for f in _between(ctx.history.of(ChronicGvhdAssessed), start, end)}
    turns |= {stop.first.at for stop in ctx.stops} | {stop.lift.at for stop in ctx.stops if stop.lift}
    if _comes(ctx.start_of(earliest_on), until, ctx):
        turns.add(ctx.start_of(earliest_on))
    ordered = sorted(at for at in turns if start <= at and (at < end or (until is None and at <= end)))
    course = list(zip(ordered, _states(stops, earliest_on, ordered, ctx), strict=True))
    changes = [pair for before, pair in pairwise([(start, ""), *course]) if before[1] != pair[1]]
    for (at, state), following in with_next(changes):
        yield Opening(state, at, following[0] if following else until)


def _between(facts: Series[Fact[T_co]], start: datetime, end: datetime) -> tuple[Fact[T_co], ...]:
    return facts[first_from(facts, start) : first_from(facts, end + timedelta(microseconds=1))]


def _states(stops: tuple[Stop, ...], earliest_on: date, ordered: list[datetime], ctx: Context) -> Iterator[str]:
    """Pending, blocked or open at each of these instants."""
    suspending = [s for s in ctx.stops if s.permanent and not _certain(s)]
    earliest_at, end = ctx.start_of(earliest_on), ordered[-1] if ordered else ctx.now
    coming = iter([*with_next(stops)])
    stop, following = next(coming)
    written = _Written.since(stop, following.first.at if following else end, ctx)
    for at in ordered:
        while following is not None and following.first.at <= at:
            stop, following = next(coming)
            written = _Written.since(stop, following.first.at if following else end, ctx)
        if at < earliest_at or any(s.stands_at(at) for s in suspending):
            yield PENDING
        elif written.looked_at is None or at < written.looked_at:
            yield BLOCKED
        else:
            yield OPEN if len(written.documented(at)) == 2 else PENDING


def _since(stop: Stop, fact: Fact[T_co], ctx: Context) -> bool:
    """Was it assessed since the stop? Not on an earlier day, where either has only a date."""
    return not precedes(fact.effective, stop.first.effective, ctx.tz)


def _doubtful(evidence: Evidence) -> bool:
    """Derived, preliminary, contested, or without a diagnostic sign: it suspends a window and does not close it."""
    return evidence.provisional or evidence.details.get("diagnostic_sign") is False


def _documented(stop: Stop, at: datetime, ctx: Context) -> list[Fact[RecordBlock]]:
    """Where remission and "no cGVHD", both since the stop and neither gainsaid after, were first written down."""
    return _Written.since(stop, at, ctx).documented(at)


_Run = list[tuple[datetime, Fact[RecordBlock] | None]]


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written down since a stop: from when on remission, and absence of cGVHD, are said without a break."""

    remission: _Run
    absence: _Run
    looked_at: datetime | None  # for chronic GVHD, first

    @classmethod
    def since(cls, stop: Stop, until: datetime, ctx: Context) -> _Written:
        start, reading = ctx.start_of(ctx.on(stop.first.effective)), ctx.protocol.restart.remission
        improved = _between(ctx.history.of(AcuteGvhdAssessed), start, until)
        improved = tuple(f for f in improved if precedes(stop.first.effective, f.effective, ctx.tz))
        looked = _between(ctx.history.of(ChronicGvhdAssessed), start, until)
        looked = tuple(f for f in looked if _since(stop, f, ctx))
        remission = _unbroken(improved, lambda data: _says_remission(data, reading))
        return cls(remission, _unbroken(looked, _says_none), looked[0].at if looked else None)

    def documented(self, at: datetime) -> list[Fact[RecordBlock]]:
        """Where the two, as of an instant, were first written down."""
        return [start for run in (self.remission, self.absence) if (start := _as_of(run, at)) is not None]


def _unbroken(course: Sequence[Fact[RecordBlock]], says: Callable[[RecordBlock], bool | None]) -> _Run:
    """After each of these facts: where it was first said, if it is still said."""
    found: _Run = []
    run: Fact[RecordBlock] | None = None
    for fact in course:
        said = {says(version.data) for version in fact.record.contents_of_latest}
        if False in said:
            run = None
        elif said == {True} and not fact.preliminary:
            run = run or fact
        found.append((fact.at, run))
    return found


def _as_of(run: _Run, at: datetime) -> Fact[RecordBlock] | None:
    known = bisect_right(run, at, key=lambda pair: pair[0])
    return run[known - 1][1] if known else None


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
