"""Turns a batch into numbered, hashed records. Pure: what the store holds and the salts come in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from monitor.audit import hashing
from monitor.audit.records import Head, NewRecord, Record, StreamHead
from monitor.audit.stored import envelope, stored_of
from monitor.errors import VersionConflict

EMPTY_STREAM = StreamHead(0, hashing.GENESIS)
EMPTY_LOG = Head(0, hashing.GENESIS)
_NEW_FIELDS = tuple(field.name for field in fields(NewRecord))


@dataclass(frozen=True, slots=True)
class Sealed:
    """The records to insert and the head after them."""

    records: tuple[Record, ...]
    head: Head


def check_versions(expected: Mapping[str, int], streams: Mapping[str, StreamHead]) -> None:
    """Raises VersionConflict for the first stream that is not at the version it was read at."""
    for stream, version in expected.items():
        found = streams.get(stream, EMPTY_STREAM).version
        if found != version:
            raise VersionConflict(stream, version, found)


def without_duplicates(records: Sequence[NewRecord], known: Collection[str]) -> list[NewRecord]:
    """The records whose dedupe key is neither on the log nor earlier in the batch."""
    seen = set(known)
    kept = []
    for record in records:
        if record.dedupe_key is not None:
            if record.dedupe_key in seen:
                continue
            seen.add(record.dedupe_key)
        kept.append(record)
    return kept


def seal(
    records: Sequence[NewRecord],
    *,
    recorded_at: datetime,
    head: Head,
    streams: Mapping[str, StreamHead],
    salts: bytes,
) -> Sealed:
    """Number and chain the records onto `head` and their streams; `salts` holds 16 bytes for each of them."""
    ends = dict(streams)
    sequence, running = head.sequence, head.running_hash
    sealed = []
    for index, new in enumerate(records):
        sequence += 1
        end = ends.get(new.stream, EMPTY_STREAM)
        salt = salts[index * hashing.SALT_BYTES : (index + 1) * hashing.SALT_BYTES]
        record = _seal_one(new, sequence, end, recorded_at, salt)
        ends[new.stream] = StreamHead(record.version, record.record_hash)
        running = hashing.running_hash(running, record.leaf_hash)
        sealed.append(record)
    return Sealed(tuple(sealed), Head(sequence, running))


def _seal_one(new: NewRecord, sequence: int, end: StreamHead, recorded_at: datetime, salt: bytes) -> Record:
    unlinked = Record(
        **{name: getattr(new, name) for name in _NEW_FIELDS},
        sequence=sequence,
        version=end.version + 1,
        recorded_at=recorded_at,
        scheme=hashing.SCHEME_PLAIN,
        salt=salt,
        key_id=None,
        payload_hash=hashing.payload_hash(salt, new.payload),
        previous_hash=end.record_hash,
        leaf_hash=b"",
        record_hash=b"",
    )
    leaf = hashing.leaf_hash(envelope(stored_of(unlinked)))
    return replace(unlinked, leaf_hash=leaf, record_hash=hashing.record_hash(end.record_hash, leaf))
