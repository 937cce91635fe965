"""A notice that nobody takes: an alert of the monitor itself, so that people hear of it in some other way. Pure."""

import hashlib
from dataclasses import replace
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.batch import OutboxRow
from monitor.audit.records import NewRecord
from monitor.core.alert import Alert, Change
from monitor.events.canonical import canonical
from monitor.notify.receipts import RELAY

RULE = "ops.notice-undelivered"


def undelivered(row: OutboxRow, detail: str, failures: int, now: datetime) -> Change:
    """The alert that a notice has reached nobody on its way: `failures` attempts, the last one with `detail`."""
    summary = (
        f"A notice of {row.priority} priority, reference {row.alert_id}, did not reach {row.recipient} "
        f"in {failures} attempts, the last: {detail}"
    )
    alert = Alert(
        alert_id=hashlib.sha256(f"{RULE}|{row.row_id}".encode()).hexdigest()[:16],
        patient=row.patient or "",
        rule=RULE,
        item=row.recipient,
        status="firing",
        priority="high",
        review=False,
        provisional=False,
        boundary=False,
        effective_at=row.created_at,
        raised_at=now,
        basis=(),
        clause="practice",
        reading="",
        summary=summary,
        details={"item": row.recipient},
        protocol_hash="",
    )
    return Change("raised", alert, None, now)


def delivered_after_all(row: OutboxRow, now: datetime) -> Change:
    """The end of that alert: the notice has arrived."""
    before = undelivered(row, "not known any more", 0, now).alert
    summary = f"A notice of {row.priority} priority, reference {row.alert_id}, did not reach {row.recipient} at first"
    before = replace(before, summary=summary)
    after = replace(before, status="resolved", revision=2, details={**before.details, "outcome": "came"})
    return Change("resolved", after, before, now)


def record_of(change: Change) -> NewRecord:
    """The record of it, for the stream of what the daemon does to itself."""
    return NewRecord(
        stream=kinds.SYSTEM,
        kind=f"safety.notice.undelivered.{change.kind}.v1",
        payload=canonical({"change": change.kind, "patient": change.alert.patient, "alert": change.alert.to_json()}),
        known_at=change.at,
        actor=RELAY,
        dedupe_key=f"{change.alert.alert_id}/{change.kind}",
    )
