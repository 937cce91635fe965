"""What people do with the log beside the stream of events, recorded: reads of patients' data, and exports.

PostgreSQL takes the record at once from a role that may append; one that may only read leaves it in a table. A SQLite
log has one writing process: while that is another, it waits in a file beside it. The worker takes it over in seconds.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy.exc import IntegrityError, ProgrammingError

from monitor.audit import kinds, waiting
from monitor.audit.batch import Batch
from monitor.audit.log import SqlAuditLog
from monitor.audit.ports import AuditLog
from monitor.audit.records import NewRecord, Record
from monitor.audit.spool import Spool
from monitor.clock import Clock
from monitor.errors import DatabaseInUse, DatabaseUnavailable, UsageError
from monitor.events.canonical import canonical
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

LOOK: Final = 2.0  # seconds between two looks at what waits


def act(kind: str, payload: dict[str, object], *, actor: str, at: datetime) -> NewRecord:
    """The record of an act; its dedupe key lets it be handed over twice."""
    key = f"{waiting.ACTS}{uuid4().hex}"
    return NewRecord(
        stream=kinds.SYSTEM, kind=kind, payload=canonical(payload), known_at=at, actor=actor, dedupe_key=key
    )


async def record_act(url: str, record: NewRecord, now: datetime, *, encrypt: bool | None = None) -> Record | None:
    """Put it on the log, behind those that wait; None if it waits itself, for another process writes.

    `encrypt`: of the settings, for a log that this record begins (see SqlAuditLog.open).
    Raises DatabaseUnavailable, SchemaMissing, and UsageError for a database role that may not.
    """
    reading = await SqlAuditLog.open(url, writing=False)
    file = reading.database.file
    await reading.close()
    try:
        log = await SqlAuditLog.open(url, briefly=True, encrypt=encrypt)
    except DatabaseInUse:
        if file is None:
            raise
        Spool(file).add(record)
        return None
    try:
        if file is not None:
            await take_over(log, Spool(file), now)
        [made] = await log.append(Batch(recorded_at=now, records=(record,)))
    except ProgrammingError:
        await _leave(log, record)
        return None
    else:
        return made
    finally:
        await log.close()


async def _leave(log: SqlAuditLog, record: NewRecord) -> None:
    """For a role that may not append: the worker takes it over. Raises UsageError where not even that is allowed."""
    try:
        await waiting.leave(log.database, record)
    except (ProgrammingError, IntegrityError) as error:
        what = "this database role may not record that it reads"
        raise UsageError(f"{what}: use one of safety_reader, or set SAFETY_MONITOR_RECORD_READS=false") from error


async def take_over(log: AuditLog, spool: Spool, now: datetime) -> int:
    """Put what waits on the log; how much it was. Raises DatabaseUnavailable, and it goes on waiting."""
    with spool.taken() as waiting:
        if waiting:
            await log.append(Batch(recorded_at=now, records=tuple(waiting)))
        return len(waiting)


async def take_over_left(log: SqlAuditLog, now: datetime) -> int:
    """As `take_over`, of what roles left on PostgreSQL that may do nothing else. Taken twice, it is recorded once."""
    if left := await waiting.left(log.database):
        await log.append(Batch(recorded_at=now, records=tuple(left.values())))
        await waiting.taken(log.database, left)
    return len(left)


class ActsTaker:
    """The worker's side: takes over what waits beside its log, until it is stopped; `take` does it once."""

    def __init__(self, take: Callable[[datetime], Awaitable[int]], clock: Clock) -> None:
        self._take = take
        self._clock = clock
        self._stopping = Stopping()

    async def run(self) -> None:
        """Look every few seconds, and once more at the end."""
        async for _ in self._stopping.rounds(LOOK):
            await self._look()
        await self._look()

    def stop(self) -> None:
        """End `run`."""
        self._stopping.tell()

    async def _look(self) -> None:
        try:
            await self._take(self._clock.now())
        except DatabaseUnavailable as error:
            logger.warning("records of reads wait: %s", error)
