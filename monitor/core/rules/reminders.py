"""Reminders: something expected by a day has not come, while the states ask for it (protocol: schedule, monitoring).

A reminder is resolved when what it waits for comes or when the state it needs ends; it never was if it came in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from monitor.core.context import Context
from monitor.core.finding import Evidence, Finding, Rule
from monitor.core.states import Span


@dataclass(frozen=True, slots=True)
class Expected:
    """What is awaited: late from the local day `due_on`; `came_at` when it came (None: not yet)."""

    rule: Rule
    evidence: Evidence
    due_on: date
    came_at: datetime | None
    item: str = ""


def remind(expected: Expected, needs: Callable[[Span], bool], course: list[Span], ctx: Context) -> Finding | None:
    """The reminder of what is late, if it is or was; `course` are the states up to now."""
    start = ctx.start_of(expected.due_on)
    if not ctx.reached(start):
        return None
    end = min(expected.came_at or ctx.now, ctx.now)
    if not _needed(start, end, needs, course, closed=expected.came_at is None or expected.came_at > ctx.now):
        return None
    if expected.came_at is not None and expected.came_at <= ctx.now:
        outcome: str | None = "came"
    else:
        outcome = None if course and needs(course[-1]) else "state_ended"
    return Finding(expected.rule, (expected.evidence,), item=expected.item, outcome=outcome, effective=expected.due_on)


def _needed(start: datetime, end: datetime, needs: Callable[[Span], bool], course: list[Span], *, closed: bool) -> bool:
    """Does a state that needs it hold at some instant from `start` to `end`?"""
    for index, span in enumerate(course):
        over = course[index + 1].start if index + 1 < len(course) else None
        begins = max(start, span.start)
        if (over is None or begins < over) and (begins < end or (closed and begins == end)) and needs(span):
            return True
    return False
