"""The restart window is open (clause stop.2): told with the readiness list, which advises and never closes it."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.context import Context
from monitor.core.finding import Finding, Found, Rule
from monitor.core.readiness import READINESS, readiness
from monitor.core.rules.window_parts import counted, days_of, outcome_of, resting_on
from monitor.core.settled import settled_findings
from monitor.core.window import WINDOWS, Window, windows
from monitor.core.window_course import OPEN, Opening

WINDOW_OPEN = Rule("restart.window-open", "medium", "stop.2", reading="restart.unit")
READS = (*WINDOWS, *READINESS)


def find(ctx: Context) -> Iterator[Found]:
    known = windows(ctx)
    yield from settled_findings(ctx, "open windows", known, lambda window: window.over_on, lambda w: _of(w, ctx))


def _of(window: Window, ctx: Context) -> Iterator[Finding]:
    for stretch in window.stretches:
        if stretch.state == OPEN:
            if stretch.end is None:
                readiness(ctx)  # what is on the list grows stale with time alone: those days are deadlines
            yield _open(window, stretch, ctx)


def _open(window: Window, stretch: Opening, ctx: Context) -> Finding:
    return Finding(
        WINDOW_OPEN,
        (resting_on(window),),
        outcome=outcome_of(window, stretch),
        effective=ctx.on(stretch.start),
        summary=f"The restart window is open, until the end of {window.closes_on.isoformat()}{counted(window)}",
        details={**days_of(window), "readiness": readiness(ctx.as_of(stretch.start))},
    )
