"""A positive pregnancy test between enrolment and the end of treatment (clause exclusion.10)."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.context import Context
from monitor.core.finding import Found, Rule
from monitor.core.rules.runs import item_runs
from monitor.core.states import COMPLETED, COURSE, OFF_STUDY, treatment_state
from monitor.core.stops import Hit
from monitor.events.lab import Analyte, LabResulted
from monitor.events.patient import PatientEnrolled
from monitor.events.record import RecordBlock

RULE = Rule("pregnancy.positive", "high", "exclusion.10", review=True)
READS = (Analyte.PREGNANCY, PatientEnrolled, *COURSE)


def find(ctx: Context) -> Iterator[Found]:
    enrolment = ctx.enrolment
    if enrolment is None:
        return
    ended = (COMPLETED, OFF_STUDY)
    tests = (f for f in ctx.labs(Analyte.PREGNANCY) if f.on >= enrolment.on)
    counted = [f for f in tests if not f.data.positive or treatment_state(ctx, f.at) not in ended]
    yield from item_runs(RULE, counted, _positive, ctx)


def _positive(data: RecordBlock) -> Hit | None:
    return Hit("Pregnancy test positive") if isinstance(data, LabResulted) and data.positive else None
