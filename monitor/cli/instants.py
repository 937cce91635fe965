"""Times as they are given on the command line."""

from datetime import datetime

from monitor.errors import UsageError
from monitor.events.scalars import YEARS


def instant(option: str, stamp: str | None) -> datetime | None:
    """The zone-aware time of an option; None where it was not given. Raises UsageError."""
    if stamp is None:
        return None
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.year not in YEARS:
        what = "is not a time" if at is None else "has no zone" if at.tzinfo is None else "is in a year that cannot be"
        raise UsageError(f"{option} {stamp!r} {what}; write it as 2025-06-30T09:00:00+08:00")
    return at
