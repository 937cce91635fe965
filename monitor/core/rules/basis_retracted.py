"""A stop whose basis was corrected away: nothing resumes by itself, a signed decision must say (clause stop)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from monitor.core.context import Context, Retraction
from monitor.core.finding import Evidence, Finding, Rule
from monitor.core.states import decided_at
from monitor.events.treatment import TreatmentDecided

RULE = Rule("stop.basis-retracted", "high", "stop", review=True)
READS = (TreatmentDecided, "retractions")


def find(ctx: Context) -> Iterator[Finding]:
    """One finding for all that wait for the same decision."""
    found = [(decided_at(retraction, ctx), retraction) for retraction in ctx.retractions]
    found.sort(key=lambda pair: (pair[0] is None, pair[0] or ctx.now, pair[1].at, pair[1].rule))
    for decided, group in groupby(found, key=lambda pair: pair[0]):
        yield Finding(
            RULE,
            tuple(_evidence(retraction) for _, retraction in group),
            outcome=None if decided is None else "decision",
        )


def _evidence(retraction: Retraction) -> Evidence:
    keys = [e.key for e in retraction.evidence]
    return Evidence(
        key=keys[0],
        effective=retraction.at,
        at=retraction.at,
        issued=retraction.at,
        summary=f"What {retraction.rule} rested on was corrected or retracted; treatment waits for a signed decision",
        details={"item": retraction.rule},
        also=(*keys[1:], retraction.by),
    )
