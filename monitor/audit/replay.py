"""`replay`: the log folded again: as of a time, for one patient, or under another protocol file."""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.clock import BEGINNING, clocks, told_by
from monitor.audit.ports import AuditLog
from monitor.audit.protocols import files_in
from monitor.audit.records import Record
from monitor.audit.refold import erased, refold
from monitor.core.patient import Patient
from monitor.core.retrospect import as_of_clinical_time
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
    """What was known at `until`; with `effective`, what was so at that clinical time by what was known at `until`.

    `failed` names patients whose assessment raises: a mistake of ours.
    """

    until: datetime
    protocol: Protocol
    patients: Mapping[str, Patient]
    quarantined: tuple[Quarantined, ...]
    failed: tuple[str, ...] = ()
    effective: datetime | None = None

    def to_json(self) -> dict[str, object]:
        """The shape of `simulate`; a quarantined message has the log's sequence in the place of a file's line."""
        effective = {"effective": show(self.effective)} if self.effective else {}
        return {
            "until": show(self.until),
            **effective,
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
    effective: datetime | None = None,
    patient: str | None = None,
) -> Replay:
    """Fold the log as of the clock's `as_of`; without it, as of the latest time the clock is known to have reached.

    Each fact is folded under the file that the log says was in force; `protocol` is the one for a log that holds none.
    `effective`: show each patient as of that clinical time. Exact redeliveries are not on the log, so `duplicates`
    counts repeated contents alone. Raises DatabaseUnavailable, ProtocolInvalid.
    """
    until = as_of or await reached(log)
    found = await fold_log(log, await files_in(log, protocol), until=until, patient=patient)
    if effective is None:
        return found
    patients = {name: as_of_clinical_time(each, effective) for name, each in found.patients.items()}
    return dataclasses.replace(found, patients=patients, effective=effective)


async def fold_log(
    log: AuditLog, files: Timeline, *, until: datetime, patient: str | None = None, sweep: bool = False
) -> Replay:
    """Fold the log, or one patient, under these files. `sweep`: other files than those that ticked (see `refold`)."""
    histories: dict[str, list[Record]] = defaultdict(list)
    quarantined = []
    only = None if patient is None else kinds.patient_stream(patient)
    async for record in log.read(stream=only):
        if record.known_at > until:
            continue
        if (name := kinds.patient_of(record.stream)) is not None:
            histories[name].append(record)
        elif record.kind == kinds.INPUT_REFUSED and not record.gone:
            quarantined.append(_quarantined(record))
    patients, failed = {}, []
    for name, records in histories.items():
        if erased(records):
            continue
        try:
            patients[name] = refold(name, files, records, until=until, sweep=sweep).patient
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
