"""Word that somebody reads, left on PostgreSQL by a role that may write nothing else; a worker takes it to the log.

What is left there is not trusted: of two kinds alone, and the database adds who was logged in.
"""

import json
from collections.abc import Sequence
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

AT_ONCE: Final = 500


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


async def left(database: Database) -> list[NewRecord]:
    """What waits. Raises DatabaseUnavailable."""

    async def work(connection: AsyncConnection) -> list[NewRecord]:
        found = await connection.execute(select(waiting_acts).order_by(waiting_acts.c.known_at).limit(AT_ONCE))
        return [_record(row) for row in found]

    return await database.read(work)


async def taken(database: Database, records: Sequence[NewRecord]) -> None:
    """These are on the log. Raises DatabaseUnavailable."""

    async def work(connection: AsyncConnection) -> None:
        keys = [record.dedupe_key for record in records]
        await connection.execute(delete(waiting_acts).where(waiting_acts.c.dedupe_key.in_(keys)))

    await database.write(work)


def _record(row: Row[Any]) -> NewRecord:
    return NewRecord(
        stream=kinds.SYSTEM,
        kind=row.kind,
        payload=_told(row.payload, row.login),
        known_at=_time(row.known_at),
        actor=row.actor,
        dedupe_key=row.dedupe_key,
    )


def _time(shown: str) -> datetime:
    try:
        return utc_time(shown)
    except ValueError:
        return BEGINNING


def _told(payload: str, login: str) -> str:
    """What was left and by whom, or, where it is not what our commands write, that it was."""
    try:
        return canonical({**json.loads(payload), "login": login})
    except (ValueError, TypeError):
        return canonical({"unreadable": payload, "login": login, "patient": None})
