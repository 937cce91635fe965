"""The two states of a patient: what the rules say (`protocol_state`), and what people did (`treatment_state`).

Both are told for any clinical time, by the facts known now: reminders need to know in which state a day was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from monitor.core.context import Context, Dependency, Retraction
from monitor.core.history import Fact
from monitor.core.series import Series
from monitor.core.times import Effective, precedes
from monitor.core.walking import merged, unchanged, walk
from monitor.events.record import RecordBlock
from monitor.events.treatment import AzacitidineGiven, DliInfused, TreatmentDecided

OFF_STUDY, STOPPED, HELD = "off_study", "stopped", "held"
BASIS_RETRACTED, COMPLETED, ON_TREATMENT, SCREENING = "stop_basis_retracted", "completed", "on_treatment", "screening"
NOT_STARTED, ON_HOLD = "not_started", "on_hold"
_DECIDED = {
    "stop": STOPPED,
    "hold": ON_HOLD,
    "complete": COMPLETED,
    "restart": ON_TREATMENT,
    "continue": ON_TREATMENT,
}


_Changes = tuple[Series[tuple[datetime, str]], Effective | None]  # and the decision by which people are not treating

# What the course of both states is made of: a rule that asks for it reads all this.
COURSE: tuple[Dependency, ...] = (
    AzacitidineGiven,
    DliInfused,
    TreatmentDecided,
    "holds",
    "retractions",
    "off_study_at",
)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` on, until the next span, both states are these."""

    start: datetime
    protocol: str
    treatment: str

    @property
    def both_on_treatment(self) -> bool:
        return self.protocol == self.treatment == ON_TREATMENT


def decided_at(retraction: Retraction, ctx: Context) -> datetime | None:
    """When a signed decision, issued after the retraction, ended the wait; None while none has."""
    issued_after = (f for f in ctx.signed if f.record.issued(_signed) > retraction.at)
    return next((max(f.at, retraction.at) for f in issued_after), None)


def _signed(data: RecordBlock) -> bool:
    return isinstance(data, TreatmentDecided) and bool(data.signed_by)


def treatment_changes(ctx: Context) -> Sequence[tuple[datetime, str]]:
    """From when on people did what, by doses, signed decisions and study status; ordered."""

    def step(walked: _Changes, fact: Fact[RecordBlock]) -> _Changes:
        changes, ended = walked
        decided = isinstance(fact.data, TreatmentDecided)
        state = _DECIDED.get(fact.data.decision) if isinstance(fact.data, TreatmentDecided) else ON_TREATMENT
        if state is None or (not decided and ended is not None and not precedes(ended, fact.effective, ctx.tz)):
            # A dose of the day on which treatment was ended, at no stated hour, may well have come before.
            return walked
        told = changes if changes and changes[-1][1] == state else changes.with_item((fact.at, state))
        return told, fact.effective if state != ON_TREATMENT else None

    facts = merged(ctx.memo, ("doses and decisions",), (ctx.doses, ctx.signed), lambda f: f.order)
    start: _Changes = (Series(), None)
    changes, _ = walk(ctx.memo, ("treatment",), facts, start, step)
    if (left := ctx.off_study_at) is not None:
        return [*(change for change in changes if change[0] < left), (left, OFF_STUDY)]
    return changes


def treatment_state(ctx: Context, at: datetime) -> str:
    """What people were doing at this instant."""
    return _in_force(treatment_changes(ctx))(at)


def _in_force(changes: Sequence[tuple[datetime, str]]) -> Callable[[datetime], str]:
    since = [at for at, _ in changes]

    def state(at: datetime) -> str:
        known = bisect_right(since, at)
        return changes[known - 1][1] if known else NOT_STARTED

    return state


def protocol_state(ctx: Context, at: datetime) -> str:
    """What the rules say at this instant; the first that holds."""
    return _protocol_states(ctx)(at)


def _protocol_states(ctx: Context) -> Callable[[datetime], str]:
    permanent = _Stretches((hold.at, hold.until) for hold in ctx.holds if hold.permanent)
    restartable = _Stretches((hold.at, hold.until) for hold in ctx.holds if not hold.permanent)
    waiting = _Stretches((retraction.at, decided_at(retraction, ctx)) for retraction in ctx.retractions)
    closing = [(f.at, f.data.decision) for f in ctx.signed if f.data.decision in ("complete", "restart", "continue")]
    closed_at = [at for at, _ in closing]

    def state(at: datetime) -> str:
        if ctx.off_study_at is not None and ctx.off_study_at <= at:
            return OFF_STUDY
        if permanent.hold(at):
            return STOPPED
        if restartable.hold(at):
            return HELD
        if waiting.hold(at):
            return BASIS_RETRACTED
        last = bisect_right(closed_at, at)
        if last and closing[last - 1][1] == "complete":
            return COMPLETED
        return ON_TREATMENT if ctx.first_dose is not None and ctx.first_dose.at <= at else SCREENING

    return state


class _Stretches:
    """Stretches of time, from an instant on and before another (None: without an end)."""

    def __init__(self, stretches: Iterable[tuple[datetime, datetime | None]]) -> None:
        real = [(start, end) for start, end in stretches if end is None or start < end]
        self._starts = sorted(start for start, _ in real)
        self._ends = sorted(end for _, end in real if end is not None)

    def hold(self, at: datetime) -> bool:
        """Is this instant in one of them?"""
        return bisect_right(self._starts, at) > bisect_right(self._ends, at)


def spans(ctx: Context) -> list[Span]:
    """The course of both states up to now."""
    changes = treatment_changes(ctx)  # of the doses these and the first one tell all there is
    given = (changes, ctx.first_dose, ctx.signed, ctx.holds, ctx.retractions, ctx.off_study_at)
    course = unchanged(ctx.memo, ("spans", ctx.protocol.hash), given, lambda: _spans(changes, ctx))
    return course[: bisect_right(course, ctx.now, key=lambda span: span.start)]


def _spans(changes: Sequence[tuple[datetime, str]], ctx: Context) -> list[Span]:
    treatment, protocol = _in_force(changes), _protocol_states(ctx)
    instants = {at for at, _ in changes} | {f.at for f in ctx.signed}
    instants.update(ctx.turns)
    for retraction in ctx.retractions:
        instants |= {retraction.at, decided_at(retraction, ctx) or retraction.at}
    if ctx.first_dose is not None:
        instants.add(ctx.first_dose.at)
    if ctx.off_study_at is not None:
        instants.add(ctx.off_study_at)
    course = [Span(at, protocol(at), treatment(at)) for at in sorted(instants)]
    return [span for before, span in pairwise([None, *course]) if span is not None and not _same(before, span)]


def _same(before: Span | None, span: Span) -> bool:
    return before is not None and (before.protocol, before.treatment) == (span.protocol, span.treatment)
