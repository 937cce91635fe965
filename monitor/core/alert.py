"""An alert: a finding with a life. Statuses and what moves between them are a table (ISA-18.2's words)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from monitor.core.finding import Detail, Finding, Priority
from monitor.core.history import RecordKey
from monitor.core.times import Effective, show

Status = Literal["firing", "acknowledged", "shelved", "withdrawn", "resolved"]
ChangeKind = Literal["raised", "revised", "acknowledged", "escalated", "shelved", "withdrawn", "resolved"]
LIVE: tuple[Status, ...] = ("firing", "acknowledged", "shelved")


@dataclass(frozen=True)
class Alert:
    """One alert of one patient. `keys` are the facts that make its episode; `basis` the record ids it rests on.

    An alert of the monitor about itself may have no patient; then `patient` is empty.
    """

    alert_id: str
    patient: str
    rule: str
    item: str
    status: Status
    priority: Priority
    review: bool
    provisional: bool
    boundary: bool
    effective_at: Effective
    raised_at: datetime
    basis: tuple[str, ...]
    clause: str
    reading: str
    summary: str
    details: Mapping[str, Detail]
    protocol_hash: str
    revision: int = 1
    keys: frozenset[RecordKey] = field(default=frozenset(), repr=False)
    closed_at: datetime | None = None  # a person resolved it then
    shelved_until: datetime | None = None
    number: int = field(default=0, compare=False, repr=False)  # in which order the fold raised them

    @property
    def live(self) -> bool:
        return self.status in LIVE

    def to_json(self) -> dict[str, object]:
        """The alert as every output shows it; times in UTC with Z, or a date."""
        return {
            "alert_id": self.alert_id,
            "rule": self.rule,
            "item": self.item,
            "status": self.status,
            "priority": self.priority,
            "review": self.review,
            "provisional": self.provisional,
            "boundary": self.boundary,
            "effective_at": show(self.effective_at),
            "raised_at": show(self.raised_at),
            "basis": list(self.basis),
            "clause": self.clause,
            "reading": self.reading,
            "summary": self.summary,
            "details": dict(self.details),
            "protocol": self.protocol_hash,
            "revision": self.revision,
        }

    @classmethod
    def from_json(cls, shown: Mapping[str, Any], patient: str) -> Alert:
        """The alert that `to_json` showed. Raises KeyError, TypeError or ValueError for what it never shows."""
        kept = {name: value for name, value in shown.items() if name != "protocol"}
        times = {"effective_at": _time(shown["effective_at"]), "raised_at": datetime.fromisoformat(shown["raised_at"])}
        own = {"patient": patient, "basis": tuple(shown["basis"]), "protocol_hash": shown["protocol"]}
        return cls(**kept | times | own)


def _time(shown: str) -> Effective:
    return date.fromisoformat(shown) if len(shown) == len("2025-06-12") else datetime.fromisoformat(shown)


@dataclass(frozen=True, slots=True)
class Change:
    """One step in an alert's life, at the clock's `at`."""

    kind: ChangeKind
    alert: Alert
    before: Alert | None
    at: datetime


def alert_id(patient: str, finding: Finding, effective: Effective, basis: tuple[str, ...]) -> str:
    """The reference of an alert, from what it is when it is first raised: 16 hex digits."""
    content = json.dumps([patient, finding.rule.id, finding.item, show(effective), sorted(basis)], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
