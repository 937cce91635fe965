"""Records and read models as rows of the tables, and back."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping

from monitor.audit.batch import AlertRow, OutboxRow, OutboxState, PatientRow, Position
from monitor.audit.records import Origin, Record
from monitor.audit.times import utc_text, utc_time

Fields = dict[str, Any]


def record_fields(record: Record) -> Fields:
    """The columns of a record."""
    origin = record.origin
    return {
        "sequence": record.sequence,
        "scheme": record.scheme,
        "stream": record.stream,
        "version": record.version,
        "kind": record.kind,
        "recorded_at": utc_text(record.recorded_at),
        "known_at": utc_text(record.known_at),
        "waited": record.waited,
        "actor": record.actor,
        "dedupe_key": record.dedupe_key,
        "origin_topic": origin.topic if origin else None,
        "origin_partition": origin.partition if origin else None,
        "origin_offset": origin.offset if origin else None,
        "payload": record.payload,
        "salt": record.salt,
        "key_id": record.key_id,
        "payload_hash": record.payload_hash,
        "previous_hash": record.previous_hash,
        "leaf_hash": record.leaf_hash,
        "record_hash": record.record_hash,
    }


def record_of(row: Row[Any]) -> Record:
    """The record a row of audit_log stands for."""
    origin = None
    if row.origin_topic is not None:
        origin = Origin(row.origin_topic, row.origin_partition, row.origin_offset)
    return Record(
        sequence=row.sequence,
        scheme=row.scheme,
        stream=row.stream,
        version=row.version,
        kind=row.kind,
        recorded_at=utc_time(row.recorded_at),
        known_at=utc_time(row.known_at),
        waited=bool(row.waited),
        actor=row.actor,
        dedupe_key=row.dedupe_key,
        origin=origin,
        payload=row.payload,
        salt=row.salt,
        key_id=row.key_id,
        payload_hash=row.payload_hash,
        previous_hash=row.previous_hash,
        leaf_hash=row.leaf_hash,
        record_hash=row.record_hash,
    )


def fields(row: PatientRow | AlertRow | OutboxRow | Position) -> Fields:
    """The columns of a read model's row, its times as text."""
    return {name: utc_text(value) if isinstance(value, datetime) else value for name, value in asdict(row).items()}


def patient_of(found: RowMapping) -> PatientRow:
    """The read model of a patient these columns stand for."""
    return PatientRow(**dict(found) | {"enrolled": bool(found["enrolled"]), "due_at": _time(found["due_at"])})


def alert_of(found: RowMapping) -> AlertRow:
    """The read model of an alert these columns stand for."""
    times = {name: utc_time(found[name]) for name in ("raised_at", "changed_at")}
    return AlertRow(**dict(found) | times)


def outbox_of(found: RowMapping, *, attempts: int) -> OutboxRow:
    """The outbox row these columns stand for, at its `attempts`-th claim."""
    kept: Fields = {name: value for name, value in found.items() if name != "claimed_until"}
    times = {name: utc_time(kept[name]) for name in ("created_at", "not_before")}
    return OutboxRow(**kept | times | {"state": OutboxState(kept["state"]), "attempts": attempts})


def position_of(row: Row[Any]) -> Position:
    """The position a row stands for."""
    return Position(
        next_offset=row.next_offset,
        watermark=_time(row.watermark),
        last_digest=row.last_digest,
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else utc_time(text)
