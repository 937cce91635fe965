"""The read models of a batch: what the officer's queue and the clock read without folding the log. Pure."""

from datetime import datetime

from monitor.audit.batch import AlertRow, PatientRow
from monitor.audit.read_models import failing_row, patient_row
from monitor.core.alert import Change
from monitor.core.times import show
from monitor.events.canonical import canonical
from monitor.recorder.known import Known


def row_of(patient: str, known: Known, partition: int | None, failed_until: datetime) -> PatientRow:
    """The row of a patient; `failed_until` is when one that cannot be assessed is tried again."""
    if known.patient is None:
        return failing_row(patient, partition=partition, version=known.facts, retry_at=failed_until)
    return patient_row(patient, known.patient, partition=partition, version=known.facts)


def alert_row(change: Change) -> AlertRow:
    """The row of an alert after a change."""
    alert = change.alert
    return AlertRow(
        alert_id=alert.alert_id,
        patient=alert.patient,
        rule=alert.rule,
        status=alert.status,
        priority=alert.priority,
        effective_at=show(alert.effective_at),
        raised_at=alert.raised_at,
        changed_at=change.at,
        revision=alert.revision,
        content=canonical(alert.to_json()),
    )
