"""The restart window as told to people: its course, its end, and a restart outside it (clause stop.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from monitor.core.context import Context
from monitor.core.finding import Finding, Found, Rule
from monitor.core.rules.runs import evidence
from monitor.core.rules.window_parts import counted, days_of, outcome_of, resting_on
from monitor.core.settled import settled_findings
from monitor.core.stops import Hit, Lift
from monitor.core.window import WINDOWS, Window, windows
from monitor.core.window_course import BLOCKED, EXPIRED, INVALIDATED, OPEN, PENDING, USED, Ending, Opening
from monitor.events.treatment import TreatmentDecided

CLOSING = Rule("restart.window-closing", "medium", "stop.2", reading="restart.unit", reminder=True)
WINDOW_EXPIRED = Rule("restart.window-expired", "medium", "stop.2", review=True, reading="restart.unit")
WINDOW_BLOCKED = Rule("restart.window-blocked", "medium", "stop.2", review=True, reading="restart.unit")
WINDOW_INVALIDATED = Rule("restart.window-invalidated", "medium", "stop.2", review=True)
OUTSIDE = Rule("restart.outside-window", "high", "stop.2", review=True, reading="restart.unit")
SECOND = Rule("restart.second", "medium", "stop.2", review=True)
READS = WINDOWS

# How a restart outside the window found it.
_FOUND = {
    BLOCKED: "while no chronic GVHD assessment since the stop was on record",
    EXPIRED: "after the restart window had closed",
    INVALIDATED: "though the restart window was closed for good",
    USED: "though the restart window had been used already",
}


def find(ctx: Context) -> Iterator[Found]:
    known = windows(ctx)
    yield from settled_findings(ctx, "window findings", known, lambda window: window.over_on, lambda w: _of(w, ctx))
    yield from _restarts(known, ctx)


def _of(window: Window, ctx: Context) -> Iterator[Finding]:
    yield from _stretches(window, ctx)
    yield from _ended(window, ctx)


def _stretches(window: Window, ctx: Context) -> Iterator[Finding]:
    for stretch in window.stretches:
        if stretch.state == OPEN:
            yield from _closing(window, stretch, ctx)
        elif stretch.state == BLOCKED:
            yield Finding(
                WINDOW_BLOCKED,
                (resting_on(window),),
                outcome=outcome_of(window, stretch),
                effective=ctx.on(stretch.start),
                summary="No chronic GVHD assessment since the stop: the restart window cannot open",
                details=days_of(window),
            )


def _closing(window: Window, stretch: Opening, ctx: Context) -> Iterator[Finding]:
    """Notice before the end; at the opening if that is later."""
    notice_on = window.closes_on - timedelta(days=ctx.protocol.restart.closing_notice_days)
    start = max(stretch.start, ctx.start_of(notice_on))
    if (stretch.end is None or start < stretch.end) and ctx.reached(start):
        yield Finding(
            CLOSING,
            (resting_on(window),),
            outcome=outcome_of(window, stretch),
            effective=ctx.on(start),
            summary=f"The restart window closes at the end of {window.closes_on.isoformat()}{counted(window)}",
            details={**days_of(window), "due_on": window.closes_on.isoformat()},
        )


def _over(window: Window, ctx: Context) -> str | None:
    """What made a window that has ended a thing of the past."""
    if window.succeeded_at is not None:
        return "later_result"
    if window.restart is not None:
        return "decision"
    return "off_study" if ctx.off_study_at is not None else None


def _ended(window: Window, ctx: Context) -> Iterator[Finding]:
    """Expired and invalidated stay until the stop is lifted, or another stop has a window of its own."""
    ending = window.ending
    if ending is None:
        return
    outcome = _over(window, ctx)
    if ending.state == EXPIRED:
        yield Finding(
            WINDOW_EXPIRED,
            (resting_on(window),),
            outcome=outcome,
            effective=ending.effective,
            summary=f"The restart window closed at the end of {window.closes_on.isoformat()} and was not used",
            details=days_of(window),
        )
    elif ending.state == INVALIDATED and ending.by is not None:
        proof = replace(
            resting_on(window), key=ending.by, effective=ending.effective, at=ending.at, also=(window.first.key,)
        )
        yield Finding(
            WINDOW_INVALIDATED,
            (proof,),
            outcome=outcome,
            summary=f"{_invalidated_by(ending)}: the restart window is closed for good",
            details=days_of(window),
        )


def _invalidated_by(ending: Ending) -> str:
    """What closed a window for good: chronic GVHD or overlap, or else the permanent stop."""
    if ending.sick is None:
        return f"{ending.rule} stands beside the stop for acute GVHD"
    said = "Overlap syndrome" if ending.sick.overlap else "Chronic GVHD"
    return f"{said} since the stop, {ending.sick.severity or 'severity not stated'}"


def _waiting(window: Window, restart: Lift, ctx: Context) -> str:
    """Why a window was pending: it was too early, or something was not documented or in doubt."""
    if ctx.on(restart.effective) < window.earliest_on:
        return "before the restart window could open"
    return 'while remission and "no chronic GVHD" were not both documented, or something was in doubt'


def _restarts(known: tuple[Window, ...], ctx: Context) -> Iterator[Finding]:
    by_key = {f.key: f for f in ctx.history.of(TreatmentDecided)}
    restarted = {f.key for f in ctx.signed if f.data.decision == "restart"}
    for window in known:
        if window.restart is None:
            continue
        restarted.add(window.restart.key)
        if window.outside:
            fact = by_key[window.restart.key]
            found = {PENDING: _waiting(window, window.restart, ctx), **_FOUND}[window.known_as or PENDING]
            said = f"Restart signed {found} (earliest {window.earliest_on}, closing at the end of {window.closes_on})"
            hit = Hit(said, details={**days_of(window), "window": window.known_as})
            yield Finding(OUTSIDE, (evidence(fact, hit, also=(window.first.key,)),))
    for fact in sorted((by_key[key] for key in restarted), key=lambda f: f.order)[1:]:
        yield Finding(SECOND, (evidence(fact, Hit("A second restart of treatment was signed")),))
