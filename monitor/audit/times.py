"""Times as the log stores them: RFC 3339, UTC, microseconds, `Z`. The text sorts as the time does."""

from datetime import UTC, datetime


def utc_text(at: datetime) -> str:
    """The stored form of a zone-aware time. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be recorded: {at.isoformat()}")
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def utc_time(text: str) -> datetime:
    """The zone-aware time a stored text stands for. Raises ValueError if it is none."""
    return datetime.fromisoformat(text).astimezone(UTC)
