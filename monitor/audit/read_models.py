"""The read models made anew from the log alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, PatientRow, SourceRow
from monitor.audit.clock import clocks, told_by
from monitor.audit.ports import AuditLog
from monitor.audit.protocols import files_in
from monitor.audit.records import Record
from monitor.audit.refold import erased, refold
from monitor.audit.sources import after, heard_in
from monitor.audit.times import utc_time
from monitor.core.alert import LIVE
from monitor.core.patient import Patient
from monitor.events.canonical import canonical
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline

RETRY_FAILED: Final = timedelta(minutes=10)
"""A patient whose assessment fails is due again then, and tried anew; with each new fact, too."""

ERASED: Final = "redacted"
"""The states of a patient of whom all was erased."""


@dataclass(frozen=True, slots=True)
class ReadModels:
    """The rows of patients, alerts and sources, in the order in which the log gives them, as of a sequence of the log.

    Those of sources are not compared: the log does not hold the redeliveries that they count.
    """

    patients: list[PatientRow]
    alerts: list[AlertRow]
    sources: list[SourceRow]
    at: int

    def differing(self, other: "ReadModels") -> list[str]:
        """What is not the same in both, named by patient or by alert."""
        mine, theirs = self._named(), other._named()
        return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))

    def _named(self) -> dict[str, PatientRow | AlertRow]:
        patients = {f"patient {row.patient}": row for row in self.patients}
        return patients | {f"alert {row.alert_id} of patient {row.patient}": row for row in self.alerts}


async def kept(log: AuditLog) -> ReadModels:
    """The read models as the database has them. Raises DatabaseUnavailable."""
    head = await log.head()
    return ReadModels(await log.patients(), await log.alerts(), await log.sources(), head.sequence)


async def folded(log: AuditLog, protocol: Protocol) -> ReadModels:
    """The read models as the log gives them; `protocol` is the file for a log that holds none.

    Raises DatabaseUnavailable, ProtocolInvalid.
    """
    at = (await log.head()).sequence
    names: set[str] = set()
    alerts: dict[str, AlertRow] = {}
    sources: dict[tuple[str, str], SourceRow] = {}
    async for record in log.read(limit=at):
        if record.gone and kinds.patient_of(record.stream) is None:
            continue
        if (patient := kinds.patient_of(record.stream)) is not None:
            names.add(patient)
        elif (row := alert_row_of(record, alerts)) is not None:
            alerts[row.alert_id] = row
        if (heard := heard_in(record)) is not None:
            sources |= {(row.topic, row.source): row for row in after(sources, [heard], record.recorded_at)}
    files = await files_in(log, protocol)
    swept = clocks(await log.positions())
    patients = [_folded_row(name, await log.stream(kinds.patient_stream(name)), files, swept) for name in sorted(names)]
    rows = sorted(alerts.values(), key=lambda row: (row.effective_at, row.rule, row.alert_id))
    return ReadModels(patients, rows, [sources[key] for key in sorted(sources)], at)


async def rebuild(log: AuditLog, protocol: Protocol) -> ReadModels:
    """Put the read models as the log gives them in the place of the old ones, and return them.

    To be run while no worker writes. Raises VersionConflict, with nothing replaced, if one has, DatabaseUnavailable.
    """
    made = await folded(log, protocol)
    await log.replace_read_models(made.patients, made.alerts, made.sources, at=made.at)
    return made


def _folded_row(name: str, records: Sequence[Record], files: Timeline, swept: Mapping[int, datetime]) -> PatientRow:
    if erased(records):
        return erased_row(name, version=len(records))
    partition = next((record.origin.partition for record in reversed(records) if record.origin), None)
    until = None if partition is None else swept.get(partition)
    try:
        patient = refold(name, files, records, until=until).patient
    except Exception:  # a mistake in a rule is this patient's alone
        due_at = max(told_by(record) or record.recorded_at for record in records) + RETRY_FAILED
        return failing_row(name, partition=partition, version=len(records), retry_at=due_at)
    return patient_row(name, patient, partition=partition, version=len(records))


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


def erased_row(name: str, *, version: int) -> PatientRow:
    """The row of a patient of whom all was erased: nothing is due, and nothing is known."""
    return PatientRow(
        patient=name,
        partition=None,
        version=version,
        enrolled=False,
        events=0,
        due_at=None,
        protocol_state=ERASED,
        treatment_state=ERASED,
    )


def failing_row(name: str, *, partition: int | None, version: int, retry_at: datetime) -> PatientRow:
    """The row of a patient who cannot be assessed until a mistake is mended."""
    return PatientRow(patient=name, partition=partition, version=version, enrolled=False, events=0, due_at=retry_at)


def alert_row_of(record: Record, known: Mapping[str, AlertRow]) -> AlertRow | None:
    """The row of an alert after a record; None for a record that changes none. `known`: the rows before it."""
    patient = kinds.patient_of_alert(record.stream)
    if patient is None and record.stream != kinds.SYSTEM_ALERTS and record.kind != kinds.ASSESSMENT_FAILED:
        return None
    payload = json.loads(record.payload)
    alert = payload["alert"]
    before = known.get(alert["alert_id"])
    if record.stream == kinds.SYSTEM_ALERTS and _too_late(payload["change"], before):
        return None
    content = (json.loads(before.content) if before else {}) | alert
    return AlertRow(
        alert_id=content["alert_id"],
        patient=payload.get("patient", "") if patient is None else patient,
        rule=content["rule"],
        status=content["status"],
        priority=content["priority"],
        effective_at=content["effective_at"],
        raised_at=utc_time(content["raised_at"]),
        changed_at=record.known_at,
        revision=content["revision"],
        content=canonical(content),
    )


def _too_late(change: str, before: AlertRow | None) -> bool:
    """Whether it is said of an alert that had ended: it was on its way while the end was written."""
    return before is not None and before.status not in LIVE and change != "raised"
