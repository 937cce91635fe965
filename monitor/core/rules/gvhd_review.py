"""GVHD assessments that a human must look at without their being a stop (clause stop.2)."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.context import Context
from monitor.core.finding import Found, Rule
from monitor.core.grading.acute import AcuteGrade, graded
from monitor.core.grading.chronic import judged
from monitor.core.grading.magic import ROMAN
from monitor.core.grading.nih import Severity
from monitor.core.rules.runs import item_runs
from monitor.core.stops import Hit
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.record import RecordBlock

BOUNDARY = Rule("gvhd.boundary-grade", "medium", "stop.2", review=True, reading="acute_gvhd.stop_grade")
INCOMPLETE = Rule("gvhd.incomplete", "medium", "stop.2", review=True)
MISMATCH = Rule("gvhd.grade-mismatch", "medium", "stop.2", review=True)
MILD = Rule("gvhd.chronic-mild", "medium", "stop.2", review=True, reading="chronic_gvhd.stop_severity")
READS = (AcuteGvhdAssessed, ChronicGvhdAssessed)


def find(ctx: Context) -> Iterator[Found]:
    limit = ctx.protocol.acute_gvhd.stop_grade
    acute, chronic = ctx.history.of(AcuteGvhdAssessed), ctx.history.of(ChronicGvhdAssessed)
    yield from item_runs(BOUNDARY, acute, lambda data: _boundary(data, limit), ctx, item="acute")
    yield from item_runs(INCOMPLETE, acute, lambda data: _incomplete(data, limit), ctx, item="acute")
    yield from item_runs(INCOMPLETE, chronic, _unscored, ctx, item="chronic")
    yield from item_runs(MISMATCH, acute, _acute_mismatch, ctx, item="acute")
    yield from item_runs(MISMATCH, chronic, _chronic_mismatch, ctx, item="chronic")
    stop_from = ctx.protocol.chronic_gvhd.stop_severity
    yield from item_runs(MILD, chronic, lambda data: _below_stop(data, stop_from), ctx, item="chronic")


def _acute(data: RecordBlock) -> AcuteGrade | None:
    return graded(data) if isinstance(data, AcuteGvhdAssessed) else None


def _boundary(data: RecordBlock, limit: int) -> Hit | None:
    verdict = _acute(data)
    if verdict is None or verdict.grade != 2 or limit == 2:
        return None
    return Hit(
        "Acute GVHD grade II: by the chosen reading it does not stop, by the other it would",
        boundary=True,
        provisional=verdict.possible,
        details={"grade": 2, "reported": verdict.reported, "lower_bound": verdict.lower_bound},
    )


def _incomplete(data: RecordBlock, limit: int) -> Hit | None:
    verdict = _acute(data)
    if verdict is None or verdict.negative:
        return None
    if verdict.grade is None:
        return Hit("Acute GVHD assessed, but neither stages nor a grade were sent")
    if not verdict.lower_bound or verdict.grade >= limit:
        return None
    return Hit(
        f"Acute GVHD is at least grade {ROMAN[verdict.grade]}: not every organ was assessed",
        details={"grade": verdict.grade, "lower_bound": True, "reported": verdict.reported},
    )


def _unscored(data: RecordBlock) -> Hit | None:
    if not isinstance(data, ChronicGvhdAssessed):
        return None
    verdict = judged(data)
    if verdict.severity is None and verdict.present is True:
        return Hit("Chronic GVHD is present, but neither organ scores nor a severity were sent")
    if verdict.lower_bound and not verdict.at_least("mild"):
        return Hit("No chronic GVHD found so far, but not every organ was scored", details={"lower_bound": True})
    return None


def _acute_mismatch(data: RecordBlock) -> Hit | None:
    verdict = _acute(data)
    if verdict is None or not verdict.mismatch or verdict.derived is None or verdict.reported is None:
        return None
    derived, reported = ROMAN[verdict.derived], ROMAN[verdict.reported]
    return Hit(
        f"The organ stages give acute GVHD grade {derived}, the site reported {reported}; {derived} counts",
        details={"grade": verdict.derived, "reported": verdict.reported},
    )


def _chronic_mismatch(data: RecordBlock) -> Hit | None:
    if not isinstance(data, ChronicGvhdAssessed) or not (verdict := judged(data)).mismatch:
        return None
    there = "present" if verdict.present else "absent"
    said = verdict.reported if verdict.reported not in (None, verdict.severity) else there
    if verdict.derived is None:
        summary = f"Chronic GVHD was reported as {verdict.severity}, and as {said}"
    else:
        summary = f"The organ scores give chronic GVHD {verdict.derived}, the site reported {said}"
    return Hit(summary, details={"severity": verdict.severity, "reported": said})


def _below_stop(data: RecordBlock, stop_from: Severity) -> Hit | None:
    if not isinstance(data, ChronicGvhdAssessed) or not (verdict := judged(data)).at_least("mild"):
        return None
    if verdict.at_least(stop_from):
        return None
    return Hit(
        f"Chronic GVHD, {verdict.severity}: below the stop ({stop_from})",
        boundary=verdict.severity == "moderate",
        details={"severity": verdict.severity, "reported": verdict.reported, "lower_bound": verdict.lower_bound},
    )
