"""Migrations go forward alone, and a worker of the release before goes on appending to a full log while they run."""

import gzip
import importlib
import pkgutil
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text

from monitor.audit import appending
from monitor.audit.database import Database
from monitor.audit.log import SqlAuditLog
from monitor.audit.migrations import versions
from monitor.audit.payload_keys import Encryption
from monitor.audit.schema import _upgrade, is_current, newest_revision, upgrade
from monitor.errors import SchemaMissing
from tests.audit.given import batch, fact
from tests.support.postgres import PostgresCluster

GOLDEN = Path(__file__).parent / "golden" / "0.1.0.sql.gz"
FULL = 100_000
LETS_APPEND = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}
FILL = f"""
    ALTER TABLE audit_log DISABLE TRIGGER USER;
    INSERT INTO audit_log
    SELECT sequence + n, scheme, 'patient/full-' || n % 1000, n / 1000 + 1, kind, recorded_at, known_at, waited, actor,
        'full-' || n, origin_topic, origin_partition, origin_offset, payload, salt, key_id, payload_hash,
        previous_hash, leaf_hash, record_hash
    FROM (SELECT * FROM audit_log ORDER BY sequence DESC LIMIT 1) last, generate_series(1, {FULL}) n;
    UPDATE audit_head SET sequence = sequence + {FULL};
    ALTER TABLE audit_log ENABLE TRIGGER USER;
    ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_no_change;
    ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_no_truncate;
"""  # noqa: S608


def steps() -> list[ModuleType]:
    names = sorted(found.name for found in pkgutil.iter_modules(versions.__path__))
    return [importlib.import_module(f"{versions.__name__}.{name}") for name in names]


def test_each_step_follows_the_one_before_and_none_goes_back() -> None:
    found = steps()

    assert [after.down_revision for _, after in pairwise(found)] == [before.revision for before, _ in pairwise(found)]
    assert (found[0].down_revision, found[-1].revision) == (None, newest_revision())
    assert [step.__name__ for step in found if hasattr(step, "downgrade")] == []


@pytest.fixture
def full(postgres: PostgresCluster) -> str:
    """The log of an earlier release, grown to a hundred thousand records."""
    url = postgres.database()
    name = url.rpartition("/")[2]
    postgres.sql(gzip.decompress(GOLDEN.read_bytes()).decode(), database=name)
    postgres.sql(FILL, database=name)
    return url


async def test_a_full_log_is_migrated_while_a_worker_of_before_goes_on_appending(full: str) -> None:
    migrating, worker = Database(full, limit_ms=None), Database(full)
    async with migrating.writing() as connection:
        await connection.run_sync(_upgrade)
        held = await connection.execute(
            text("SELECT mode FROM pg_locks WHERE relation = 'audit_log'::regclass AND pid = pg_backend_pid()")
        )

        assert {row.mode for row in held} <= LETS_APPEND
        for number in range(3):  # within its limits of a few seconds, and the migration has not ended yet
            fresh = batch(fact("goes on", number), expected={"patient/goes on": number})
            records = await worker.write(partial(appending.write, batch=fresh, encryption=Encryption()))
            assert len(records) == 1

    assert await is_current(full)
    async with worker.reading() as reading:
        count = (await reading.execute(text("SELECT count(*), max(sequence) FROM audit_log"))).one()
    assert count[0] == count[1] > FULL
    await migrating.close()
    await worker.close()


async def test_a_program_refuses_a_database_that_a_newer_one_has_migrated(sqlite_url: str) -> None:
    await upgrade(sqlite_url)
    database = Database(sqlite_url)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()

    for attempt in (upgrade(sqlite_url), SqlAuditLog.open(sqlite_url)):
        with pytest.raises(SchemaMissing, match="schema 9999, which is newer than this program"):
            await attempt
