"""What the audit log holds: records as they are handed in, and as they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message came from: its topic, partition and offset."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record to be appended.

    `payload` is canonical JSON and is stored as it is. `known_at` is the clock's now when the fact was assessed;
    `waited` says that it was recorded before its time. `dedupe_key` identifies an exact redelivery: a record whose
    key is on the log already is dropped. `actor` is an opaque id of who or what caused it (21 CFR 11.10(e)). `keyed_by`
    names whose key encrypts the payload, where it is not that of the stream's patient (see `kinds.owner_of`).
    """

    stream: str
    kind: str
    payload: str
    known_at: datetime
    actor: str
    dedupe_key: str | None = None
    origin: Origin | None = None
    waited: bool = False
    keyed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Redacted:
    """That a payload was erased: by which record, when, by whom and why. `whole`: nothing was left of it."""

    act: int
    at: datetime
    by: str
    why: str
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(NewRecord):
    """A record of the log. The hashes are described in docs/audit.md.

    `sequence` counts the log and `version` its stream, both from 1 and without gaps. `recorded_at` is the wall clock's
    time of the transaction. `scheme` numbers the format, `key_id` names the key that wraps an encrypted payload's own.
    `payload` is the clear text; of a redacted record what was left of it.
    """

    sequence: int
    version: int
    recorded_at: datetime
    scheme: int
    salt: bytes
    key_id: str | None
    payload_hash: bytes
    previous_hash: bytes
    leaf_hash: bytes
    record_hash: bytes
    redacted: Redacted | None = None

    @property
    def gone(self) -> bool:
        """Was the whole payload erased? Then there is nothing to read."""
        return self.redacted is not None and self.redacted.whole


@dataclass(frozen=True, slots=True)
class Lost:
    """A record of a log of scheme 2 whose payload has no key."""

    sequence: int
    stream: str
    key_id: str | None


@dataclass(frozen=True, slots=True)
class Erasures:
    """What was erased of a log, and the records that say so; what they say is to be held against each other.

    `returned`: records that were redacted and have their keys, by the record that redacted them: a backup brought those
    back.
    """

    lost: tuple[Lost, ...] = ()
    acts: tuple[Record, ...] = ()
    returned: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log: its last sequence (0 when empty) and the running hash over all leaves up to it."""

    sequence: int
    running_hash: bytes


@dataclass(frozen=True, slots=True)
class StreamHead:
    """The end of one stream: its last version (0 when empty) and that record's hash."""

    version: int
    record_hash: bytes
