"""Clinical time: an instant, or a day when only the day is known. Local days are the site's."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Effective = date | datetime


def is_day(effective: Effective) -> bool:
    """Is only the day known?"""
    return not isinstance(effective, datetime)


def start_of(day: date, tz: ZoneInfo) -> datetime:
    """The instant (UTC) at which a local day begins."""
    return datetime.combine(day, time(), tz).astimezone(UTC)


def instant(effective: Effective, tz: ZoneInfo) -> datetime:
    """The instant (UTC) an effective time stands for in an order; a day stands for its beginning."""
    return effective.astimezone(UTC) if isinstance(effective, datetime) else start_of(effective, tz)


def local_date(effective: Effective, tz: ZoneInfo) -> date:
    """The site's calendar day of an effective time."""
    return effective.astimezone(tz).date() if isinstance(effective, datetime) else effective


def precedes(first: Effective, second: Effective, tz: ZoneInfo) -> bool:
    """Is `first` certainly before `second`? Where either has only a date: on an earlier local day."""
    if isinstance(first, datetime) and isinstance(second, datetime):
        return first < second
    return local_date(first, tz) < local_date(second, tz)


def days_between(first: Effective, second: Effective, tz: ZoneInfo) -> int:
    """Whole calendar days from `first` to `second` at the site."""
    return (local_date(second, tz) - local_date(first, tz)).days


def within_hours(earlier: Effective, later: Effective, hours: int, days: int, tz: ZoneInfo) -> bool:
    """Are the two less than `hours` apart (fewer than `days` local days where either has only a date)?"""
    if isinstance(earlier, datetime) and isinstance(later, datetime):
        return later - earlier < timedelta(hours=hours)
    return days_between(earlier, later, tz) < days


def show(effective: Effective) -> str:
    """RFC 3339 in UTC with Z, or the date: how times stand in every output."""
    if not isinstance(effective, datetime):
        return effective.isoformat()
    return effective.astimezone(UTC).isoformat().replace("+00:00", "Z")
