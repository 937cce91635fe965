"""The read models of a batch: what the officer's queue and the clock read without folding the log. Pure."""

from datetime import datetime

from monitor.audit.batch import AlertRow, PatientRow
from monitor.core.alert import Change
from monitor.core.times import show
from monitor.events.canonical import canonical
from monitor.recorder.known import Known

RETRY_FAILED_AFTER = 600.0  # seconds: a patient whose assessment fails is tried again then, and with each new fact


def patient_row(patient: str, known: Known, partition: int | None, failed_until: datetime) -> PatientRow:
    """The row of a patient; `failed_until` is when one that cannot be assessed is tried again."""
    folded = known.patient
    if folded is None:
        return PatientRow(
            patient=patient, partition=partition, version=known.facts, enrolled=False, events=0, due_at=failed_until
        )
    state = folded.snapshot()
    window = state["restart_window"]
    return PatientRow(
        patient=patient,
        partition=partition,
        version=known.facts,
        enrolled=folded.enrolled,
        events=folded.events,
        due_at=folded.due_at,
        protocol_state=str(state["protocol_state"]),
        treatment_state=str(state["treatment_state"]),
        restart_window=str(window["state"]) if isinstance(window, dict) else None,
    )


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
