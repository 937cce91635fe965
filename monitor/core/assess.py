"""An assessment: what all rules conclude from a history at a time, and when it can next change by itself.

A pure function of the set of facts, the protocol and now; `Memory` carries what only the course of knowledge can tell
(stops that were corrected away, what a person resolved, eligibility as it stood at the first dose).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import chain

from monitor.core.asked import Answer
from monitor.core.context import Closure, Context, RaisedAt, Retraction, in_order, never_raised
from monitor.core.finding import Finding, Found, News, difference, each
from monitor.core.history import History, RecordKey
from monitor.core.readiness import readiness
from monitor.core.rulebook import FINDERS, STOPS
from monitor.core.rules import eligibility
from monitor.core.states import OFF_STUDY, protocol_state, treatment_state
from monitor.core.stops import Stop
from monitor.core.superseded import fired, joined
from monitor.core.times import show
from monitor.core.walking import Memo
from monitor.core.window import current, windows
from monitor.core.window_course import OPEN
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Superseded


@dataclass(frozen=True, slots=True)
class Memory:
    """What the fold remembers beside the facts."""

    retractions: tuple[Retraction, ...] = ()
    closures: tuple[Closure, ...] = ()
    eligibility: Mapping[str, str] | None = None
    memo: Memo = field(default_factory=dict, compare=False)  # no knowledge, only what need not be walked again


@dataclass(frozen=True)
class Stops:
    """The stops of a history, rule by rule; and those of each superseded protocol file."""

    answers: Mapping[str, Answer[Stop]] = field(default_factory=dict)
    superseded: tuple[tuple[Superseded, Mapping[str, Answer[Stop]]], ...] = ()

    @cached_property
    def found(self) -> tuple[Stop, ...]:
        kept: list[Stop] = []
        for file, answers in self.superseded:
            kept = joined(kept, fired(_all_found(answers), file))
        return in_order(joined(kept, _all_found(self.answers)))

    @cached_property
    def findings(self) -> Mapping[str, tuple[Finding, ...]]:
        """What is found, by stop rule."""
        by_rule: dict[str, list[Finding]] = {}
        for stop in self.found:
            by_rule.setdefault(stop.rule.id, []).append(stop.finding)
        return {rule: tuple(findings) for rule, findings in by_rule.items()}

    def rested_on(self, rule: str) -> frozenset[RecordKey]:
        """The facts under the stops of a rule."""
        return frozenset().union(*(stop.keys for stop in self.found if stop.rule.id == rule))

    def say_the_same(self, other: Stops) -> bool:
        """Did no rule answer anew, under any file?"""
        mine, theirs = [self.answers], [other.answers]
        mine += [answers for _, answers in self.superseded]
        theirs += [answers for _, answers in other.superseded]
        return len(mine) == len(theirs) and all(
            answer is before.get(name) for now, before in zip(mine, theirs, strict=True) for name, answer in now.items()
        )


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was concluded; `deadline` is the next instant at which it can change with no fact arriving."""

    context: Context
    stops: Stops
    answers: Mapping[str, Answer[Found]]
    deadline: datetime | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(each(chain.from_iterable(self._told.values())))

    def news(self, last: Assessment | None) -> News:
        """The findings that this assessment has and the last had not, and the other way round."""
        before, now = last._told if last is not None else {}, self._told
        pairs = [(before.get(name, ()), now.get(name, ())) for name in {**before, **now}]
        changed = [difference(was, told) for was, told in pairs if was != told]
        gone, come = zip(*changed, strict=True) if changed else ((), ())
        return tuple(chain.from_iterable(gone)), tuple(chain.from_iterable(come))

    @property
    def _told(self) -> dict[str, tuple[Found, ...]]:
        """What each stop rule found, and what each other rule did."""
        return {**self.stops.findings, **{name: answer.found for name, answer in self.answers.items()}}

    @property
    def protocol_state(self) -> str:
        return protocol_state(self.context, self.context.now)

    @property
    def treatment_state(self) -> str:
        return treatment_state(self.context, self.context.now)

    @property
    def eligibility(self) -> Mapping[str, str]:
        return self.context.eligibility or {}

    def restart_window(self) -> dict[str, object] | None:
        """The restart window in force as every output shows it, with its readiness list while it is open."""
        window = None if self.protocol_state == OFF_STUDY else current(windows(self.context))
        if window is None:
            return None
        shown: dict[str, object] = {
            "state": window.state,
            "t0": show(window.t0),
            "opens_on": show(window.opens_on),
            "closes_on": show(window.closes_on),
            "provisional": window.provisional,
        }
        if window.state == OPEN:
            shown["readiness"] = readiness(self.context)
        return shown

    def says_the_same(self, other: Assessment) -> bool:
        """Did no rule answer anew?"""
        answered = all(answer is other.answers.get(name) for name, answer in self.answers.items())
        return answered and self.stops.say_the_same(other.stops)


def find_stops(
    history: History,
    protocol: Protocol,
    now: datetime,
    last: Assessment | None,
    superseded: tuple[Superseded, ...] = (),
    memo: Memo | None = None,
) -> Stops:
    """The stops by these facts: only a rule whose facts have changed is asked again.

    `last` is of the same files. `superseded`: the files in force before, whose stops stay.
    """
    before, walked = last.stops if last is not None else Stops(), {} if memo is None else memo
    earlier = [answers for _, answers in before.superseded] or [{} for _ in superseded]
    stops = Stops(
        _asked(history, protocol, now, before.answers, walked),
        tuple(
            (file, _asked(history, file.protocol, now, answers, walked))
            for file, answers in zip(superseded, earlier, strict=True)
        ),
    )
    return before if last is not None and stops.say_the_same(before) else stops


def _asked(
    history: History, protocol: Protocol, now: datetime, before: Mapping[str, Answer[Stop]], memo: Memo
) -> Mapping[str, Answer[Stop]]:
    ctx = Context(history, protocol, now, tuple(asked.find for asked in STOPS), memo=memo)
    return {asked.name: asked.answer(ctx, before.get(asked.name)) for asked in STOPS}


def _all_found(answers: Mapping[str, Answer[Stop]]) -> Iterator[Stop]:
    return chain.from_iterable(answer.found for answer in answers.values())


def assess(
    history: History,
    protocol: Protocol,
    now: datetime,
    *,
    stops: Stops,
    memory: Memory,
    raised_at: RaisedAt = never_raised,
    last: Assessment | None = None,
) -> Assessment:
    """Everything the rules conclude. Total: no history makes it raise."""
    ctx = Context(
        history,
        protocol,
        now,
        tuple(asked.find for asked in STOPS),
        raised_at,
        memory.retractions,
        memory.closures,
        memory.eligibility,
        known_stops=stops.found,
        memo=memory.memo,
        superseded=tuple(file for file, _ in stops.superseded),
    )
    if memory.retractions:
        ctx = replace(ctx, retractions=tuple(r for r in memory.retractions if not _lifted_before(r, ctx)))
    if ctx.enrolment is not None and (ctx.first_dose is None or not memory.eligibility):
        ctx = replace(ctx, eligibility=eligibility.evaluate(ctx))
    before = last.answers if last is not None else {}
    answers = {asked.name: asked.answer(ctx, before.get(asked.name)) for asked in FINDERS}
    soonest = (answer.deadlines[0] for answer in answers.values() if answer.deadlines)
    return Assessment(ctx, stops, answers, min(soonest, default=None))


def _lifted_before(retraction: Retraction, ctx: Context) -> bool:
    """Had signed decisions that still count lifted all of a stop before its basis was taken away?"""
    lifts = [lift for lift in ctx.lifts if lift.issued <= retraction.at]
    return all(any(lift.lifts(evidence, ctx) for lift in lifts) for evidence in retraction.evidence)
