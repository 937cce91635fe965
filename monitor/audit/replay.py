"""`replay`: the log folded again: as of a time, for one patient, or under another protocol file."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.clock import BEGINNING, clocks, told_by
from monitor.audit.ports import AuditLog
from monitor.audit.protocols import files_in
from monitor.audit.records import Record
from monitor.audit.refold import refold
from monitor.core.patient import Patient
from monitor.core.times import show
from monitor.events.codec import restore
from monitor.events.envelope import Refused
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A refused message: where it stands in the log, and why it was refused."""

    sequence: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What was known at `until`. `failed` names patients whose assessment raises: a mistake of ours."""

    until: datetime
    protocol: Protocol
    patients: Mapping[str, Patient]
    quarantined: tuple[Quarantined, ...]
    failed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The shape of `simulate`; a quarantined message has the log's sequence in the place of a file's line."""
        return {
            "until": show(self.until),
            "protocol": {"id": self.protocol.id, "version": self.protocol.version, "hash": self.protocol.hash},
            "patients": {name: self.patients[name].snapshot() for name in sorted(self.patients)},
            "quarantined": [
                {"line": each.sequence, "reason": each.reason, "detail": each.detail} for each in self.quarantined
            ],
            "duplicates": sum(patient.duplicates for patient in self.patients.values()),
        }


async def replay(
    log: AuditLog,
    protocol: Protocol,
    *,
    as_of: datetime | None = None,
    patient: str | None = None,
    what_if: bool = False,
) -> Replay:
    """Fold the log as of the clock's `as_of`; without it, as of the latest time the clock is known to have reached.

    Each fact is folded under the file that the log says was in force; `protocol` is the one for a log that holds none.
    `what_if`: all is folded under `protocol` alone, as if it had been in force from the beginning; its deadlines have
    no ticks on the log.
    Exact redeliveries are not on the log, so `duplicates` counts repeated contents alone. Raises DatabaseUnavailable.
    """
    until = as_of or await reached(log)
    files = Timeline(protocol) if what_if else await files_in(log, protocol)
    histories: dict[str, list[Record]] = defaultdict(list)
    quarantined = []
    only = None if patient is None else kinds.patient_stream(patient)
    async for record in log.read(stream=only):
        if record.known_at > until:
            continue
        if (name := kinds.patient_of(record.stream)) is not None:
            histories[name].append(record)
        elif record.kind == kinds.INPUT_REFUSED:
            quarantined.append(_quarantined(record))
    patients, failed = {}, []
    for name, records in histories.items():
        try:
            patients[name] = refold(name, files, records, until=until, sweep=what_if).patient
        except Exception:  # a mistake in a rule is this patient's alone; the caller is told of it
            failed.append(name)
    return Replay(until, files.in_force(until), patients, tuple(quarantined), tuple(sorted(failed)))


async def reached(log: AuditLog) -> datetime:
    """The latest time the clock is known to have reached: by a record, or by the events clock."""
    latest = max(clocks(await log.positions()).values(), default=BEGINNING)
    async for record in log.read():
        latest = max(latest, told_by(record) or BEGINNING)
    return latest


def _quarantined(record: Record) -> Quarantined:
    refused = restore(record.payload)
    if not isinstance(refused, Refused):
        return Quarantined(record.sequence, "unknown", "the record does not hold a refused message")
    return Quarantined(record.sequence, refused.reason.value, refused.detail)
