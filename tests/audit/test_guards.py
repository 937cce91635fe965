"""The database itself refuses to change the log."""

import subprocess
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from monitor.audit.batch import OutboxState, Outcome, Position
from monitor.audit.database import Database
from monitor.audit.kinds import patient_of
from monitor.audit.log import SqlAuditLog
from monitor.audit.redacting import planning
from monitor.audit.redacting.request import Request
from monitor.audit.schema import upgrade
from monitor.errors import UsageError
from tests.audit.given import START, alert, batch, fact, notice, patient
from tests.support.postgres import PostgresCluster

ROLES = Path(__file__).parents[2] / "deploy" / "postgres" / "roles.sql"
CHANGES = [
    "UPDATE audit_log SET payload = '{}' WHERE sequence = 1",
    "UPDATE audit_log SET sequence = 9 WHERE sequence = 1",
    "DELETE FROM audit_log WHERE sequence = 1",
    "DELETE FROM audit_log",
]
REPLACEMENTS = [
    ["INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE sequence = 1"],
    [
        "CREATE TEMP TABLE forged AS SELECT * FROM audit_log WHERE sequence = 1",
        "UPDATE forged SET sequence = 9",
        "INSERT OR REPLACE INTO audit_log SELECT * FROM forged",
    ],
]


async def run(url: str, *statements: str) -> None:
    database = Database(url, limit_ms=None)
    try:
        async with database.writing() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await database.close()


async def written(url: str) -> None:
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    await log.append(batch(fact(dedupe_key="k1"), fact(number=2, dedupe_key="k2")))
    await log.close()


async def payloads(url: str) -> list[str]:
    log = await SqlAuditLog.open(url, writing=False)
    try:
        return [record.payload async for record in log.read()]
    finally:
        await log.close()


@pytest.mark.parametrize("statement", CHANGES)
async def test_a_change_of_the_log_is_refused_in_plain_words(url: str, statement: str) -> None:
    await written(url)

    with pytest.raises(DBAPIError, match=r"audit_log is append-only: (UPDATE|DELETE) is refused"):
        await run(url, statement)

    assert await payloads(url) == ['{"number":1}', '{"number":2}']


@pytest.mark.parametrize("statements", REPLACEMENTS, ids=["the same sequence", "the same stream version and key"])
async def test_sqlite_refuses_to_replace_a_record(sqlite_url: str, statements: list[str]) -> None:
    await written(sqlite_url)

    with pytest.raises(DBAPIError, match="audit_log is append-only: REPLACE of a record is refused"):
        await run(sqlite_url, *statements)

    assert len(await payloads(sqlite_url)) == 2


async def test_sqlite_keeps_types(sqlite_url: str) -> None:
    await written(sqlite_url)

    with pytest.raises(DBAPIError, match="cannot store TEXT value in INTEGER column"):
        await run(sqlite_url, "UPDATE audit_head SET sequence = 'many'")


async def test_the_sqlite_file_is_private(sqlite_url: str) -> None:
    await written(sqlite_url)
    log = await SqlAuditLog.open(sqlite_url)
    await log.append(batch(fact()))

    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    await log.close()

    assert set(modes.values()) == {0o600}
    assert {"log.db", "log.db-wal", "log.db.lock"} <= set(modes)


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE audit_log",
        "SET session_replication_role = replica; DELETE FROM audit_log",
        "INSERT INTO audit_log SELECT * FROM audit_log ON CONFLICT (sequence) DO UPDATE SET payload = '{}'",
        "MERGE INTO audit_log a USING (SELECT 1 AS one) b ON a.sequence = b.one WHEN MATCHED THEN DELETE",
    ],
)
async def test_postgresql_refuses_even_its_superuser(
    postgres: PostgresCluster, postgres_url: str, statement: str
) -> None:
    await written(postgres_url)

    with pytest.raises(subprocess.CalledProcessError) as refused:
        postgres.sql(statement, database=postgres_url.rpartition("/")[2])

    assert "audit_log is append-only" in refused.value.stderr


@pytest_asyncio.fixture
async def guarded(postgres: PostgresCluster, postgres_url: str) -> str:
    """A database with its roles; the users `worker` and `inspector` are a writer and a reader. Returns its name."""
    await written(postgres_url)
    name = postgres_url.rpartition("/")[2]
    postgres.sql(ROLES.read_text(), database=name)
    postgres.sql(
        "DO $$ BEGIN CREATE ROLE worker LOGIN IN ROLE safety_writer; CREATE ROLE inspector LOGIN IN ROLE safety_reader;"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    return name


async def test_the_writer_role_can_do_all_that_the_log_does(postgres: PostgresCluster, guarded: str) -> None:
    log = await SqlAuditLog.open(postgres.url(guarded, user="worker"))
    owner = await log.start_instance("w1")
    await log.claim_ownership([("safety.lab", 0)], owner)
    positions = {("safety.lab", 0): Position(next_offset=1)}
    for _ in range(2):
        rows = {"outbox": (notice(),), "patients": (patient(),), "alerts": (alert(),)}
        await log.append(batch(fact("B"), positions=positions, owner=owner, **rows))
    [row] = await log.claim_outbox(limit=1, lease_for=START - START, now=START)
    await log.settle_outbox(row.row_id, Outcome(attempt=1, state=OutboxState.DELIVERED), batch(fact("C")))
    await log.acquire_lease("clock", "w1", ttl=START - START, now=START)
    await log.release_lease("clock", "w1")
    await log.replace_read_models([], [])

    assert (await log.head()).sequence == 5
    await log.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET payload = '{}'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DROP TABLE audit_log",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_log_no_change ON audit_log",
        "CREATE OR REPLACE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE sql AS ''",
        "SET session_replication_role = replica",
        "SET ROLE safety_owner",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head VALUES (1, 0, '', 0)",
        "DELETE FROM outbox",
        "DELETE FROM payload_keys",
        "UPDATE payload_keys SET wrapped = ''",
        "DELETE FROM wrapping_keys",
        "UPDATE wrapping_keys SET key = ''",
        "INSERT INTO tombstones VALUES (1, 2)",
        "SET ROLE safety_redactor",
        "UPDATE alembic_version SET version_num = '0'",
        "CREATE TABLE public.more (a int)",
    ],
)
async def test_the_writer_role_cannot(postgres: PostgresCluster, guarded: str, statement: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        postgres.sql(statement, database=guarded, user="worker")

    assert "permission denied" in refused.value.stderr or "must be owner" in refused.value.stderr


@pytest.mark.parametrize("table", ["audit_log", "audit_head", "outbox", "patients", "payload_keys"])
async def test_the_reader_role_reads_and_writes_nothing(postgres: PostgresCluster, guarded: str, table: str) -> None:
    postgres.sql(f"TABLE {table}", database=guarded, user="inspector")

    with pytest.raises(subprocess.CalledProcessError) as refused:
        postgres.sql(f"TRUNCATE {table}", database=guarded, user="inspector")
    assert "permission denied" in refused.value.stderr


async def test_who_may_redact_destroys_keys_and_changes_no_record(postgres: PostgresCluster, guarded: str) -> None:
    postgres.sql(
        "DO $$ BEGIN CREATE ROLE officer LOGIN IN ROLE safety_redactor;"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    for user, may in (("worker", False), ("officer", True)):
        log = await SqlAuditLog.open(postgres.url(guarded, user=user))
        [first] = [each async for each in log.read(limit=1)]
        redaction = await planning.of_patient(log, str(patient_of(first.stream)), Request("why", user, START))
        if may:
            await log.erase(redaction.erasure)
        else:
            with pytest.raises(UsageError, match="may not redact"):
                await log.erase(redaction.erasure)
        [first] = [each async for each in log.read(limit=1)]
        assert first.gone is may
        await log.close()
    for statement in ("UPDATE audit_log SET payload = '{}'", "UPDATE payload_keys SET wrapped = ''"):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            postgres.sql(statement, database=guarded, user="officer")
        assert "permission denied" in refused.value.stderr
