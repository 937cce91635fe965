"""Acute GVHD "above II degree" stops treatment; it may restart in the window (clause stop.2).

Read as grade II or higher (`acute_gvhd.stop_grade: 2`); a stop on exactly II says `boundary`. Grades are MAGIC's.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.context import Context
from monitor.core.episodes import episodes
from monitor.core.finding import Evidence, Rule
from monitor.core.grading.acute import graded
from monitor.core.grading.magic import ROMAN
from monitor.core.history import Fact
from monitor.core.series import Series
from monitor.core.stops import Hit, Judge, Judged, Stop, assessed
from monitor.core.walking import walk
from monitor.events.gvhd import AcuteGvhdAssessed
from monitor.events.record import RecordBlock
from monitor.protocol.model import Protocol

RULE = Rule("stop.acute-gvhd", "high", "stop.2", reading="acute_gvhd.stop_grade")
READS = (AcuteGvhdAssessed,)
_Runs = tuple[Series[tuple[Evidence, ...]], tuple[Evidence, ...]]  # those that are over, and the one that is not


def judge(protocol: Protocol) -> Judge:
    """The judge of an acute assessment under this protocol file."""
    limit = protocol.acute_gvhd.stop_grade

    def hit(data: RecordBlock) -> Hit | None:
        if not isinstance(data, AcuteGvhdAssessed):
            return None
        verdict = graded(data)
        if verdict.grade is None or verdict.grade < limit:
            return None
        summary = f"Acute GVHD grade {ROMAN[verdict.grade]} (the protocol stops from {ROMAN[limit]})"
        return Hit(
            summary + (", a lower bound: not every organ was assessed" if verdict.lower_bound else ""),
            boundary=verdict.grade == limit == 2,
            provisional=verdict.possible,
            review=verdict.lower_bound or verdict.sources_disagree,
            details={
                "grade": verdict.grade,
                "reported": verdict.reported,
                "lower_bound": verdict.lower_bound,
                "confidence": data.confidence,
            },
        )

    return hit


def stops(ctx: Context) -> Iterator[Stop]:
    facts = ctx.history.said(AcuteGvhdAssessed)
    judged = assessed(RULE.id, facts, judge(ctx.protocol), ctx)
    start: _Runs = (Series(), ())
    over, run = walk(ctx.memo, (ctx.protocol.hash, RULE.id, "runs"), judged, start, _step)
    yield from episodes(RULE, over, run, ctx)


def _step(runs: _Runs, judged: Judged) -> _Runs:
    """Runs of assessments at the stop grade; one below it ends a run: coming back is told again.

    A run that rests on `possible` alone and is ruled out by the next assessment never was GVHD.
    """
    (over, run), (fact, evidence) = runs, judged
    if evidence is not None:
        return over, (*run, evidence)
    if not run or _says_nothing(fact):
        return runs
    return over if _refuted(run, fact) else over.with_item(run), ()


def _says_nothing(fact: Fact[RecordBlock]) -> bool:
    """No organ assessed and no grade reported: absence of an assessment is no improvement."""
    return not isinstance(fact.data, AcuteGvhdAssessed) or graded(fact.data).grade is None


def _refuted(run: tuple[Evidence, ...], fact: Fact[RecordBlock]) -> bool:
    ruled_out = isinstance(fact.data, AcuteGvhdAssessed) and graded(fact.data).negative
    return ruled_out and all(e.details.get("confidence") == "possible" for e in run)
