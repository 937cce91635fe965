"""Overlap syndrome stops treatment for good, at any severity (clause stop.2).

Reported by the site it is a stop. Only derived (active chronic and any active acute GVHD assessed on one local day,
whatever `overlap` says) it is provisional, for review, effective at the later of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce

from monitor.core.context import Context
from monitor.core.episodes import episode
from monitor.core.finding import Evidence, Rule
from monitor.core.grading.acute import graded
from monitor.core.grading.chronic import judged
from monitor.core.series import Series
from monitor.core.stops import Hit, Judge, Judged, Stop, assessed, qualifying
from monitor.core.walking import merged, walk
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
    forms = assessed(RULE.id, ctx.history.said(ChronicGvhdAssessed), judge(ctx.protocol), ctx)
    reported = qualifying(RULE.id, forms, ctx)
    known = {e.key for e in reported}
    derived = [e for e in _derived(ctx) if e.key not in known]
    yield from episode(RULE, Series([*reported, *derived]), ctx)


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
    acute = assessed("active acute", ctx.history.said(AcuteGvhdAssessed), active_acute, ctx)
    chronic = assessed("active chronic", ctx.history.said(ChronicGvhdAssessed), active_chronic(ctx.protocol), ctx)
    both = merged(ctx.memo, (ctx.protocol.hash, RULE.id, "both"), (acute, chronic), lambda judged: judged[0].order)
    days = walk(ctx.memo, (ctx.protocol.hash, RULE.id, "days"), both, _Days(), _Days.then)
    yield from days.over
    yield from days.of_the_latest()


@dataclass(frozen=True, slots=True)
class _Days:
    """The evidence of days that are over, and the assessments of the latest that found something active."""

    over: Series[Evidence] = field(default_factory=Series)
    on: date | None = None
    acute: tuple[Evidence, ...] = ()
    chronic: tuple[Evidence, ...] = ()

    def then(self, judged: Judged) -> _Days:
        fact, evidence = judged
        if evidence is None:
            return self
        day = self if fact.on == self.on else _Days(reduce(Series.with_item, self.of_the_latest(), self.over), fact.on)
        if isinstance(fact.data, AcuteGvhdAssessed):
            return replace(day, acute=(*day.acute, evidence))
        return replace(day, chronic=(*day.chronic, evidence))

    def of_the_latest(self) -> Iterator[Evidence]:
        """Both active on the latest day."""
        if self.acute:
            other = min(self.acute, key=lambda e: (e.at, e.key))
            yield from (together(evidence, other) for evidence in self.chronic)
