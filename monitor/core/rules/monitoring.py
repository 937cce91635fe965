"""Examinations that are overdue while the patient is on treatment or held (good practice): one alert an item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from monitor.core.context import Context
from monitor.core.finding import Evidence, Finding, Rule
from monitor.core.history import Fact
from monitor.core.rules.mrd_series import read
from monitor.core.rules.reminders import Expected, remind
from monitor.core.rules.runs import evidence
from monitor.core.rules.stop_chimerism import NON_MARROW
from monitor.core.rules.stop_chimerism import find as chimerism
from monitor.core.sequences import with_next
from monitor.core.states import COURSE, HELD, OFF_STUDY, ON_TREATMENT, STOPPED, Span, spans
from monitor.core.stops import Hit
from monitor.core.times import Effective, precedes
from monitor.events.chimerism import ChimerismResulted
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.mrd import MrdResulted
from monitor.events.patient import PatientEnrolled
from monitor.events.record import RecordBlock

RULE = Rule("monitoring.overdue", "low", "practice", reminder=True)
READS = (ChimerismResulted, MrdResulted, AcuteGvhdAssessed, ChronicGvhdAssessed, PatientEnrolled, *COURSE)


def find(ctx: Context) -> Iterator[Finding]:
    if ctx.first_dose is None:
        return
    limits, course = ctx.protocol.monitoring, spans(ctx)
    gvhd = sorted([*ctx.history.of(AcuteGvhdAssessed), *ctx.history.of(ChronicGvhdAssessed)], key=lambda f: f.order)
    examinations: tuple[tuple[str, str, Sequence[Fact[RecordBlock]], int], ...] = (
        ("chimerism", "marrow chimerism", ctx.marrow, limits.chimerism_days),
        ("mrd", "MRD", [f for f in ctx.history.of(MrdResulted) if read(f) is not None], limits.mrd_days),
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


def _series(item: str, what: str, facts: Sequence[Fact[RecordBlock]], days: int, ctx: Context) -> Iterator[Expected]:
    """Each examination asks for the next; the first dose asks for the first."""
    dose = ctx.first_dose
    since = [f for f in facts if dose is not None and f.at > dose.at]
    before = [f for f in facts if dose is not None and f.at <= dose.at]
    base: Fact[RecordBlock] | None = before[-1] if before else dose
    for fact, following in with_next([*([base] if base else []), *since]):
        due_on = fact.on + timedelta(days=days + 1)
        if following is not None and following.on < due_on:
            continue  # it came in time
        hit = Hit(f"No {what} for more than {days} days", details={"item": item, "due_on": due_on.isoformat()})
        yield Expected(RULE, evidence(fact, hit), due_on, following.effective if following else None, item)


def _requested_marrow(ctx: Context) -> Iterator[Expected]:
    """Asked for by several samples at a time, it is one marrow: the first asked for it."""
    days = ctx.protocol.monitoring.requested_marrow_days
    asking: dict[Effective | None, Evidence] = {}
    for asked in sorted((f.first for f in chimerism(ctx) if f.rule is NON_MARROW), key=lambda e: (e.at, e.key)):
        answers = (f.effective for f in ctx.marrow if not precedes(f.effective, asked.effective, ctx.tz))
        asking.setdefault(next(answers, None), asked)
    for came, asked in asking.items():
        due_on = ctx.on(asked.effective) + timedelta(days=days + 1)
        fact = next(f for f in ctx.history.of(ChimerismResulted) if f.key == asked.key)
        hit = Hit(
            f"The whole marrow asked for {days} days ago has not come",
            details={"item": "marrow", "due_on": due_on.isoformat()},
        )
        yield Expected(RULE, evidence(fact, hit), due_on, came, "marrow")
