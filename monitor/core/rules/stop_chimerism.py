"""Donor chimerism in whole marrow below 90% stops treatment for good (clause stop.3).

Strictly below: exactly 90 never fires, and no value is rounded. Blood, sorted or unstated cells below the limit ask for
a marrow (`chimerism.non-marrow-low`); 5 points or more below the highest since transplant is `chimerism.falling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from monitor.core.context import Context, is_whole_marrow
from monitor.core.episodes import latched
from monitor.core.finding import Evidence, Found, Rule
from monitor.core.history import Fact
from monitor.core.rules.runs import evidence, evidence_runs, item_runs
from monitor.core.series import Series
from monitor.core.stops import Hit, Judge, Stop
from monitor.core.times import is_day
from monitor.core.walking import chosen, merged, walk
from monitor.events.chimerism import ChimerismResulted
from monitor.events.patient import PatientEnrolled
from monitor.events.record import RecordBlock
from monitor.protocol.model import Protocol

RULE = Rule("stop.chimerism", "high", "stop.3", reading="chimerism.stop_below_percent")
FALLING = Rule("chimerism.falling", "medium", "stop.3", review=True)
NON_MARROW = Rule("chimerism.non-marrow-low", "medium", "stop.3", review=True)
READS = (ChimerismResulted, PatientEnrolled)
_Best = tuple[Decimal | None, Series[tuple[Fact[ChimerismResulted], Decimal | None]]]  # the highest so far, and then


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


def said_of_marrow(ctx: Context) -> Series[Fact[RecordBlock]]:
    """Results of whole marrow; of a conflict a rival content may be the one that says so: it can stop, too."""
    facts = ctx.history.said(ChimerismResulted)
    return chosen(
        ctx.memo, ("said of marrow",), facts, lambda f: any(_is_marrow(v.data) for v in f.record.contents_of_latest)
    )


def _is_marrow(data: RecordBlock) -> bool:
    return isinstance(data, ChimerismResulted) and is_whole_marrow(data)


def find(ctx: Context) -> Iterator[Found]:
    yield from _falling(ctx)
    yield from _elsewhere(ctx)


def _falling(ctx: Context) -> Iterator[Found]:
    """Still at or above the limit, but well below the best since D0."""
    limits = ctx.protocol.chimerism

    def step(walked: _Best, fact: Fact[ChimerismResulted]) -> _Best:
        highest, known = walked
        value = fact.data.donor_percent
        fell = highest is not None and limits.stop_below_percent <= value <= highest - limits.falling_points
        best = value if highest is None else max(highest, value)
        return best, known.with_item((fact, highest if fell else None))

    start: _Best = (None, Series())
    since = chosen(ctx.memo, ("marrow", str(ctx.d0)), ctx.marrow, ctx.since_transplant)
    _, known = walk(ctx.memo, (ctx.protocol.hash, "highest", str(ctx.d0)), since, start, step)

    def found(pair: tuple[Fact[ChimerismResulted], Decimal | None]) -> Evidence | None:
        fact, highest = pair
        return None if highest is None else evidence(fact, _fall(fact.data.donor_percent, highest))

    yield from evidence_runs(FALLING, known, found, ctx, item="bone_marrow/whole")


def _fall(value: Decimal, highest: Decimal) -> Hit:
    return Hit(
        f"Donor chimerism {value}% in whole marrow, {highest - value} points below its highest ({highest}%)",
        details={"value": str(value), "unit": "%", "reference": str(highest), "item": "bone_marrow/whole"},
    )


def _elsewhere(ctx: Context) -> Iterator[Found]:
    """Low in blood, in sorted or in unstated cells: one alert for each specimen and lineage, until a marrow answers."""
    limit = ctx.protocol.chimerism.stop_below_percent
    results = ctx.history.of(ChimerismResulted)
    series = walk(ctx.memo, ("elsewhere",), results, dict[str, Series[Fact[ChimerismResulted]]](), _by_source)
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

        answered = merged(ctx.memo, ("elsewhere", item), (facts, ctx.marrow), _in_turn)
        yield from item_runs(NON_MARROW, answered, hit, ctx, item=item)


def _in_turn(fact: Fact[ChimerismResulted]) -> tuple[object, ...]:
    """In order of time, where a marrow of the same day, at no stated hour, answers."""
    return fact.on, is_whole_marrow(fact.data) and is_day(fact.effective), fact.order


def _by_source(
    series: dict[str, Series[Fact[ChimerismResulted]]], fact: Fact[ChimerismResulted]
) -> dict[str, Series[Fact[ChimerismResulted]]]:
    """By specimen and lineage, but for whole marrow."""
    if is_whole_marrow(fact.data):
        return series
    item = f"{fact.data.specimen or 'unstated'}/{fact.data.lineage or 'unstated'}"
    return {**series, item: series.get(item, Series[Fact[ChimerismResulted]]()).with_item(fact)}
