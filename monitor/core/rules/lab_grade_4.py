"""Grade 4 by laboratory alone (clause stop.1): for review, since deep cytopenia is expected under azacitidine.

Graded by CTCAE v5: a laboratory adverse event reported as grade 4; counts below their limits; liver and kidney values
above so many times the upper limit of normal that came with the result (none sent: not graded).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from monitor.core.censored import is_above, is_below
from monitor.core.context import Context
from monitor.core.exact import times
from monitor.core.finding import Finding, Found, Rule
from monitor.core.history import Fact
from monitor.core.rules.runs import item_runs, single
from monitor.core.rules.stop_life_threatening import hit as stops_treatment
from monitor.core.series import Series
from monitor.core.stops import Hit
from monitor.core.walking import chosen, walk
from monitor.events.clinical import AdverseEventReported
from monitor.events.lab import Analyte, LabResulted
from monitor.events.record import RecordBlock

RULE = Rule("lab.grade-4", "medium", "stop.1", review=True)
READS = (
    Analyte.NEUTROPHILS,
    Analyte.PLATELETS,
    Analyte.AST,
    Analyte.ALT,
    Analyte.TOTAL_BILIRUBIN,
    Analyte.CREATININE,
    AdverseEventReported,
)


def find(ctx: Context) -> Iterator[Found]:
    limits = ctx.protocol.laboratory
    yield from _below(Analyte.NEUTROPHILS, limits.grade_4_neutrophils_below, ctx)
    yield from _below(Analyte.PLATELETS, limits.grade_4_platelets_below, ctx)
    yield from _above(Analyte.AST, limits.grade_4_transaminase_above_uln, ctx)
    yield from _above(Analyte.ALT, limits.grade_4_transaminase_above_uln, ctx)
    yield from _above(Analyte.TOTAL_BILIRUBIN, limits.grade_4_bilirubin_above_uln, ctx)
    yield from _above(Analyte.CREATININE, limits.grade_4_creatinine_above_uln, ctx)
    told: Series[Finding] = Series()
    yield walk(ctx.memo, (RULE.id, "reported"), ctx.history.of(AdverseEventReported), told, _reported)


def _reported(told: Series[Finding], fact: Fact[AdverseEventReported]) -> Series[Finding]:
    if fact.data.ctcae_grade != 4 or not fact.data.laboratory or stops_treatment(fact.data) is not None:
        return told
    hit = Hit("Laboratory adverse event of CTCAE grade 4", details={"grade": 4, "item": "adverse_event"})
    return told.with_item(single(RULE, fact, hit, item=f"adverse_event/{fact.key[1]}"))


def _below(analyte: Analyte, limit: Decimal, ctx: Context) -> Iterator[Found]:
    def below(data: LabResulted) -> bool | None:
        return is_below(data, limit)

    def judge(data: RecordBlock) -> Hit | None:
        if not isinstance(data, LabResulted) or not below(data):
            return None
        return Hit(
            f"{analyte.value.capitalize()} {data.comparator or ''}{data.quantity} × 10⁹/L, grade 4 (below {limit})",
            details={"value": str(data.quantity), "unit": "10*9/L", "reference": str(limit), "item": analyte.value},
        )

    yield from item_runs(RULE, _telling(analyte, below, ctx), judge, ctx, item=analyte.value)


def _above(analyte: Analyte, multiple: Decimal, ctx: Context) -> Iterator[Found]:
    name = {Analyte.AST: "AST", Analyte.ALT: "ALT"}.get(analyte, analyte.value.replace("_", " ").capitalize())

    def above(data: LabResulted) -> bool | None:
        return None if data.reference_high is None else is_above(data, times(multiple, data.reference_high))

    def judge(data: RecordBlock) -> Hit | None:
        if not isinstance(data, LabResulted) or data.reference_high is None or not above(data):
            return None
        value = f"{data.comparator or ''}{data.quantity}"
        said = f"{value}, more than {multiple} times the upper limit ({data.reference_high})"
        limit = times(multiple, data.reference_high)
        details = {"value": str(data.quantity), "reference": str(limit), "item": analyte.value}
        return Hit(f"{name} {said}: grade 4", details=dict(details))

    yield from item_runs(RULE, _telling(analyte, above, ctx), judge, ctx, item=analyte.value)


def _telling(analyte: Analyte, says: Callable[[LabResulted], bool | None], ctx: Context) -> Series[Fact[LabResulted]]:
    """The results that say something about the limit: one that leaves it open neither tells of grade 4 nor ends it."""
    name = (ctx.protocol.hash, RULE.id, "telling", analyte.value)
    return chosen(ctx.memo, name, ctx.labs(analyte), lambda fact: says(fact.data) is not None)
