"""Expedited reporting of a suspected unexpected serious adverse reaction (ICH E2A): start, reminder, breach.

Serious, related and unexpected; unknown counts as yes, for review. Calendar days from `aware_at`, else from the `time`
of the first version that says so: 7 if fatal or life-threatening (or of grade 4, and nobody said whether it is, for
review), else 15. A person resolves it, for all its stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import reduce

from monitor.core.context import Context
from monitor.core.finding import Finding, Found, Rule
from monitor.core.history import Fact
from monitor.core.rules.runs import evidence
from monitor.core.series import Series
from monitor.core.stops import Hit
from monitor.core.times import Effective
from monitor.core.walking import chosen, walk_while
from monitor.events.clinical import AdverseEventReported
from monitor.events.record import RecordBlock

RULE = Rule("report.susar-clock", "high", "practice")
DAY = timedelta(days=1)
_FATAL = ("fatal", "died", "death")
READS = (AdverseEventReported, "closures")


def find(ctx: Context) -> Iterator[Found]:
    suspected = chosen(ctx.memo, (RULE.id,), ctx.history.of(AdverseEventReported), lambda f: is_suspected(f.data))
    told: Series[Finding] = Series()
    closures = tuple(closure for closure in ctx.closures if closure.rule == RULE.id)

    def ready(fact: Fact[AdverseEventReported]) -> bool:
        return ctx.start_of(_due_on(fact, ctx) + DAY) <= ctx.now

    def step(told: Series[Finding], fact: Fact[AdverseEventReported]) -> Series[Finding]:
        return reduce(Series.with_item, _stages(fact, ctx), told)

    name = (ctx.protocol.hash, RULE.id)
    over, running = walk_while(ctx.memo, name, suspected, ready, told, step, lambda _told: closures)
    yield over
    for fact in running:
        yield from _stages(fact, ctx)


def is_suspected(data: RecordBlock) -> bool:
    """Serious, related and unexpected; what is not said counts as yes."""
    if not isinstance(data, AdverseEventReported) or data.related is False or data.expected is True:
        return False
    return data.serious is not False or is_urgent(data)


def is_urgent(event: AdverseEventReported) -> bool:
    """Fatal or life-threatening, as said, by its grade or by its outcome: serious, whatever else was said."""
    fatal = event.ctcae_grade == 5 or (event.outcome or "").lower() in _FATAL
    return fatal or bool(event.life_threatening)


def _perhaps_life_threatening(event: AdverseEventReported) -> bool:
    """Of grade 4, not by laboratory alone, and nobody has said whether it threatens life: unknown counts as yes."""
    return event.life_threatening is None and event.ctcae_grade == 4 and not event.laboratory


def _aware_at(fact: Fact[AdverseEventReported]) -> Effective:
    return fact.data.aware_at or fact.record.issued(is_suspected)


def _days(fact: Fact[AdverseEventReported], ctx: Context) -> int:
    limits = ctx.protocol.susar
    urgent = is_urgent(fact.data) or _perhaps_life_threatening(fact.data)
    return limits.fatal_or_life_threatening_days if urgent else limits.other_days


def _due_on(fact: Fact[AdverseEventReported], ctx: Context) -> date:
    return ctx.on(_aware_at(fact)) + timedelta(days=_days(fact, ctx))


def _stages(fact: Fact[AdverseEventReported], ctx: Context) -> Iterator[Finding]:
    event, limits = fact.data, ctx.protocol.susar
    perhaps, aware_at, due_on = _perhaps_life_threatening(event), _aware_at(fact), _due_on(fact, ctx)
    stages: list[tuple[str, Effective]] = [
        ("start", aware_at),
        ("reminder", due_on - limits.reminder_days * DAY),
        ("breach", due_on + DAY),
    ]
    unknown = None in (event.related, event.expected, event.serious) or perhaps
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
            details={"stage": stage, "due_on": due_on.isoformat(), "days": _days(fact, ctx)},
        )
        outcome = "person" if reported_at is not None else None
        yield Finding(RULE, (evidence(fact, hit),), item=f"{fact.key[1]}/{stage}", outcome=outcome, effective=effective)
