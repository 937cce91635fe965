"""A patient as the log knows it: its stream folded again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.records import Record
from monitor.core.patient import Entry, Patient, Step
from monitor.events.codec import restore
from monitor.protocol.model import Protocol


@dataclass(frozen=True, slots=True)
class Known:
    """A patient in memory with the versions of its streams that this state stands for.

    `patient` is None while it cannot be assessed: its facts are recorded and wait for a mend.
    """

    patient: Patient | None
    facts: int  # version of `patient/<id>`
    decided: int  # version of `alert/<id>`


def fold(patient_id: str, protocol: Protocol, records: Sequence[Record], swept_to: datetime | None) -> Patient:
    """Take the records of `patient/<id>` as they were taken when they were recorded.

    swept_to: under the events clock, how far all patients of this partition have been swept; None under the system's.
    Whatever the assessment raises comes out: the caller decides what becomes of the patient.
    """
    return folded(patient_id, protocol, records, swept_to)[0]


def folded(
    patient_id: str, protocol: Protocol, records: Sequence[Record], swept_to: datetime | None
) -> tuple[Patient, list[Step]]:
    """As `fold`, with the steps it took."""
    patient = Patient.new(patient_id, protocol)
    steps: list[Step] = []
    waiting = [record for record in records if record.waited and record.kind != kinds.CLOCK_TICKED]
    for record in waiting:
        patient, more = patient.receive(_entry(record))
        steps += more
    for record in records:
        if record.kind == kinds.CLOCK_TICKED:
            patient, more = patient.advance(record.known_at, sweep=record.waited)
            steps += more
        elif not record.waited:
            if swept_to is not None:
                patient, more = patient.advance(record.known_at, sweep=True)
                steps += more
            patient, more = patient.receive(_entry(record))
            steps += more
    if swept_to is not None:
        patient, more = patient.advance(swept_to, sweep=True)
        steps += more
    return patient, steps


def _entry(record: Record) -> Entry:
    return Entry(event=restore(record.payload), known_at=record.known_at, waited=record.waited)
