"""After an upgrade of the program each patient is assessed anew, once, by the rules that run now.

Without it, what only newer rules find in old facts would stay untold. One worker of several does it, a patient at a
time; when all are done, the log says so, and the next start of the same program has nothing to do.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, Batch, PatientRow
from monitor.audit.core_version import CORE_VERSION
from monitor.audit.leading import Leases
from monitor.audit.ports import AuditLog
from monitor.audit.records import NewRecord
from monitor.clock import Clock
from monitor.core.alert import LIVE, Change
from monitor.errors import DatabaseUnavailable, Fenced, VersionConflict
from monitor.events.canonical import canonical
from monitor.operations.stop_in_doubt import closed_by
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

LEASE: Final = "newer rules"
SETTLING: Final = 30.0  # seconds after the start: first the worker takes up its partitions
LOOK: Final = 5.0  # seconds until another worker's lease, or the database, is asked for again
REST: Final = 3.0  # times as long as a patient took
LONGEST_REST: Final = 2.0  # seconds


class Assessor(Protocol):
    """The recorder, as this service sees it."""

    async def assess_anew(self, row: PatientRow, now: datetime) -> tuple[Change, ...]:
        """Record what the rules that run now make of a patient otherwise than was decided."""

    async def close_doubted(self, row: AlertRow, actor: str, now: datetime) -> None:
        """Record that a person has closed a stop that newer rules do not find."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of all patients under a program that is new to the log."""

    before: str | None
    patients: int
    changes: Counter[str]


class NewerRules:
    """Assesses everybody anew if the program is new to the log; then waits to be stopped."""

    def __init__(
        self, recorder: Assessor, log: AuditLog, leases: Leases, clock: Clock, *, core: str = CORE_VERSION
    ) -> None:
        """`core` is what this worker's decisions are stamped with."""
        self._recorder = recorder
        self._log = log
        self._clock = clock
        self._holder = leases.holder
        self._lease = leases.named(LEASE)
        self._core = core
        self._stopping = Stopping()

    async def run(self) -> None:
        """Wait a moment, assess, and wait for `stop`. The database's silence ends nothing."""
        await self._stopping.pause(SETTLING)
        while not self._stopping.told and not await self._tried(self._done):
            await self._stopping.pause(LOOK)
        while not self._stopping.told:
            await self._stopping.pause(SETTLING)
            await self._tried(self.close)
        await self._lease.give_up()

    def stop(self) -> None:
        """End `run` after the patient under way."""
        self._stopping.tell()

    async def look(self) -> Adopted | None:
        """Assess everybody anew if nobody has under this program; None if it is done, or another worker does it.

        Raises DatabaseUnavailable, VersionConflict when another worker told of it meanwhile.
        """
        adopted, _ = await self._adopted()
        if adopted == self._core or not await self._lease.taken(self._clock.now()):
            return None
        changes: Counter[str] = Counter()
        rows = await self._log.patients()
        for row in rows:
            began = time.monotonic()
            found = await self._recorder.assess_anew(row, self._clock.now())
            changes.update(change.kind for change in found)
            await self._stopping.pause(min((time.monotonic() - began) * REST, LONGEST_REST))
            if self._stopping.told or not await self._lease.taken(self._clock.now()):
                return None  # begun again by the next start, or gone on with by another: what is told is told once
        done, (_, version) = Adopted(adopted, len(rows), changes), await self._adopted()
        await self._log.append(self._record(done, version))
        logger.info("all %d patients were assessed anew, by newer rules: %s", len(rows), dict(changes) or "no change")
        return done

    async def close(self) -> None:
        """End the stops in doubt that a person has closed. Raises DatabaseUnavailable, VersionConflict, Fenced."""
        doubted = await self._doubted()
        if not doubted or not await self._lease.taken(self._clock.now()):
            return
        by = closed_by(await self._log.stream(kinds.SYSTEM_ALERTS))
        for patient in sorted(set(doubted.values())):
            for row in await self._log.alerts(patient=patient, statuses=LIVE):
                if row.alert_id in doubted and (actor := by.get(row.alert_id)) is not None:
                    await self._recorder.close_doubted(row, actor, self._clock.now())

    async def _done(self) -> bool:
        """Whether everybody has been assessed anew under this program, by this worker or another."""
        await self.look()
        adopted, _ = await self._adopted()
        return adopted == self._core

    async def _tried(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Whether some work says that it is done; it is tried again later if the database does not answer."""
        try:
            return bool(await work())
        except DatabaseUnavailable as error:
            logger.warning("what newer rules say waits: %s", error)
        except VersionConflict:
            logger.info("another worker told meanwhile what newer rules say")
        except Fenced:
            return True  # this worker is about to end; whoever took its place goes on
        return False

    async def _doubted(self) -> dict[str, str]:
        """The patients of the stops that newer rules did not find, by alert."""
        records = await self._log.stream(kinds.PROGRAMS)
        found = [json.loads(record.payload) for record in records if record.kind == kinds.STOP_DOUBTED]
        return {doubt["alert_id"]: doubt["patient"] for doubt in found}

    async def _adopted(self) -> tuple[str | None, int]:
        """The program that the log knows of last, and the version of its stream."""
        records = await self._log.stream(kinds.PROGRAMS)
        known = [json.loads(record.payload)["core"] for record in records if record.kind == kinds.PROGRAM_ADOPTED]
        return (known[-1] if known else None), len(records)

    def _record(self, done: Adopted, version: int) -> Batch:
        now = self._clock.now()
        payload = {
            "core": self._core,
            "before": done.before,
            "patients": done.patients,
            "changes": dict(sorted(done.changes.items())),
        }
        record = NewRecord(
            stream=kinds.PROGRAMS,
            kind=kinds.PROGRAM_ADOPTED,
            payload=canonical(payload),
            known_at=now,
            actor=self._holder,
        )
        return Batch(recorded_at=now, records=(record,), expected={kinds.PROGRAMS: version})
