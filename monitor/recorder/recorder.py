"""The one serialised recorder: every fact, refusal, tick and decision goes to the log through here.

Agents read and modify a patient with an await between, so they would lose each other's updates; one lock makes them
take turns. A batch is decided in memory, appended in one transaction, and only then do caches and positions move on.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, Owner, PatientRow, Position, TopicPartition
from monitor.audit.ports import AuditLog
from monitor.clock import Clock
from monitor.core.alert import Change
from monitor.errors import ProtocolChanged, VersionConflict
from monitor.recorder.activating import Files
from monitor.recorder.cache import PatientCache
from monitor.recorder.draft import Plan
from monitor.recorder.guard import check_repeats
from monitor.recorder.inputs import Input
from monitor.recorder.loading import Loader
from monitor.recorder.patience import Patience
from monitor.recorder.planning import Planner
from monitor.recorder.ports import Outbound, RecorderObserver, Vitals
from monitor.recorder.reading import Reading, read
from monitor.recorder.retrying import Kept, again
from monitor.recorder.telling import tell
from monitor.recorder.watermarks import Watermarks

CONFLICTS = 20  # attempts: another writer of the same patient is a clock's tick, which is soon over
TICKED_AT_ONCE = 200  # patients in one transaction


class Recorder:
    """Records batches of messages and ticks of the clock; safe to call from many tasks of one loop."""

    def __init__(
        self,
        *,
        log: AuditLog,
        files: Files,
        clock: Clock,
        topics: Collection[str],
        events_clock: bool,
        owner: Owner,
        outbound: Outbound,
        observer: RecorderObserver,
        vitals: Vitals,
        wake: Callable[[], None],
        patience: float,
        max_message_bytes: int,
        cached_patients: int,
        cached_facts: int,
    ) -> None:
        """`patience`: seconds to wait for the database; `events_clock`: now is told by the topics, not by `clock`;
        `wake` is called when something waits in the outbox.
        """
        self._log = log
        self._tz = files.timeline.latest.tz
        self._clock = clock
        self._topics = frozenset(topics)
        self._events_clock = events_clock
        self._owner = owner
        self._observer = observer
        self._vitals = vitals
        self._wake = wake
        self._max_message_bytes = max_message_bytes
        self._patience = Patience(vitals, patience)
        self._cache = PatientCache(cached_patients, cached_facts)
        self._lock = asyncio.Lock()
        self._owned: frozenset[TopicPartition] = frozenset()
        self._positions: dict[TopicPartition, Position] = {}
        loader = Loader(log, files.timeline, self._cache, self._patience)
        self._planner = Planner(log, loader, self._patience, outbound, observer, owner, files)

    async def record(self, inputs: Sequence[Input]) -> None:
        """Record messages in the order given.

        When it returns they are on the log; when it raises (DatabaseUnavailable, PositionMismatch, Fenced,
        ProtocolChanged) none is.
        """
        async with self._lock:
            self._vitals.batch_begun()
            began = time.perf_counter()
            reading = await read(inputs, self._positions, self._tz, self._max_message_bytes)
            self._observer.stage_took("decode", time.perf_counter() - began)
            again = [key for message in reading.messages if message.again for key in message.keys_again]
            if again:
                check_repeats(reading.messages, await self._patience(lambda: self._log.known(again)))
            await self._commit_reading(reading)

    async def read_again(self, kept: Sequence[Kept]) -> list[int]:
        """Record those refused messages that can be read now as facts, from where they came; their sequences.

        What is on the log already is not doubled. Raises as `record` does.
        """
        async with self._lock:
            readable = again(kept, self._tz, self._max_message_bytes)
            if readable:
                await self._commit_reading(Reading(tuple(readable.values()), {}))
            return list(readable)

    async def tick(self, now: datetime) -> int:
        """Advance the patients who have something to do at `now` (the system clock); the number of them."""
        async with self._lock:
            rows = await self._patience(lambda: self._log.due_patients(now, limit=TICKED_AT_ONCE))
            if rows:
                for _ in range(CONFLICTS):
                    if await self._committed(await self._planner.plan_ticks(rows, now)):
                        break
            self._observer.clock_is(now)
            return len(rows)

    async def assess_anew(self, row: PatientRow, now: datetime) -> tuple[Change, ...]:
        """Record what the rules that run now make of a patient otherwise than was decided; what that is.

        Raises DatabaseUnavailable, ProtocolChanged, Fenced.
        """
        async with self._lock:
            for _ in range(CONFLICTS):
                plan = await self._planner.plan_anew(row, now)
                if await self._committed(plan):
                    return plan.changes
        raise VersionConflict(f"of patient {row.patient}", 0, 0)

    async def close_doubted(self, row: AlertRow, actor: str, now: datetime) -> None:
        """Record that a person has closed a stop that newer rules do not find.

        Raises DatabaseUnavailable, ProtocolChanged, Fenced.
        """
        async with self._lock:
            for _ in range(CONFLICTS):
                if await self._committed(await self._planner.plan_closing(row, actor, now)):
                    return
        raise VersionConflict(f"of patient {row.patient}", 0, 0)

    async def assigned(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """Own these partitions; their recorded positions. Nothing cached outlives a change of hands."""
        async with self._lock:
            mine = sorted(partitions)
            await self._patience(lambda: self._log.claim_ownership(mine, self._owner))
            if frozenset(mine) != self._owned:
                self._cache.clear()
                self._observer.lags_are_unknown()
                self._owned = frozenset(mine)
            self._positions = await self._patience(self._log.positions)
            return self.recorded(mine)

    def recorded(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """How far those of these partitions that have a position are on the log."""
        return {place: self._positions[place] for place in partitions if place in self._positions}

    def fetched(self, ends: Mapping[TopicPartition, int]) -> None:
        """The broker answered a fetch, and told where each partition ends."""
        self._vitals.fetched()
        for (topic, partition), end in ends.items():
            position = self._positions.get((topic, partition))
            self._observer.lag_is(topic, partition, max(0, end - (position.next_offset if position else 0)))

    async def _commit_reading(self, reading: Reading) -> None:
        for _ in range(CONFLICTS):
            if await self._committed(await self._plan(reading)):
                return
        raise VersionConflict("of a patient of this batch", 0, 0)

    async def _plan(self, reading: Reading) -> Plan:
        if not self._events_clock:
            return await self._planner.plan(reading, self._clock.now(), before=None, after=None)
        before = Watermarks.of(self._topics, self._positions)
        after = Watermarks.of(self._topics, self._positions | dict(reading.positions))
        return await self._planner.plan(reading, self._clock.now(), before=before, after=after)

    async def _committed(self, plan: Plan) -> bool:
        """Append a plan and move on; False if another wrote in between, and it must be made again."""
        if not (plan.batch.records or plan.batch.positions or plan.batch.patients):
            self._vitals.committed()  # all of it was on the log already
            tell(self._observer, plan, (), self._clock.now())
            return True
        began = time.perf_counter()
        try:
            records = await self._patience(lambda: self._log.append(plan.batch))
        except VersionConflict as conflict:
            if conflict.stream == kinds.PROTOCOLS:
                raise ProtocolChanged("another protocol file was activated; this worker must start with it") from None
            for patient in plan.known:
                self._cache.forget(patient)
            return False
        self._observer.stage_took("append", time.perf_counter() - began)
        self._positions.update(plan.batch.positions)
        complete = len(records) == len(plan.batch.records)
        for patient, known in plan.known.items():
            if complete and known.patient is not None:
                self._cache.put(patient, known)
            else:
                self._cache.forget(patient)
        self._vitals.committed()
        if plan.batch.outbox:
            self._wake()
        tell(self._observer, plan, records, self._clock.now())
        return True
