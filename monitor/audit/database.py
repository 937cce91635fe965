"""The database behind the log: its address, its transactions, and what its errors mean."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from monitor.audit.failures import translated
from monitor.audit.sqlite_file import WriterLock, keep_private
from monitor.audit.tls import Tls, take_tls
from monitor.errors import DatabaseUnavailable, UsageError

LIMIT_MS: Final = 4_000
"""A second below the 5 s that a frozen writer may hold others (lock, statement, idle in transaction alike)."""

CONNECT_S: Final = 5.0
ANSWER_S: Final = 10.0
"""A server that does not even end its own statements in time is gone."""

SAFE_SQLITE: Final = (3, 51, 3)
"""Before it, a reset of the write-ahead log could corrupt the file (fixed 2026-03-13)."""

_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "cache_size=-500")
"""secure_delete: what is deleted is overwritten, keys of redacted payloads above all.

cache_size: KiB that a connection keeps of the file. Each write of another connection empties it: more is of little use.
"""

_STATEMENTS: Final = 32
"""What a connection keeps prepared: one with a list in it is another for each length of the list, of some kilobytes."""

_BEGIN: Final = "sqlite_begin"

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

logger = logging.getLogger(__name__)


def translate(url: str) -> URL:
    """`sqlite:///FILE` or `postgresql://...` as SQLAlchemy's address with an async driver. Raises UsageError."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UsageError("the database URL cannot be read: sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    name = parsed.get_backend_name()
    if name in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+asyncpg")
    if name != "sqlite":
        raise UsageError(f"no log can be kept on {name}: sqlite:///FILE or postgresql://USER@HOST/NAME")
    if parsed.database in {None, "", ":memory:"}:
        raise UsageError("the log needs a file: sqlite:///FILE")
    return parsed.set(drivername="sqlite+aiosqlite")


class Database:
    """Engine and transactions. On SQLite, `writing=True` takes the lock beside the file: one writing process.

    `briefly`: for one record; what whoever runs a worker is warned of need not be said to whoever reads.
    """

    def __init__(
        self, url: str, *, writing: bool = True, limit_ms: int | None = LIMIT_MS, briefly: bool = False
    ) -> None:
        self.url, tls = take_tls(translate(url))
        self._turn = asyncio.Lock()
        self._lock: WriterLock | None = None
        if self.file is None:
            self.engine = _postgresql(self.url, limit_ms, tls)
            return
        if writing:
            if sqlite3.sqlite_version_info < SAFE_SQLITE and not briefly:
                logger.warning(
                    "SQLite %s has a bug that can corrupt a log on a full disk or a crash; use 3.51.3 or later",
                    sqlite3.sqlite_version,
                )
            self._lock = WriterLock(self.file)
            keep_private(self.file)
        elif not self.file.exists():
            raise DatabaseUnavailable(f"there is no log at {self.file}")
        self.engine = _sqlite(self.url, writing=writing)

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None

    async def read(self, work: Work[T]) -> T:
        """Do work in a transaction for reading; cancelled, it is let go to its end first."""
        return await _to_its_end(self._done(self.reading(), work))

    async def write(self, work: Work[T]) -> T:
        """Do work in a transaction for writing; cancelled, it is let go to its end first and stays written."""
        return await _to_its_end(self._done(self.writing(), work))

    async def _done(self, transaction: AbstractAsyncContextManager[AsyncConnection], work: Work[T]) -> T:
        async with transaction as connection:
            return await work(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for reading. Raises DatabaseUnavailable, SchemaMissing."""
        with translated():
            async with self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for writing, committed at the end. Raises DatabaseUnavailable, SchemaMissing.

        On SQLite writers of this process take turns here, since its own queue of writers is a loop of sleeps.
        """
        turn = contextlib.nullcontext() if self.file is None else self._turn
        with translated():
            async with turn, self.engine.connect() as connection:
                await connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
                async with connection.begin():
                    yield connection

    async def forget(self) -> None:
        """Empty SQLite's write-ahead log: it may still hold what was deleted. (PostgreSQL: docs/operations.md.)"""
        if self.file is None:
            return
        with translated():
            async with self._turn, self.engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Let go of connections and of the lock; a second time nothing happens."""
        await self.engine.dispose()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


async def _to_its_end(transaction: Coroutine[Any, Any, T]) -> T:
    # A statement cancelled half-way goes on in the driver's thread, and would hold SQLite's lock with nobody to end it.
    task = asyncio.create_task(transaction)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen, so that the loop does not complain of it
        raise


def _postgresql(url: URL, limit_ms: int | None, tls: Tls) -> AsyncEngine:
    settings = {"application_name": "safety-monitor", "timezone": "UTC"}
    if limit_ms is not None:
        timeouts = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        settings |= dict.fromkeys(timeouts, str(limit_ms))
    arguments: dict[str, Any] = {
        "timeout": CONNECT_S,
        "command_timeout": None if limit_ms is None else ANSWER_S,
        "server_settings": settings,
    }
    if tls is not None:
        arguments["ssl"] = tls
    return create_async_engine(url, connect_args=arguments, pool_pre_ping=True, hide_parameters=True)


def _sqlite(url: URL, *, writing: bool) -> AsyncEngine:
    # isolation_level None: the driver begins nothing by itself, so that BEGIN IMMEDIATE can be said below.
    arguments = {"isolation_level": None, "timeout": LIMIT_MS / 1000, "cached_statements": _STATEMENTS}
    engine = create_async_engine(url, connect_args=arguments, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (*_PRAGMAS, f"query_only={int(not writing)}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    return engine
