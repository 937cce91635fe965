"""The recipes of docs/operations.md: what was backed up and restored is whole, and goes on."""

import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from monitor.audit.database import Database
from monitor.audit.log import SqlAuditLog
from monitor.audit.opening import UNREADABLE
from monitor.audit.ports import AuditLog
from monitor.audit.proof.anchors import Anchors
from monitor.audit.proof.store import ProofStore
from monitor.audit.read_models import folded, kept
from monitor.audit.redacting import planning
from monitor.audit.redacting.request import Request
from monitor.audit.schema import is_current, upgrade
from monitor.audit.verify import verify
from tests.audit.export.rig import filled
from tests.audit.given import batch, fact
from tests.audit.rig import PROTOCOL, SCENARIOS, lines_of, record_by_events_clock
from tests.support.postgres import PostgresCluster, find_programs

LINES = lines_of(SCENARIOS[11])
PATIENT = "patient/SH-001"
ROOT = Path(__file__).parents[2]
POSTGRES = ROOT / "deploy/postgres"
RESTORING = "createdb|pg_restore|psql"
KEYS_ALONE = ("--data-only", "--table=payload_keys", "--table=wrapping_keys")
WITHOUT_KEYS = ("--exclude-table-data=payload_keys", "--exclude-table-data=wrapping_keys")


@pytest.fixture
async def given_rights(postgres: PostgresCluster) -> str:
    """The URL of a new log whose roles have their rights, so that a dump of it names them."""
    url = postgres.database()
    await (await recorded_at(url)).close()
    postgres.sql((POSTGRES / "roles.sql").read_text(), database=url.rpartition("/")[2])
    return url


async def test_a_dump_of_postgresql_restores_to_a_log_that_is_whole(
    given_rights: str, fresh_postgres: PostgresCluster, tmp_path: Path
) -> None:
    """On another cluster, where none of the roles is that the dump names."""
    log = await SqlAuditLog.open(given_rights)
    head = await log.head()

    follow("Backup", "pg_dump", tmp_path, DATABASE=given_rights)
    await log.append(batch(fact(stream="system")))  # the dump is of its moment, whatever comes after
    await log.close()
    follow("Restore", RESTORING, tmp_path, name="restored", **server(fresh_postgres))

    await holds(fresh_postgres.url("restored"), head.sequence)
    await worker_goes_on(fresh_postgres, "restored")


async def test_keys_are_restored_apart_where_none_of_the_roles_is(
    given_rights: str, fresh_postgres: PostgresCluster, tmp_path: Path
) -> None:
    log = await SqlAuditLog.open(given_rights)
    await redact_last(log)
    head = await log.head()
    await log.close()

    follow("After a redaction", "pg_dump", tmp_path, DATABASE=given_rights)
    follow("After a redaction", RESTORING, tmp_path, name="apart", **server(fresh_postgres))

    log = await SqlAuditLog.open(fresh_postgres.url("apart"))
    assert await log.erase_again() == (0, 0)
    await log.close()
    await holds(fresh_postgres.url("apart"), head.sequence)
    await worker_goes_on(fresh_postgres, "apart")


async def test_a_log_is_blind_without_its_keys_and_whole_once_they_are_restored(
    postgres: PostgresCluster, tmp_path: Path
) -> None:
    url = postgres.database()
    log = await recorded_at(url)
    await redact_last(log)
    head = await log.head()
    dump(url, tmp_path / "log.dump", *WITHOUT_KEYS)
    await log.append(batch(fact(stream="system")))  # the keys are dumped a moment later
    dump(url, tmp_path / "keys.dump", *KEYS_ALONE)
    await log.close()

    restored = postgres.database()
    restore(restored, tmp_path / "log.dump", "--no-owner")
    log = await SqlAuditLog.open(restored, writing=False)
    assert {record.payload for record in await log.stream(PATIENT)} == {UNREADABLE}
    assert "key of its payload is gone" in str((await verify(log, PROTOCOL)).broken)
    await log.close()

    restore(restored, tmp_path / "keys.dump", "--data-only")
    log = await SqlAuditLog.open(restored)
    assert await log.erase_again() == (0, 1)
    await log.close()
    await holds(restored, head.sequence)


async def test_keys_from_before_a_redaction_do_not_bring_back_what_it_erased(
    postgres: PostgresCluster, tmp_path: Path
) -> None:
    url = postgres.database()
    log = await recorded_at(url)
    dump(url, tmp_path / "keys.dump", *KEYS_ALONE)
    erased = await redact_last(log)  # by a record whose own key is in no dump
    dump(url, tmp_path / "log.dump", *WITHOUT_KEYS)
    await log.close()
    restored = postgres.database()
    restore(restored, tmp_path / "log.dump", "--no-owner")
    restore(restored, tmp_path / "keys.dump", "--data-only")

    log = await SqlAuditLog.open(restored)
    assert await log.erase_again() == (1, 0)
    kept_back = next(record for record in await log.stream(PATIENT) if record.sequence == erased)
    assert kept_back.payload == UNREADABLE
    assert await log.erase_again() == (0, 0)
    await log.close()


def follow(heading: str, programs: str, folder: Path, *, name: str = "", **environment: str) -> None:
    """Run the lines of docs/operations.md under this heading that begin with these programs, as they stand there."""
    _, _, after = (ROOT / "docs/operations.md").read_text().partition(f"\n## {heading}\n")
    lines = re.findall(rf"^ +((?:{programs}) .*)$", after.partition("\n## ")[0], re.MULTILINE)
    assert lines
    shutil.copy(POSTGRES / "roles.sql", folder)
    found = {"PATH": f"{find_programs()}:{os.environ['PATH']}"}  # of the version that the cluster runs
    script = "\n".join(lines).replace("NAME", name)
    subprocess.run(["sh", "-ec", script], cwd=folder, env=found | environment, check=True, capture_output=True)


def server(cluster: PostgresCluster) -> dict[str, str]:
    return {"PGHOST": "127.0.0.1", "PGPORT": str(cluster.port), "PGUSER": "postgres"}


async def worker_goes_on(cluster: PostgresCluster, database: str) -> None:
    """The worker's own role appends to the log there."""
    cluster.sql(f"CREATE ROLE worker_{database} LOGIN IN ROLE safety_writer")
    log = await SqlAuditLog.open(cluster.url(database, f"worker_{database}"))
    await log.append(batch(fact("by the worker")))
    await log.close()


async def recorded_at(url: str) -> SqlAuditLog:
    """A new log there, with a patient's history on it."""
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    await record_by_events_clock(log, LINES)
    return log


async def redact_last(log: SqlAuditLog) -> int:
    """Redact the patient's last fact; its sequence."""
    *_, last = [record for record in await log.stream(PATIENT) if record.origin is not None]
    why = Request("a name was entered", "officer-3", last.recorded_at)
    await log.erase((await planning.of_record(log, PROTOCOL, last.sequence, why)).erasure)
    return last.sequence


async def test_a_backup_of_sqlite_under_a_writer_is_a_log_that_is_whole(sqlite_url: str, tmp_path: Path) -> None:
    log = await recorded_at(sqlite_url)
    head = await log.head()

    with closing(sqlite3.connect(tmp_path / "log.db")) as source, closing(sqlite3.connect(tmp_path / "b.db")) as target:
        source.backup(target)
    await log.append(batch(fact(stream="system")))

    await log.close()
    await holds(f"sqlite:///{tmp_path / 'b.db'}", head.sequence)


async def test_a_backup_that_is_older_than_a_checkpoint_says_how_old(sqlite_url: str, tmp_path: Path) -> None:
    await upgrade(sqlite_url)
    log = await SqlAuditLog.open(sqlite_url)
    await filled(log, rounds=2)
    with closing(sqlite3.connect(tmp_path / "log.db")) as source, closing(sqlite3.connect(tmp_path / "b.db")) as target:
        source.backup(target)
    await filled(log, rounds=2)
    newest = Anchors([], ProofStore(log))
    backup = await SqlAuditLog.open(f"sqlite:///{tmp_path / 'b.db'}", writing=False)

    verdict = await verify(backup, PROTOCOL, anchors=newest)

    await backup.close()
    await log.close()
    assert "record 9: is missing: the checkpoint of 16 records" in str(verdict.broken)


async def holds(url: str, records: int) -> None:
    """The log there is whole up to that record, its decisions too; its tables fit; it is guarded; it goes on."""
    assert await is_current(url)
    log = await SqlAuditLog.open(url)
    verdict = await verify(log, PROTOCOL)
    assert (verdict.broken, verdict.differs, verdict.records) == (None, (), records)
    assert (await folded(log, PROTOCOL)).differing(await kept(log)) == []
    await log.append(batch(fact("goes on")))
    assert await whole(log)
    await log.close()
    database = Database(url)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.writing() as connection:
            await connection.execute(text("UPDATE audit_log SET actor = 'nobody'"))
    await database.close()


async def whole(log: AuditLog) -> bool:
    return (await verify(log, PROTOCOL)).broken is None


def dump(url: str, file: Path, *which: str) -> None:
    run("pg_dump", "--format=custom", *which, f"--file={file}", url)


def restore(url: str, file: Path, *how: str) -> None:
    run("pg_restore", "--exit-on-error", *how, f"--dbname={url}", str(file))


def run(program: str, *arguments: str) -> None:
    """One of PostgreSQL's programs, of the version that the cluster runs."""
    folder = find_programs()
    found = shutil.which(program, path=str(folder))
    assert found is not None
    subprocess.run([found, *arguments], check=True, capture_output=True)
