"""A transaction in the making: each patient's part is decided and added to it. It reads nothing and writes nothing."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, Batch, OutboxRow, Owner, PatientRow
from monitor.audit.read_models import RETRY_FAILED
from monitor.audit.records import NewRecord
from monitor.core.alert import Change
from monitor.events.envelope import Refused
from monitor.recorder.activating import Files
from monitor.recorder.deciding import Advance, Decision, Taken, decide, set_aside
from monitor.recorder.failing import failed, mended
from monitor.recorder.guard import Message
from monitor.recorder.hearing import heard
from monitor.recorder.known import Known
from monitor.recorder.loading import Loaded
from monitor.recorder.ports import Outbound
from monitor.recorder.quarantine import copy_row
from monitor.recorder.reading import Reading
from monitor.recorder.records import change_record, quarantine_record
from monitor.recorder.rows import alert_row, row_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """One transaction, and what memory holds once it is committed. `failures` counts assessments that raised."""

    batch: Batch
    known: Mapping[str, Known]
    changes: tuple[Change, ...] = ()
    taken: tuple[Taken, ...] = ()
    refused: tuple[Refused, ...] = ()
    duplicates: int = 0
    failures: int = 0
    now: datetime | None = None


@dataclass(slots=True)
class Draft:
    """What is to be written at `wall`, the wall clock's time."""

    wall: datetime
    outbound: Outbound
    files: Files
    known: dict[str, Known] = field(default_factory=dict)
    _records: list[NewRecord] = field(default_factory=list)
    _expected: dict[str, int] = field(default_factory=dict)
    _changes: list[Change] = field(default_factory=list)
    _taken: list[Taken] = field(default_factory=list)
    _refused: list[Refused] = field(default_factory=list)
    _alerts: dict[str, AlertRow] = field(default_factory=dict)
    _patients: list[PatientRow] = field(default_factory=list)
    _outbox: list[OutboxRow] = field(default_factory=list)
    _failures: int = 0

    def refuse(self, message: Message, refused: Refused, known_at: datetime) -> None:
        """A message goes to the quarantine, with its copy for the topic."""
        self._refused.append(refused)
        self._records.append(quarantine_record(message, refused, known_at))
        self._outbox.append(copy_row(message, refused, self.wall))

    def note(self, records: Sequence[NewRecord]) -> None:
        """Records that decide nothing."""
        self._records += records

    def assess(
        self, patient: str, partition: int | None, loaded: Loaded, taken: Sequence[Taken], advance: Advance | None
    ) -> None:
        """Decide one patient's part and add it. What the rules raise is this patient's alone: it waits."""
        decision = self._decision(patient, loaded, taken, advance)
        self._expected[kinds.patient_stream(patient)] = loaded.known.facts
        self._expected[kinds.alert_stream(patient)] = loaded.known.decided
        self._records += decision.records
        self.known[patient] = decision.after
        self._taken += taken
        self._announce(*decision.changes)
        retry_at = (advance.now if advance else self.wall) + RETRY_FAILED
        self._patients.append(row_of(patient, decision.after, partition, retry_at))

    def close(self, change: Change, known: Known, actor: str) -> None:
        """End an alert which the patient's history does not lead to, by a person's word."""
        patient = change.alert.patient
        self._records.append(replace(change_record(change, facts=known.facts, anew=True), actor=actor))
        self._expected[kinds.alert_stream(patient)] = known.decided
        self.known[patient] = replace(known, decided=known.decided + 1)
        self._announce(change)

    def finished(
        self, owner: Owner, *, reading: Reading | None = None, duplicates: int = 0, now: datetime | None = None
    ) -> Plan:
        """The plan of it; `reading` is the batch of messages it comes from, `now` where the clock has come to."""
        batch = Batch(
            recorded_at=self.wall,
            records=tuple(self._records),
            expected=self._expected | self.files.expected,
            positions=reading.positions if reading else {},
            owner=owner,
            outbox=tuple(self._outbox),
            patients=tuple(self._patients),
            alerts=tuple(self._alerts.values()),
            heard=heard(reading.messages) if reading else (),
        )
        changes, taken, refused = tuple(self._changes), tuple(self._taken), tuple(self._refused)
        return Plan(batch, self.known, changes, taken, refused, duplicates, self._failures, now)

    def _decision(self, patient: str, loaded: Loaded, taken: Sequence[Taken], advance: Advance | None) -> Decision:
        known = loaded.known
        if known.patient is None:
            self._fail(patient, loaded, "the history cannot be folded")
            return set_aside(known, patient, taken)
        try:
            decision = decide(patient, known, taken, advance)
        except Exception as error:  # whatever it is, it is this patient's alone
            logger.exception("an assessment failed; its patient waits, the others go on")
            self._fail(patient, loaded, type(error).__name__)
            return set_aside(known, patient, taken)
        return self._recovered(loaded, decision) if loaded.failing or loaded.owed else decision

    def _fail(self, patient: str, loaded: Loaded, error: str) -> None:
        self._failures += 1
        if loaded.failing is None:  # once, until it is mended
            failure = failed(patient, self.files.timeline.latest.hash, error, self.wall)
            self._records.append(failure.record)
            self._announce(failure.change)

    def _recovered(self, loaded: Loaded, decision: Decision) -> Decision:
        """Record what is owed (the assessment failed, or its rules were older), before what is new."""
        if loaded.failing is not None:
            end = mended(loaded.failing, self.files.timeline.latest.hash, self.wall)
            self._records.append(end.record)
            self._announce(end.change)
        mark = {"anew": True} if loaded.anew else {}
        owed = tuple(change_record(change, facts=loaded.known.facts, **mark) for change in loaded.owed)
        after = replace(decision.after, decided=decision.after.decided + len(owed))
        return Decision(after, owed + decision.records, loaded.owed + decision.changes)

    def _announce(self, *changes: Change) -> None:
        self._changes += changes
        self._alerts |= {change.alert.alert_id: alert_row(change) for change in changes}
        self._outbox += self.outbound.of_changes(changes, self.wall)
