"""Troubles held against the alerts about the system: what is new is raised, what is over is resolved. Pure."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.audit.batch import AlertRow
from monitor.audit.times import utc_text
from monitor.core.alert import LIVE, Alert, Change
from monitor.operations.trouble import Trouble


def reconcile(
    troubles: Sequence[Trouble], rows: Sequence[AlertRow], rules: Collection[str], now: datetime
) -> list[Change]:
    """The changes that `troubles` make to the alerts about the system (`rows`, live and over).

    `rules`: those that were looked after; alerts of others are left as they are.
    """
    live = {(row.rule, _item(row)): row for row in rows if row.status in LIVE}
    told = {row.alert_id for row in rows}
    found = {(trouble.rule, trouble.item): trouble for trouble in troubles}
    over = [row for key, row in live.items() if row.rule in rules and key not in found]
    new = [alert_of(trouble, now) for key, trouble in found.items() if key not in live]
    return [
        *(_ended(row, now) for row in over),
        *(Change("raised", alert, None, now) for alert in new if alert.alert_id not in told),
    ]


def alert_of(trouble: Trouble, now: datetime) -> Alert:
    """The alert of a trouble; its reference follows from rule, item and `since`."""
    named = f"{trouble.rule}|{trouble.item}|{utc_text(trouble.since)}"
    return Alert(
        alert_id=hashlib.sha256(named.encode()).hexdigest()[:16],
        patient="",
        rule=trouble.rule,
        item=trouble.item,
        status="firing",
        priority=trouble.priority,
        review=False,
        provisional=False,
        boundary=False,
        effective_at=trouble.since,
        raised_at=now,
        basis=(),
        clause="practice",
        reading="",
        summary=trouble.summary,
        details=trouble.details,
        protocol_hash="",
    )


def restored(row: AlertRow) -> Alert:
    """The alert that a row of the read model stands for."""
    return Alert.from_json(json.loads(row.content), row.patient)


def _ended(row: AlertRow, now: datetime) -> Change:
    before = restored(row)
    details = {**before.details, "outcome": "over"}
    after = replace(before, status="resolved", revision=before.revision + 1, details=details)
    return Change("resolved", after, before, now)


def _item(row: AlertRow) -> str:
    return str(json.loads(row.content)["item"])
