"""How much each source sent, and how much of it could be read: counted by the hour, in the batch's transaction. Pure.

Two hours are kept of each, the present one and the one before, so a source's row has one size for ever.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from monitor.audit import kinds
from monitor.audit.batch import Heard, SourceRow
from monitor.audit.records import Record

HOUR: Final = timedelta(hours=1)

SourceKey = tuple[str, str]


def after(rows: Mapping[SourceKey, SourceRow], heard: Iterable[Heard], at: datetime) -> list[SourceRow]:
    """The rows of the sources heard in a batch, after it; `at` is the time of its transaction."""
    changed: dict[SourceKey, SourceRow] = {}
    for each in heard:
        key = (each.topic, each.source)
        changed[key] = _counted(changed.get(key) or rows.get(key), each, at)
    return list(changed.values())


def in_window(row: SourceRow, now: datetime) -> tuple[int, int]:
    """How much of a source could be read and how much was refused, in the hour of `now` and the one before."""
    if row.hour >= hour_of(now):
        return row.read + row.read_before, row.refused + row.refused_before
    return (row.read, row.refused) if row.hour == hour_of(now) - HOUR else (0, 0)


def hour_of(at: datetime) -> datetime:
    """The beginning of the hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def heard_in(record: Record) -> Heard | None:
    """The message that a record of the log keeps; None for what did not come in by a topic."""
    refused = record.stream.startswith(kinds.quarantine_stream(""))
    if record.origin is None or (record.kind == kinds.INPUT_REFUSED and not refused):
        return None  # a refusal stands in its subject's history, too
    return Heard(record.origin.topic, _source(record.payload), int(not refused), int(refused))


def _counted(row: SourceRow | None, heard: Heard, at: datetime) -> SourceRow:
    hour = hour_of(at)
    if row is None:
        return SourceRow(
            topic=heard.topic, source=heard.source, last_at=at, read_ever=heard.read, hour=hour,
            read=heard.read, refused=heard.refused, read_before=0, refused_before=0,
        )  # fmt: skip
    row = replace(row, last_at=max(row.last_at, at), read_ever=row.read_ever + heard.read)
    if row.hour >= hour:  # also where another worker's clock is a little ahead
        return replace(row, read=row.read + heard.read, refused=row.refused + heard.refused)
    before = (row.read, row.refused) if row.hour == hour - HOUR else (0, 0)
    return replace(
        row, hour=hour, read=heard.read, refused=heard.refused, read_before=before[0], refused_before=before[1]
    )


def _source(payload: str) -> str:
    try:
        fields: Any = json.loads(payload)
    except ValueError:
        return ""
    source = fields.get("source") if isinstance(fields, dict) else None
    return source if isinstance(source, str) else ""
