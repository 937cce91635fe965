"""The restart window after a stop for acute GVHD (clause stop.2): its days, its state, and the restart it is for.

It opens from t0+30, once remission and an explicit "no cGVHD" are both documented, and closes at the end of day t0+60.
Acute GVHD that comes back after something was given has a window of its own, and the one before is over: a restart is
judged by the last window whose stop it lifts.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce

from monitor.core.asked import Asked
from monitor.core.context import Context, Dependency
from monitor.core.discontinuation import counted_from, first_holding, over_on, stop_groups, successor_of
from monitor.core.finding import Evidence
from monitor.core.history import Fact, RecordKey
from monitor.core.series import Series
from monitor.core.settled import settle
from monitor.core.stops import Lift, Stop
from monitor.core.walking import Walked, unchanged
from monitor.core.window_course import EXPIRED, OPEN, PENDING, USED, Ending, Opening, ending_of, stretches_of
from monitor.core.window_documents import documented_by
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.record import RecordBlock
from monitor.events.treatment import AzacitidineGiven, DliInfused, TreatmentDecided

# What the windows are made of: a rule that asks for them reads all this.
WINDOWS: tuple[Dependency, ...] = (
    AcuteGvhdAssessed,
    ChronicGvhdAssessed,
    AzacitidineGiven,
    DliInfused,
    TreatmentDecided,
    "holds",
    "restartable",
    "off_study_at",
)
_TICK = timedelta(microseconds=1)
_TERMS = {"days": (30, 60), "cycle_days": (28, 56), "calendar_months": (1, 2)}


@dataclass(frozen=True, slots=True)
class Window:
    """One restart window. Days are the site's; `opens_on` is the earliest day it can open."""

    stops: tuple[Stop, ...]
    t0: date
    provisional: bool
    earliest_on: date
    opens_on: date
    closes_on: date
    state: str
    stretches: tuple[Opening, ...]
    ending: Ending | None
    restart: Lift | None
    known_as: str | None  # the state in which the restart found it, by what had been issued before
    succeeded_at: datetime | None  # a new stop has a window of its own since then
    documents: tuple[RecordKey, ...]
    over_on: date | None  # the day after which nothing can happen to it

    @property
    def first(self) -> Evidence:
        return self.stops[0].first

    @property
    def outside(self) -> bool:
        """Was the restart signed while the window was not open?"""
        return self.known_as not in (None, OPEN)


def windows(ctx: Context) -> tuple[Window, ...]:
    """Every restart window, in order of their stops."""
    name = ("windows", ctx.protocol.hash)
    last = ctx.memo.get(name)
    answer = _WINDOWS.answer(ctx, last.state if last is not None else None)
    ctx.memo[name] = Walked((), None, answer)
    return answer.found


def _windows(ctx: Context) -> Iterator[Window]:
    groups = stop_groups(ctx)

    def step(known: Series[Window], _group: tuple[Stop, ...]) -> Series[Window]:
        return known.with_item(_window(groups, len(known), ctx))

    start: Series[Window] = Series()
    settled, left = settle(ctx, "windows", groups[:-1], lambda stops: over_on(stops, ctx), start, step)
    yield from reduce(step, [*left, *groups[-1:]], settled)


def current(known: Sequence[Window]) -> Window | None:
    """The window to show: the last one whose stop stands, else the last."""
    standing = [window for window in known if window.stops[-1].lift is None]
    return (standing or known)[-1] if known else None


def _window(groups: Sequence[tuple[Stop, ...]], n: int, ctx: Context) -> Window:
    stops = groups[n]
    held_since, successor = first_holding(groups[:n], stops, ctx), successor_of(stops, groups[n + 1 :], ctx)
    lift = stops[-1].lift
    restart = None if successor is not None and successor[-1].lift == lift else lift
    t0, provisional = counted_from(stops[0], lift, ctx)
    earliest_on, closes_on = _term(t0, ctx)
    known_as = _known_at(restart, stops, ctx) if restart is not None else None
    succeeded_at = successor[0].first.at if successor is not None else None
    over_at = min((at for at in (restart and restart.at, succeeded_at, ctx.off_study_at) if at), default=None)
    used = restart if known_as == OPEN else None
    ending = ending_of(stops[0], held_since, used, over_at, closes_on, ctx)
    until = ending.at if ending is not None else over_at
    seen_until = _seen_at(used, ctx) if used is not None and ending is not None and ending.state == USED else until
    stretches = tuple(stretches_of(stops, earliest_on, seen_until, ctx))
    documented = _documented(stops, ending, until or ctx.now, ctx)
    documented_on = [fact.on for fact in documented]
    course = stretches[-1].state if stretches else PENDING
    return Window(
        stops=stops,
        t0=t0,
        provisional=provisional,
        earliest_on=earliest_on,
        opens_on=max(earliest_on, *documented_on) if len(documented) == 2 else earliest_on,
        closes_on=closes_on,
        state=ending.state if ending else known_as or course,  # what is learnt after a restart no longer opens it
        stretches=stretches,
        ending=ending,
        restart=restart,
        known_as=known_as,
        succeeded_at=succeeded_at,
        documents=tuple(fact.key for fact in documented),
        over_on=over_on(stops, ctx),
    )


def _documented(stops: tuple[Stop, ...], ending: Ending | None, at: datetime, ctx: Context) -> list[Fact[RecordBlock]]:
    """Remission and "no cGVHD" as they were written down when the window ended, or are now."""
    if ending is not None and ending.state == EXPIRED:
        at -= _TICK  # its last day is over then: what is of the next one comes too late
    last = next((stop for stop in reversed(stops) if stop.first.at <= at), stops[0])
    return documented_by(last, at, ctx)


def _term(t0: date, ctx: Context) -> tuple[date, date]:
    opens, closes = _TERMS[ctx.protocol.restart.unit]
    if ctx.protocol.restart.unit == "calendar_months":
        return _add_months(t0, opens), _add_months(t0, closes)
    return t0 + timedelta(days=opens), t0 + timedelta(days=closes)


def _add_months(day: date, months: int) -> date:
    """The same day some months later, or the last day of a month that has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _known_at(restart: Lift, stops: tuple[Stop, ...], ctx: Context) -> str:
    """The window's state at the restart, by what had been issued before it was."""
    at = _seen_at(restart, ctx)
    keys = frozenset().union(*(stop.keys for stop in stops))

    def state() -> str:
        known = ctx.as_known(restart.issued, at)
        groups = stop_groups(known)
        same = (n for n in reversed(range(len(groups))) if any(keys & stop.keys for stop in groups[n]))
        return next((_window(groups, n, known).state for n in same), PENDING)  # this one alone: each asks for another

    name = ("window known", ctx.protocol.hash, *restart.key, *stops[0].first.key)
    given = (ctx.history.taken_before(restart.issued), restart, min(at, ctx.now), keys, ctx.superseded)
    return unchanged(ctx.memo, name, given, state)


def _seen_at(restart: Lift, ctx: Context) -> datetime:
    """When a restart was given; without an hour, the end of its day."""
    if isinstance(restart.effective, datetime):
        return restart.at
    return ctx.start_of(ctx.on(restart.effective) + timedelta(days=1)) - _TICK


_WINDOWS = Asked(_windows, WINDOWS)
