"""The stop rules: what stops, since when, and which signed decision has lifted it.

A stop is a latched episode of qualifying facts. It ends by a signed restart or continue that is later than the facts
*and* was signed after they were issued: nobody signs away what could not be known (clauses stop.1 to stop.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.core.finding import Detail, Evidence, Rule
from monitor.core.history import Fact, RecordKey
from monitor.core.times import Effective, precedes, show
from monitor.core.walking import walk
from monitor.events.record import RecordBlock
from monitor.protocol.model import Protocol

if TYPE_CHECKING:
    from monitor.core.context import Context


@dataclass(frozen=True, slots=True)
class Hit:
    """Why one content qualifies."""

    summary: str
    boundary: bool = False
    provisional: bool = False
    review: bool = False
    details: Mapping[str, Detail] = field(default_factory=dict)


Judge = Callable[[RecordBlock], Hit | None]
_Pairs = tuple[tuple[Fact[RecordBlock], Evidence | None], ...]
_Judged = tuple[_Pairs, _Pairs]  # before the first dose, and since


@dataclass(frozen=True, slots=True)
class Lift:
    """A signed restart or continue: `at` clinically, `issued` when it could be known."""

    key: RecordKey
    effective: Effective
    at: datetime
    issued: datetime
    decision: str

    def lifts(self, evidence: Evidence, ctx: Context) -> bool:
        """Is it later than this evidence, in both times? Of one day without an hour nobody can say: the stop stands."""
        return evidence.issued < self.issued and precedes(evidence.effective, self.effective, ctx.tz)


@dataclass(frozen=True, slots=True)
class Stop:
    """One episode of one stop rule."""

    rule: Rule
    evidence: tuple[Evidence, ...]
    lift: Lift | None
    protocol: Protocol | None = None  # the superseded file under which it fired; None: the one in force

    @property
    def first(self) -> Evidence:
        return min(self.evidence, key=lambda e: (e.at, e.issued, e.key))

    @property
    def summary(self) -> str:
        """What stopped; and what was found last, where that says something else."""
        last = max(self.evidence, key=lambda e: (e.at, e.issued, e.key))
        said = self.first.summary
        return said if last.summary == said else f"{said}. Latest: {last.summary}"

    @property
    def permanent(self) -> bool:
        return self.rule.id != "stop.acute-gvhd"

    @property
    def provisional(self) -> bool:
        return all(e.provisional for e in self.evidence)

    @property
    def keys(self) -> frozenset[RecordKey]:
        return frozenset(e.key for e in self.evidence)

    def stands_at(self, at: datetime) -> bool:
        """Did it hold treatment at this instant?"""
        return self.first.at <= at and (self.lift is None or at < self.lift.at)

    def covers(self, effective: Effective, ctx: Context) -> bool:
        """Is something effective then after the stop and before what lifted it?"""
        if not precedes(self.first.effective, effective, ctx.tz):
            return False
        return self.lift is None or precedes(effective, self.lift.effective, ctx.tz)


def judge_record(fact: Fact[RecordBlock], judge: Judge) -> tuple[Hit, Effective] | None:
    """What a record says to a judge: of conflicting contents any that stops does, provisionally."""
    contents = fact.record.contents_of_latest
    hits = [(hit, version) for version in contents if (hit := judge(version.data)) is not None]
    if not hits:
        return None
    hit, version = hits[0]
    doubtful = version.preliminary or len(hits) < len(contents)
    return (replace(hit, provisional=True) if doubtful else hit), version.data.effective_at


def evidence_of(fact: Fact[RecordBlock], judge: Judge, ctx: Context) -> Evidence | None:
    """A fact as evidence of a stop, issued with the first version that qualified; None if it does not qualify."""
    judged = judge_record(fact, judge)
    if judged is None:
        return None
    hit, effective = judged
    return Evidence(
        key=fact.key,
        effective=effective,
        at=ctx.instant(effective),
        issued=fact.record.issued(lambda data: judge(data) is not None),
        provisional=hit.provisional,
        boundary=hit.boundary,
        review=hit.review or hit.provisional,
        summary=hit.summary,
        details=hit.details,
    )


def first_lift(evidence: Evidence, ctx: Context) -> Lift | None:
    """The first decision that lifts what rests on this evidence."""
    return next((lift for lift in ctx.lifts if lift.lifts(evidence, ctx)), None)


def episodes(rule: Rule, runs: Iterator[tuple[Evidence, ...]], ctx: Context) -> Iterator[Stop]:
    """Cut runs of evidence where a decision lifted one part and not the other."""
    for run in runs:
        parts: dict[RecordKey | None, tuple[Lift | None, list[Evidence]]] = {}
        for evidence in run:
            lift = first_lift(evidence, ctx)
            parts.setdefault(lift.key if lift else None, (lift, []))[1].append(evidence)
        for lift, part in parts.values():
            yield Stop(rule, tuple(part), lift)


def assessed(
    name: str, facts: tuple[Fact[RecordBlock], ...], judge: Judge, ctx: Context, *, latest_before: bool = True
) -> Iterator[tuple[Fact[RecordBlock], Evidence | None]]:
    """The facts that a stop rule (`name`) judges: those since the first dose, and at that dose the latest before it.

    Before the first dose nothing is stopped; what was so then is dated to the dose (protocol: stop rules).
    """
    dose = ctx.first_dose
    if dose is None:
        return

    def step(walked: _Judged, fact: Fact[RecordBlock]) -> _Judged:
        earlier, since = walked
        evidence = evidence_of(fact, judge, ctx)
        effective = evidence.effective if evidence is not None else fact.effective
        if precedes(effective, dose.effective, ctx.tz):
            return (*earlier, (fact, evidence)), since
        return earlier, (*since, (fact, evidence))

    start: _Judged = ((), ())
    earlier, since = walk(ctx.memo, (ctx.protocol.hash, name, show(dose.effective)), facts, start, step)
    if latest_before and earlier:
        at_once = [pair for pair in earlier if pair[0].at == earlier[-1][0].at]  # of two at one instant the worse
        fact, evidence = next((pair for pair in at_once if pair[1] is not None), earlier[-1])
        if evidence is not None:
            known = max(evidence.issued, dose.record.versions[0].time)
            evidence = replace(evidence, effective=dose.effective, at=dose.at, issued=known)
        yield fact, evidence
    yield from since


def latched(
    rule: Rule, facts: tuple[Fact[RecordBlock], ...], judge: Judge, ctx: Context, *, latest_before: bool = True
) -> Iterator[Stop]:
    """The stops of a rule of which a second qualifying fact only revises the first."""
    judged = assessed(rule.id, facts, judge, ctx, latest_before=latest_before)
    run = tuple(evidence for _, evidence in judged if evidence is not None)
    return episodes(rule, iter([run]), ctx)
