"""What one transaction writes: records, positions, outbox rows and read models, all or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from monitor.audit.records import NewRecord

TopicPartition = tuple[str, int]

LONGEST_WAIT: Final = timedelta(minutes=10)
"""No row of the outbox waits longer for its next attempt: what lies further ahead was written by a wrong clock."""

LONGEST_LEASE: Final = 2
"""Times a lease's span: an end that lies further ahead was written by a wrong clock."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One start of one instance. Every start draws a higher epoch, and the highest of an instance is the living one."""

    instance: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a (topic, partition) is on the log: the next offset, its clock, and the digest of its last message."""

    next_offset: int
    watermark: datetime | None = None
    last_digest: str | None = None


class OutboxState(StrEnum):
    """Where a notice is: to be sent, handed to its channel, or given up on this channel."""

    PENDING = "pending"
    DELIVERED = "delivered"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A notice to one recipient over one channel.

    `row_id` is derived from what the notice says and to whom, so that a row written again is the same row. `payload` is
    canonical JSON, the sender's own. `not_before` is when it may be sent. `attempts` counts the claims made so far.
    """

    row_id: str
    patient: str | None
    alert_id: str | None
    channel: str
    recipient: str
    priority: str
    payload: str
    created_at: datetime
    not_before: datetime
    attempts: int = 0
    state: OutboxState = OutboxState.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one claimed attempt.

    `attempt` is the claim's number (OutboxRow.attempts); PENDING asks for another attempt at `retry_at`.
    """

    attempt: int
    state: OutboxState
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits in the outbox for one channel; `urgent_at`: since when the oldest of high priority does."""

    channel: str
    pending: int
    oldest_at: datetime
    urgent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """How many alerts of a priority nobody has answered, and since when the oldest has been as it is."""

    priority: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRow:
    """Read model of a patient. `version` is that of the `patient/` stream it was folded from, `partition` the one its
    newest fact came by, `due_at` when the assessment may next change by itself.
    """

    patient: str
    partition: int | None
    version: int
    enrolled: bool
    events: int
    due_at: datetime | None
    protocol_state: str | None = None
    treatment_state: str | None = None
    restart_window: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """Read model of an alert: its newest content (`Alert.to_json()` as canonical JSON) and what is searched by.

    `patient` is empty for an alert about the system.
    """

    alert_id: str
    patient: str
    rule: str
    status: str
    priority: str
    effective_at: str
    raised_at: datetime
    changed_at: datetime
    revision: int
    content: str


@dataclass(frozen=True, slots=True)
class Heard:
    """How many messages of a source on a topic a batch held: read, and refused. No source: it could not be read."""

    topic: str
    source: str
    read: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """Read model of a source on a topic: when it last sent, how many of its messages could ever be read, and how much
    came in `hour` and the one before. Times are those of recording. Redeliveries count: who sends them is not silent.
    """

    topic: str
    source: str
    last_at: datetime
    read_ever: int
    hour: datetime
    read: int
    refused: int
    read_before: int
    refused_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One transaction.

    `expected` names the version of each stream as it was read: VersionConflict if another has written since. `owner`
    must hold every (topic, partition) of `positions`, else Fenced. A position never goes back by a batch.
    """

    recorded_at: datetime
    records: tuple[NewRecord, ...] = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    positions: Mapping[TopicPartition, Position] = field(default_factory=dict)
    owner: Owner | None = None
    outbox: tuple[OutboxRow, ...] = ()
    patients: tuple[PatientRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    heard: tuple[Heard, ...] = ()
