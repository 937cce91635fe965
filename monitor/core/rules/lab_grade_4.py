"""Grade 4 by laboratory alone (clause stop.1): for review, since deep cytopenia is expected under azacitidine."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from monitor.core.context import Context
from monitor.core.finding import Finding, Rule
from monitor.core.rules.runs import item_runs, single
from monitor.core.rules.stop_life_threatening import hit as stops_treatment
from monitor.core.stops import Hit
from monitor.events.clinical import AdverseEventReported
from monitor.events.lab import Analyte, LabResulted
from monitor.events.record import RecordBlock

RULE = Rule("lab.grade-4", "medium", "stop.1", review=True)
READS = (Analyte.NEUTROPHILS, Analyte.PLATELETS, AdverseEventReported)


def find(ctx: Context) -> Iterator[Finding]:
    limits = ctx.protocol.laboratory
    yield from _analyte(Analyte.NEUTROPHILS, limits.grade_4_neutrophils_below, ctx)
    yield from _analyte(Analyte.PLATELETS, limits.grade_4_platelets_below, ctx)
    for fact in ctx.history.of(AdverseEventReported):
        if fact.data.ctcae_grade == 4 and fact.data.laboratory and stops_treatment(fact.data) is None:
            hit = Hit("Laboratory adverse event of CTCAE grade 4", details={"grade": 4, "item": "adverse_event"})
            yield single(RULE, fact, hit, item=f"adverse_event/{fact.key[1]}")


def _analyte(analyte: Analyte, limit: Decimal, ctx: Context) -> Iterator[Finding]:
    def judge(data: RecordBlock) -> Hit | None:
        if not isinstance(data, LabResulted) or data.quantity is None or data.comparator == ">":
            return None
        surely_below = data.quantity < limit or (data.comparator == "<" and data.quantity <= limit)
        if not surely_below:
            return None
        return Hit(
            f"{analyte.value.capitalize()} {data.comparator or ''}{data.quantity} × 10⁹/L, grade 4 (below {limit})",
            details={"value": str(data.quantity), "unit": "10*9/L", "reference": str(limit), "item": analyte.value},
        )

    yield from item_runs(RULE, ctx.labs(analyte), judge, ctx, item=analyte.value)
