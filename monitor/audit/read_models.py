"""The read models made anew from the log alone."""

import json
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, PatientRow
from monitor.audit.clock import clocks, told_by
from monitor.audit.ports import AuditLog
from monitor.audit.protocols import files_in
from monitor.audit.records import Record
from monitor.audit.refold import refold
from monitor.audit.times import utc_time
from monitor.core.patient import Patient
from monitor.events.canonical import canonical
from monitor.protocol.model import Protocol

RETRY_FAILED: Final = timedelta(minutes=10)
"""A patient whose assessment fails is due again then: the recorder tries it anew."""


async def rebuild(log: AuditLog, protocol: Protocol) -> tuple[list[PatientRow], list[AlertRow]]:
    """Fold the log into the rows of patients and alerts, put them in the place of the old ones, and return them.

    `protocol`: the file for a log that holds none. To be run while no worker writes. Raises DatabaseUnavailable.
    """
    histories: dict[str, list[Record]] = defaultdict(list)
    alerts: dict[str, AlertRow] = {}
    files = await files_in(log, protocol)
    async for record in log.read():
        if (patient := kinds.patient_of(record.stream)) is not None:
            histories[patient].append(record)
        elif (row := _alert_row(record, alerts)) is not None:
            alerts[row.alert_id] = row
    swept = clocks(await log.positions())
    patients = []
    for name, records in sorted(histories.items()):
        partition = next((record.origin.partition for record in reversed(records) if record.origin), None)
        until = None if partition is None else swept.get(partition)
        try:
            folded = refold(name, files, records, until=until).patient
        except Exception:  # a mistake in a rule is this patient's alone
            due_at = max(told_by(record) or record.recorded_at for record in records) + RETRY_FAILED
            patients.append(failing_row(name, partition=partition, version=len(records), retry_at=due_at))
        else:
            patients.append(patient_row(name, folded, partition=partition, version=len(records)))
    rows = sorted(alerts.values(), key=lambda row: (row.effective_at, row.rule, row.alert_id))
    await log.replace_read_models(patients, rows)
    return patients, rows


def patient_row(name: str, patient: Patient, *, partition: int | None, version: int) -> PatientRow:
    """The row of a patient at a version of its stream."""
    shown: dict[str, Any] = patient.snapshot()
    window = shown["restart_window"]
    return PatientRow(
        patient=name,
        partition=partition,
        version=version,
        enrolled=patient.enrolled,
        events=patient.events,
        due_at=patient.due_at,
        protocol_state=shown["protocol_state"],
        treatment_state=shown["treatment_state"],
        restart_window=window["state"] if window else None,
    )


def failing_row(name: str, *, partition: int | None, version: int, retry_at: datetime) -> PatientRow:
    """The row of a patient who cannot be assessed until a mistake is mended."""
    return PatientRow(patient=name, partition=partition, version=version, enrolled=False, events=0, due_at=retry_at)


def _alert_row(record: Record, known: dict[str, AlertRow]) -> AlertRow | None:
    patient = kinds.patient_of_alert(record.stream)
    if patient is None and record.kind != kinds.ASSESSMENT_FAILED:
        return None
    payload = json.loads(record.payload)
    alert = payload["alert"]
    before = known.get(alert["alert_id"])
    content = (json.loads(before.content) if before else {}) | alert
    return AlertRow(
        alert_id=content["alert_id"],
        patient=payload["patient"] if patient is None else patient,
        rule=content["rule"],
        status=content["status"],
        priority=content["priority"],
        effective_at=content["effective_at"],
        raised_at=utc_time(content["raised_at"]),
        changed_at=record.known_at,
        revision=content["revision"],
        content=canonical(content),
    )
