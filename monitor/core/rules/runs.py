"""Findings about one item (an organ, an analyte, a specimen): a run of results that qualify is one alert.

The next result of the same item that does not qualify ends it (`later_result`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from monitor.core.context import Context
from monitor.core.finding import Evidence, Finding, Found, Rule
from monitor.core.history import Fact, RecordKey
from monitor.core.series import Series
from monitor.core.stops import Hit
from monitor.core.walking import walk
from monitor.events.record import RecordBlock

LATER_RESULT = "later_result"
T = TypeVar("T", bound=RecordBlock)
S = TypeVar("S")
_Runs = tuple[Series[Finding], tuple[Evidence, ...]]  # the runs that are over, and the one that is not


def always(_data: RecordBlock) -> bool:
    """For evidence that could be known with the record's first version."""
    return True


def evidence(
    fact: Fact[T], hit: Hit, holds: Callable[[RecordBlock], bool] = always, *, also: tuple[RecordKey, ...] = ()
) -> Evidence:
    """A fact under a finding, as its current version says it."""
    return Evidence(
        key=fact.key,
        effective=fact.effective,
        at=fact.at,
        issued=fact.record.issued(holds),
        provisional=hit.provisional or fact.preliminary,
        boundary=hit.boundary,
        review=hit.review,
        summary=hit.summary,
        details=hit.details,
        also=also,
    )


def item_runs(
    rule: Rule,
    facts: Sequence[Fact[T]],
    judge: Callable[[RecordBlock], Hit | None],
    ctx: Context,
    *,
    item: str = "",
) -> Iterator[Found]:
    """One finding for each run of facts that `judge` finds something in."""

    def found(fact: Fact[T]) -> Evidence | None:
        hit = judge(fact.data)
        return None if hit is None else evidence(fact, hit, lambda data: judge(data) is not None)

    yield from evidence_runs(rule, facts, found, ctx, item=item)


def evidence_runs(
    rule: Rule, items: Sequence[S], found: Callable[[S], Evidence | None], ctx: Context, *, item: str = ""
) -> Iterator[Found]:
    """One finding for each run of items that are evidence."""

    def step(walked: _Runs, one: S) -> _Runs:
        over, run = walked
        proof = found(one)
        if proof is not None:
            return over, (*run, proof)
        return (over.with_item(Finding(rule, run, item=item, outcome=LATER_RESULT)), ()) if run else walked

    start: _Runs = (Series(), ())
    over, run = walk(ctx.memo, (ctx.protocol.hash, rule.id, item), items, start, step)
    yield over
    if run:
        yield Finding(rule, run, item=item)


def single(rule: Rule, fact: Fact[T], hit: Hit, *, item: str = "", also: tuple[RecordKey, ...] = ()) -> Finding:
    """A finding that rests on one fact."""
    return Finding(rule, (evidence(fact, hit, also=also),), item=item)
