"""What people do with the log beside the stream of events, recorded: reads of patients' data, and exports.

PostgreSQL takes the record at once. A SQLite log has one writing process: while that is another, the record waits in a
file beside the log, and the writer takes it over within seconds.
"""

import asyncio
import logging
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

from sqlalchemy.exc import ProgrammingError

from monitor.audit import kinds
from monitor.audit.batch import Batch
from monitor.audit.log import SqlAuditLog
from monitor.audit.ports import AuditLog
from monitor.audit.records import NewRecord, Record
from monitor.audit.spool import Spool
from monitor.errors import DatabaseInUse, DatabaseUnavailable, UsageError
from monitor.events.canonical import canonical

logger = logging.getLogger(__name__)

LOOK: Final = 2.0  # seconds between two looks at what waits


class Clock(Protocol):
    """The wall clock."""

    def now(self) -> datetime: ...


def act(kind: str, payload: dict[str, object], *, actor: str, at: datetime) -> NewRecord:
    """The record of an act; its dedupe key lets it be handed over twice."""
    key = f"act/{uuid4().hex}"
    return NewRecord(
        stream=kinds.SYSTEM, kind=kind, payload=canonical(payload), known_at=at, actor=actor, dedupe_key=key
    )


async def record_act(url: str, record: NewRecord, now: datetime) -> Record | None:
    """Put it on the log, behind those that wait; None if it waits itself, for another process writes.

    Raises DatabaseUnavailable, SchemaMissing, and UsageError for a database role that may not.
    """
    reading = await SqlAuditLog.open(url, writing=False)
    file = reading.database.file
    await reading.close()
    try:
        log = await SqlAuditLog.open(url, briefly=True)
    except DatabaseInUse:
        if file is None:
            raise
        Spool(file).add(record)
        return None
    try:
        if file is not None:
            await take_over(log, Spool(file), now)
        [made] = await log.append(Batch(recorded_at=now, records=(record,)))
    except ProgrammingError as error:
        what = "this database role may not record that it reads"
        raise UsageError(f"{what}: use one of safety_writer, or set SAFETY_MONITOR_RECORD_READS=false") from error
    finally:
        await log.close()
    return made


async def take_over(log: AuditLog, spool: Spool, now: datetime) -> int:
    """Put what waits on the log; how much it was. Raises DatabaseUnavailable, and it goes on waiting."""
    with spool.taken() as waiting:
        if waiting:
            await log.append(Batch(recorded_at=now, records=tuple(waiting)))
        return len(waiting)


class ActsTaker:
    """The worker's side: takes over what waits beside its SQLite log, until it is stopped."""

    def __init__(self, log: AuditLog, spool: Spool, clock: Clock) -> None:
        self._log = log
        self._spool = spool
        self._clock = clock
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look every few seconds, and once more at the end."""
        while not self._stopping.is_set():
            await self._look()
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOK)
            except TimeoutError:
                continue
        await self._look()

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    async def _look(self) -> None:
        try:
            await take_over(self._log, self._spool, self._clock.now())
        except DatabaseUnavailable as error:
            logger.warning("records of reads wait: %s", error)
