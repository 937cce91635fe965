"""The stop rules: what stops, since when, and which signed decision has lifted it.

A stop is a latched episode of qualifying facts. It ends by a signed restart or continue that is later than the facts
*and* was signed after they were issued: nobody signs away what could not be known (clauses stop.1 to stop.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitor.core.finding import Detail, Evidence, Finding, Rule, in_time, key_of
from monitor.core.history import Fact, RecordKey
from monitor.core.series import Series
from monitor.core.times import Effective, precedes
from monitor.core.walking import walk
from monitor.events.record import RecordBlock
from monitor.protocol.model import Protocol

if TYPE_CHECKING:
    from monitor.core.context import Context, Dose


@dataclass(frozen=True, slots=True)
class Hit:
    """Why one content qualifies."""

    summary: str
    boundary: bool = False
    provisional: bool = False
    review: bool = False
    details: Mapping[str, Detail] = field(default_factory=dict)


Judge = Callable[[RecordBlock], Hit | None]
Judged = tuple[Fact[RecordBlock], Evidence | None]
_ByDose = tuple[tuple[Judged, ...], Series[Judged]]  # the latest before the first dose (of one moment), and those since


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
class Hold:
    """From when on, and until when, a stop holds treatment: a further fact under it leaves this as it is."""

    rule: str
    permanent: bool
    effective: Effective
    at: datetime
    lift: Lift | None
    certain: Evidence | None  # the first that is neither derived nor in doubt: until then the stop only suspends

    @property
    def until(self) -> datetime | None:
        return self.lift.at if self.lift is not None else None

    def stands_at(self, at: datetime) -> bool:
        """Did it hold treatment at this instant?"""
        return self.at <= at and (self.until is None or at < self.until)

    def covers(self, effective: Effective, tz: ZoneInfo) -> bool:
        """Is something effective then after the stop and before what lifted it?"""
        if not precedes(self.effective, effective, tz):
            return False
        return self.lift is None or precedes(effective, self.lift.effective, tz)


@dataclass(frozen=True)
class Stop:
    """One episode of one stop rule."""

    rule: Rule
    evidence: tuple[Evidence, ...]
    lift: Lift | None
    protocol: Protocol | None = None  # the superseded file under which it fired; None: the one in force

    @cached_property
    def first(self) -> Evidence:
        return min(self.evidence, key=in_time)

    @cached_property
    def order(self) -> tuple[datetime, str]:
        """By when they began, then by rule."""
        return self.first.at, self.rule.id

    @property
    def summary(self) -> str:
        """What stopped; and what was found last, where that says something else."""
        last = max(self.evidence, key=in_time)
        said = self.first.summary
        return said if last.summary == said else f"{said}. Latest: {last.summary}"

    @property
    def permanent(self) -> bool:
        return self.rule.id != "stop.acute-gvhd"

    @property
    def provisional(self) -> bool:
        return all(e.provisional for e in self.evidence)

    @cached_property
    def keys(self) -> frozenset[RecordKey]:
        return frozenset(map(key_of, self.evidence))

    @cached_property
    def finding(self) -> Finding:
        """What is told of it."""
        outcome = "decision" if self.lift else None
        return Finding(self.rule, self.evidence, outcome=outcome, summary=self.summary, protocol=self.protocol)

    @cached_property
    def hold(self) -> Hold:
        sure = (evidence for evidence in self.evidence if not _doubtful(evidence))
        certain = min(sure, key=lambda e: (e.at, e.key), default=None)
        return Hold(self.rule.id, self.permanent, self.first.effective, self.first.at, self.lift, certain)


def _doubtful(evidence: Evidence) -> bool:
    """Derived, preliminary, contested, or without a diagnostic sign."""
    return evidence.provisional or evidence.details.get("diagnostic_sign") is False


def judge_record(fact: Fact[RecordBlock], judge: Judge) -> tuple[Hit, Effective] | None:
    """What a record says to a judge: of conflicting contents any that stops does, provisionally."""
    contents = fact.record.contents_of_latest
    hits = [(hit, version) for version in contents if (hit := judge(version.data)) is not None]
    if not hits:
        return None
    hit, version = hits[0]
    doubtful = version.preliminary or len(contents) > 1
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


def assessed(
    name: str, facts: Sequence[Fact[RecordBlock]], judge: Judge, ctx: Context, *, latest_before: bool = True
) -> Series[Judged]:
    """The facts that a stop rule (`name`) judges: those since the first dose, and at that dose the latest before it.

    Where several are of one moment all of them are the latest. Before the first dose nothing is stopped; what was so
    then is dated to the dose (protocol: stop rules).
    """
    dose = ctx.first_dose
    if dose is None:
        return Series()

    def step(walked: _ByDose, fact: Fact[RecordBlock]) -> _ByDose:
        earlier, since = walked
        evidence = evidence_of(fact, judge, ctx)
        effective = evidence.effective if evidence is not None else fact.effective
        if not precedes(effective, dose.effective, ctx.tz):
            return earlier, since.with_item((fact, evidence))
        at_once = earlier if earlier and earlier[-1][0].at == fact.at else ()
        return (*at_once, (fact, evidence)), since

    start: _ByDose = ((), Series())
    earlier, since = walk(ctx.memo, (ctx.protocol.hash, name), facts, start, step, dose.effective)
    if not latest_before or not earlier:
        return since
    told = dose.record.versions[0].time
    first = tuple((fact, evidence and _at_dose(evidence, dose, told)) for fact, evidence in earlier)
    return walk(ctx.memo, (ctx.protocol.hash, name, "all"), since, Series(first), Series.with_item, first)


def _at_dose(evidence: Evidence, dose: Dose, told: datetime) -> Evidence:
    """What was so before the first dose is dated to it, and could be known as a stop once that was `told`."""
    return replace(evidence, effective=dose.effective, at=dose.at, issued=max(evidence.issued, told))


def qualifying(
    name: str, judged: Series[Judged], ctx: Context, *, but: frozenset[RecordKey] = frozenset()
) -> Series[Evidence]:
    """The evidence among what was judged, `but` for some."""

    def step(known: Series[Evidence], pair: Judged) -> Series[Evidence]:
        fact, evidence = pair
        return known if evidence is None or fact.key in but else known.with_item(evidence)

    start: Series[Evidence] = Series()
    return walk(ctx.memo, (ctx.protocol.hash, name, "qualifying"), judged, start, step, but)
