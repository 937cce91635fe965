"""What would stop, before there is a treatment to stop (clause exclusion.6): it follows the latest assessment.

Not latched: the next assessment that is clear ends it, the first dose hands it over to the stop rules. From D+90 on it
is urgent, since a dose may be unreported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from monitor.core.context import Context
from monitor.core.finding import Evidence, Finding, Priority, Rule
from monitor.core.history import Fact, Kind, RecordKey
from monitor.core.rules import (
    stop_acute_gvhd,
    stop_chimerism,
    stop_chronic_gvhd,
    stop_graft_rejection,
    stop_life_threatening,
    stop_overlap,
    stop_relapse,
)
from monitor.core.rules.runs import LATER_RESULT
from monitor.core.stops import Judge, evidence_of
from monitor.core.times import precedes
from monitor.events.chimerism import ChimerismResulted
from monitor.events.clinical import AdverseEventReported, DiseaseAssessed, GraftAssessed
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.lab import Analyte
from monitor.events.patient import PatientEnrolled
from monitor.events.record import RecordBlock
from monitor.events.treatment import AzacitidineGiven, DliInfused

CRITERION = Rule("eligibility.stop-criterion", "medium", "exclusion.6", review=True)
READS = (
    AzacitidineGiven,
    DliInfused,
    PatientEnrolled,
    AcuteGvhdAssessed,
    ChronicGvhdAssessed,
    ChimerismResulted,
    DiseaseAssessed,
    GraftAssessed,
    AdverseEventReported,
    Analyte.BLOOD_BLASTS,
    "off_study_at",
)


def find(ctx: Context) -> Iterator[Finding]:
    for rule, facts, judge in _assessments(ctx):
        judged = (evidence_of(fact, judge, ctx) for fact in _untreated(facts, ctx))
        yield from _runs(rule, rule, judged, ctx)
    yield from _runs("stop.relapse", "stop.relapse", _counts(ctx), ctx)
    yield from _runs("stop.overlap", "stop.overlap/derived", _derived(ctx), ctx)
    for fact in _untreated(ctx.history.said(AdverseEventReported), ctx):
        evidence = evidence_of(fact, stop_life_threatening.hit, ctx)
        yield from _runs(stop_life_threatening.RULE.id, f"stop.life-threatening/{fact.key[1]}", [evidence], ctx)


def _assessments(ctx: Context) -> Iterator[tuple[str, Sequence[Fact[RecordBlock]], Judge]]:
    """What is assessed again and again, and the judge of the stop rule it would be put before."""
    said = ctx.history.said
    yield "stop.acute-gvhd", said(AcuteGvhdAssessed), stop_acute_gvhd.judge(ctx.protocol)
    yield "stop.chronic-gvhd", said(ChronicGvhdAssessed), stop_chronic_gvhd.judge(ctx.protocol)
    yield "stop.overlap", said(ChronicGvhdAssessed), stop_overlap.judge(ctx.protocol)
    yield "stop.chimerism", stop_chimerism.said_of_marrow(ctx), stop_chimerism.judge(ctx.protocol)
    yield "stop.relapse", said(DiseaseAssessed), stop_relapse.judge(ctx.protocol)
    yield "stop.graft-rejection", said(GraftAssessed), stop_graft_rejection.hit


def _counts(ctx: Context) -> Iterator[Evidence | None]:
    """Blast counts of the laboratory; a disease assessment answers for those before it."""
    for fact in _in_turn(ctx, Analyte.BLOOD_BLASTS, DiseaseAssessed):
        assessed = isinstance(fact.data, DiseaseAssessed)
        yield None if assessed else evidence_of(fact, stop_relapse.judge(ctx.protocol), ctx)


def _derived(ctx: Context) -> Iterator[Evidence | None]:
    """Overlap by the latest acute and the latest chronic assessment, both active on one local day."""
    acute: tuple[Fact[RecordBlock], Evidence | None] | None = None
    chronic: tuple[Fact[RecordBlock], Evidence | None] | None = None
    for fact in _in_turn(ctx, AcuteGvhdAssessed, ChronicGvhdAssessed):
        if isinstance(fact.data, ChronicGvhdAssessed):
            reported = evidence_of(fact, stop_overlap.judge(ctx.protocol), ctx) is not None
            active = None if reported else evidence_of(fact, stop_overlap.active_chronic(ctx.protocol), ctx)
            chronic = fact, active
        else:
            acute = fact, evidence_of(fact, stop_overlap.active_acute, ctx)
        if acute is None or chronic is None or acute[0].on != chronic[0].on or not (acute[1] and chronic[1]):
            yield None
        else:
            yield stop_overlap.together(chronic[1], acute[1])


def _in_turn(ctx: Context, *kinds: Kind) -> list[Fact[RecordBlock]]:
    """The facts of several kinds before the first dose, in order of time."""
    return sorted((f for kind in kinds for f in _untreated(ctx.history.said(kind), ctx)), key=lambda f: f.order)


def _untreated(facts: Sequence[Fact[RecordBlock]], ctx: Context) -> Sequence[Fact[RecordBlock]]:
    dose = ctx.first_dose
    if dose is None:
        return facts
    by_then = takewhile(lambda fact: fact.on <= dose.on, facts)  # they are in order of time
    return [fact for fact in by_then if precedes(fact.effective, dose.effective, ctx.tz)]


def _runs(rule: str, item: str, judged: Iterable[Evidence | None], ctx: Context) -> Iterator[Finding]:
    """One finding for each run of assessments that would stop; a clear one ends it."""
    run: dict[RecordKey, Evidence] = {}
    for evidence in judged:
        if evidence is not None:
            run[evidence.key] = evidence
        elif run:
            yield _criterion(rule, Finding(CRITERION, tuple(run.values()), item=item, outcome=LATER_RESULT), ctx)
            run = {}
    if run:
        yield _criterion(rule, Finding(CRITERION, tuple(run.values()), item=item), ctx)


def _criterion(rule: str, finding: Finding, ctx: Context) -> Finding:
    """Over at the first dose, when the stop rules judge."""
    outcome = finding.outcome or ("treatment_started" if ctx.first_dose is not None else None)
    priority: Priority = "high" if _late(finding, ctx) else "medium"
    return replace(finding, outcome=outcome, priority=priority, details={"item": rule})


def _late(finding: Finding, ctx: Context) -> bool:
    """Has it been so from D+90 on? A dose may then be unreported. What ended before, or left the study, stays."""
    earliest = ctx.day(ctx.protocol.start.first_day)
    if earliest is None:
        return False
    if finding.outcome is not None:
        return any(ctx.on(e.effective) >= earliest for e in finding.evidence)
    if ctx.first_dose is not None:
        return ctx.first_dose.on >= earliest
    left = ctx.off_study_at
    return (left is None or left >= ctx.start_of(earliest)) and ctx.day_reached(earliest)
