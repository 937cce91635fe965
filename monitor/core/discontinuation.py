"""The stops for acute GVHD that share one discontinuation, and the day it counts from (t0, clause stop.2).

Stops belong together while nothing is given and no restart signed between them. t0 is the signed stop or hold in force
at the first of them, else the first one after it, else that stop itself (provisional).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import reduce

from monitor.core.context import Context
from monitor.core.sequences import first_from
from monitor.core.series import Series
from monitor.core.settled import settle
from monitor.core.states import ON_HOLD, STOPPED, treatment_state
from monitor.core.stops import Lift, Stop
from monitor.core.times import Effective, precedes

_Groups = tuple[Series[tuple[Stop, ...]], tuple[Stop, ...]]  # those that are over, and the one that is not


def stop_groups(ctx: Context) -> Series[tuple[Stop, ...]]:
    """Stops that share a window: nothing was given and no restart signed between them."""
    acute = ctx.restartable

    def step(groups: _Groups, stop: Stop) -> _Groups:
        over, group = groups
        if group and (stop.lift != group[-1].lift or _given_between(group[0], stop, ctx)):
            return over.with_item(group), (stop,)
        return over, (*group, stop)

    start: _Groups = (Series(), ())
    settled, left = settle(ctx, "stop groups", acute[:-1], lambda stop: ctx.on(stop.first.effective), start, step)
    over, group = reduce(step, [*left, *acute[-1:]], settled)
    return over.with_item(group) if group else over


def _given_between(first: Stop, second: Stop, ctx: Context) -> bool:
    def within(effective: Effective) -> bool:
        after = precedes(first.first.effective, effective, ctx.tz)
        return after and precedes(effective, second.first.effective, ctx.tz)

    start, end = ctx.start_of(ctx.on(first.first.effective)), second.first.at
    given = ctx.doses[first_from(ctx.doses, start) : first_from(ctx.doses, end)]
    return any(within(f.effective) for f in given) or any(within(lift.effective) for lift in ctx.lifts)


def over_on(stops: tuple[Stop, ...], ctx: Context) -> date | None:
    """The day of the decision that lifted these: what comes later has no part in them. None while none has."""
    lift = stops[-1].lift
    return ctx.on(lift.effective) if lift is not None else None


def first_holding(earlier: Sequence[tuple[Stop, ...]], stops: tuple[Stop, ...], ctx: Context) -> Stop:
    """The first stop that has held treatment without a break until these came."""
    return next((held[0] for held in earlier if not _lifted_before(held, stops, ctx)), stops[0])


def successor_of(stops: tuple[Stop, ...], later: Sequence[tuple[Stop, ...]], ctx: Context) -> tuple[Stop, ...] | None:
    """The stops that came while this window was not used, and have one of their own in its place.

    Not those that were lifted while these still stood, which were not known to the signer: then theirs goes on.
    """
    standing = (new for new in later if not _lifted_before(stops, new, ctx) and not _outlived(new, stops, ctx))
    return next((new for new in standing if _given_between(stops[0], new[0], ctx)), None)


def _lifted_before(stops: tuple[Stop, ...], new: tuple[Stop, ...], ctx: Context) -> bool:
    lift = stops[-1].lift
    return lift is not None and precedes(lift.effective, new[0].first.effective, ctx.tz)


def _outlived(new: tuple[Stop, ...], stops: tuple[Stop, ...], ctx: Context) -> bool:
    gone, lift = new[-1].lift, stops[-1].lift
    return gone is not None and (lift is None or precedes(gone.effective, lift.effective, ctx.tz))


def counted_from(stop: Stop, restart: Lift | None, ctx: Context) -> tuple[date, bool]:
    """The day the discontinuation counts from, and whether it is provisional."""
    orders = [f for f in ctx.signed if f.data.decision in ("stop", "hold")]
    before = [f for f in orders if f.at <= stop.first.at]
    if before and treatment_state(ctx, stop.first.at) in (STOPPED, ON_HOLD):
        return before[-1].on, False
    after = [f for f in orders if not precedes(f.effective, stop.first.effective, ctx.tz)]
    after = [f for f in after if restart is None or f.at < restart.at]
    return (after[0].on, False) if after else (ctx.on(stop.first.effective), True)
