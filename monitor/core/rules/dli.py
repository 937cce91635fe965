"""Donor lymphocyte infusions against the schedule: 48 hours after azacitidine, every 4 to 6 weeks, at most four."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from monitor.core.context import Context
from monitor.core.finding import Detail, Finding, Rule
from monitor.core.history import Fact
from monitor.core.rules.azacitidine import Cycle, cycles
from monitor.core.rules.reminders import Expected, inhibited, remind
from monitor.core.rules.runs import evidence, single
from monitor.core.sequences import with_next
from monitor.core.states import COURSE, Span, spans
from monitor.core.stops import Hit
from monitor.core.times import is_day, precedes, within_hours
from monitor.events.treatment import AzacitidineGiven, DliInfused

TOO_SOON = Rule("dli.too-soon", "medium", "dosing", review=True, reading="dli.hours_after_azacitidine")
SHORT = Rule("dli.interval-short", "low", "dosing")
LONG = Rule("dli.interval-long", "low", "dosing")
COUNT = Rule("dli.count", "medium", "dosing", review=True)
SCHEDULE = Rule("dli.schedule-conflict", "low", "dosing", review=True, reminder=True)
READS = (AzacitidineGiven, DliInfused, *COURSE)


def find(ctx: Context) -> Iterator[Finding]:
    infusions = ctx.history.of(DliInfused)
    for infusion in infusions:
        yield from _too_soon(infusion, ctx)
    for previous, infusion in pairwise(infusions):
        apart = (infusion.on - previous.on).days
        if apart < ctx.protocol.dli.interval_min_days:
            details = {"value": str(apart), "unit": "d", "reference": str(ctx.protocol.dli.interval_min_days)}
            hit = Hit(f"DLI {apart} days after the one before", details=dict(details))
            yield single(SHORT, infusion, hit, item=infusion.key[1], also=(previous.key,))
    yield from _long(infusions, ctx)
    excess = infusions[ctx.protocol.dli.maximum_doses :]
    if excess:
        limit = ctx.protocol.dli.maximum_doses
        said = f"{len(infusions)} DLIs given, at most {limit} planned"
        hit = Hit(said, details={"value": str(len(infusions)), "reference": str(limit)})
        yield Finding(COUNT, tuple(evidence(f, hit) for f in excess))
    for count, (infusion, following) in enumerate(with_next(infusions), start=1):
        yield from _conflict(infusion, following, count, ctx)


def _too_soon(infusion: Fact[DliInfused], ctx: Context) -> Iterator[Finding]:
    """Less than 48 hours after the last azacitidine dose before it."""
    limits = ctx.protocol.dli
    doses = ctx.history.of(AzacitidineGiven)
    earlier = [dose for dose in doses if not precedes(infusion.effective, dose.effective, ctx.tz)]
    if earlier and within_hours(
        earlier[-1].effective, infusion.effective, limits.hours_after_azacitidine, limits.days_after_azacitidine, ctx.tz
    ):
        said = f"DLI less than {limits.hours_after_azacitidine} hours after the last azacitidine dose"
        details = _apart(earlier[-1], infusion) | {"reference": str(limits.hours_after_azacitidine)}
        yield single(
            TOO_SOON, infusion, Hit(said, details=dict(details)), item=infusion.key[1], also=(earlier[-1].key,)
        )


def _apart(dose: Fact[AzacitidineGiven], infusion: Fact[DliInfused]) -> dict[str, str]:
    """The time between the two: hours, or local days where either has only a date."""
    if is_day(dose.effective) or is_day(infusion.effective):
        return {"value": str((infusion.on - dose.on).days), "unit": "d"}
    return {"value": f"{(infusion.at - dose.at).total_seconds() / 3600:.1f}", "unit": "h"}


def _long(infusions: Sequence[Fact[DliInfused]], ctx: Context) -> Iterator[Finding]:
    """Late after day 42: reminded while fewer than three were given; afterwards told when the next one comes."""
    limits, course = ctx.protocol.dli, spans(ctx)
    for count, (infusion, following) in enumerate(with_next(infusions), start=1):
        due_on = infusion.on + timedelta(days=limits.interval_max_days + 1)
        said = f"More than {limits.interval_max_days} days since DLI {count}"
        hit = Hit(said, details={"due_on": due_on.isoformat(), "item": f"DLI {count + 1}"})
        if count < limits.planned_doses:
            came = following.effective if following else None
            expected = Expected(LONG, evidence(infusion, hit), due_on, came, infusion.key[1])
            if (finding := remind(expected, _both_on_treatment, course, ctx)) is not None:
                yield finding
        elif following is not None and following.on >= due_on:
            yield Finding(
                LONG, (evidence(following, hit, also=(infusion.key,)),), item=infusion.key[1], effective=due_on
            )


def _both_on_treatment(span: Span) -> bool:
    return span.both_on_treatment


def _conflict(
    infusion: Fact[DliInfused], following: Fact[DliInfused] | None, count: int, ctx: Context
) -> Iterator[Finding]:
    """The next due day falls on or near azacitidine, given or planned; over when the next one comes."""
    limits, course = ctx.protocol.dli, spans(ctx)
    if count >= limits.maximum_doses or not _treated_between(infusion, following, course):
        return
    due_on = infusion.on + timedelta(days=limits.interval_min_days)
    given = [c for c in cycles(ctx) if following is None or c.first_on < following.on]
    at_some_time = _near(due_on, _planned(given, ctx) | set().union(*(_planned([c], ctx) for c in given)), ctx)
    if not at_some_time:
        return
    now = _near(due_on, _planned(given, ctx), ctx)
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


def _treated_between(infusion: Fact[DliInfused], following: Fact[DliInfused] | None, course: list[Span]) -> bool:
    """Were both states `on_treatment` at some time between the two infusions?"""
    return any(
        span.both_on_treatment
        and (later is None or later.start > infusion.at)
        and (following is None or span.start < following.at)
        for span, later in with_next(course)
    )


def _near(due_on: date, days: set[date], ctx: Context) -> list[date]:
    return sorted(day for day in days if abs((day - due_on).days) <= ctx.protocol.dli.conflict_days)


def _planned(given: list[Cycle], ctx: Context) -> set[date]:
    """Days of azacitidine given, and what is planned by the last of these cycles: its own days and the next cycle's."""
    limits = ctx.protocol.azacitidine
    days = {dose.on for cycle in given for dose in cycle.doses}
    if given:
        starts = [given[-1].first_on]
        if given[-1].number < limits.cycles:
            starts.append(starts[0] + timedelta(days=limits.cycle_days))
        days |= {start + timedelta(days=n) for start in starts for n in range(limits.days)}
    return days
