"""A dose given while a stop held (clause stop): one alert for each dose.

`known` tells whether an alert of a stop it went against had been raised at or before the dose.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.context import Context, Dose
from monitor.core.finding import Finding, Rule
from monitor.core.rules.runs import single
from monitor.core.stops import Hit, Stop
from monitor.core.times import Effective, precedes, show
from monitor.events.treatment import AzacitidineGiven, DliInfused

RULE = Rule("treatment.dose-after-stop", "high", "stop")
READS = (AzacitidineGiven, DliInfused, "stops")


def find(ctx: Context) -> Iterator[Finding]:
    # Never settled: stops can rest on later days than the dose's.
    for dose in ctx.doses if ctx.stops else ():
        yield from _against(dose, _stops_over(dose, ctx), ctx)


def _stops_over(dose: Dose, ctx: Context) -> tuple[Stop, ...]:
    return tuple(stop for stop in ctx.standing.on(dose.on) if stop.hold.covers(dose.effective, ctx.tz))


def _against(dose: Dose, against: tuple[Stop, ...], ctx: Context) -> Iterator[Finding]:
    if not against:
        return
    drug = "Azacitidine" if isinstance(dose.data, AzacitidineGiven) else "Donor lymphocytes"
    first = against[0]
    known = any(_was_told(stop, dose.effective, ctx) for stop in against)
    hit = Hit(
        f"{drug} given after a stop ({first.rule.id}, effective {show(first.first.effective)})",
        details={"known": known, "stops": [stop.rule.id for stop in against], "value": drug.lower()},
    )
    yield single(RULE, dose, hit, also=tuple(stop.first.key for stop in against))


def _was_told(stop: Stop, dose: Effective, ctx: Context) -> bool:
    """Was an alert of it raised at or before the dose?"""
    told = (ctx.raised_at(stop.rule.id, evidence.key) for evidence in stop.evidence)
    return any(at is not None and not precedes(dose, at, ctx.tz) for at in told)
