"""Reminders: something expected by a day has not come, while the states ask for it (protocol: schedule, monitoring).

A reminder is resolved when what it waits for comes or when the state it needs ends (`inhibited_by` says what ended it);
it never was if it came in time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, takewhile

from monitor.core.context import Context
from monitor.core.finding import Detail, Evidence, Finding, Rule
from monitor.core.states import HELD, ON_TREATMENT, STOPPED, Span
from monitor.core.times import Effective, is_day


@dataclass(frozen=True, slots=True)
class Expected:
    """What is awaited: late from the local day `due_on`; `came` when it came (None: not yet)."""

    rule: Rule
    evidence: Evidence
    due_on: date
    came: Effective | None
    item: str = ""

    def came_by(self, ctx: Context) -> datetime | None:
        """The instant up to which it was awaited: of a day without an hour, the end of the day. None: it still is."""
        if self.came is None or ctx.instant(self.came) > ctx.now:
            return None
        end = ctx.start_of(ctx.on(self.came) + timedelta(days=1)) if is_day(self.came) else ctx.instant(self.came)
        return min(end, ctx.now)


def remind(expected: Expected, needs: Callable[[Span], bool], course: list[Span], ctx: Context) -> Finding | None:
    """The reminder of what is late, if it is or was; `course` are the states up to now."""
    start, came_by = ctx.start_of(expected.due_on), expected.came_by(ctx)
    if not ctx.reached(start) or not _needed(start, came_by or ctx.now, needs, course, closed=came_by is None):
        return None
    outcome, details = None, dict[str, Detail]()
    if came_by is not None:
        outcome = "came"
    elif not (course and needs(course[-1])):
        outcome, details = "state_ended", inhibited(course, ctx)
    return Finding(
        expected.rule,
        (expected.evidence,),
        item=expected.item,
        outcome=outcome,
        effective=expected.due_on,
        details=details,
    )


def inhibited(course: list[Span], ctx: Context) -> dict[str, Detail]:
    """What holds a reminder back now: the stops that stand, else the state that is not the one it needs."""
    if not course:
        return {}
    now = course[-1]
    if now.protocol in (STOPPED, HELD):
        return {"inhibited_by": sorted({hold.rule for hold in ctx.holds if hold.stands_at(ctx.now)})}
    return {"inhibited_by": [now.treatment if now.protocol == ON_TREATMENT else now.protocol]}


def _needed(start: datetime, end: datetime, needs: Callable[[Span], bool], course: list[Span], *, closed: bool) -> bool:
    """Does a state that needs it hold at some instant from `start` to `end`?"""
    first = max(0, bisect_right(course, start, key=lambda span: span.start) - 1)
    for span in takewhile(lambda span: span.start <= end, islice(course, first, None)):
        begins = max(start, span.start)
        if (begins < end or (closed and begins == end)) and needs(span):
            return True
    return False
