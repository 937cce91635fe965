"""What was infused: the dose level that is due, premedication, steroids, active GVHD (clauses dosing, dosing.2).

Levels are CD3+ cells per kg of recipient weight: 1e5, 5e5, 1e6, then 2e6 to 5e6. A dose's level is the lowest that it
does not exceed by more than 10%; due is the lower of its ordinal and one above the highest level given.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from monitor.core.context import Context
from monitor.core.exact import over
from monitor.core.finding import Finding, Found, Rule
from monitor.core.grading.chronic import ChronicSeverity
from monitor.core.grading.magic import ROMAN
from monitor.core.history import Fact
from monitor.core.rules.runs import single
from monitor.core.sequences import first_from
from monitor.core.series import Series
from monitor.core.settled import settled_findings
from monitor.core.stops import Hit
from monitor.core.times import is_day, precedes
from monitor.core.walking import walk
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.treatment import DliInfused, MedicationGiven
from monitor.protocol.model import Dli

DOSE = Rule("dli.dose", "high", "dosing", review=True)
PREMEDICATION = Rule("dli.premedication-missing", "medium", "dosing.2")
STEROID = Rule("dli.steroid", "medium", "dosing.2", reading="dli.steroid_free_hours")
ACTIVE_GVHD = Rule("dli.active-gvhd", "high", "dosing", review=True)
G = TypeVar("G", AcuteGvhdAssessed, ChronicGvhdAssessed)
V = TypeVar("V")
_Levels = tuple[Series[Finding], int, int]  # the doses too high, how many were given, and the highest level of them
READS = (DliInfused, MedicationGiven, AcuteGvhdAssessed, ChronicGvhdAssessed)


def find(ctx: Context) -> Iterator[Found]:
    infusions = ctx.history.of(DliInfused)
    yield _levels(infusions, ctx)
    yield from settled_findings(ctx, "infusions", infusions, lambda f: f.on, lambda f: _circumstances(f, ctx))


def _levels(infusions: Series[Fact[DliInfused]], ctx: Context) -> Series[Finding]:
    """The doses above the level that was due: of each, the infusions before it alone tell."""
    limits = ctx.protocol.dli

    def step(walked: _Levels, infusion: Fact[DliInfused]) -> _Levels:
        found, given, highest = walked
        cells = infusion.data.cd3_per_kg
        reached = level(cells, limits) if cells is not None else None
        due = min(given + 1, highest + 1, len(limits.levels_cd3_per_kg))
        if reached is None or reached > due:
            found = found.with_item(single(DOSE, infusion, _dose(cells, due, limits), item=infusion.key[1]))
        return found, given + 1, max(highest, reached or 0)

    start: _Levels = (Series(), 0, 0)
    return walk(ctx.memo, (ctx.protocol.hash, DOSE.id), infusions, start, step)[0]


def _circumstances(infusion: Fact[DliInfused], ctx: Context) -> Iterator[Finding]:
    yield from _premedication(infusion)
    yield from _steroid(infusion, ctx)
    yield from _active_gvhd(infusion, ctx)


def level(cells: Decimal, limits: Dli) -> int:
    """The level of a dose, from 1; one above the last if it exceeds them all."""
    bounds = [over(upper, limits.tolerance_percent) for upper in limits.levels_cd3_per_kg]
    return next((n for n, bound in enumerate(bounds, start=1) if cells <= bound), len(bounds) + 1)


def _dose(cells: Decimal | None, due: int, limits: Dli) -> Hit:
    upper = limits.levels_cd3_per_kg[due - 1]
    if cells is None:
        return Hit("DLI given, no cell dose stated", details={"reference": f"{upper:.0e}", "unit": "CD3+/kg"})
    due_level = f"up to {upper:.0e} + {limits.tolerance_percent}%"
    said = f"DLI of {cells:.3g} CD3+ cells/kg, above the level that is due ({due_level})"
    return Hit(said, details={"value": str(cells), "unit": "CD3+/kg", "reference": f"{upper:.0e}"})


def _premedication(infusion: Fact[DliInfused]) -> Iterator[Finding]:
    if not any(p.drug_class == "antihistamine" for p in infusion.data.premedication or ()):
        hit = Hit("No antihistamine recorded before this DLI", details={})
        yield single(PREMEDICATION, infusion, hit, item=infusion.key[1])


def _steroid(infusion: Fact[DliInfused], ctx: Context) -> Iterator[Finding]:
    """A systemic corticosteroid as premedication or in the 24 hours before; topical ones are exempt."""
    if any(p.drug_class == "corticosteroid" and not p.topical for p in infusion.data.premedication or ()):
        yield single(STEROID, infusion, Hit("Systemic corticosteroid as premedication of a DLI"), item=infusion.key[1])
        return
    hours = ctx.protocol.dli.steroid_free_hours
    drugs = ctx.history.of(MedicationGiven)
    around = (infusion.on - timedelta(days=2, hours=hours), infusion.on + timedelta(days=1))
    start, end = (first_from(drugs, ctx.start_of(day)) for day in around)
    given = [f for f in drugs[start:end] if f.data.systemic_corticosteroid and _just_before(f, infusion, hours)]
    if given:
        hit = Hit(f"Systemic corticosteroid in the {hours} hours before a DLI")
        yield single(STEROID, infusion, hit, item=infusion.key[1], also=tuple(f.key for f in given))


def _just_before(drug: Fact[MedicationGiven], infusion: Fact[DliInfused], hours: int) -> bool:
    """Within the hours before; where only a day is known, on that day or the day before."""
    if not is_day(drug.effective) and not is_day(infusion.effective):
        return timedelta(0) <= infusion.at - drug.at <= timedelta(hours=hours)
    return 0 <= (infusion.on - drug.on).days <= 1


def _after(fact: Fact[G], infusion: Fact[DliInfused], ctx: Context) -> bool:
    """Was it assessed certainly after the infusion? Of the same day, where only the day is known, it was not."""
    return precedes(infusion.effective, fact.effective, ctx.tz)


def _latest(
    graded: Series[tuple[Fact[G], V]], facts: Series[Fact[G]], infusion: Fact[DliInfused], ctx: Context
) -> list[tuple[Fact[G], V]]:
    """The latest of the graded facts that was not certainly after the infusion, if there is one."""
    by_then = range(first_from(facts, ctx.start_of(infusion.on + timedelta(days=1))))
    return next(([graded[n]] for n in reversed(by_then) if not _after(facts[n], infusion, ctx)), [])


def _active_gvhd(infusion: Fact[DliInfused], ctx: Context) -> Iterator[Finding]:
    """Any active GVHD by the latest assessments."""
    acute = _latest(ctx.acute, ctx.history.of(AcuteGvhdAssessed), infusion, ctx)
    chronic = _latest(ctx.chronic, ctx.history.of(ChronicGvhdAssessed), infusion, ctx)
    active = {fact.key: f"acute, grade {ROMAN[v.grade or 0]}" for fact, v in acute if v.active}
    active |= {fact.key: _chronic_in_words(v) for fact, v in chronic if v.active or v.overlap}
    if active:
        hit = Hit(f"DLI given while the latest assessment shows active GVHD ({'; '.join(active.values())})")
        yield single(ACTIVE_GVHD, infusion, hit, item=infusion.key[1], also=tuple(active))


def _chronic_in_words(verdict: ChronicSeverity) -> str:
    if verdict.severity in (None, "none"):
        return "overlap" if verdict.overlap else "chronic, severity not known"
    return f"chronic, {verdict.severity}"
