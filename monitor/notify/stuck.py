"""A notice that nobody takes: an alert of the monitor about itself, so that people hear of it in another way. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from monitor.audit.batch import AlertRow, OutboxRow
from monitor.core.alert import Alert, Change

RULE = "ops.notice-undelivered"


def undelivered(row: OutboxRow, detail: str, failures: int, now: datetime) -> Change:
    """The alert that a notice has reached nobody on its way: `failures` attempts, the last one with `detail`."""
    summary = (
        f"A notice of {row.priority} priority, reference {row.alert_id}, did not reach {row.recipient} "
        f"in {failures} attempts, the last: {detail}"
    )
    alert = Alert(
        alert_id=_reference(row),
        patient="",
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


def delivered_after_all(row: OutboxRow, live: Sequence[AlertRow], now: datetime) -> Change | None:
    """The end of that alert among those that are `live`: the notice has arrived. None if a person has ended it."""
    told = next((alert for alert in live if alert.alert_id == _reference(row)), None)
    if told is None:
        return None
    before = Alert.from_json(json.loads(told.content), told.patient)
    details = {**before.details, "outcome": "came"}
    after = replace(before, status="resolved", revision=before.revision + 1, details=details)
    return Change("resolved", after, before, now)


def _reference(row: OutboxRow) -> str:
    return hashlib.sha256(f"{RULE}|{row.row_id}".encode()).hexdigest()[:16]
