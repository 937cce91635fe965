"""A patient folded anew from the records of `patient/<id>`, as they were taken when they were recorded. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.records import Record
from monitor.core.patient import Entry, Patient, Step
from monitor.events.codec import restore
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Refolded:
    """A patient and the steps that led to it."""

    patient: Patient
    steps: tuple[Step, ...]


def refold(
    patient_id: str,
    protocol: Protocol | Timeline,
    records: Sequence[Record],
    *,
    until: datetime | None = None,
    sweep: bool = False,
) -> Refolded:
    """Fold a stream's records.

    Facts that waited are handed in first and are taken at their own time; the rest follow in the order of the log, and
    a recorded tick advances the clock as it did then. `until` advances it further at the end. `sweep` takes deadlines
    that have no tick on the log at their own time too: for another protocol than the one that ticked.

    What was erased whole is not there any more, and counts for nothing. Raises whatever the assessment raises: a
    mistake of ours.
    """
    records = [record for record in records if not record.gone and record.kind != kinds.RECORD_REDACTED]
    patient = Patient.new(patient_id, protocol)
    steps: list[Step] = []
    for record in records:
        if record.waited and record.kind != kinds.CLOCK_TICKED:
            patient, more = patient.receive(_entry(record))
            steps += more
    for record in records:
        ticked = record.kind == kinds.CLOCK_TICKED
        if record.waited and not ticked:
            continue
        if ticked or sweep:
            patient, more = patient.advance(record.known_at, sweep=sweep or record.waited)
            steps += more
        if not ticked:
            patient, more = patient.receive(_entry(record))
            steps += more
    if until is not None:
        patient, more = patient.advance(until, sweep=True)
        steps += more
    return Refolded(patient, tuple(steps))


def erased(records: Sequence[Record]) -> bool:
    """Was all that was known of a patient erased, and has nothing come since?"""
    return all(record.gone or record.kind == kinds.RECORD_REDACTED for record in records)


def _entry(record: Record) -> Entry:
    return Entry(event=restore(record.payload), known_at=record.known_at, waited=record.waited)
