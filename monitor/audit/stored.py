"""A record as the database holds it, text for text: what is hashed, and what a verifier reads."""

from typing import Any, NamedTuple

from monitor.audit import hashing
from monitor.audit.records import Origin, Record, Redacted
from monitor.audit.times import utc_time

Row = tuple[Any, ...]
"""The columns of a record as the driver gives them, in the order of Stored."""


class Stored(NamedTuple):
    """The columns of audit_log, in their order."""

    sequence: int
    scheme: int
    stream: str
    version: int
    kind: str
    recorded_at: str
    known_at: str
    waited: bool
    actor: str
    dedupe_key: str | None
    origin_topic: str | None
    origin_partition: int | None
    origin_offset: int | None
    payload: str
    salt: bytes
    key_id: str | None
    payload_hash: bytes
    previous_hash: bytes
    leaf_hash: bytes
    record_hash: bytes


def envelope(stored: Stored) -> bytes:
    """The canonical envelope of a stored record."""
    return hashing.envelope(
        sequence=stored.sequence,
        scheme=stored.scheme,
        stream=stored.stream,
        version=stored.version,
        kind=stored.kind,
        recorded_at=stored.recorded_at,
        known_at=stored.known_at,
        waited=bool(stored.waited),
        actor=stored.actor,
        dedupe_key=stored.dedupe_key,
        origin_topic=stored.origin_topic,
        origin_partition=stored.origin_partition,
        origin_offset=stored.origin_offset,
        key_id=stored.key_id,
        payload_hash=stored.payload_hash,
        previous_hash=stored.previous_hash,
    )


def record_of(stored: Stored, payload: str, redacted: Redacted | None = None) -> Record:
    """The record a stored one stands for, with its clear text. Raises ValueError for a time that is none."""
    origin = None
    if stored.origin_topic is not None and stored.origin_partition is not None and stored.origin_offset is not None:
        origin = Origin(stored.origin_topic, stored.origin_partition, stored.origin_offset)
    return Record(
        sequence=stored.sequence,
        scheme=stored.scheme,
        stream=stored.stream,
        version=stored.version,
        kind=stored.kind,
        recorded_at=utc_time(stored.recorded_at),
        known_at=utc_time(stored.known_at),
        waited=bool(stored.waited),
        actor=stored.actor,
        dedupe_key=stored.dedupe_key,
        origin=origin,
        payload=payload,
        salt=stored.salt,
        key_id=stored.key_id,
        payload_hash=stored.payload_hash,
        previous_hash=stored.previous_hash,
        leaf_hash=stored.leaf_hash,
        record_hash=stored.record_hash,
        redacted=redacted,
    )
