"""What every finding about a restart window says: the stop it rests on, its days, and why a stretch of it is over."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.finding import Detail, Evidence
from monitor.core.window import Window
from monitor.core.window_course import Opening


def resting_on(window: Window) -> Evidence:
    """Findings rest on the stop that made it, and lean on what documented remission and absence."""
    return replace(
        window.first, provisional=False, boundary=False, review=False, summary="", details={}, also=window.documents
    )


def days_of(window: Window) -> dict[str, Detail]:
    """The days of a window, as details of an alert."""
    return {
        "t0": window.t0.isoformat(),
        "opens_on": window.opens_on.isoformat(),
        "closes_on": window.closes_on.isoformat(),
        "t0_provisional": window.provisional,
    }


def counted(window: Window) -> str:
    """What is to be said where nobody signed the stop it counts from."""
    return ", counted from the stop itself: no signed stop or hold is on record" if window.provisional else ""


def outcome_of(window: Window, stretch: Opening) -> str | None:
    """Why a stretch of the window is over."""
    if stretch.end is None:
        return None
    if window.ending is not None and stretch.end >= window.ending.at:  # after: a restart of a day without an hour
        return window.ending.state
    if window.restart is not None and stretch.end == window.restart.at:
        return "decision"
    return "later_result" if stretch is not window.stretches[-1] or window.succeeded_at == stretch.end else "off_study"
