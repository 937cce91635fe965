"""A batch planned: each patient's messages decided, the clock's sweeps added, one transaction made of it all."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, Owner, PatientRow
from monitor.audit.ports import AuditLog
from monitor.audit.records import Record
from monitor.core.patient import Patient
from monitor.events.envelope import Received
from monitor.recorder.activating import Files
from monitor.recorder.anew import Anew, assessed_anew, closed
from monitor.recorder.deciding import Advance, Taken
from monitor.recorder.draft import Draft, Plan
from monitor.recorder.guard import Message
from monitor.recorder.known import Known
from monitor.recorder.loading import Loaded, Loader
from monitor.recorder.patience import Patience
from monitor.recorder.ports import Outbound, RecorderObserver
from monitor.recorder.reading import Reading
from monitor.recorder.sorting import Now, Pile, sort
from monitor.recorder.watermarks import Watermarks

logger = logging.getLogger(__name__)

ALL = 1_000_000  # patients: a sweep leaves nobody out
SWEPT_IN_MEMORY = 500  # folded patients that a sweep keeps for the cache; of the others only what is to be written


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

    async def plan(
        self, reading: Reading, wall: datetime, *, before: Watermarks | None, after: Watermarks | None
    ) -> Plan:
        """The transaction of a batch of messages; `before` and `after` are the events clock, None under the system's.

        Facts are taken by the clock before the batch, and then all of the partition is swept up to the clock after it:
        every commit leaves all patients of a partition at its clock.
        """
        clock = Now(wall, before)
        pile = sort(reading.messages)
        draft = self._draft(wall)
        for message, refused in pile.refused:
            draft.refuse(message, refused, clock.known_at(message))
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
        swept_to = max(sweeps.values(), default=None)
        return draft.finished(self._owner, reading=reading, duplicates=duplicates, now=swept_to)

    async def plan_ticks(self, rows: Sequence[PatientRow], now: datetime) -> Plan:
        """The transaction that advances these patients to `now` (the system clock)."""
        draft = self._draft(now)
        for row in rows:
            loaded = await self._load(row.patient, None)
            await self._assess(draft, row.patient, row.partition, loaded, (), Advance(now, sweep=False))
        return draft.finished(self._owner, now=now)

    async def plan_anew(self, row: PatientRow, now: datetime) -> Plan:
        """The transaction that records what the rules that run now make of a patient otherwise than was decided."""
        draft = self._draft(now)
        loaded = await self._load(row.patient, None)
        if loaded.known.patient is not None and loaded.failing is None and not await self._lacks(loaded.known, row):
            decided = await self._patience(lambda: self._log.stream(kinds.alert_stream(row.patient)))
            found = _anew(loaded.known.patient, decided, now)
            draft.note(found.doubts(now))
            loaded = replace(loaded, owed=found.changes, anew=True)
        await self._assess(draft, row.patient, row.partition, loaded, (), Advance(now, sweep=False))
        return draft.finished(self._owner, now=now)

    async def plan_closing(self, row: AlertRow, actor: str, now: datetime) -> Plan:
        """The transaction that ends an alert which the patient's history does not lead to, by a person's word."""
        draft = self._draft(now)
        loaded = await self._load(row.patient, None)
        draft.close(closed(row, now), loaded.known, actor)
        return draft.finished(self._owner, now=now)

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

    async def _sweep(self, draft: Draft, partition: int, now: datetime, swept: datetime | None, pile: Pile) -> None:
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
        draft: Draft,
        patient: str,
        partition: int | None,
        loaded: Loaded,
        taken: Sequence[Taken],
        advance: Advance | None,
    ) -> None:
        """Decide one patient's part and add it to the draft; the loop turns once for each patient."""
        await asyncio.sleep(0)
        began = time.perf_counter()
        draft.assess(patient, partition, loaded, taken, advance)
        self._observer.stage_took("assess", time.perf_counter() - began)

    def _draft(self, wall: datetime) -> Draft:
        return Draft(wall, self._outbound, self._files)


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
