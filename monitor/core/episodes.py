"""Evidence made into stops: episode by episode, each cut where a decision lifted one part and not the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING, TypeVar

from monitor.core.finding import Evidence, Rule
from monitor.core.history import Fact, RecordKey
from monitor.core.series import Series
from monitor.core.stops import Judge, Stop, assessed, first_lift, qualifying
from monitor.core.walking import walk, walk_while
from monitor.events.record import RecordBlock

if TYPE_CHECKING:
    from monitor.core.context import Context

S = TypeVar("S")
T = TypeVar("T")
_Parts = dict[RecordKey | None, Stop]  # by the decision that lifted them


def latched(
    rule: Rule, facts: Sequence[Fact[RecordBlock]], judge: Judge, ctx: Context, *, latest_before: bool = True
) -> Iterator[Stop]:
    """The stops of a rule of which a second qualifying fact only revises the first."""
    judged = assessed(rule.id, facts, judge, ctx, latest_before=latest_before)
    yield from episode(rule, qualifying(rule.id, judged, ctx), ctx)


def episode(rule: Rule, run: Series[Evidence], ctx: Context) -> Iterator[Stop]:
    """One run of evidence, cut where a decision lifted one part and not the other."""
    start: _Parts = {}
    name = (ctx.protocol.hash, rule.id, "episode")
    yield from _lifted_first(name, run, lambda evidence: (evidence,), start, _cutting(rule, ctx), ctx).values()


def episodes(rule: Rule, over: Series[tuple[Evidence, ...]], run: tuple[Evidence, ...], ctx: Context) -> Iterator[Stop]:
    """Each run of evidence is stops of its own: those that are over, and the one that is not."""

    def cut(run: tuple[Evidence, ...]) -> Iterable[Stop]:
        start: _Parts = {}
        return reduce(_cutting(rule, ctx), run, start).values()

    def step(stops: Series[Stop], run: tuple[Evidence, ...]) -> Series[Stop]:
        return reduce(Series.with_item, cut(run), stops)

    stops: Series[Stop] = Series()
    yield from _lifted_first((ctx.protocol.hash, rule.id, "episodes"), over, tuple, stops, step, ctx)
    yield from cut(run)


def _lifted_first(
    name: tuple[str, ...],
    items: Series[T],
    evidence: Callable[[T], tuple[Evidence, ...]],
    start: S,
    step: Callable[[S, T], S],
    ctx: Context,
) -> S:
    """Walk along evidence: what decisions have lifted stays lifted by them as further ones are signed."""

    def lifted(item: T) -> bool:
        return all(first_lift(one, ctx) for one in evidence(item))

    def onward(walked: tuple[int, S], item: T) -> tuple[int, S]:
        decisions, state = walked
        signed = [ctx.lifts.index(lift) + 1 for one in evidence(item) if (lift := first_lift(one, ctx)) is not None]
        return max(decisions, *signed), step(state, item)

    def given(walked: tuple[int, S]) -> object:
        return ctx.lifts.first(walked[0]) if walked[0] <= len(ctx.lifts) else None

    (_, state), left = walk_while(ctx.memo, (*name, "lifted"), items, lifted, (0, start), onward, given)
    return walk(ctx.memo, name, Series(left), state, step, (ctx.lifts, state))


def _cutting(rule: Rule, ctx: Context) -> Callable[[_Parts, Evidence], _Parts]:
    def step(parts: _Parts, evidence: Evidence) -> _Parts:
        lift = first_lift(evidence, ctx)
        key = lift.key if lift else None
        known = parts[key].evidence if key in parts else ()
        return {**parts, key: Stop(rule, (*known, evidence), lift)}

    return step
