"""Times as they are given on the command line."""

from datetime import datetime

from monitor.errors import UsageError


def instant(option: str, stamp: str | None) -> datetime | None:
    """The zone-aware time of an option; None where it was not given. Raises UsageError."""
    if stamp is None:
        return None
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        what = "is not a time" if at is None else "has no zone"
        raise UsageError(f"{option} {stamp!r} {what}; write it as 2025-06-30T09:00:00+08:00")
    return at
