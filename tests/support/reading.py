"""The log as a test looks at it, beside the worker that writes it."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import datetime
from typing import TypeVar

from monitor.audit.log import SqlAuditLog
from monitor.audit.records import Record
from monitor.audit.replay import replay
from monitor.audit.verdict import Verdict
from monitor.audit.verify import verify
from monitor.protocol.model import Protocol

T = TypeVar("T")


def looked_at(url: str, question: Callable[[SqlAuditLog], Awaitable[T]]) -> T:
    """Open the log for reading, ask, close."""

    async def look() -> T:
        log = await SqlAuditLog.open(url, writing=False)
        try:
            return await question(log)
        finally:
            await log.close()

    return asyncio.run(look())


def records(url: str) -> list[Record]:
    """All records."""

    async def everything(log: SqlAuditLog) -> list[Record]:
        return [record async for record in log.read()]

    return looked_at(url, everything)


def recorded_messages(url: str) -> int:
    """How many messages the positions stand for; 0 while there is no log."""
    if (path := url.removeprefix("sqlite:///")) != url:
        return _recorded_in_file(path)

    async def count(log: SqlAuditLog) -> int:
        return sum(position.next_offset for position in (await log.positions()).values())

    return looked_at(url, count)


def _recorded_in_file(path: str) -> int:
    """The same in plain SQL: tests ask often, and must not slow down what they watch."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT coalesce(sum(next_offset), 0) FROM positions").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def verdict(url: str) -> Verdict:
    """What `verify` finds."""

    async def check(log: SqlAuditLog) -> Verdict:
        return await verify(log, Protocol.load())

    return looked_at(url, check)


def replayed(url: str, as_of: datetime) -> dict[str, object]:
    """What `replay` shows as of a time."""

    async def fold(log: SqlAuditLog) -> dict[str, object]:
        return (await replay(log, Protocol.load(), as_of=as_of)).to_json()

    return looked_at(url, fold)


def assert_results_once(url: str, number: int) -> None:
    """So many laboratory results are on the log, each once, and the log is whole."""
    facts = [record for record in records(url) if record.kind == "safety.lab.resulted.v1"]
    assert len(facts) == len({record.dedupe_key for record in facts}) == number
    found = verdict(url)
    assert found.broken is None
    assert not found.differs
