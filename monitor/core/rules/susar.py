"""Expedited reporting of a suspected unexpected serious adverse reaction (ICH E2A): start, reminder, breach.

Serious, related and unexpected; unknown counts as yes, for review. Calendar days from `aware_at` (else the event's
`time`): 7 if fatal or life-threatening, else 15. A person resolves it, for all its stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from monitor.core.context import Context
from monitor.core.finding import Finding, Rule
from monitor.core.history import Fact
from monitor.core.rules.runs import evidence
from monitor.core.stops import Hit
from monitor.core.times import Effective
from monitor.events.clinical import AdverseEventReported

RULE = Rule("report.susar-clock", "high", "practice")
DAY = timedelta(days=1)
READS = (AdverseEventReported, "closures")


def find(ctx: Context) -> Iterator[Finding]:
    for fact in ctx.history.of(AdverseEventReported):
        event = fact.data
        if is_serious(event) and event.related is not False and event.expected is not True:
            yield from _stages(fact, ctx)


def is_serious(event: AdverseEventReported) -> bool:
    """Serious as said, or by its outcome; unsaid counts as yes."""
    return event.serious is not False or bool(event.life_threatening) or event.ctcae_grade == 5


def _stages(fact: Fact[AdverseEventReported], ctx: Context) -> Iterator[Finding]:
    event, limits = fact.data, ctx.protocol.susar
    urgent = bool(event.life_threatening) or event.ctcae_grade == 5
    days = limits.fatal_or_life_threatening_days if urgent else limits.other_days
    aware_at = event.aware_at or fact.record.versions[0].time
    due_on = ctx.on(aware_at) + timedelta(days=days)
    stages: list[tuple[str, Effective]] = [
        ("start", aware_at),
        ("reminder", due_on - limits.reminder_days * DAY),
        ("breach", due_on + DAY),
    ]
    unknown = event.related is None or event.expected is None or event.serious is None
    reported_at = min((c.at for c in ctx.closures if c.rule == RULE.id and fact.key in c.keys), default=None)
    for stage, effective in stages:
        begins = ctx.instant(effective)
        if (reported_at is not None and begins >= reported_at) or not (stage == "start" or ctx.reached(begins)):
            continue
        said = {"start": "to be reported by", "reminder": "two days left: due on", "breach": "overdue: was due on"}[
            stage
        ]
        hit = Hit(
            f"Possible unexpected serious reaction, {said} {due_on.isoformat()}",
            review=unknown,
            details={"stage": stage, "due_on": due_on.isoformat(), "days": days},
        )
        outcome = "person" if reported_at is not None else None
        yield Finding(RULE, (evidence(fact, hit),), item=f"{fact.key[1]}/{stage}", outcome=outcome, effective=effective)
