import asyncio
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from monitor.audit.schema import upgrade
from tests.support.postgres import PostgresCluster

DEPLOY = Path(__file__).parents[2] / "deploy"
psql = pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed (Debian: postgresql-client)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the script, so that its secrets lie here."""
    shutil.copy(DEPLOY / "make-secrets", tmp_path)
    return tmp_path


def make(folder: Path) -> dict[str, str]:
    subprocess.run([str(folder / "make-secrets")], check=True, timeout=30)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_secrets_are_made_once_and_fit_together(folder: Path) -> None:
    first = make(folder)

    assert make(folder) == first
    assert first["worker_database_url"] == f"postgresql://worker:{first['worker_password']}@postgres:5432/monitor"
    assert first["postgres_password"] not in first["worker_database_url"]
    assert len(set(first.values())) == len(first)


def test_nobody_else_may_look_into_the_folder(folder: Path) -> None:
    make(folder)

    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700


@psql
def test_the_workers_login_may_append_and_not_delete(
    postgres: PostgresCluster, postgres_url: str, tmp_path: Path
) -> None:
    database = postgres_url.rpartition("/")[2]
    password = tmp_path / "worker_password"
    password.write_text("it's a \\ secret")
    asyncio.run(upgrade(postgres_url))

    for _ in range(2):  # after each migration, again
        subprocess.run(
            [str(DEPLOY / "apply-roles"), str(DEPLOY / "postgres/roles.sql"), str(password)],
            env={
                **os.environ,
                "PGHOST": "127.0.0.1",
                "PGPORT": str(postgres.port),
                "PGUSER": "postgres",
                "PGDATABASE": database,
            },
            check=True,
            timeout=60,
            capture_output=True,
        )

    def may(right: str) -> str:
        return postgres.sql(f"SELECT has_table_privilege('worker', 'audit_log', '{right}')", database=database)

    assert [may(right) for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")] == ["t", "t", "f", "f", "f"]
    assert postgres.sql("SELECT count(*) FROM audit_log", database=database, user="worker") == "0"
