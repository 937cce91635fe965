"""Azacitidine as given against the schedule: 32 mg/m2, five consecutive days, every 28 days, at most twelve cycles."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, pairwise

from monitor.core.context import Context
from monitor.core.exact import minus, percent_of
from monitor.core.finding import Finding, Found, Rule
from monitor.core.history import Fact
from monitor.core.rules.reminders import Expected, remind
from monitor.core.rules.runs import evidence, single
from monitor.core.sequences import with_next
from monitor.core.series import Series
from monitor.core.settled import settled_findings
from monitor.core.states import COURSE, Span, spans
from monitor.core.stops import Hit
from monitor.core.walking import unchanged
from monitor.events.treatment import AzacitidineGiven

DOSE = Rule("azacitidine.dose", "medium", "dosing", review=True)
DAYS = Rule("azacitidine.days", "low", "dosing")
EARLY = Rule("azacitidine.cycle-early", "low", "dosing")
LATE = Rule("azacitidine.cycle-late", "low", "dosing", reminder=True)
COUNT = Rule("azacitidine.cycle-count", "low", "dosing")
_SAME_CYCLE_DAYS = 14  # a dose without a cycle number this soon after a cycle's first day belongs to it
READS = (AzacitidineGiven, *COURSE)


@dataclass(frozen=True, slots=True)
class Cycle:
    """The doses of one cycle, in order."""

    number: int
    doses: tuple[Fact[AzacitidineGiven], ...]

    @property
    def first_on(self) -> date:
        return self.doses[0].on


# A cycle; the next one as far as it tells of this one: its first dose; and when something stopped within it.
_Followed = tuple[Cycle, Cycle | None, list[datetime]]


def cycles(ctx: Context) -> tuple[Cycle, ...]:
    """The cycles given: by their number, or by time where none was sent."""
    doses = ctx.history.of(AzacitidineGiven)
    return unchanged(ctx.memo, ("cycles",), (doses,), lambda: _cycles(doses))


def _cycles(doses: Series[Fact[AzacitidineGiven]]) -> tuple[Cycle, ...]:
    found: dict[int, list[Fact[AzacitidineGiven]]] = {}
    latest = 0
    for dose in doses:
        number = dose.data.cycle
        if number is None:
            same = bool(latest) and (dose.on - found[latest][0].on).days < _SAME_CYCLE_DAYS
            number = latest if same else latest + 1
        latest = number
        found.setdefault(number, []).append(dose)
    return tuple(sorted((Cycle(n, tuple(doses)) for n, doses in found.items()), key=lambda c: c.doses[0].order))


def find(ctx: Context) -> Iterator[Found]:
    given = cycles(ctx)
    stopped_at = _stopped_at(ctx)

    def of_one(followed: _Followed) -> Iterator[Finding]:
        cycle, following, stopped = followed
        yield from _dose(cycle, ctx)
        yield from _days(cycle, following, stopped, ctx)
        if following is not None:
            yield from _early(cycle, following, ctx)

    followed = [
        (cycle, Cycle(later.number, later.doses[:1]) if later else None, _within(cycle, stopped_at, ctx))
        for cycle, later in with_next(given)
    ]
    yield from settled_findings(ctx, "cycles", followed, lambda each: _rests_on(each, ctx), of_one)
    yield from _late(given, ctx)
    yield from _count(given, ctx)


def _within(cycle: Cycle, stopped_at: list[datetime], ctx: Context) -> list[datetime]:
    """When something stopped from its first day on, until its last dose and its end: a stop can rest on later days."""
    ends_on = max(_over_on(cycle, None, ctx), cycle.doses[-1].on)
    after = bisect_left(stopped_at, ctx.start_of(ends_on + timedelta(days=1)))
    return stopped_at[bisect_left(stopped_at, ctx.start_of(cycle.first_on)) : after]


def _rests_on(followed: _Followed, ctx: Context) -> date | None:
    """The last day that tells something of a cycle; None while the next one has not begun."""
    cycle, following, _ = followed
    if following is None:
        return None
    return max(_over_on(cycle, following, ctx), following.first_on, cycle.doses[-1].on)


def _over_on(cycle: Cycle, following: Cycle | None, ctx: Context) -> date:
    ends_on = cycle.first_on + timedelta(days=ctx.protocol.azacitidine.cycle_days)
    return min(ends_on, following.first_on) if following else ends_on


def _early(cycle: Cycle, following: Cycle, ctx: Context) -> Iterator[Finding]:
    apart, planned = (following.first_on - cycle.first_on).days, ctx.protocol.azacitidine.cycle_days
    if apart < planned:
        said = f"Azacitidine cycle {following.number} began {apart} days after cycle {cycle.number}"
        details = {"value": str(apart), "unit": "d", "reference": str(planned)}
        hit = Hit(said, details={**details, "item": f"cycle {following.number}"})
        yield single(EARLY, following.doses[0], hit, item=str(following.number), also=(cycle.doses[0].key,))


def _dose(cycle: Cycle, ctx: Context) -> Iterator[Finding]:
    limits = ctx.protocol.azacitidine
    slack = percent_of(limits.tolerance_percent, limits.dose_mg_m2)
    off = []
    for dose in cycle.doses:
        given = dose.data.dose_mg_m2
        if given is not None and minus(given, limits.dose_mg_m2).copy_abs() > slack:
            said = f"Azacitidine {given} mg/m² given, {limits.dose_mg_m2} mg/m² ± {limits.tolerance_percent}% planned"
            details = {"value": str(given), "unit": "mg/m2", "reference": str(limits.dose_mg_m2)}
            off.append(evidence(dose, Hit(said, details={**details, "item": f"cycle {cycle.number}"})))
    if off:
        yield Finding(DOSE, tuple(off), item=str(cycle.number))


def _days(cycle: Cycle, following: Cycle | None, stopped_at: list[datetime], ctx: Context) -> Iterator[Finding]:
    """Five consecutive local days; a stop within a gap excuses it, and one before the cycle was over a short cycle."""
    limits = ctx.protocol.azacitidine
    days, over_on = sorted({dose.on for dose in cycle.doses}), _over_on(cycle, following, ctx)
    problems: list[tuple[date, str]] = []
    problems += [
        (later, f"a gap before {later.isoformat()}")
        for day, later in pairwise(days)
        if (later - day).days > 1 and not _any_between(day, later, stopped_at, ctx)
    ]
    left = ctx.off_study_at is not None and ctx.on(ctx.off_study_at) <= over_on
    excused = left or _any_between(cycle.first_on, over_on, stopped_at, ctx)
    if len(days) < limits.days and not excused and ctx.day_reached(over_on):
        problems.append((over_on, f"only {len(days)} of {limits.days} days given"))
    if len(days) > limits.days:
        problems.append((days[limits.days], f"{len(days)} days given, {limits.days} planned"))
    if problems:
        said = "; ".join(text for _, text in problems)
        hit = Hit(f"Azacitidine cycle {cycle.number}: {said}", details={"item": f"cycle {cycle.number}"})
        proof = evidence(cycle.doses[0], hit, also=tuple(dose.key for dose in cycle.doses[1:]))
        yield Finding(DAYS, (proof,), item=str(cycle.number), effective=min(problems)[0])


def _stopped_at(ctx: Context) -> list[datetime]:
    """When something stopped, or somebody did, in order."""
    decided = [f.at for f in ctx.signed if f.data.decision in ("stop", "hold", "withdraw")]
    return sorted([*(hold.at for hold in ctx.holds), *decided])


def _any_between(first_on: date, last_on: date, instants: list[datetime], ctx: Context) -> bool:
    """Is one of them on a local day from `first_on` to `last_on`?"""
    after = ctx.start_of(last_on + timedelta(days=1))
    return bisect_left(instants, ctx.start_of(first_on)) < bisect_left(instants, after)


def _late(given: Sequence[Cycle], ctx: Context) -> Iterator[Finding]:
    limits = ctx.protocol.azacitidine
    course = spans(ctx)
    for cycle, following in islice(with_next(given), limits.cycles - 1):
        due_on = cycle.first_on + timedelta(days=limits.late_after_days + 1)
        if following is not None and following.first_on < due_on:
            continue  # in time
        said = f"No azacitidine cycle has begun in the {limits.late_after_days} days since cycle {cycle.number} began"
        hit = Hit(said, details={"due_on": due_on.isoformat(), "item": f"cycle {cycle.number + 1}"})
        expected = Expected(
            LATE,
            evidence(cycle.doses[0], hit),
            due_on,
            following.doses[0].effective if following else None,
            str(cycle.number),
        )
        if (finding := remind(expected, _both_on_treatment, course, ctx)) is not None:
            yield finding


def _both_on_treatment(span: Span) -> bool:
    return span.both_on_treatment


def _count(given: Sequence[Cycle], ctx: Context) -> Iterator[Finding]:
    limit = ctx.protocol.azacitidine.cycles
    excess = [c for index, c in enumerate(given, start=1) if index > limit or c.number > limit]
    if excess:
        said = f"More than {limit} azacitidine cycles given"
        hit = Hit(said, details={"value": str(max(len(given), excess[-1].number)), "reference": str(limit)})
        yield Finding(COUNT, tuple(evidence(cycle.doses[0], hit) for cycle in excess))
