"""Turns a batch into numbered, hashed records. Pure: what the store holds and the salts come in."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import hashing
from monitor.audit.records import Head, NewRecord, StreamHead
from monitor.audit.stored import Stored, envelope
from monitor.audit.times import utc_text
from monitor.errors import VersionConflict

Encrypt = Callable[[NewRecord, int, int], tuple[str, str]]
"""Of a record, its sequence and version: the stored payload and its `key_id`."""

EMPTY_STREAM = StreamHead(0, hashing.GENESIS)
EMPTY_LOG = Head(0, hashing.GENESIS)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The records to insert and the head after them."""

    stored: tuple[Stored, ...]
    head: Head


def check_versions(expected: Mapping[str, int], streams: Mapping[str, StreamHead]) -> None:
    """Raises VersionConflict for the first stream that is not at the version it was read at."""
    for stream, version in expected.items():
        found = streams.get(stream, EMPTY_STREAM).version
        if found != version:
            raise VersionConflict(stream, version, found)


def check_still_at(sequence: int | None, head: Head) -> None:
    """Raises VersionConflict if a sequence is given and the log has gone on from it."""
    if sequence is not None and sequence != head.sequence:
        raise VersionConflict("the log", sequence, head.sequence)


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
    encrypt: Encrypt | None = None,
) -> Sealed:
    """Number and chain the records onto `head` and their streams; `salts` holds 16 bytes for each of them.

    `encrypt` makes the stored payload of a log of scheme 2; without it the log is of scheme 1.
    """
    ends = dict(streams)
    running = head.running_hash
    at = utc_text(recorded_at)
    sealed = []
    for index, new in enumerate(records):
        end = ends.get(new.stream, EMPTY_STREAM)
        salt = salts[index * hashing.SALT_BYTES : (index + 1) * hashing.SALT_BYTES]
        stored = _seal_one(new, head.sequence + index + 1, end, at, salt, encrypt)
        ends[new.stream] = StreamHead(stored.version, stored.record_hash)
        running = hashing.running_hash(running, stored.leaf_hash)
        sealed.append(stored)
    return Sealed(tuple(sealed), Head(head.sequence + len(sealed), running))


def _seal_one(
    new: NewRecord, sequence: int, end: StreamHead, recorded_at: str, salt: bytes, encrypt: Encrypt | None
) -> Stored:
    origin = new.origin
    payload, key_id = (new.payload, None) if encrypt is None else encrypt(new, sequence, end.version + 1)
    unlinked = Stored(
        sequence=sequence,
        scheme=hashing.SCHEME_PLAIN if encrypt is None else hashing.SCHEME_ENCRYPTED,
        stream=new.stream,
        version=end.version + 1,
        kind=new.kind,
        recorded_at=recorded_at,
        known_at=utc_text(new.known_at),
        waited=new.waited,
        actor=new.actor.replace("\x00", "\ufffd"),  # PostgreSQL stores no NUL; the payload has it, escaped
        dedupe_key=new.dedupe_key,
        origin_topic=origin.topic if origin else None,
        origin_partition=origin.partition if origin else None,
        origin_offset=origin.offset if origin else None,
        payload=payload,
        salt=salt,
        key_id=key_id,
        payload_hash=hashing.payload_hash(salt, payload),
        previous_hash=end.record_hash,
        leaf_hash=b"",
        record_hash=b"",
    )
    leaf = hashing.leaf_hash(envelope(unlinked))
    return unlinked._replace(leaf_hash=leaf, record_hash=hashing.record_hash(end.record_hash, leaf))
