"""Haematological relapse stops treatment for good (clause stop.3).

Blasts of 5% or more in marrow or blood (assessment or laboratory), or extramedullary disease, or the site says relapse.
Blood blasts above 0 and below 5% are an urgent review: `relapse.blood-blasts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import takewhile

from monitor.core.context import Context
from monitor.core.episodes import episode
from monitor.core.finding import Rule, in_time
from monitor.core.history import RecordKey
from monitor.core.series import Series
from monitor.core.stops import Hit, Judge, Judged, Stop, assessed, qualifying
from monitor.core.times import precedes
from monitor.core.walking import merged
from monitor.events.clinical import DiseaseAssessed
from monitor.events.lab import Analyte, LabResulted
from monitor.events.record import RecordBlock
from monitor.protocol.model import Protocol

RULE = Rule("stop.relapse", "high", "stop.3", reading="relapse.blast_percent")
COUNTS = f"{RULE.id}/counts"
READS = (DiseaseAssessed, Analyte.BLOOD_BLASTS)


def judge(protocol: Protocol) -> Judge:
    """The judge of a disease assessment or of a laboratory blast count."""
    limit = protocol.relapse.blast_percent

    def hit(data: RecordBlock) -> Hit | None:
        reasons = list(_reasons(data, limit))
        if not reasons:
            return None
        value = blood_blasts(data) if isinstance(data, LabResulted) else _highest(data)
        return Hit(
            "Relapse: " + "; ".join(reasons), details={"value": None if value is None else str(value), "unit": "%"}
        )

    return hit


def stops(ctx: Context) -> Iterator[Stop]:
    hit = judge(ctx.protocol)
    assessments = assessed(RULE.id, ctx.history.said(DiseaseAssessed), hit, ctx)
    counts = assessed(COUNTS, ctx.history.said(Analyte.BLOOD_BLASTS), hit, ctx)
    run = (qualifying(RULE.id, assessments, ctx), qualifying(COUNTS, counts, ctx, but=_answered(counts, ctx)))
    yield from episode(RULE, merged(ctx.memo, (ctx.protocol.hash, RULE.id, "run"), run, in_time), ctx)


def blood_blasts(data: RecordBlock) -> Decimal | None:
    """Percent of blasts in blood that a laboratory counted."""
    is_count = isinstance(data, LabResulted) and data.analyte is Analyte.BLOOD_BLASTS and data.comparator != "<"
    return data.quantity if is_count and isinstance(data, LabResulted) else None


def _answered(counts: Series[Judged], ctx: Context) -> frozenset[RecordKey]:
    """Counts before the first dose that a disease assessment followed, still before it: then that one is judged.

    It must certainly be the later one: a form of the morning says nothing of the afternoon's count.
    """
    dose = ctx.first_dose
    if dose is None:
        return frozenset()
    before = [fact for fact, _ in takewhile(lambda judged: judged[0].on < dose.on, counts)]
    later = takewhile(lambda f: f.on <= dose.on, ctx.history.of(DiseaseAssessed)) if before else ()
    forms = [f.effective for f in later if precedes(f.effective, dose.effective, ctx.tz)]
    return frozenset(fact.key for fact in before if any(precedes(fact.effective, form, ctx.tz) for form in forms))


def _highest(data: RecordBlock) -> Decimal | None:
    if not isinstance(data, DiseaseAssessed):
        return None
    given = [v for v in (data.marrow_blast_percent, data.blood_blast_percent) if v is not None]
    return max(given, default=None)


def _reasons(data: RecordBlock, limit: Decimal) -> Iterator[str]:
    if isinstance(data, LabResulted):
        if (count := blood_blasts(data)) is not None and count >= limit:
            yield f"{count}% blasts in blood by the laboratory (limit {limit}%)"
    elif isinstance(data, DiseaseAssessed):
        for name, value in (("marrow", data.marrow_blast_percent), ("blood", data.blood_blast_percent)):
            if value is not None and value >= limit:
                yield f"{value}% blasts in {name} (limit {limit}%)"
        if data.extramedullary:
            yield "extramedullary disease"
        if data.relapse:
            yield "the site says relapse"
