"""A message as its source sends it: a CloudEvent in structured mode, one line of a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """A message before it is written; `issued_at` orders the file, `data` carries the record block."""

    issued_at: datetime
    source: str
    id: str
    type: str
    subject: str
    data: Mapping[str, Any]

    def envelope(self) -> dict[str, Any]:
        """The CloudEvent as a dictionary; times are UTC with `Z` in the envelope, local with offset in the data."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": stamp(self.issued_at),
            "datacontenttype": "application/json",
            "data": dict(self.data),
        }

    def line(self) -> str:
        """One line of JSON without its newline."""
        return written(self.envelope())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trial's file; `broken` is the reason for which it must be refused, None if it is sound."""

    issued_at: datetime
    text: str
    broken: str | None = None


def written(envelope: Mapping[str, Any]) -> str:
    """JSON as the sources write it: no spaces, keys in their usual order."""
    return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False)


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with `Z`, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(at: date | datetime) -> str:
    """What a form says of a time: a date, or local time with its offset."""
    return at.isoformat(timespec="seconds") if isinstance(at, datetime) else at.isoformat()
