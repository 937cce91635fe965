"""The restart window after a stop for acute GVHD (clause stop.2): when it opens and closes, and what ends it.

t0 is the signed stop or hold in force at the stop, else the first one after it, else the stop itself (provisional).
Remission and an explicit "no cGVHD", both since the stop, open it from t0+30; it closes at the end of day t0+60.
The first of used, invalidated and expired stays for good. Acute GVHD that comes back after something was given has a
window of its own, and the one before is over: a restart is judged by the last window whose stop it lifts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitor.core.context import Context
from monitor.core.finding import Evidence
from monitor.core.history import RecordKey
from monitor.core.stops import Lift, Stop
from monitor.core.times import Effective, precedes
from monitor.core.window_course import (
    OPEN,
    PENDING,
    Ending,
    Opening,
    Stops,
    documented_by,
    ending_of,
    stretches_of,
)
from monitor.core.window_days import discontinued_on, term


@dataclass(frozen=True, slots=True)
class Window:
    """One restart window. Days are the site's; `opens_on` is the earliest day it can open."""

    stops: Stops
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

    @property
    def first(self) -> Evidence:
        return self.stops[0].first

    @property
    def outside(self) -> bool:
        """Was the restart signed while the window was not open?"""
        return self.known_as not in (None, OPEN)


def windows(ctx: Context) -> tuple[Window, ...]:
    """Every restart window, in order of their stops."""
    groups = tuple(_groups(ctx))
    return tuple(_window(groups, n, ctx) for n in range(len(groups)))


def current(known: Sequence[Window]) -> Window | None:
    """The window to show: the last one whose stop stands, else the last."""
    standing = [window for window in known if window.stops[-1].lift is None]
    return (standing or known)[-1] if known else None


def _held_since(earlier: Sequence[Stops], stops: Stops, ctx: Context) -> Stop:
    """The first stop that has held treatment without a break until these came."""
    return next((held[0] for held in earlier if not _lifted_before(held, stops, ctx)), stops[0])


def _successor(stops: Stops, later: Sequence[Stops], ctx: Context) -> Stops | None:
    """The stops that came while this window was not used, and have one of their own in its place."""
    standing = (new for new in later if not _lifted_before(stops, new, ctx))
    return next((new for new in standing if _given_between(stops[0], new[0], ctx)), None)


def _lifted_before(stops: Stops, new: Stops, ctx: Context) -> bool:
    lift = stops[-1].lift
    return lift is not None and precedes(lift.effective, new[0].first.effective, ctx.tz)


def _groups(ctx: Context) -> Iterator[Stops]:
    """Stops that share a window: nothing was given and no restart signed between them."""
    group: list[Stop] = []
    for stop in (s for s in ctx.stops if not s.permanent):
        if group and (stop.lift != group[-1].lift or _given_between(group[0], stop, ctx)):
            yield tuple(group)
            group = []
        group.append(stop)
    if group:
        yield tuple(group)


def _given_between(first: Stop, second: Stop, ctx: Context) -> bool:
    def within(effective: Effective) -> bool:
        after = precedes(first.first.effective, effective, ctx.tz)
        return after and precedes(effective, second.first.effective, ctx.tz)

    return any(within(f.effective) for f in ctx.doses) or any(within(lift.effective) for lift in ctx.lifts)


def _window(groups: Sequence[Stops], n: int, ctx: Context) -> Window:
    stops = groups[n]
    held_since, successor = _held_since(groups[:n], stops, ctx), _successor(stops, groups[n + 1 :], ctx)
    lift = stops[-1].lift
    restart = None if successor is not None and successor[-1].lift == lift else lift
    t0, provisional = discontinued_on(stops[0], lift, ctx)
    earliest_on, closes_on = term(t0, ctx)
    known_as = _known_at(restart, stops, ctx) if restart is not None else None
    succeeded_at = successor[0].first.at if successor is not None else None
    over_at = min((at for at in (restart and restart.at, succeeded_at, ctx.off_study_at) if at), default=None)
    used = restart if known_as == OPEN else None
    ending = ending_of(stops[0], held_since, used, over_at, closes_on, ctx)
    until = ending.at if ending is not None else over_at
    stretches = tuple(stretches_of(stops, earliest_on, until, ctx))
    documented = documented_by(stops[-1], until or ctx.now, ctx)
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
    )


def _known_at(restart: Lift, stops: Stops, ctx: Context) -> str:
    """The window's state at the restart, by what had been issued before it was."""
    day_alone = not isinstance(restart.effective, datetime)
    at = (
        ctx.start_of(ctx.on(restart.effective) + timedelta(days=1)) - timedelta(microseconds=1)
        if day_alone
        else restart.at
    )
    known = ctx.as_known(restart.issued, at)
    keys, groups = frozenset().union(*(stop.keys for stop in stops)), tuple(_groups(known))
    same = (n for n in reversed(range(len(groups))) if any(keys & stop.keys for stop in groups[n]))
    return next((_window(groups, n, known).state for n in same), PENDING)  # of this one alone: each asks for another
