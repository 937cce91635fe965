"""Chronic GVHD "above moderate manifestations" stops treatment for good (clause stop.2).

Read as moderate or severe (`chronic_gvhd.stop_severity`); a stop on exactly moderate says `boundary`. Graded by NIH.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.context import Context
from monitor.core.episodes import latched
from monitor.core.finding import Rule
from monitor.core.grading.chronic import judged
from monitor.core.stops import Hit, Judge, Stop
from monitor.events.gvhd import ChronicGvhdAssessed
from monitor.events.record import RecordBlock
from monitor.protocol.model import Protocol

RULE = Rule("stop.chronic-gvhd", "high", "stop.2", reading="chronic_gvhd.stop_severity")
READS = (ChronicGvhdAssessed,)


def judge(protocol: Protocol) -> Judge:
    """The judge of a chronic assessment under this protocol file."""
    limit = protocol.chronic_gvhd.stop_severity

    def hit(data: RecordBlock) -> Hit | None:
        if not isinstance(data, ChronicGvhdAssessed):
            return None
        verdict = judged(data)
        if not verdict.at_least(limit):
            return None
        summary = f"Chronic GVHD, {verdict.severity} (the protocol stops from {limit})"
        return Hit(
            summary + (", without a diagnostic sign" if verdict.sign_missing else ""),
            boundary=verdict.severity == limit == "moderate",
            review=verdict.lower_bound or verdict.sign_missing or verdict.contradictory,
            details={
                "severity": verdict.severity,
                "reported": verdict.reported,
                "lower_bound": verdict.lower_bound,
                "diagnostic_sign": data.diagnostic_sign,
            },
        )

    return hit


def stops(ctx: Context) -> Iterator[Stop]:
    yield from latched(RULE, ctx.history.said(ChronicGvhdAssessed), judge(ctx.protocol), ctx)
