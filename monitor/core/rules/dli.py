"""Donor lymphocyte infusions against the schedule: 48 hours after azacitidine, every 4 to 6 weeks, at most four."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from monitor.core.context import Context
from monitor.core.finding import Finding, Rule
from monitor.core.history import Fact
from monitor.core.rules.azacitidine import cycles
from monitor.core.rules.reminders import Expected, remind
from monitor.core.rules.runs import evidence, single
from monitor.core.sequences import with_next
from monitor.core.states import COURSE, Span, spans
from monitor.core.stops import Hit
from monitor.core.times import within_hours
from monitor.events.treatment import AzacitidineGiven, DliInfused

TOO_SOON = Rule("dli.too-soon", "medium", "dosing", review=True)
SHORT = Rule("dli.interval-short", "low", "dosing")
LONG = Rule("dli.interval-long", "low", "dosing")
COUNT = Rule("dli.count", "medium", "dosing", review=True)
SCHEDULE = Rule("dli.schedule-conflict", "low", "dosing", review=True)
READS = (AzacitidineGiven, DliInfused, *COURSE)


def find(ctx: Context) -> Iterator[Finding]:
    infusions = ctx.history.of(DliInfused)
    for infusion in infusions:
        yield from _too_soon(infusion, ctx)
    for previous, infusion in pairwise(infusions):
        apart = (infusion.on - previous.on).days
        if apart < ctx.protocol.dli.interval_min_days:
            hit = Hit(f"DLI {apart} days after the one before", details={"value": str(apart), "unit": "d"})
            yield single(SHORT, infusion, hit, item=infusion.key[1], also=(previous.key,))
    yield from _long(infusions, ctx)
    excess = infusions[ctx.protocol.dli.maximum_doses :]
    if excess:
        hit = Hit(f"{len(infusions)} DLIs given, at most {ctx.protocol.dli.maximum_doses} planned")
        yield Finding(COUNT, tuple(evidence(f, hit) for f in excess))
    if infusions:
        yield from _conflict(infusions, ctx)


def _too_soon(infusion: Fact[DliInfused], ctx: Context) -> Iterator[Finding]:
    """Less than 48 hours after the last azacitidine dose before it."""
    limits = ctx.protocol.dli
    earlier = [dose for dose in ctx.history.of(AzacitidineGiven) if dose.at <= infusion.at]
    if earlier and within_hours(
        earlier[-1].effective, infusion.effective, limits.hours_after_azacitidine, limits.days_after_azacitidine, ctx.tz
    ):
        said = f"DLI less than {limits.hours_after_azacitidine} hours after the last azacitidine dose"
        hours = (infusion.at - earlier[-1].at).total_seconds() / 3600
        details = {"value": f"{hours:.1f}", "unit": "h", "reference": str(limits.hours_after_azacitidine)}
        yield single(
            TOO_SOON, infusion, Hit(said, details=dict(details)), item=infusion.key[1], also=(earlier[-1].key,)
        )


def _long(infusions: tuple[Fact[DliInfused], ...], ctx: Context) -> Iterator[Finding]:
    """Late after day 42: reminded while fewer than three were given; afterwards told when the next one comes."""
    limits, course = ctx.protocol.dli, spans(ctx)
    for count, (infusion, following) in enumerate(with_next(infusions), start=1):
        due_on = infusion.on + timedelta(days=limits.interval_max_days + 1)
        said = f"More than {limits.interval_max_days} days since DLI {count}"
        hit = Hit(said, details={"due_on": due_on.isoformat(), "item": f"DLI {count + 1}"})
        if count < limits.planned_doses:
            came_at = following.at if following else None
            expected = Expected(LONG, evidence(infusion, hit), due_on, came_at, infusion.key[1])
            if (finding := remind(expected, _both_on_treatment, course, ctx)) is not None:
                yield finding
        elif following is not None and following.on >= due_on:
            yield Finding(
                LONG, (evidence(following, hit, also=(infusion.key,)),), item=infusion.key[1], effective=due_on
            )


def _both_on_treatment(span: Span) -> bool:
    return span.both_on_treatment


def _conflict(infusions: tuple[Fact[DliInfused], ...], ctx: Context) -> Iterator[Finding]:
    """The next due day falls on or near azacitidine, given or planned."""
    limits, last = ctx.protocol.dli, infusions[-1]
    course = spans(ctx)
    if len(infusions) >= limits.maximum_doses or not course or not course[-1].both_on_treatment:
        return
    due_on = last.on + timedelta(days=limits.interval_min_days)
    near = sorted(day for day in _azacitidine_days(ctx) if abs((day - due_on).days) <= limits.conflict_days)
    if near:
        said = f"The next DLI is due on {due_on}, within {limits.conflict_days} days of azacitidine ({near[0]})"
        hit = Hit(said, details={"due_on": due_on.isoformat(), "reference": near[0].isoformat()})
        yield single(SCHEDULE, last, hit, item=last.key[1])


def _azacitidine_days(ctx: Context) -> set[date]:
    """Days given, and the days of the next cycle as planned."""
    given, limits = cycles(ctx), ctx.protocol.azacitidine
    days = {dose.on for cycle in given for dose in cycle.doses}
    if given and len(given) < limits.cycles:
        start = given[-1].first_on + timedelta(days=limits.cycle_days)
        days |= {start + timedelta(days=n) for n in range(limits.days)}
    return days
