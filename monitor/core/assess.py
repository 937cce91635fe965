"""An assessment: what all rules conclude from a history at a time, and when it can next change by itself.

A pure function of the set of facts, the protocol and now; `memory` carries what only the course of knowledge can tell
(stops that were corrected away, what a person resolved, eligibility as it stood at the first dose).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.core.context import Closure, Context, Retraction
from monitor.core.finding import Finding
from monitor.core.history import History, RecordKey
from monitor.core.readiness import readiness
from monitor.core.rulebook import FINDERS, STOP_RULES
from monitor.core.rules import eligibility
from monitor.core.states import OFF_STUDY, protocol_state, treatment_state
from monitor.core.stops import Stop
from monitor.core.times import show
from monitor.core.window import OPEN, windows
from monitor.protocol.model import Protocol


@dataclass(frozen=True, slots=True)
class Memory:
    """What the fold remembers beside the facts."""

    retractions: tuple[Retraction, ...] = ()
    closures: tuple[Closure, ...] = ()
    eligibility: Mapping[str, str] | None = None
    raised_at: Callable[[str, frozenset[RecordKey]], datetime | None] = field(default=lambda _rule, _keys: None)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was concluded; `deadline` is the next instant at which it can change with no fact arriving."""

    findings: tuple[Finding, ...]
    stops: tuple[Stop, ...]
    protocol_state: str
    treatment_state: str
    restart_window: Mapping[str, object] | None
    eligibility: Mapping[str, str]
    deadline: datetime | None


def context(history: History, protocol: Protocol, now: datetime, memory: Memory) -> Context:
    """The context of an assessment; eligibility is judged until the first dose, then as remembered."""
    ctx = Context(
        history,
        protocol,
        now,
        STOP_RULES,
        memory.raised_at,
        memory.retractions,
        memory.closures,
        memory.eligibility,
    )
    if ctx.enrolment is not None and (ctx.first_dose is None or not memory.eligibility):
        ctx = replace(ctx, eligibility=eligibility.evaluate(ctx))
    return ctx


def assess(ctx: Context) -> Assessment:
    """Everything the rules conclude in this context. Total: no history makes it raise."""
    stops = tuple(Finding(s.rule, s.evidence, outcome="decision" if s.lift else None) for s in ctx.stops)
    findings = (*stops, *(finding for find in FINDERS for finding in find(ctx)))
    state = protocol_state(ctx, ctx.now)
    return Assessment(
        findings=findings,
        stops=ctx.stops,
        protocol_state=state,
        treatment_state=treatment_state(ctx, ctx.now),
        restart_window=None if state == OFF_STUDY else _window(ctx),
        eligibility=ctx.eligibility or {},
        deadline=min((at for at in ctx.deadlines if at > ctx.now), default=None),
    )


def _window(ctx: Context) -> dict[str, object] | None:
    """The latest restart window as every output shows it; its readiness list while it is open."""
    known = windows(ctx)
    if not known:
        return None
    window = known[-1]
    shown: dict[str, object] = {
        "state": window.state,
        "t0": show(window.t0),
        "opens_on": show(window.opens_on),
        "closes_on": show(window.closes_on),
        "provisional": window.provisional,
    }
    if window.state == OPEN:
        shown["readiness"] = readiness(ctx)
    return shown
