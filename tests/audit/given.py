"""What the tests of the log write: short names for records, batches and rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.audit.batch import AlertRow, Batch, OutboxRow, PatientRow
from monitor.audit.kinds import patient_stream
from monitor.audit.records import NewRecord

START = datetime(2025, 6, 12, 3, 20, 11, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def fact(patient: str = "SH-001", number: int = 1, **changes: Any) -> NewRecord:
    fields: dict[str, Any] = {
        "stream": patient_stream(patient),
        "kind": "safety.lab.resulted.v1",
        "payload": f'{{"number":{number}}}',
        "known_at": at(number),
        "actor": "/shgh/lis",
    }
    return NewRecord(**fields | changes)


def batch(*records: NewRecord, **changes: Any) -> Batch:
    fields: dict[str, Any] = {"recorded_at": START, "records": records}
    return Batch(**fields | changes)


def notice(row_id: str = "n-1", **changes: Any) -> OutboxRow:
    fields: dict[str, Any] = {
        "row_id": row_id,
        "patient": "SH-001",
        "alert_id": "a-1",
        "channel": "mail",
        "recipient": "officer",
        "priority": "high",
        "payload": "{}",
        "created_at": START,
        "not_before": START,
    }
    return OutboxRow(**fields | changes)


def patient(name: str = "SH-001", **changes: Any) -> PatientRow:
    fields: dict[str, Any] = {
        "patient": name,
        "partition": 0,
        "version": 1,
        "enrolled": True,
        "events": 1,
        "due_at": None,
    }
    return PatientRow(**fields | changes)


def alert(alert_id: str = "a-1", **changes: Any) -> AlertRow:
    fields: dict[str, Any] = {
        "alert_id": alert_id,
        "patient": "SH-001",
        "rule": "stop.chimerism",
        "status": "firing",
        "priority": "high",
        "effective_at": "2025-06-12",
        "raised_at": START,
        "changed_at": START,
        "revision": 1,
        "content": "{}",
    }
    return AlertRow(**fields | changes)
