"""The rules over a sequence of messages with a virtual clock: each event is known at its own time."""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.core.patient import Entry, Patient
from monitor.core.times import show
from monitor.events.codec import decode
from monitor.events.envelope import ClockAdvanced, Received, Refused
from monitor.protocol.model import Protocol

_BEGINNING = datetime(1, 1, 2, tzinfo=UTC)


class Simulation:
    """Reads messages one by one; `result` is a pure function of what was read. The clock never goes back."""

    def __init__(self, protocol: Protocol, *, until: datetime | None = None) -> None:
        self._protocol = protocol
        self._until = until
        self._clock = _BEGINNING
        self._patients: dict[str, Patient] = {}
        self._quarantined: list[dict[str, object]] = []
        self._lines = 0

    def read(self, line: bytes) -> None:
        """Take one line; an empty one is passed over, one that does not decode is quarantined."""
        self._lines += 1
        if not line.strip():
            return
        event = decode(line, site_timezone=self._protocol.tz)
        if isinstance(event, ClockAdvanced):
            self._advance(event.now)
            return
        if event.time is not None and self._until is not None and event.time > self._until:
            return
        if event.time is not None and not isinstance(event, Refused):
            self._advance(event.time)
        if isinstance(event, Refused):
            self._quarantined.append({"line": self._lines, "reason": event.reason.value, "detail": event.detail})
            self._advance(event.time or self._clock)
        if event.subject is not None:
            self._record(event.subject, event)

    def result(self) -> dict[str, object]:
        """The JSON contract of `simulate`."""
        until = self._until or self._clock
        advanced = {name: patient.advance(until, sweep=True)[0] for name, patient in self._patients.items()}
        return {
            "until": show(until),
            "protocol": {"id": self._protocol.id, "version": self._protocol.version, "hash": self._protocol.hash},
            "patients": {name: advanced[name].snapshot() for name in sorted(advanced)},
            "quarantined": self._quarantined,
            "duplicates": sum(patient.duplicates for patient in advanced.values()),
        }

    def _advance(self, at: datetime) -> None:
        if self._until is None or at <= self._until:
            self._clock = max(self._clock, at)

    def _record(self, subject: str, event: Received | Refused) -> None:
        patient = self._patients.get(subject) or Patient.new(subject, self._protocol)
        patient, _ = patient.advance(self._clock, sweep=True)
        patient, _ = patient.receive(Entry(event, self._clock))
        self._patients[subject] = patient
