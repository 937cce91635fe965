"""Overlap syndrome stops treatment for good, at any severity (clause stop.2).

Reported by the site it is a stop. Only derived (active chronic and any active acute GVHD assessed on one local day,
whatever `overlap` says) it is provisional, for review, effective at the later of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import chain

from monitor.core.context import Context
from monitor.core.finding import Evidence, Rule
from monitor.core.grading.acute import graded
from monitor.core.grading.chronic import judged
from monitor.core.stops import Hit, Judge, Stop, assessed, episodes
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.record import RecordBlock
from monitor.protocol.model import Protocol

RULE = Rule("stop.overlap", "high", "stop.2", reading="overlap.stop_severity")
READS = (AcuteGvhdAssessed, ChronicGvhdAssessed)


def judge(protocol: Protocol) -> Judge:
    """The judge of a chronic assessment that the site calls an overlap syndrome."""

    def hit(data: RecordBlock) -> Hit | None:
        if not isinstance(data, ChronicGvhdAssessed):
            return None
        verdict = judged(data)
        if not verdict.overlap or not _severe_enough(verdict.at_least("moderate"), protocol):
            return None
        return Hit(
            f"Overlap syndrome reported, severity {verdict.severity or 'not stated'}",
            review=verdict.lower_bound or verdict.sign_missing,
            details={
                "severity": verdict.severity,
                "lower_bound": verdict.lower_bound,
                "diagnostic_sign": data.diagnostic_sign,
            },
        )

    return hit


def stops(ctx: Context) -> Iterator[Stop]:
    reported = [e for _, e in assessed(RULE.id, ctx.history.said(ChronicGvhdAssessed), judge(ctx.protocol), ctx) if e]
    known = {e.key for e in reported}
    derived = [e for e in _derived(ctx) if e.key not in known]
    yield from episodes(RULE, iter([tuple(chain(reported, derived))]), ctx)


def _severe_enough(moderate: bool, protocol: Protocol) -> bool:
    return moderate or protocol.overlap.stop_severity == "any"


def active_acute(data: RecordBlock) -> Hit | None:
    """One half of a derived overlap: any active acute GVHD."""
    return Hit("") if isinstance(data, AcuteGvhdAssessed) and graded(data).active else None


def active_chronic(protocol: Protocol) -> Judge:
    """The judge of the other half: active chronic GVHD, as severe as this protocol file asks for."""

    def hit(data: RecordBlock) -> Hit | None:
        if not isinstance(data, ChronicGvhdAssessed) or not judged(data).active:
            return None
        return Hit("") if _severe_enough(judged(data).at_least("moderate"), protocol) else None

    return hit


def together(chronic: Evidence, acute: Evidence) -> Evidence:
    """Both diseases active on one local day: evidence under the chronic assessment's record."""
    later = max((chronic, acute), key=lambda e: e.at)
    return replace(
        chronic,
        effective=later.effective,
        at=later.at,
        issued=max(chronic.issued, acute.issued),
        provisional=True,
        review=True,
        summary="Acute and chronic GVHD both active on one day: overlap syndrome, derived and not reported",
        details={"derived": True},
        also=(acute.key,),
    )


def _derived(ctx: Context) -> Iterator[Evidence]:
    active: dict[date, list[Evidence]] = {}
    for fact, evidence in assessed("active acute", ctx.history.said(AcuteGvhdAssessed), active_acute, ctx):
        if evidence is not None:
            active.setdefault(fact.on, []).append(evidence)
    chronic = assessed("active chronic", ctx.history.said(ChronicGvhdAssessed), active_chronic(ctx.protocol), ctx)
    for fact, evidence in chronic:
        if evidence is not None and (same_day := active.get(fact.on)):
            yield together(evidence, min(same_day, key=lambda e: (e.at, e.key)))
