"""Records and read models as rows of the tables, and back."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping

from monitor.audit.batch import AlertRow, OutboxRow, OutboxState, PatientRow, Position, SourceRow
from monitor.audit.times import utc_text, utc_time

Fields = dict[str, Any]


def fields(row: PatientRow | AlertRow | OutboxRow | Position | SourceRow) -> Fields:
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


def source_of(found: RowMapping) -> SourceRow:
    """The read model of a source these columns stand for."""
    return SourceRow(**dict(found) | {name: utc_time(found[name]) for name in ("last_at", "hour")})


def position_of(row: Row[Any]) -> Position:
    """The position a row stands for."""
    return Position(
        next_offset=row.next_offset,
        watermark=_time(row.watermark),
        last_digest=row.last_digest,
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else utc_time(text)
