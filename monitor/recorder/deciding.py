"""What becomes of one patient in a batch: facts taken, the clock advanced, records that tell of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.audit.records import NewRecord
from monitor.core.alert import Change
from monitor.core.patient import Entry, Patient, Step
from monitor.recorder.guard import Message
from monitor.recorder.known import Known
from monitor.recorder.records import change_record, fact_record, tick_record


@dataclass(frozen=True, slots=True)
class Taken:
    """A new fact and when it is known."""

    message: Message
    entry: Entry


@dataclass(frozen=True, slots=True)
class Advance:
    """The clock has come to `now`. `sweep`: what waited is taken each at its own time (the events clock)."""

    now: datetime
    sweep: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """One patient's part of a batch."""

    after: Known
    records: tuple[NewRecord, ...]
    changes: tuple[Change, ...] = ()


def decide(patient_id: str, known: Known, taken: Sequence[Taken], advance: Advance | None) -> Decision:
    """Take the facts in the order they came, then the time. Whatever the assessment raises comes out."""
    if known.patient is None:
        raise ValueError("a patient that cannot be folded cannot be assessed")
    scribe = _Scribe(patient_id, known, known.patient)
    for fact in taken:
        scribe.take(fact)
    if advance is not None:
        scribe.advance(advance)
    return scribe.decision()


def set_aside(known: Known, patient_id: str, taken: Sequence[Taken]) -> Decision:
    """Record the facts and assess nothing: the patient waits for a mend."""
    records = tuple(fact_record(patient_id, fact.message, fact.entry) for fact in taken)
    return Decision(replace(known, patient=None, facts=known.facts + len(records)), records)


class _Scribe:
    """Collects the records of one patient in the order in which things happened."""

    def __init__(self, patient_id: str, known: Known, patient: Patient) -> None:
        self._id = patient_id
        self._patient = patient
        self._facts = known.facts
        self._decided = known.decided
        self._redacted = known.redacted
        self._records: list[NewRecord] = []
        self._changes: list[Change] = []

    def take(self, fact: Taken) -> None:
        self._patient, steps = self._patient.receive(fact.entry)
        record = fact_record(self._id, fact.message, fact.entry)
        written = fact.entry.waited  # it is on the log from now on, and assessed at its time
        if written:
            self._add_fact(record)
        for step in steps:
            if step.entry is fact.entry and not written:
                self._add_fact(record)  # behind the deadlines that came before it
                written = True
            self._follow(step, fact.entry, sweep=False)
        if not written:
            self._add_fact(record)

    def advance(self, advance: Advance) -> None:
        due = self._patient.due_at
        if due is None or due > advance.now:
            return
        self._patient, steps = self._patient.advance(advance.now, sweep=advance.sweep)
        for step in steps:
            self._follow(step, None, sweep=advance.sweep)

    def _follow(self, step: Step, new: Entry | None, *, sweep: bool) -> None:
        due = step.due
        if due is None and step.entry is not None and step.entry is not new and not sweep:
            due = step.entry.known_at  # a fact that waited is taken; a sweep takes all, unmarked
        if due is not None:
            self._add_fact(tick_record(self._id, due, step.known_at, waited=sweep))
        for change in step.changes:
            self._records.append(change_record(change, facts=self._facts))
            self._changes.append(change)
            self._decided += 1

    def _add_fact(self, record: NewRecord) -> None:
        self._records.append(record)
        self._facts += 1

    def decision(self) -> Decision:
        after = Known(self._patient, self._facts, self._decided, self._redacted)
        return Decision(after, tuple(self._records), tuple(self._changes))
