"""What a person says of an alert about the system: no patient's command, so it goes to the log and not by the broker.

The watch takes it up from the log within seconds. Pure.
"""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from monitor.audit import kinds
from monitor.audit.batch import AlertRow
from monitor.audit.records import NewRecord
from monitor.core.alert import Change
from monitor.errors import UsageError
from monitor.operations.reconciling import restored
from monitor.recorder.failing import RULE as ASSESSMENT_FAILED
from monitor.recorder.records import change_record


def answer(row: AlertRow, kind: str, *, actor: str, note: str, now: datetime) -> NewRecord:
    """The record of it. Raises UsageError for a word that such an alert does not have."""
    before = restored(row)
    if kind == "acknowledged":
        after = replace(before, status="acknowledged", revision=before.revision + 1)
        change = Change("acknowledged", after, before, now)
    elif row.rule == ASSESSMENT_FAILED:
        raise UsageError("it ends by itself once the patient can be assessed again: acknowledge it until then")
    elif kind == "resolved":
        details = {**before.details, "outcome": "person"}
        after = replace(before, status="resolved", revision=before.revision + 1, details=details)
        change = Change("resolved", after, before, now)
    else:
        raise UsageError(f"an alert about the monitor itself is not {kind}: acknowledge or resolve it")
    record = _of_patient(change, note) if row.patient else change_record(change, facts=0, note=note)
    return replace(record, actor=actor, dedupe_key=f"act/{uuid4().hex}")


def _of_patient(change: Change, note: str) -> NewRecord:
    """Beside the patient's decisions, which are the rules' own; whole, since the alert was raised in another stream."""
    patient = change.alert.patient
    record = change_record(replace(change, before=None), facts=0, note=note, patient=patient)
    return replace(record, stream=kinds.SYSTEM_ALERTS, keyed_by=kinds.patient_stream(patient))
