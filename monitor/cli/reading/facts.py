"""Facts as a person reads them: what kind, and its figures as they were sent, digit for digit, with their units."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.audit.kinds import CLOCK_TICKED, RECORD_REDACTED
from monitor.audit.records import Record, Redacted
from monitor.core.times import show
from monitor.events.codec import restore
from monitor.events.command import Command
from monitor.events.envelope import Received, Refused
from monitor.events.lab import LabResulted
from monitor.events.record import RecordBlock

BLOCK: Final = frozenset({"record_id", "record_version", "status", "reason", "effective_at", "reported_by"})
_MEASURED: Final = ("value", "donor_percent", "dose_mg_m2")
_UNITS: Final = {"dose_mg_m2": "mg/m2", "cd3_per_kg": "CD3+ cells/kg"}
_WITH_VALUE: Final = frozenset({"comparator", "unit"})


@dataclass(frozen=True)
class Told:
    """A record of a patient's stream that holds an event or a refusal."""

    record: Record
    event: Received | Refused

    @cached_property
    def sent(self) -> Mapping[str, Any]:
        """The event's data as it was sent; nothing for a refusal."""
        if isinstance(self.event, Refused):
            return {}
        data: dict[str, Any] = json.loads(self.record.payload, parse_float=Decimal)["data"]
        return data

    @property
    def block(self) -> RecordBlock | None:
        """The fact's record block; None for a command or a refusal."""
        data = self.event.data if isinstance(self.event, Received) else None
        return data if isinstance(data, RecordBlock) else None

    @property
    def command(self) -> Command | None:
        data = self.event.data if isinstance(self.event, Received) else None
        return data if isinstance(data, Command) else None

    @property
    def key(self) -> tuple[str, str]:
        """(source, record_id): what identifies a fact of this patient."""
        return (self.event.source or "", self.block.record_id if self.block else "")

    @property
    def order(self) -> tuple[int, datetime, int]:
        """Where it stands among the versions of its record."""
        version = self.block.record_version if self.block else 0
        return (version, self.event.time or self.record.known_at, self.record.sequence)

    @property
    def effective(self) -> datetime | date:
        """When it was so; of what has no clinical time, when it was issued."""
        return self.block.effective_at if self.block else self.event.time or self.record.known_at

    @property
    def kind(self) -> str:
        """What it is, in words: `chimerism resulted`, `lab resulted: platelets`."""
        if isinstance(self.event, Refused):
            return "refused message"
        words = " ".join(self.event.type.split(".")[1:-1]).replace("-", " ")
        if isinstance(self.event.data, LabResulted):
            analyte = self.event.data.analyte
            return f"{words}: {analyte.value.replace('_', ' ') if analyte else self.event.data.code}"
        return words

    @property
    def figures(self) -> str:
        """The figures in one line."""
        if isinstance(self.event, Refused):
            return f"{self.event.reason.value}: {self.event.detail}"
        return ", ".join(_figures({name: item for name, item in self.sent.items() if name not in BLOCK}))

    def redaction(self, tz: ZoneInfo) -> str:
        """When it was redacted, by whom and why; nothing if it was not."""
        if (redacted := self.record.redacted) is None:
            return ""
        return f"redacted on {redacted.at.astimezone(tz):%Y-%m-%d %H:%M} by {redacted.by}: {redacted.why}"

    def to_json(self) -> dict[str, object]:
        """All there is to know of it."""
        block = self.block
        return {
            "sequence": self.record.sequence,
            "source": self.event.source,
            "kind": self.kind,
            "record_id": block.record_id if block else None,
            "record_version": block.record_version if block else None,
            "status": block.status.value if block else None,
            "reason": block.reason if block else None,
            "effective_at": show(self.effective),
            "issued_at": show(self.event.time) if self.event.time else None,
            "known_at": show(self.record.known_at),
            "by": self.record.actor,
            "values": {name: _plain(item) for name, item in self.sent.items() if name not in BLOCK},
            "figures": self.figures,
            "redacted": _redaction(self.record.redacted),
        }


def told_in(records: Sequence[Record]) -> Iterator[Told]:
    """The events and refusals of a stream, without ticks, records of redactions and what was erased whole."""
    kept = (record for record in records if record.kind not in (CLOCK_TICKED, RECORD_REDACTED) and not record.gone)
    return (Told(record, restore(record.payload)) for record in kept)


def _redaction(redacted: Redacted | None) -> dict[str, object] | None:
    if redacted is None:
        return None
    return {"at": show(redacted.at), "by": redacted.by, "why": redacted.why, "sequence": redacted.act}


def _figures(sent: Mapping[str, Any]) -> Iterator[str]:
    measured_first = sorted(sent, key=lambda name: name not in _MEASURED)
    for name in measured_first:
        item = sent[name]
        if item is None or (name in _WITH_VALUE and any(measured in sent for measured in _MEASURED)):
            continue
        if name in _MEASURED and not isinstance(item, bool):
            unit = sent.get("unit") or _UNITS.get(name, "")
            comparator = sent.get("comparator") or ""
            yield f"{'' if name == 'value' else _words(name) + ' '}{comparator}{item} {unit}".rstrip()
        else:
            yield f"{_words(name)} {_shown(item)} {_UNITS.get(name, '')}".rstrip()


def _words(name: str) -> str:
    return name.removesuffix("_mg_m2").removesuffix("_percent").removesuffix("_per_kg").replace("_", " ")


def _shown(item: Any) -> str:
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, dict):
        return "(" + ", ".join(f"{_words(name)} {_shown(each)}" for name, each in item.items()) + ")"
    if isinstance(item, list):
        return "[" + ", ".join(_shown(each) for each in item) + "]" if item else "none"
    return "not stated" if item is None else str(item)


def _plain(item: Any) -> Any:
    if isinstance(item, Decimal):
        return str(item)
    if isinstance(item, dict):
        return {name: _plain(each) for name, each in item.items()}
    return [_plain(each) for each in item] if isinstance(item, list) else item
