"""Donor chimerism in whole marrow below 90% stops treatment for good (clause stop.3).

Strictly below: exactly 90 never fires, and no value is rounded. Blood, sorted or unstated cells below the limit ask for
a marrow (`chimerism.non-marrow-low`); 5 points or more below the highest since transplant is `chimerism.falling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from monitor.core.context import Context, is_whole_marrow
from monitor.core.finding import Evidence, Finding, Rule
from monitor.core.history import Fact
from monitor.core.rules.runs import LATER_RESULT, evidence, item_runs
from monitor.core.stops import Hit, Judge, Stop, latched
from monitor.core.times import is_day
from monitor.events.chimerism import ChimerismResulted
from monitor.events.patient import PatientEnrolled
from monitor.events.record import RecordBlock
from monitor.protocol.model import Protocol

RULE = Rule("stop.chimerism", "high", "stop.3", reading="chimerism.stop_below_percent")
FALLING = Rule("chimerism.falling", "medium", "stop.3", review=True)
NON_MARROW = Rule("chimerism.non-marrow-low", "medium", "stop.3", review=True)
READS = (ChimerismResulted, PatientEnrolled)


def judge(protocol: Protocol) -> Judge:
    """The judge of a chimerism result under this protocol file."""
    limit = protocol.chimerism.stop_below_percent

    def hit(data: RecordBlock) -> Hit | None:
        if not isinstance(data, ChimerismResulted) or not is_whole_marrow(data) or data.donor_percent >= limit:
            return None
        return Hit(
            f"Donor chimerism {data.donor_percent}% in whole marrow, below {limit}%",
            details={"value": str(data.donor_percent), "unit": "%", "reference": str(limit)},
        )

    return hit


def stops(ctx: Context) -> Iterator[Stop]:
    yield from latched(RULE, said_of_marrow(ctx), judge(ctx.protocol), ctx)


def said_of_marrow(ctx: Context) -> tuple[Fact[RecordBlock], ...]:
    """Results of whole marrow; of a conflict a rival content may be the one that says so: it can stop, too."""
    facts = ctx.history.said(ChimerismResulted)
    return tuple(f for f in facts if any(_is_marrow(v.data) for v in f.record.contents_of_latest))


def _is_marrow(data: RecordBlock) -> bool:
    return isinstance(data, ChimerismResulted) and is_whole_marrow(data)


def find(ctx: Context) -> Iterator[Finding]:
    yield from _falling(ctx)
    yield from _elsewhere(ctx)


def _falling(ctx: Context) -> Iterator[Finding]:
    """Still at or above the limit, but well below the best since D0."""
    limits, highest = ctx.protocol.chimerism, None
    run: list[Evidence] = []
    for fact in ctx.marrow:
        if not ctx.since_transplant(fact):
            continue
        value = fact.data.donor_percent
        if highest is not None and limits.stop_below_percent <= value <= highest - limits.falling_points:
            run.append(evidence(fact, _fall(value, highest)))
        elif run:
            yield Finding(FALLING, tuple(run), item="bone_marrow/whole", outcome=LATER_RESULT)
            run = []
        highest = value if highest is None else max(highest, value)
    if run:
        yield Finding(FALLING, tuple(run), item="bone_marrow/whole")


def _fall(value: Decimal, highest: Decimal) -> Hit:
    return Hit(
        f"Donor chimerism {value}% in whole marrow, {highest - value} points below its highest ({highest}%)",
        details={"value": str(value), "unit": "%", "reference": str(highest), "item": "bone_marrow/whole"},
    )


def _elsewhere(ctx: Context) -> Iterator[Finding]:
    """Low in blood, in sorted or in unstated cells: one alert for each specimen and lineage, until a marrow answers."""
    limit = ctx.protocol.chimerism.stop_below_percent
    series: dict[str, list[Fact[ChimerismResulted]]] = {}
    for fact in ctx.history.of(ChimerismResulted):
        if not is_whole_marrow(fact.data):
            series.setdefault(f"{fact.data.specimen or 'unstated'}/{fact.data.lineage or 'unstated'}", []).append(fact)
    for item, facts in series.items():

        def hit(data: RecordBlock, item: str = item) -> Hit | None:
            if not isinstance(data, ChimerismResulted) or is_whole_marrow(data) or data.donor_percent >= limit:
                return None
            where, cells = item.replace("_", " ").split("/", 1)
            found = f"Donor chimerism {data.donor_percent}% in {where}, {cells} cells"
            return Hit(
                f"{found}, below {limit}%: a whole marrow is asked for",
                details={"value": str(data.donor_percent), "unit": "%", "reference": str(limit), "item": item},
            )

        # a marrow of the same day, at no stated hour, answers
        answers = {marrow.key for marrow in ctx.marrow if is_day(marrow.effective)}
        merged = sorted([*facts, *ctx.marrow], key=lambda f: (f.on, f.key in answers, f.order))
        yield from item_runs(NON_MARROW, merged, hit, ctx, item=item)
