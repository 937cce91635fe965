"""Alerts as the core makes them, for the tests of what is said of them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from monitor.core.alert import Alert, Change

NOW = datetime(2025, 6, 12, 19, 1, tzinfo=UTC)  # 3 a.m. of the 13th in Shanghai
PATIENT = "SH-017"


def alert(rule: str = "stop.chimerism", **fields: Any) -> Alert:
    made = Alert(
        alert_id="a1b2c3d4e5f60718",
        patient=PATIENT,
        rule=rule,
        item="",
        status="firing",
        priority="high",
        review=False,
        provisional=False,
        boundary=False,
        effective_at=datetime(2025, 6, 10, 3, 20, tzinfo=UTC),
        raised_at=NOW,
        basis=("lis-88213",),
        clause="stop.3",
        reading="chimerism.stop_below_percent: 90",
        summary="Donor chimerism 85% in whole marrow, below 90%",
        details={"value": "85", "unit": "%", "reference": "90"},
        protocol_hash="sha256:00",
    )
    return replace(made, **fields)


def raised(rule: str = "stop.chimerism", **fields: Any) -> Change:
    return Change("raised", alert(rule, **fields), None, NOW)


def later(change: Change, kind: Any, *, at: datetime = NOW, **fields: Any) -> Change:
    before = change.alert
    status = {"withdrawn": "withdrawn", "resolved": "resolved", "acknowledged": "acknowledged"}.get(kind, "firing")
    fields.setdefault("status", status)
    return Change(kind, replace(before, revision=before.revision + 1, **fields), before, at)


DAY = date(2025, 6, 20)
