"""A batch planned: each patient's messages decided, the clock's sweeps added, one transaction made of it all."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, Batch, OutboxRow, Owner, PatientRow
from monitor.audit.ports import AuditLog
from monitor.audit.records import NewRecord, Record
from monitor.core.alert import Change
from monitor.core.patient import Patient
from monitor.events.envelope import Received, Refused
from monitor.recorder.activating import Files
from monitor.recorder.anew import Anew, assessed_anew, closed
from monitor.recorder.deciding import Advance, Decision, Taken, decide, set_aside
from monitor.recorder.failing import failed, mended
from monitor.recorder.guard import Message
from monitor.recorder.hearing import heard
from monitor.recorder.known import Known
from monitor.recorder.loading import Loaded, Loader
from monitor.recorder.patience import Patience
from monitor.recorder.ports import Outbound, RecorderObserver
from monitor.recorder.quarantine import copy_row
from monitor.recorder.reading import Reading
from monitor.recorder.records import change_record, quarantine_record
from monitor.recorder.rows import RETRY_FAILED_AFTER, alert_row, patient_row
from monitor.recorder.sorting import Now, Pile, sort
from monitor.recorder.watermarks import Watermarks

logger = logging.getLogger(__name__)

ALL = 1_000_000  # patients: a sweep leaves nobody out
SWEPT_IN_MEMORY = 500  # folded patients that a sweep keeps for the cache; of the others only what is to be written


@dataclass(frozen=True, slots=True)
class Plan:
    """One transaction, and what memory holds once it is committed. `failures` counts assessments that raised."""

    batch: Batch
    known: dict[str, Known]
    changes: tuple[Change, ...] = ()
    taken: tuple[Taken, ...] = ()
    refused: tuple[Refused, ...] = ()
    duplicates: int = 0
    failures: int = 0
    now: datetime | None = None


@dataclass(slots=True)
class _Draft:
    """A transaction in the making."""

    wall: datetime
    records: list[NewRecord] = field(default_factory=list)
    expected: dict[str, int] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    alerts: dict[str, AlertRow] = field(default_factory=dict)
    patients: list[PatientRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    failures: int = 0


class Planner:
    """Makes plans; it reads the log but writes nothing."""

    def __init__(
        self,
        log: AuditLog,
        loader: Loader,
        patience: Patience,
        outbound: Outbound,
        observer: RecorderObserver,
        owner: Owner,
        files: Files,
    ) -> None:
        self._log = log
        self._loader = loader
        self._patience = patience
        self._outbound = outbound
        self._observer = observer
        self._owner = owner
        self._files = files
        self._protocol_hash = files.timeline.latest.hash

    async def plan(
        self, reading: Reading, wall: datetime, *, before: Watermarks | None, after: Watermarks | None
    ) -> Plan:
        """The transaction of a batch of messages; `before` and `after` are the events clock, None under the system's.

        Facts are taken by the clock before the batch, and then all of the partition is swept up to the clock after it:
        every commit leaves all patients of a partition at its clock.
        """
        clock = Now(wall, before)
        pile = sort(reading.messages)
        draft = _Draft(wall)
        for message, refused in pile.refused:
            draft.records.append(quarantine_record(message, refused, clock.known_at(message)))
            draft.outbox.append(copy_row(message, refused, wall))
        sweeps = _sweeps(reading, before, after)
        duplicates = pile.again
        for patient, messages in pile.patients.items():
            partition = messages[-1].input.partition
            loaded = await self._load(patient, clock.swept(partition))
            taken = [clock.taken(message) for message in await self._new(messages, loaded.known)]
            duplicates += len(messages) - len(taken)
            advance = Advance(sweeps[partition], sweep=True) if partition in sweeps else None
            if taken or advance:
                await self._assess(draft, patient, partition, loaded, taken, advance)
        for partition, now in sweeps.items():
            await self._sweep(draft, partition, now, clock.swept(partition), pile)
        return self._finished(draft, reading, pile, duplicates, max(sweeps.values(), default=None))

    async def plan_ticks(self, rows: Sequence[PatientRow], now: datetime) -> Plan:
        """The transaction that advances these patients to `now` (the system clock)."""
        draft = _Draft(now)
        for row in rows:
            loaded = await self._load(row.patient, None)
            await self._assess(draft, row.patient, row.partition, loaded, (), Advance(now, sweep=False))
        return self._finished(draft, None, None, 0, now)

    async def plan_anew(self, row: PatientRow, now: datetime) -> Plan:
        """The transaction that records what the rules that run now make of a patient otherwise than was decided."""
        draft = _Draft(now)
        loaded = await self._load(row.patient, None)
        if loaded.known.patient is not None and loaded.failing is None and not await self._lacks(loaded.known, row):
            decided = await self._patience(lambda: self._log.stream(kinds.alert_stream(row.patient)))
            found = _anew(loaded.known.patient, decided, now)
            draft.records += found.doubts(now)
            loaded = replace(loaded, owed=found.changes, anew=True)
        await self._assess(draft, row.patient, row.partition, loaded, (), Advance(now, sweep=False))
        return self._finished(draft, None, None, 0, now)

    async def plan_closing(self, row: AlertRow, actor: str, now: datetime) -> Plan:
        """The transaction that ends an alert which the patient's history does not lead to, by a person's word."""
        draft = _Draft(now)
        loaded = await self._load(row.patient, None)
        change, known = closed(row, now), loaded.known
        draft.records.append(replace(change_record(change, facts=known.facts, anew=True), actor=actor))
        draft.expected[kinds.alert_stream(row.patient)] = known.decided
        draft.known[row.patient] = replace(known, decided=known.decided + 1)
        self._announce(draft, change)
        return self._finished(draft, None, None, 0, now)

    async def _lacks(self, known: Known, row: PatientRow) -> bool:
        """Was a fact erased whole, so that what was decided cannot be compared any more?"""
        if not known.redacted:
            return False
        facts = await self._patience(lambda: self._log.stream(kinds.patient_stream(row.patient)))
        return any(record.gone for record in facts)

    async def _new(self, messages: Sequence[Message], known: Known) -> list[Message]:
        """Those that are not exact redeliveries; what was redacted is known again by the log alone."""
        new = _new(messages, known)
        keys = [message.content.delivery_key for message in new if isinstance(message.content, Received)]
        if not (known.redacted and keys):
            return new
        held = await self._patience(lambda: self._log.known(keys))
        return [m for m in new if not (isinstance(m.content, Received) and m.content.delivery_key in held)]

    async def _sweep(self, draft: _Draft, partition: int, now: datetime, swept: datetime | None, pile: Pile) -> None:
        rows = await self._patience(lambda: self._log.due_patients(now, partitions=[partition], limit=ALL))
        for row in rows:
            if row.patient not in draft.known and row.patient not in pile.patients:
                loaded = await self._load(row.patient, swept)
                await self._assess(draft, row.patient, partition, loaded, (), Advance(now, sweep=True))
                if len(draft.known) > SWEPT_IN_MEMORY:
                    draft.known[row.patient] = replace(draft.known[row.patient], patient=None)

    async def _load(self, patient: str, swept: datetime | None) -> Loaded:
        began = time.perf_counter()
        loaded = await self._loader.load(patient, swept)
        self._observer.stage_took("load", time.perf_counter() - began)
        return loaded

    async def _assess(
        self,
        draft: _Draft,
        patient: str,
        partition: int | None,
        loaded: Loaded,
        taken: Sequence[Taken],
        advance: Advance | None,
    ) -> None:
        """Decide one patient's part and add it to the draft; the loop turns once for each patient."""
        await asyncio.sleep(0)
        began = time.perf_counter()
        decision = self._decision(draft, patient, loaded, taken, advance)
        self._observer.stage_took("assess", time.perf_counter() - began)
        draft.expected[kinds.patient_stream(patient)] = loaded.known.facts
        draft.expected[kinds.alert_stream(patient)] = loaded.known.decided
        draft.records += decision.records
        draft.known[patient] = decision.after
        draft.taken += taken
        self._announce(draft, *decision.changes)
        now = advance.now if advance else draft.wall
        retry_at = now + timedelta(seconds=RETRY_FAILED_AFTER)
        draft.patients.append(patient_row(patient, decision.after, partition, retry_at))

    def _decision(
        self, draft: _Draft, patient: str, loaded: Loaded, taken: Sequence[Taken], advance: Advance | None
    ) -> Decision:
        known = loaded.known
        if known.patient is None:
            self._fail(draft, patient, loaded, "the history cannot be folded")
            return set_aside(known, patient, taken)
        try:
            decision = decide(patient, known, taken, advance)
        except Exception as error:  # whatever it is, it is this patient's alone
            logger.exception("an assessment failed; its patient waits, the others go on")
            self._fail(draft, patient, loaded, type(error).__name__)
            return set_aside(known, patient, taken)
        return self._recovered(draft, loaded, decision) if loaded.failing or loaded.owed else decision

    def _fail(self, draft: _Draft, patient: str, loaded: Loaded, error: str) -> None:
        draft.failures += 1
        if loaded.failing is None:  # once, until it is mended
            failure = failed(patient, self._protocol_hash, error, draft.wall)
            draft.records.append(failure.record)
            self._announce(draft, failure.change)

    def _recovered(self, draft: _Draft, loaded: Loaded, decision: Decision) -> Decision:
        """Record what is owed (the assessment failed, or its rules were older), before what is new."""
        if loaded.failing is not None:
            end = mended(loaded.failing, self._protocol_hash, draft.wall)
            draft.records.append(end.record)
            self._announce(draft, end.change)
        mark = {"anew": True} if loaded.anew else {}
        owed = tuple(change_record(change, facts=loaded.known.facts, **mark) for change in loaded.owed)
        after = replace(decision.after, decided=decision.after.decided + len(owed))
        return Decision(after, owed + decision.records, loaded.owed + decision.changes)

    def _announce(self, draft: _Draft, *changes: Change) -> None:
        draft.changes += changes
        draft.alerts |= {change.alert.alert_id: alert_row(change) for change in changes}
        draft.outbox += self._outbound.of_changes(changes, draft.wall)

    def _finished(
        self, draft: _Draft, reading: Reading | None, pile: Pile | None, duplicates: int, now: datetime | None
    ) -> Plan:
        batch = Batch(
            recorded_at=draft.wall,
            records=tuple(draft.records),
            expected=draft.expected | self._files.expected,
            positions=reading.positions if reading else {},
            owner=self._owner,
            outbox=tuple(draft.outbox),
            patients=tuple(draft.patients),
            alerts=tuple(draft.alerts.values()),
            heard=heard(reading.messages) if reading else (),
        )
        refused = tuple(refused for _, refused in pile.refused) if pile else ()
        return Plan(
            batch, draft.known, tuple(draft.changes), tuple(draft.taken), refused, duplicates, draft.failures, now
        )


def _anew(patient: Patient, decided: Sequence[Record], now: datetime) -> Anew:
    try:
        return assessed_anew(patient, decided, now)
    except (ValueError, KeyError, TypeError):  # a record that is none of ours: `verify` names it
        logger.exception("what was decided of a patient cannot be read, and is not held against newer rules")
        return Anew()


def _sweeps(reading: Reading, before: Watermarks | None, after: Watermarks | None) -> dict[int, datetime]:
    """The partition numbers whose clock this batch moves, and to when."""
    if before is None or after is None:
        return {}
    numbers = sorted({partition for _, partition in reading.positions})
    return {number: after.now(number) for number in numbers if after.now(number) > before.now(number)}


def _new(messages: Sequence[Message], known: Known) -> list[Message]:
    """Those that are not exact redeliveries of what is known, or of one another."""
    seen: set[str] = set()
    new = []
    for message in messages:
        if isinstance(message.content, Received):
            key = message.content.delivery_key
            if key in seen or (known.patient is not None and known.patient.knows(key)):
                continue
            seen.add(key)
        new.append(message)
    return new
