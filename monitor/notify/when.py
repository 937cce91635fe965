"""Times as a person at the site reads them: local, in words, with a count of days."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

Effective = date | datetime

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def spoken(moment: Effective, tz: ZoneInfo) -> str:
    """`12 June 2025, 11:20` in the site's zone; `12 June 2025` where only the day is known."""
    if isinstance(moment, datetime):
        local = moment.astimezone(tz)
        return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M}"
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def local_day(moment: Effective, tz: ZoneInfo) -> date:
    """The site's calendar day of a moment."""
    return moment.astimezone(tz).date() if isinstance(moment, datetime) else moment


def counted(moment: Effective, now: datetime, tz: ZoneInfo) -> str:
    """How far a day lies from today at the site: `today`, `3 days ago`, `in 2 days`."""
    days = (local_day(moment, tz) - local_day(now, tz)).days
    if days == 0:
        return "today"
    if days in (-1, 1):
        return "yesterday" if days < 0 else "tomorrow"
    return f"{-days} days ago" if days < 0 else f"in {days} days"


def spoken_and_counted(moment: Effective, now: datetime, tz: ZoneInfo) -> str:
    """`12 June 2025, 11:20 (3 days ago)`."""
    return f"{spoken(moment, tz)} ({counted(moment, now, tz)})"


def from_text(text: str) -> Effective | None:
    """A date or time as alerts carry it in their details (RFC 3339); None for anything else."""
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return None
