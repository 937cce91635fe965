"""What is run after each migration: the tables have their owner, and the worker its login."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.audit.schema import upgrade
from tests.support.postgres import PostgresCluster

DEPLOY = Path(__file__).parents[2] / "deploy"
PASSWORD = "it's a \\ secret"
LATER = "ALTER TABLE patients ADD COLUMN later text; CREATE TABLE later (a int); CREATE INDEX ON outbox (state)"
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")

pytestmark = pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "worker_password"
    file.write_text(f"{PASSWORD}\n")
    return file


def apply(password: Path, *more: Path, **environment: str) -> None:
    subprocess.run(
        [str(DEPLOY / "apply-roles"), str(DEPLOY / "postgres/roles.sql"), str(password), *map(str, more)],
        env={**os.environ, **environment},
        check=True,
        timeout=60,
        capture_output=True,
    )


def connection(postgres: PostgresCluster, database: str) -> dict[str, str]:
    return {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "postgres", "PGDATABASE": database}


def rights(postgres: PostgresCluster, database: str, table: str) -> set[str]:
    """What the worker may do there."""
    may = [f"has_table_privilege('worker', '{table}', '{right}')" for right in RIGHTS]
    answers = postgres.sql(f"SELECT {', '.join(may)}", database=database).split("|")
    return {right for right, answer in zip(RIGHTS, answers, strict=True) if answer == "t"}


def owners(postgres: PostgresCluster, database: str) -> str:
    """Who owns the tables."""
    asked = "SELECT string_agg(DISTINCT tableowner, ', ') FROM pg_tables WHERE schemaname = 'public'"
    return postgres.sql(asked, database=database)


def test_the_workers_login_may_append_and_not_delete(
    postgres: PostgresCluster, postgres_url: str, password: Path
) -> None:
    database = postgres_url.rpartition("/")[2]
    asyncio.run(upgrade(postgres_url))

    for _ in range(2):  # after each migration, again
        apply(password, **connection(postgres, database))

    assert rights(postgres, database, "audit_log") == {"SELECT", "INSERT"}
    assert postgres.sql("SELECT count(*) FROM audit_log", database=database, user="worker") == "0"


def test_no_secret_is_an_argument_that_others_could_read(
    postgres: PostgresCluster, postgres_url: str, password: Path, tmp_path: Path
) -> None:
    database = postgres_url.rpartition("/")[2]
    asyncio.run(upgrade(postgres_url))
    seen = tmp_path / "seen"
    spy = tmp_path / "bin/psql"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{seen}\nexec {shutil.which("psql")} "$@"\n')
    spy.chmod(0o755)
    address = tmp_path / "safety_monitor_database_url"
    address.write_text(f"postgresql://postgres:own%20er@127.0.0.1:{postgres.port}/{database}\n")

    apply(password, address, PATH=f"{spy.parent}:{os.environ['PATH']}")

    arguments = seen.read_text()
    assert "roles.sql" in arguments
    assert not [secret for secret in (PASSWORD, "own%20er", "own er") if secret in arguments]
    assert postgres.sql("SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = 'worker'") == "t"


def test_a_login_that_owns_the_database_migrates_it_and_gives_the_rights_though_it_is_no_superuser(
    fresh_postgres: PostgresCluster, password: Path, tmp_path: Path
) -> None:
    """From nothing, and again at an upgrade that adds a table, over passwords that are asked for."""
    of_owner = "p@ss/w%rd \\"
    fresh_postgres.sql(f"CREATE ROLE deployer LOGIN CREATEROLE PASSWORD '{of_owner}'")
    fresh_postgres.sql("CREATE DATABASE trial OWNER deployer")
    fresh_postgres.admit("host all postgres 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256")
    fresh_postgres.sql("SELECT pg_reload_conf()")
    url = f"postgresql+asyncpg://deployer:p%40ss%2Fw%25rd%20%5C@127.0.0.1:{fresh_postgres.port}/trial"
    address = tmp_path / "safety_monitor_database_url"
    address.write_text(url + "\n")

    asyncio.run(upgrade(url))
    apply(password, address)
    assert rights(fresh_postgres, "trial", "audit_log") == {"SELECT", "INSERT"}

    as_owner = {"PGPASSWORD": of_owner, **connection(fresh_postgres, "trial"), "PGUSER": "deployer"}
    subprocess.run(["psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", LATER], env={**os.environ, **as_owner}, check=True)
    apply(password, address)

    assert rights(fresh_postgres, "trial", "later") == {"SELECT"}
    assert owners(fresh_postgres, "trial") == "safety_owner"
    login = {"PGPASSWORD": PASSWORD, **connection(fresh_postgres, "trial"), "PGUSER": "worker"}
    subprocess.run(["psql", "-X", "-c", "TABLE audit_log"], env={**os.environ, **login}, check=True)


def test_a_member_of_the_owner_migrates_what_is_not_its_own(
    postgres: PostgresCluster, postgres_url: str, password: Path
) -> None:
    database = postgres_url.rpartition("/")[2]
    asyncio.run(upgrade(postgres_url))
    apply(password, **connection(postgres, database))
    postgres.sql("CREATE ROLE migrates LOGIN; GRANT safety_owner TO migrates")

    postgres.sql(LATER, database=database, user="migrates")
    assert rights(postgres, database, "later") == set()
    apply(password, **connection(postgres, database))

    assert rights(postgres, database, "later") == {"SELECT"}
    assert owners(postgres, database) == "safety_owner"
