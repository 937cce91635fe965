"""Addresses, schema, locks, and what a failing database looks like to the daemon."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from monitor.audit import database as database_module
from monitor.audit.database import Database, translate
from monitor.audit.log import SqlAuditLog
from monitor.audit.schema import current_revision, is_current, newest_revision, upgrade
from monitor.audit.tables import metadata
from monitor.errors import DatabaseInUse, DatabaseUnavailable, SchemaMissing, UsageError, VersionConflict
from tests.audit.given import batch, fact
from tests.support.postgres import PostgresCluster


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///log.db", "sqlite+aiosqlite:///log.db"),
        ("sqlite:////var/lib/log.db", "sqlite+aiosqlite:////var/lib/log.db"),
        ("postgresql://u:p@h:5/n", "postgresql+asyncpg://u:p@h:5/n"),
        ("postgresql+asyncpg://h/n", "postgresql+asyncpg://h/n"),
    ],
)
def test_an_address_is_translated_to_its_async_driver(given: str, used: str) -> None:
    assert translate(given).render_as_string(hide_password=False) == used


@pytest.mark.parametrize("given", ["mysql://h/n", "sqlite://", "sqlite:///:memory:", "log.db", ""])
def test_an_address_that_cannot_hold_a_log_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="sqlite:///FILE"):
        translate(given)


async def test_a_log_without_schema_says_what_to_run(url: str) -> None:
    assert await current_revision(url) is None
    with pytest.raises(SchemaMissing, match="safety-monitor database upgrade"):
        await SqlAuditLog.open(url)


async def test_an_upgrade_makes_the_schema_once(url: str) -> None:
    assert await upgrade(url) == newest_revision()
    assert await is_current(url)
    assert await upgrade(url) == newest_revision()


async def test_the_migrations_make_the_tables_the_program_knows(url: str) -> None:
    await upgrade(url)

    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    database = Database(url)
    async with database.reading() as connection:
        found = await connection.run_sync(differences)
    await database.close()

    # Indexes and constraints are the migrations' own: the program names none.
    assert [entry for entry in found if entry[0] not in {"remove_index", "remove_constraint"}] == []


async def test_sqlite_is_durable_and_strict(sqlite_url: str) -> None:
    await upgrade(sqlite_url)
    database = Database(sqlite_url)
    async with database.reading() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
        strict = await connection.execute(text("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"))
        loose = {name for name, is_strict in strict if not is_strict}
    await database.close()

    assert found == ["wal", 2, 1, 4000]
    assert loose == {"alembic_version", "sqlite_schema"}


async def test_a_second_writer_of_a_sqlite_file_is_refused(sqlite_url: str) -> None:
    await upgrade(sqlite_url)
    first = await SqlAuditLog.open(sqlite_url)

    with pytest.raises(DatabaseInUse, match=f"process {os.getpid()}: a SQLite log has one writer"):
        await SqlAuditLog.open(sqlite_url)
    reader = await SqlAuditLog.open(sqlite_url, writing=False)
    await first.append(batch(fact()))
    assert (await reader.head()).sequence == 1

    await reader.close()
    await first.close()
    await first.close()
    await (await SqlAuditLog.open(sqlite_url)).close()


async def test_the_lock_of_a_killed_writer_is_free(sqlite_url: str) -> None:
    await upgrade(sqlite_url)
    script = (
        "import sys, time; from monitor.audit.database import Database; "
        "held = Database(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    )
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, sqlite_url, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    await holder.stdout.readline()
    with pytest.raises(DatabaseInUse, match=f"process {holder.pid}"):
        await SqlAuditLog.open(sqlite_url)
    holder.kill()
    await holder.wait()

    await (await SqlAuditLog.open(sqlite_url)).close()


async def test_a_reader_of_a_sqlite_log_cannot_write(sqlite_url: str) -> None:
    await upgrade(sqlite_url)
    log = await SqlAuditLog.open(sqlite_url, writing=False)

    with pytest.raises(DatabaseUnavailable, match="readonly"):
        await log.append(batch(fact()))
    await log.close()


def test_a_log_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="there is no log"):
        Database(f"sqlite:///{tmp_path / 'none.db'}", writing=False)

    assert list(tmp_path.iterdir()) == []


async def test_an_old_sqlite_is_warned_of(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_module, "SAFE_SQLITE", (99, 0, 0))
    with caplog.at_level(logging.WARNING):
        await Database(sqlite_url).close()

    assert "can corrupt a log" in caplog.text


async def test_postgresql_limits_what_a_frozen_writer_can_hold(postgres_url: str) -> None:
    database = Database(postgres_url)
    async with database.reading() as connection:
        names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        found = [(await connection.execute(text(f"SHOW {name}"))).scalar_one() for name in names]
    await database.close()

    assert found == ["4s"] * 3


async def test_a_locked_head_is_a_database_that_is_unavailable(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LIMIT_MS", 200)
    await upgrade(postgres_url)
    frozen = Database(postgres_url, limit_ms=None)
    waiting = SqlAuditLog(Database(postgres_url, limit_ms=200))
    async with frozen.writing() as connection:
        await connection.execute(text("SELECT * FROM audit_head FOR UPDATE"))
        with pytest.raises(DatabaseUnavailable, match="timeout"):
            await waiting.append(batch(fact()))
    await frozen.close()

    assert [record.sequence for record in await waiting.append(batch(fact()))] == [1]
    await waiting.close()


async def test_a_crashed_postgresql_is_unavailable_and_then_goes_on(
    postgres: PostgresCluster, postgres_url: str
) -> None:
    await upgrade(postgres_url)
    log = await SqlAuditLog.open(postgres_url)
    await log.append(batch(fact()))

    postgres.stop()
    try:
        with pytest.raises(DatabaseUnavailable):
            await log.append(batch(fact()))
        with pytest.raises(DatabaseUnavailable):
            await log.head()
    finally:
        postgres.start()

    assert [record.sequence for record in await log.append(batch(fact()))] == [2]
    await log.close()


async def test_an_append_that_is_cancelled_leaves_the_log_usable(sql_log: SqlAuditLog) -> None:
    appending = [asyncio.create_task(sql_log.append(batch(*(fact(str(n)) for n in range(200))))) for _ in range(4)]
    await asyncio.sleep(0.02)
    for task in appending:
        task.cancel()
    await asyncio.gather(*appending, return_exceptions=True)

    await sql_log.append(batch(fact("after")))

    records = [record.sequence async for record in sql_log.read()]
    assert records == list(range(1, len(records) + 1))
    assert len(records) % 200 == 1


async def test_writers_in_several_processes_leave_no_gap_and_conflict_by_stream(postgres_url: str) -> None:
    await upgrade(postgres_url)
    logs = [await SqlAuditLog.open(postgres_url) for _ in range(4)]  # each with connections of its own
    conflicts = 0

    async def write(log: SqlAuditLog, writer: int) -> None:
        nonlocal conflicts
        for number in range(8):
            while True:
                version = len(await log.stream("patient/shared"))
                shared = fact("shared", number, dedupe_key=f"{writer}-{number}")
                try:
                    await log.append(batch(shared, fact(f"P{writer}", number), expected={"patient/shared": version}))
                    break
                except VersionConflict:
                    conflicts += 1

    await asyncio.gather(*(write(log, writer) for writer, log in enumerate(logs)))

    records = [record async for record in logs[0].read()]
    assert [record.sequence for record in records] == list(range(1, 65))
    shared = [record for record in records if record.stream == "patient/shared"]
    assert [record.version for record in shared] == list(range(1, 33))
    keys = {f"{writer}-{number}" for writer in range(4) for number in range(8)}
    assert await logs[0].known(keys) == keys
    assert conflicts > 0
    for log in logs:
        await log.close()
