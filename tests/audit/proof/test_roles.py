"""On PostgreSQL no role can change what is on the log: each forbidden statement, for each role, is refused."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.proving import prove_inclusion
from monitor.audit.proof.store import ProofStore
from monitor.audit.proof.tree import TILE
from monitor.audit.schema import upgrade
from monitor.audit.tables import metadata
from tests.audit.given import START, batch, fact
from tests.support.postgres import PostgresCluster

ROLES = Path(__file__).parents[3] / "deploy" / "postgres" / "roles.sql"
USERS = {"safety_writer": "signer", "safety_reader": "auditor"}
EVERY = sorted(metadata.tables)
APPEND_ONLY = ("audit_log", "checkpoints")
DENIED = ("permission denied", "must be owner")

# What the worker may do to a table beside reading it; to all others it may do nothing.
WRITER = {
    "audit_log": {"INSERT"},
    "checkpoints": {"INSERT"},
    "tree_tiles": {"INSERT"},
    "wrapping_keys": {"INSERT"},
    "payload_keys": {"INSERT"},
    "audit_head": {"UPDATE"},
    "waiting_acts": {"DELETE"},
    **{table: {"INSERT", "UPDATE"} for table in ("instances", "owners", "positions", "leases", "outbox")},
    **{table: {"INSERT", "UPDATE", "DELETE"} for table in ("patients", "alerts", "sources")},
}
ABOUT_THE_DATABASE = (
    "DROP TABLE audit_log",
    "ALTER TABLE audit_log DISABLE TRIGGER ALL",
    "ALTER TABLE audit_log ADD COLUMN more text",
    "DROP TRIGGER audit_log_no_change ON audit_log",
    "CREATE OR REPLACE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE sql AS ''",
    "CREATE RULE quiet AS ON INSERT TO audit_log DO INSTEAD NOTHING",
    "CREATE TABLE public.more (a int)",
    "UPDATE alembic_version SET version_num = '0'",
    "SET session_replication_role = replica",
    "SET ROLE safety_owner",
    "ALTER TABLE audit_log OWNER TO CURRENT_USER",
)


@pytest.fixture(scope="module")
def name(postgres: PostgresCluster) -> str:
    """A database with records, a checkpoint, its roles, and a user of each."""
    url = postgres.database()
    asyncio.run(upgrade(url))
    name = url.rpartition("/")[2]
    postgres.sql(ROLES.read_text(), database=name)
    for role, user in USERS.items():
        postgres.sql(f"CREATE ROLE {user} LOGIN IN ROLE {role}")
    asyncio.run(written(postgres.url(name, user="signer")))
    return name


async def written(url: str) -> None:
    """The worker's role appends records, and adds a checkpoint over them."""
    log = await SqlAuditLog.open(url)
    await log.append(batch(*(fact("P1", number) for number in range(TILE + 1))))
    assert await CheckpointMaker(ProofStore(log), [SigningKey.generate("example.org/trial")]).make(START) is not None
    await log.close()


def statement(verb: str, table: str) -> str:
    """A statement of this kind that changes nothing if it is let through."""
    column = next(iter(metadata.tables[table].columns)).name
    return {
        "INSERT": f"INSERT INTO {table} SELECT * FROM {table} WHERE false",  # noqa: S608
        "UPDATE": f'UPDATE {table} SET "{column}" = "{column}" WHERE false',  # noqa: S608
        "DELETE": f"DELETE FROM {table} WHERE false",  # noqa: S608
        "TRUNCATE": f"TRUNCATE {table}",
    }[verb]


def refusal(postgres: PostgresCluster, said: str, name: str, user: str) -> str:
    """How the database refuses it. Fails if it does not."""
    with pytest.raises(subprocess.CalledProcessError, match="psql") as refused:
        postgres.sql(said, database=name, user=user)
    return str(refused.value.stderr)


@pytest.mark.parametrize("verb", ["INSERT", "UPDATE", "DELETE", "TRUNCATE"])
def test_the_worker_writes_what_it_must_and_nothing_else(postgres: PostgresCluster, name: str, verb: str) -> None:
    for table in EVERY:
        if verb in WRITER.get(table, ()):
            postgres.sql(statement(verb, table), database=name, user="signer")
        else:
            assert any(word in refusal(postgres, statement(verb, table), name, "signer") for word in DENIED), table


@pytest.mark.parametrize("verb", ["INSERT", "UPDATE", "DELETE", "TRUNCATE"])
def test_a_reader_reads_everything_and_writes_nothing(postgres: PostgresCluster, name: str, verb: str) -> None:
    for table in EVERY:
        postgres.sql(f"TABLE {table} LIMIT 1", database=name, user="auditor")
        assert any(word in refusal(postgres, statement(verb, table), name, "auditor") for word in DENIED), table


def test_but_for_word_that_it_reads(postgres: PostgresCluster, name: str) -> None:
    left = "INSERT INTO waiting_acts (dedupe_key, kind, payload, actor, known_at)"
    postgres.sql(f"{left} VALUES ('k', 'safety.log.read.v1', '{{}}', 'a', 't')", database=name, user="auditor")


@pytest.mark.parametrize("user", USERS.values())
@pytest.mark.parametrize("said", ABOUT_THE_DATABASE)
def test_neither_changes_the_guards_nor_the_schema(postgres: PostgresCluster, name: str, user: str, said: str) -> None:
    assert any(word in refusal(postgres, said, name, user) for word in DENIED)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_owner_and_a_superuser_are_refused_by_the_guards(
    postgres: PostgresCluster, name: str, verb: str, table: str
) -> None:
    said = statement(verb, table).replace("WHERE false", "")
    for become in ("SET ROLE safety_owner", "SET session_replication_role = replica"):
        assert f"{table} is append-only" in refusal(postgres, f"{become}; {said}", name, "postgres")


async def test_a_reader_proves_a_record(postgres: PostgresCluster, name: str) -> None:
    log = await SqlAuditLog.open(postgres.url(name, user="auditor"), writing=False)
    assert await prove_inclusion(ProofStore(log), 7)
    await log.close()


async def test_a_worker_is_never_refused_while_its_rights_are_given_anew(postgres: PostgresCluster, name: str) -> None:
    log = await SqlAuditLog.open(postgres.url(name, user="signer"))
    given = asyncio.create_task(asyncio.to_thread(give_rights, postgres, name, times=5))
    appended = 0
    while not given.done():
        await log.append(batch(fact("P2", appended)))
        appended += 1

    await given
    await log.close()
    assert appended > 5


def give_rights(postgres: PostgresCluster, name: str, times: int) -> None:
    for _ in range(times):
        postgres.sql(ROLES.read_text(), database=name)
