"""The two states of a patient: what the rules say (`protocol_state`), and what people did (`treatment_state`).

Both are told for any clinical time, by the facts known now: reminders need to know in which state a day was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from monitor.core.context import Context, Dependency, Retraction
from monitor.core.times import Effective, precedes
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


# What the course of both states is made of: a rule that asks for it reads all this.
COURSE: tuple[Dependency, ...] = (
    AzacitidineGiven,
    DliInfused,
    TreatmentDecided,
    "stops",
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


def treatment_changes(ctx: Context) -> list[tuple[datetime, str]]:
    """From when on people did what, by doses, signed decisions and study status; ordered."""
    changes: list[tuple[datetime, str]] = []
    ended: Effective | None = None  # the decision by which people are not treating
    for fact in sorted((*ctx.doses, *ctx.signed), key=lambda f: f.order):
        decided = isinstance(fact.data, TreatmentDecided)
        state = _DECIDED.get(fact.data.decision) if isinstance(fact.data, TreatmentDecided) else ON_TREATMENT
        if state is None or (not decided and ended is not None and not precedes(ended, fact.effective, ctx.tz)):
            continue  # a dose of the day on which treatment was ended, at no stated hour, may well have come before
        ended = fact.effective if state != ON_TREATMENT else None
        if not changes or changes[-1][1] != state:
            changes.append((fact.at, state))
    if (left := ctx.off_study_at) is not None:
        changes = [change for change in changes if change[0] < left] + [(left, OFF_STUDY)]
    return changes


def treatment_state(ctx: Context, at: datetime) -> str:
    """What people were doing at this instant."""
    return _in_force(treatment_changes(ctx), at)


def _in_force(changes: list[tuple[datetime, str]], at: datetime) -> str:
    return next((state for since, state in reversed(changes) if since <= at), NOT_STARTED)


def protocol_state(ctx: Context, at: datetime) -> str:
    """What the rules say at this instant; the first that holds."""
    if ctx.off_study_at is not None and ctx.off_study_at <= at:
        return OFF_STUDY
    standing = [stop for stop in ctx.stops if stop.stands_at(at)]
    if standing:
        return STOPPED if any(stop.permanent for stop in standing) else HELD
    if any(_waits(retraction, ctx, at) for retraction in ctx.retractions):
        return BASIS_RETRACTED
    closing = ("complete", "restart", "continue")
    last = [f.data.decision for f in ctx.signed if f.data.decision in closing and f.at <= at]
    if last and last[-1] == "complete":
        return COMPLETED
    return ON_TREATMENT if ctx.first_dose is not None and ctx.first_dose.at <= at else SCREENING


def spans(ctx: Context) -> list[Span]:
    """The course of both states up to now."""
    treatment = treatment_changes(ctx)
    instants = {at for at, _ in treatment} | {f.at for f in ctx.signed}
    instants |= {stop.first.at for stop in ctx.stops} | {stop.lift.at for stop in ctx.stops if stop.lift}
    for retraction in ctx.retractions:
        instants |= {retraction.at, decided_at(retraction, ctx) or retraction.at}
    if ctx.first_dose is not None:
        instants.add(ctx.first_dose.at)
    if ctx.off_study_at is not None:
        instants.add(ctx.off_study_at)
    ordered = sorted(at for at in instants if at <= ctx.now)
    course = [Span(at, protocol_state(ctx, at), _in_force(treatment, at)) for at in ordered]
    return [span for before, span in pairwise([None, *course]) if span is not None and not _same(before, span)]


def _same(before: Span | None, span: Span) -> bool:
    return before is not None and (before.protocol, before.treatment) == (span.protocol, span.treatment)


def _waits(retraction: Retraction, ctx: Context, at: datetime) -> bool:
    decided = decided_at(retraction, ctx)
    return retraction.at <= at and (decided is None or at < decided)
