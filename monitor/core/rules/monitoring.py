"""Examinations that are overdue while the patient is on treatment or held (good practice): one alert an item."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from monitor.core.context import Context
from monitor.core.finding import Evidence, Finding, Rule, each
from monitor.core.history import Fact
from monitor.core.rules.mrd_series import read
from monitor.core.rules.reminders import Expected, remind
from monitor.core.rules.runs import evidence
from monitor.core.rules.stop_chimerism import NON_MARROW
from monitor.core.rules.stop_chimerism import find as chimerism
from monitor.core.sequences import first_from
from monitor.core.series import Series
from monitor.core.states import COURSE, HELD, OFF_STUDY, ON_TREATMENT, STOPPED, Span, spans
from monitor.core.stops import Hit
from monitor.core.times import Effective, precedes
from monitor.core.walking import chosen, merged, walk
from monitor.events.chimerism import ChimerismResulted
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.mrd import MrdResulted
from monitor.events.patient import PatientEnrolled
from monitor.events.record import RecordBlock

RULE = Rule("monitoring.overdue", "low", "practice", reminder=True)
READS = (ChimerismResulted, MrdResulted, AcuteGvhdAssessed, ChronicGvhdAssessed, PatientEnrolled, *COURSE)

_Gaps = tuple[Series[tuple[Fact[Any], Fact[Any]]], Fact[Any]]  # what came late after what, and what came last


def find(ctx: Context) -> Iterator[Finding]:
    if ctx.first_dose is None:
        return
    limits, course = ctx.protocol.monitoring, spans(ctx)
    both = (ctx.history.of(AcuteGvhdAssessed), ctx.history.of(ChronicGvhdAssessed))
    gvhd = merged(ctx.memo, (RULE.id, "gvhd"), both, lambda f: f.order)
    evaluable = chosen(ctx.memo, (RULE.id, "mrd"), ctx.history.of(MrdResulted), lambda f: read(f) is not None)
    examinations: tuple[tuple[str, str, Series[Fact[Any]], int], ...] = (
        ("chimerism", "marrow chimerism", ctx.marrow, limits.chimerism_days),
        ("mrd", "MRD", evaluable, limits.mrd_days),
        ("gvhd", "GVHD assessment", gvhd, limits.gvhd_days),
    )
    for item, what, facts, days in examinations:
        for expected in _series(item, what, facts, days, ctx):
            if (finding := remind(expected, _needed, course, ctx)) is not None:
                yield finding
    for expected in _requested_marrow(ctx):
        if (finding := remind(expected, _needed, course, ctx)) is not None:
            yield finding


def _needed(span: Span) -> bool:
    inhibited = span.protocol in (STOPPED, OFF_STUDY)
    return not inhibited and (span.treatment == ON_TREATMENT or span.protocol == HELD)


def _series(item: str, what: str, facts: Series[Fact[Any]], days: int, ctx: Context) -> Iterator[Expected]:
    """Each examination asks for the next; the first dose asks for the first."""
    if (dose := ctx.first_dose) is None:
        return

    def due_on(fact: Fact[RecordBlock]) -> date:
        return fact.on + timedelta(days=days + 1)

    def step(walked: _Gaps, fact: Fact[RecordBlock]) -> _Gaps:
        gaps, last = walked
        in_time = fact.at <= dose.at or fact.on < due_on(last)
        return gaps if in_time else gaps.with_item((last, fact)), fact

    start: _Gaps = (Series(), dose)
    gaps, last = walk(ctx.memo, (ctx.protocol.hash, RULE.id, item), facts, start, step, dose)
    for fact, following in (*gaps, (last, None)):
        hit = Hit(f"No {what} for more than {days} days", details={"item": item, "due_on": due_on(fact).isoformat()})
        yield Expected(RULE, evidence(fact, hit), due_on(fact), following.effective if following else None, item)


def _requested_marrow(ctx: Context) -> Iterator[Expected]:
    """Asked for by several samples at a time, it is one marrow: the first asked for it."""
    days = ctx.protocol.monitoring.requested_marrow_days
    asking: dict[Effective | None, Evidence] = {}
    for asked in sorted((f.first for f in each(chimerism(ctx)) if f.rule is NON_MARROW), key=lambda e: (e.at, e.key)):
        of_the_day = ctx.marrow.since(first_from(ctx.marrow, ctx.start_of(ctx.on(asked.effective))))
        answers = (f.effective for f in of_the_day if not precedes(f.effective, asked.effective, ctx.tz))
        asking.setdefault(next(answers, None), asked)
    for came, asked in asking.items():
        due_on = ctx.on(asked.effective) + timedelta(days=days + 1)
        results = ctx.history.of(ChimerismResulted)
        fact = next(f for f in results.since(first_from(results, asked.at)) if f.key == asked.key)
        hit = Hit(
            f"The whole marrow asked for {days} days ago has not come",
            details={"item": "marrow", "due_on": due_on.isoformat()},
        )
        yield Expected(RULE, evidence(fact, hit), due_on, came, "marrow")
