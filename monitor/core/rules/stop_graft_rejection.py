"""Graft rejection stops treatment for good (clause stop.3); failure or poor function alone is for review."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.context import Context
from monitor.core.episodes import latched
from monitor.core.finding import Found, Rule
from monitor.core.rules.runs import item_runs
from monitor.core.stops import Hit, Stop
from monitor.events.clinical import GraftAssessed
from monitor.events.record import RecordBlock

RULE = Rule("stop.graft-rejection", "high", "stop.3")
FUNCTION = Rule("graft.function", "medium", "stop.3", review=True)
READS = (GraftAssessed,)


def hit(data: RecordBlock) -> Hit | None:
    return Hit("Graft rejection reported") if isinstance(data, GraftAssessed) and data.rejection else None


def stops(ctx: Context) -> Iterator[Stop]:
    yield from latched(RULE, ctx.history.said(GraftAssessed), hit, ctx)


def find(ctx: Context) -> Iterator[Found]:
    yield from item_runs(FUNCTION, ctx.history.of(GraftAssessed), _weak, ctx)


def _weak(data: RecordBlock) -> Hit | None:
    if not isinstance(data, GraftAssessed) or data.rejection or data.failure in (None, "none"):
        return None
    what = {"primary": "primary graft failure", "secondary": "secondary graft failure"}.get(
        data.failure, "poor graft function"
    )
    return Hit(f"{what.capitalize()} reported, not called a rejection", details={"value": str(data.failure)})
