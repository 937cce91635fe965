"""The days of a restart window (clause stop.2): from when the discontinuation counts, and what "1 to 2 months" are."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from monitor.core.context import Context
from monitor.core.states import ON_HOLD, STOPPED, treatment_state
from monitor.core.stops import Lift, Stop
from monitor.core.times import precedes

_TERMS = {"days": (30, 60), "cycle_days": (28, 56), "calendar_months": (1, 2)}


def discontinued_on(stop: Stop, restart: Lift | None, ctx: Context) -> tuple[date, bool]:
    """The day the discontinuation counts from, and whether it is provisional."""
    orders = [f for f in ctx.signed if f.data.decision in ("stop", "hold")]
    before = [f for f in orders if f.at <= stop.first.at]
    if before and treatment_state(ctx, stop.first.at) in (STOPPED, ON_HOLD):
        return before[-1].on, False
    after = [f for f in orders if not precedes(f.effective, stop.first.effective, ctx.tz)]
    after = [f for f in after if restart is None or f.at < restart.at]
    return (after[0].on, False) if after else (ctx.on(stop.first.effective), True)


def term(t0: date, ctx: Context) -> tuple[date, date]:
    opens, closes = _TERMS[ctx.protocol.restart.unit]
    if ctx.protocol.restart.unit == "calendar_months":
        return _add_months(t0, opens), _add_months(t0, closes)
    return t0 + timedelta(days=opens), t0 + timedelta(days=closes)


def _add_months(day: date, months: int) -> date:
    """The same day some months later, or the last day of a month that has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
