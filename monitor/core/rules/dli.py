"""Donor lymphocyte infusions against the schedule: 48 hours after azacitidine, every 4 to 6 weeks, at most four."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import count, islice

from monitor.core.context import Context
from monitor.core.finding import Finding, Found, Rule
from monitor.core.history import Fact
from monitor.core.rules.reminders import Expected, remind
from monitor.core.rules.runs import evidence, single
from monitor.core.sequences import first_from, with_next
from monitor.core.settled import settled_findings
from monitor.core.states import COURSE, Span, spans
from monitor.core.stops import Hit
from monitor.core.times import is_day, precedes, within_hours
from monitor.events.treatment import AzacitidineGiven, DliInfused

TOO_SOON = Rule("dli.too-soon", "medium", "dosing", review=True, reading="dli.hours_after_azacitidine")
SHORT = Rule("dli.interval-short", "low", "dosing")
LONG = Rule("dli.interval-long", "low", "dosing")
COUNT = Rule("dli.count", "medium", "dosing", review=True)
READS = (AzacitidineGiven, DliInfused, *COURSE)


def find(ctx: Context) -> Iterator[Found]:
    infusions = ctx.history.of(DliInfused)
    intervals = list(zip(count(), (None, *infusions), infusions))
    yield from settled_findings(ctx, "intervals", intervals, lambda each: each[2].on, lambda each: _one(*each, ctx))
    yield from _reminders(infusions, ctx)
    excess = infusions[ctx.protocol.dli.maximum_doses :]
    if excess:
        limit = ctx.protocol.dli.maximum_doses
        said = f"{len(infusions)} DLIs given, at most {limit} planned"
        hit = Hit(said, details={"value": str(len(infusions)), "reference": str(limit)})
        yield Finding(COUNT, tuple(evidence(f, hit) for f in excess))


def _one(before: int, previous: Fact[DliInfused] | None, infusion: Fact[DliInfused], ctx: Context) -> Iterator[Finding]:
    """What an infusion tells by itself: `before` is how many there were, `previous` the last of them."""
    yield from _too_soon(infusion, ctx)
    if previous is None:
        return
    yield from _short(previous, infusion, ctx)
    due_on = _late_from(previous, ctx)
    if before >= ctx.protocol.dli.planned_doses and infusion.on >= due_on:
        proof = evidence(infusion, _late_hit(before, due_on, ctx), also=(previous.key,))
        yield Finding(LONG, (proof,), item=previous.key[1], effective=due_on)


def _too_soon(infusion: Fact[DliInfused], ctx: Context) -> Iterator[Finding]:
    """Less than 48 hours after the last azacitidine dose before it."""
    limits = ctx.protocol.dli
    doses = ctx.history.of(AzacitidineGiven)
    by_then = range(first_from(doses, ctx.start_of(infusion.on + timedelta(days=1))))
    last = next(
        (doses[n] for n in reversed(by_then) if not precedes(infusion.effective, doses[n].effective, ctx.tz)), None
    )
    if last is not None and within_hours(
        last.effective, infusion.effective, limits.hours_after_azacitidine, limits.days_after_azacitidine, ctx.tz
    ):
        said = f"DLI less than {limits.hours_after_azacitidine} hours after the last azacitidine dose"
        details = _apart(last, infusion) | {"reference": str(limits.hours_after_azacitidine)}
        yield single(TOO_SOON, infusion, Hit(said, details=dict(details)), item=infusion.key[1], also=(last.key,))


def _short(previous: Fact[DliInfused], infusion: Fact[DliInfused], ctx: Context) -> Iterator[Finding]:
    apart, planned = (infusion.on - previous.on).days, ctx.protocol.dli.interval_min_days
    if apart < planned:
        details = {"value": str(apart), "unit": "d", "reference": str(planned)}
        hit = Hit(f"DLI {apart} days after the one before", details=dict(details))
        yield single(SHORT, infusion, hit, item=infusion.key[1], also=(previous.key,))


def _apart(dose: Fact[AzacitidineGiven], infusion: Fact[DliInfused]) -> dict[str, str]:
    """The time between the two: hours, or local days where either has only a date."""
    if is_day(dose.effective) or is_day(infusion.effective):
        return {"value": str((infusion.on - dose.on).days), "unit": "d"}
    return {"value": f"{(infusion.at - dose.at).total_seconds() / 3600:.1f}", "unit": "h"}


def _late_from(infusion: Fact[DliInfused], ctx: Context) -> date:
    """The first day on which the next one is late."""
    return infusion.on + timedelta(days=ctx.protocol.dli.interval_max_days + 1)


def _late_hit(given: int, due_on: date, ctx: Context) -> Hit:
    said = f"More than {ctx.protocol.dli.interval_max_days} days since DLI {given}"
    return Hit(said, details={"due_on": due_on.isoformat(), "item": f"DLI {given + 1}"})


def _reminders(infusions: Sequence[Fact[DliInfused]], ctx: Context) -> Iterator[Finding]:
    """Late after day 42: reminded while fewer than three were given; afterwards told when the next one comes."""
    course = spans(ctx)
    planned = islice(with_next(infusions), ctx.protocol.dli.planned_doses - 1)
    for given, (infusion, following) in enumerate(planned, start=1):
        due_on = _late_from(infusion, ctx)
        if following is not None and following.on < due_on:
            continue  # in time
        came = following.effective if following else None
        expected = Expected(LONG, evidence(infusion, _late_hit(given, due_on, ctx)), due_on, came, infusion.key[1])
        if (finding := remind(expected, _both_on_treatment, course, ctx)) is not None:
            yield finding


def _both_on_treatment(span: Span) -> bool:
    return span.both_on_treatment
