"""What comes out of the door: an event that holds, one that was refused, or a step of the back-fill's clock."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from monitor.events.command import Command
from monitor.events.record import RecordBlock


class Reason(StrEnum):
    """Why a message was refused: the closed set of events.md, also the label of the metric."""

    MALFORMED_JSON = "malformed_json"
    NOT_CLOUDEVENT = "not_cloudevent"
    UNKNOWN_TYPE = "unknown_type"
    INVALID_DATA = "invalid_data"
    MISSING_REASON = "missing_reason"
    UNIT_UNKNOWN = "unit_unknown"
    UNIT_MISMATCH = "unit_mismatch"
    IMPLAUSIBLE = "implausible"
    FUTURE = "future"
    TOO_LARGE = "too_large"


@dataclass(frozen=True)
class Received:
    """A valid inbound event.

    `time` is in UTC. `content` is canonical JSON of (type, subject, data): equal texts are equal contents. `stored` is
    what the log keeps and `restore` reads. `delivery_key` (SHA-256, hex) tells an exact redelivery. `readmits` is that
    of the refusal this very message once was, where it was kept and could be read later.
    """

    source: str
    id: str
    type: str
    subject: str
    time: datetime
    data: RecordBlock | Command
    content: str
    stored: str
    delivery_key: str
    readmits: str | None = None


@dataclass(frozen=True)
class Refused:
    """A message for the quarantine, and for its subject's history where the subject could be read.

    `detail` says in plain words what is wrong and what to do. What could be read of the message is there, the rest is
    None. `headers` are those it came with.
    """

    reason: Reason
    detail: str
    raw: bytes
    subject: str | None
    time: datetime | None
    source: str | None
    id: str | None
    type: str | None
    record_id: str | None
    record_version: int | None
    effective_at: date | datetime | None
    delivery_key: str
    stored: str
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class ClockAdvanced:
    """Everything of this partition up to `now` (UTC) has been sent."""

    now: datetime
    source: str
    id: str
