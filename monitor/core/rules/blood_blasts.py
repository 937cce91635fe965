"""Blasts in blood above 0 and below the relapse limit: an urgent review (clause stop.3).

"Less than" one in a hundred cells, the least that a smear can show, is none; less than more than that says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from monitor.core.context import Context
from monitor.core.finding import Found, Rule
from monitor.core.rules.runs import item_runs
from monitor.core.rules.stop_relapse import blood_blasts
from monitor.core.stops import Hit
from monitor.core.walking import chosen, merged
from monitor.events.clinical import DiseaseAssessed
from monitor.events.lab import Analyte, LabResulted
from monitor.events.record import RecordBlock

RULE = Rule("relapse.blood-blasts", "high", "stop.3", review=True, reading="relapse.blast_percent")
SHOWN_FROM = Decimal(1)  # percent
READS = (Analyte.BLOOD_BLASTS, DiseaseAssessed)


def find(ctx: Context) -> Iterator[Found]:
    limit = ctx.protocol.relapse.blast_percent
    assessed = ctx.history.of(DiseaseAssessed)
    told = chosen(ctx.memo, (RULE.id, "told"), assessed, lambda f: f.data.blood_blast_percent is not None)
    counts = chosen(ctx.memo, (RULE.id, "counts"), ctx.labs(Analyte.BLOOD_BLASTS), lambda f: _tells(f.data))
    counted = merged(ctx.memo, (RULE.id,), (counts, told), lambda f: f.order)

    def judge(data: RecordBlock) -> Hit | None:
        value, more = _percent(data), "more than " if isinstance(data, LabResulted) and data.comparator == ">" else ""
        if value is None or not (0 < value < limit or (more and value == 0)):
            return None
        said = f"{more}{value}% blasts in blood (relapse from {limit}%)"
        return Hit(said[0].upper() + said[1:], details={"value": str(value), "unit": "%"})

    yield from item_runs(RULE, counted, judge, ctx, item="blood")


def _tells(count: LabResulted) -> bool:
    return not (count.comparator == "<" and count.quantity is not None and count.quantity > SHOWN_FROM)


def _percent(data: RecordBlock) -> Decimal | None:
    return data.blood_blast_percent if isinstance(data, DiseaseAssessed) else blood_blasts(data)
