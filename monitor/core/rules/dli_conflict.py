"""The next donor lymphocyte infusion is due on or near azacitidine, given or planned (clause dosing)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice

from monitor.core.context import Context
from monitor.core.finding import Detail, Finding, Rule
from monitor.core.history import Fact
from monitor.core.rules.azacitidine import Cycle, cycles
from monitor.core.rules.reminders import inhibited
from monitor.core.rules.runs import single
from monitor.core.sequences import with_next
from monitor.core.states import COURSE, Span, spans
from monitor.core.stops import Hit
from monitor.events.treatment import AzacitidineGiven, DliInfused

SCHEDULE = Rule("dli.schedule-conflict", "low", "dosing", review=True, reminder=True)
READS = (AzacitidineGiven, DliInfused, *COURSE)


def find(ctx: Context) -> Iterator[Finding]:
    """Of each infusion that another is due after; over when that one comes."""
    infusions = ctx.history.of(DliInfused)
    for infusion, following in islice(with_next(infusions), ctx.protocol.dli.maximum_doses - 1):
        yield from _conflict(infusion, following, ctx)


def _conflict(infusion: Fact[DliInfused], following: Fact[DliInfused] | None, ctx: Context) -> Iterator[Finding]:
    limits, course = ctx.protocol.dli, spans(ctx)
    if not _treated_between(infusion, following, course):
        return
    due_on = infusion.on + timedelta(days=limits.interval_min_days)
    given = [c for c in cycles(ctx) if following is None or c.first_on < following.on]
    about = [c for c in given if _reaches(c, due_on, ctx)]
    at_some_time = _near(due_on, (day for c in about for day in (*_given(c), *_planned(c, ctx))), ctx)
    if not at_some_time:
        return
    now = _near(due_on, (*(day for c in about for day in _given(c)), *_planned(given[-1], ctx)), ctx)
    outcome, details = None, dict[str, Detail]()
    if following is not None:
        outcome = "came"
    elif not course[-1].both_on_treatment:
        outcome, details = "state_ended", inhibited(course, ctx)
    elif not now:
        outcome = "later_result"
    near = (now or at_some_time)[0]
    said = f"The next DLI is due on {due_on}, within {limits.conflict_days} days of azacitidine ({near})"
    hit = Hit(said, details={"due_on": due_on.isoformat(), "reference": near.isoformat()})
    yield replace(single(SCHEDULE, infusion, hit, item=infusion.key[1]), outcome=outcome, details=details)


def _treated_between(infusion: Fact[DliInfused], following: Fact[DliInfused] | None, course: Sequence[Span]) -> bool:
    """Were both states `on_treatment` at some time between the two infusions?"""
    return any(
        span.both_on_treatment
        and (later is None or later.start > infusion.at)
        and (following is None or span.start < following.at)
        for span, later in with_next(course)
    )


def _near(due_on: date, days: Iterable[date], ctx: Context) -> list[date]:
    return sorted(day for day in days if abs((day - due_on).days) <= ctx.protocol.dli.conflict_days)


def _reaches(cycle: Cycle, due_on: date, ctx: Context) -> bool:
    """Can a day of this cycle, or one that it plans, be near the due day?"""
    limits, apart = ctx.protocol.azacitidine, timedelta(days=ctx.protocol.dli.conflict_days)
    planned_until = cycle.first_on + timedelta(days=limits.cycle_days + limits.days)
    return cycle.first_on - apart <= due_on <= max(cycle.doses[-1].on, planned_until) + apart


def _given(cycle: Cycle) -> Iterator[date]:
    return (dose.on for dose in cycle.doses)


def _planned(cycle: Cycle, ctx: Context) -> Iterator[date]:
    """What is planned once a cycle has begun: its own days and the next cycle's."""
    limits = ctx.protocol.azacitidine
    starts = [cycle.first_on]
    if cycle.number < limits.cycles:
        starts.append(cycle.first_on + timedelta(days=limits.cycle_days))
    return (start + timedelta(days=n) for start in starts for n in range(limits.days))
