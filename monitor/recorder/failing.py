"""A patient whose assessment raises: an alert of high priority, a record in the `system` stream, and the patient waits.

Only a mistake of ours can bring it about, so the others go on and somebody is called. Pure.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from monitor.audit import kinds
from monitor.audit.batch import AlertRow
from monitor.audit.core_version import CORE_VERSION
from monitor.audit.records import NewRecord
from monitor.audit.times import utc_text
from monitor.core.alert import Alert, Change
from monitor.events.canonical import canonical
from monitor.recorder.records import MONITOR

RULE: Final = "ops.assessment-failed"
SUMMARY: Final = (
    "The monitor could not assess this patient because of a mistake of its own. Results go on being recorded, but no "
    "rule is applied to them until it is mended: review this patient by hand."
)


@dataclass(frozen=True, slots=True)
class Failure:
    """What is written when an assessment begins to fail, or does no more."""

    change: Change
    record: NewRecord


def failed(patient: str, protocol_hash: str, error: str, now: datetime) -> Failure:
    """The assessment of a patient raised `error` (the exception's kind: its text may hold clinical facts)."""
    alert = Alert(
        alert_id=hashlib.sha256(f"{RULE}|{patient}|{utc_text(now)}".encode()).hexdigest()[:32],
        patient=patient, rule=RULE, item="", status="firing", priority="high", review=True, provisional=False,
        boundary=False, effective_at=now, raised_at=now, basis=(), clause="", reading="", summary=SUMMARY,
        details={"error": error}, protocol_hash=protocol_hash, revision=1,
    )  # fmt: skip
    return _failure(Change(kind="raised", alert=alert, before=None, at=now))


def mended(row: AlertRow, protocol_hash: str, now: datetime) -> Failure:
    """The patient of this alert can be assessed again."""
    before = replace(failed(row.patient, protocol_hash, "", row.raised_at).change.alert, alert_id=row.alert_id)
    after = replace(before, status="withdrawn", revision=row.revision + 1)
    return _failure(Change(kind="withdrawn", alert=after, before=before, at=now))


def _failure(change: Change) -> Failure:
    alert = change.alert
    payload = {
        "change": change.kind,
        "patient": alert.patient,
        "alert": alert.to_json(),
        "stamp": {"core": CORE_VERSION, "protocol": alert.protocol_hash},
    }
    record = NewRecord(
        stream=kinds.SYSTEM,
        kind=kinds.ASSESSMENT_FAILED,
        payload=canonical(payload),
        known_at=change.at,
        actor=MONITOR,
        keyed_by=kinds.patient_stream(alert.patient),
    )
    return Failure(change, record)
