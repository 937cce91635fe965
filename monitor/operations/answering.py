"""What a person says of an alert about the system: no patient's command, so it goes to the log and not by the broker.

The watch takes it up from the log within seconds. Pure.
"""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from monitor.audit.batch import AlertRow
from monitor.audit.records import NewRecord
from monitor.core.alert import Change
from monitor.errors import UsageError
from monitor.operations.reconciling import restored
from monitor.recorder.records import change_record


def answer(row: AlertRow, kind: str, *, actor: str, note: str, now: datetime) -> NewRecord:
    """The record of it. Raises UsageError for a word that such an alert does not have: it is not shelved."""
    before = restored(row)
    if kind == "acknowledged":
        after = replace(before, status="acknowledged", revision=before.revision + 1)
        change = Change("acknowledged", after, before, now)
    elif kind == "resolved":
        details = {**before.details, "outcome": "person"}
        after = replace(before, status="resolved", revision=before.revision + 1, details=details)
        change = Change("resolved", after, before, now)
    else:
        raise UsageError(f"an alert about the monitor itself is not {kind}: acknowledge or resolve it")
    record = change_record(change, facts=0, note=note)
    return replace(record, actor=actor, dedupe_key=f"act/{uuid4().hex}")
