"""Word that somebody reads, left on PostgreSQL by a role that may write nothing else; a worker takes it to the log.

What is left there is not trusted: of two kinds alone, under keys that are of acts alone, and the database adds who was
logged in.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit import kinds
from monitor.audit.clock import BEGINNING
from monitor.audit.database import Database
from monitor.audit.records import NewRecord
from monitor.audit.tables import waiting_acts
from monitor.audit.times import utc_text, utc_time
from monitor.events.canonical import canonical
from monitor.events.parse import read_json

AT_ONCE: Final = 500
ACTS: Final = "act/"
"""How the dedupe keys of acts begin. A key of another record would keep that one out of the log when it comes."""


async def leave(database: Database, record: NewRecord) -> None:
    """Leave word of a read. Raises DatabaseUnavailable, and ProgrammingError for a role that may not."""
    left = {
        "dedupe_key": record.dedupe_key,
        "kind": record.kind,
        "payload": record.payload,
        "actor": record.actor,
        "known_at": utc_text(record.known_at),
    }

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(insert(waiting_acts).values(left))

    await database.write(work)


async def left(database: Database) -> dict[str, NewRecord]:
    """What waits, by the key it was left under. Raises DatabaseUnavailable."""

    async def work(connection: AsyncConnection) -> dict[str, NewRecord]:
        found = await connection.execute(select(waiting_acts).order_by(waiting_acts.c.known_at).limit(AT_ONCE))
        return {row.dedupe_key: _record(row) for row in found}

    return await database.read(work)


async def taken(database: Database, keys: Collection[str]) -> None:
    """What was left under these is on the log. Raises DatabaseUnavailable."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(delete(waiting_acts).where(waiting_acts.c.dedupe_key.in_(keys)))

    await database.write(work)


def _record(row: Row[Any]) -> NewRecord:
    return NewRecord(
        stream=kinds.SYSTEM,
        kind=row.kind,
        payload=_told(row.payload, row.login),
        known_at=_time(row.known_at),
        actor=row.actor,
        dedupe_key=ACTS + row.dedupe_key.removeprefix(ACTS),
    )


def _time(shown: str) -> datetime:
    try:
        return utc_time(shown)
    except (ValueError, OverflowError):
        return BEGINNING


def _told(payload: str, login: str) -> str:
    """What was left and by whom, or, where it is not what our commands write, that it was."""
    try:
        return canonical({**read_json(payload.encode()), "login": login})
    except (ValueError, TypeError):
        return canonical({"unreadable": payload, "login": login, "patient": None})
