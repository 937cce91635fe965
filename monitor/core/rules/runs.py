"""Findings about one item (an organ, an analyte, a specimen): a run of results that qualify is one alert.

The next result of the same item that does not qualify ends it (`later_result`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from monitor.core.finding import Evidence, Finding, Rule
from monitor.core.history import Fact, RecordKey
from monitor.core.stops import Hit
from monitor.events.record import RecordBlock

LATER_RESULT = "later_result"
T = TypeVar("T", bound=RecordBlock)


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
    rule: Rule, facts: Iterable[Fact[T]], judge: Callable[[RecordBlock], Hit | None], *, item: str = ""
) -> Iterator[Finding]:
    """One finding for each run of facts that `judge` finds something in."""
    run: list[Evidence] = []
    for fact in facts:
        hit = judge(fact.data)
        if hit is not None:
            run.append(evidence(fact, hit, lambda data: judge(data) is not None))
        elif run:
            yield Finding(rule, tuple(run), item=item, outcome=LATER_RESULT)
            run = []
    if run:
        yield Finding(rule, tuple(run), item=item)


def single(rule: Rule, fact: Fact[T], hit: Hit, *, item: str = "", also: tuple[RecordKey, ...] = ()) -> Finding:
    """A finding that rests on one fact."""
    return Finding(rule, (evidence(fact, hit, also=also),), item=item)
