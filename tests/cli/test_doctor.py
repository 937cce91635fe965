"""`doctor` says what is wrong and how to mend it, changes nothing, and shows no secret."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.audit.examining import Examination
from monitor.audit.schema import newest_revision, upgrade
from monitor.cli.doctoring.database import _server
from monitor.cli.doctoring.symptom import State
from monitor.embedded import free_port
from monitor.protocol.model import Protocol
from monitor.settings import Settings
from tests.support.broker import Broker
from tests.support.postgres import PostgresCluster
from tests.support.worker import COMMAND

ROLES = Path(__file__).parents[2] / "deploy/postgres/roles.sql"
CANARY = "s3cret-canary"


def doctor(broker: str, url: str, *words: str, **others: str) -> "subprocess.CompletedProcess[str]":
    """One look at a house of these settings."""
    names = {"BROKER_URL": broker, "DATABASE_URL": url, "HTTP_PORT": str(free_port()), **others}
    environment = {**os.environ, **{f"SAFETY_MONITOR_{name}": value for name, value in names.items()}}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run([COMMAND, "doctor", *words], env=environment, capture_output=True, text=True, timeout=60)


def routing(folder: Path, target: str) -> str:
    """A routing file with one recipient."""
    file = folder / "routing.yaml"
    ways = "".join(f"  {priority}: {{recipients: [officer]}}\n" for priority in ("high", "medium", "low"))
    file.write_text(f"format: 1\nrecipients:\n  officer: {{url: '{target}'}}\npriorities:\n{ways}")
    return str(file)


@contextmanager
def receiver() -> Iterator[int]:
    """A port at which somebody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a log with its schema."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'log.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    asyncio.run(upgrade(url))
    return url


def test_a_house_in_order_is_well(broker: Broker, made: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run([COMMAND, "audit", "keygen", "--out", str(key)], check=True, capture_output=True)
    with receiver() as port:
        looked = doctor(
            broker.url,
            made,
            CHECKPOINT_KEY=str(key),
            CHECKPOINT_FILE=str(tmp_path / "checkpoints.txt"),
            ROUTING=routing(tmp_path, "json://127.0.0.1:1/"),
            HEARTBEAT_URL=f"http://127.0.0.1:{port}/{CANARY}",
        )
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert "0 wrong" in looked.stdout
    assert f"schema {newest_revision()}" in looked.stdout
    assert "8 topics" not in looked.stdout
    assert "11 topics, 3 partitions each" in looked.stdout
    assert Protocol.load().hash.removeprefix("sha256:")[:12] in looked.stdout
    assert "signed with 1 key" in looked.stdout
    assert CANARY not in looked.stdout + looked.stderr
    assert len(looked.stdout.splitlines()) <= 24  # one screen


def test_a_database_without_its_schema_is_wrong(broker: Broker, postgres_url: str) -> None:
    looked = doctor(broker.url, postgres_url)
    assert looked.returncode == 1
    assert "has no schema" in looked.stdout
    assert "-> safety-monitor database upgrade" in looked.stdout


def test_a_house_without_broker_and_database_is_told_on_one_page() -> None:
    away = f"postgresql://nobody:{CANARY}@127.0.0.1:{free_port()}/monitor"
    looked = doctor(f"kafka://127.0.0.1:{free_port()}", away)
    assert looked.returncode == 1
    assert "WRONG  database" in looked.stdout
    assert "WRONG  broker" in looked.stdout
    assert CANARY not in looked.stdout + looked.stderr


def test_topics_that_are_missing_are_named(bare_broker: Broker, made: str) -> None:
    looked = doctor(bare_broker.url, made)
    assert looked.returncode == 1
    assert "topics are missing" in looked.stdout
    assert "topics apply" in looked.stdout


def test_a_log_whose_guards_were_taken_away_is_wrong(
    broker: Broker, postgres: PostgresCluster, postgres_url: str
) -> None:
    asyncio.run(upgrade(postgres_url))
    database = postgres_url.rpartition("/")[2]
    postgres.sql("ALTER TABLE audit_log DISABLE TRIGGER audit_log_no_change", database=database)
    looked = doctor(broker.url, postgres_url)
    assert looked.returncode == 1
    assert "not append-only: audit_log_no_change gone or off" in looked.stdout


def test_a_login_that_could_rewrite_the_log_is_doubted_and_the_writer_s_is_not(
    broker: Broker, postgres: PostgresCluster, postgres_url: str, tmp_path: Path
) -> None:
    asyncio.run(upgrade(postgres_url))
    database = postgres_url.rpartition("/")[2]
    assert "our login could rewrite the log (DELETE, TRUNCATE, UPDATE)" in doctor(broker.url, postgres_url).stdout
    postgres.sql(ROLES.read_text(), database=database)
    postgres.sql(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'looked_at') THEN"
        " CREATE ROLE looked_at LOGIN IN ROLE safety_writer; END IF; END $$",
        database=database,
    )
    told = routing(tmp_path, "json://127.0.0.1:1/")
    looked = doctor(broker.url, postgres.url(database, "looked_at"), ROUTING=told)
    assert looked.returncode == 0, looked.stdout
    assert "rewrite" not in looked.stdout


def test_a_protocol_file_that_is_not_the_one_in_force_is_wrong(broker: Broker, tmp_path: Path, made: str) -> None:
    shipped = Path(__file__).parents[2] / "monitor/protocol/nct06754540.yaml"
    other = tmp_path / "other.yaml"
    other.write_text(shipped.read_text().replace("stop_grade: 2", "stop_grade: 3"))
    assert "the first start of a worker records it" in doctor(broker.url, made).stdout
    approval = ["protocol", "activate", str(shipped), "--approved-by", "sponsor", "--why", "start of the trial"]
    environment = {**os.environ, "SAFETY_MONITOR_DATABASE_URL": made}
    subprocess.run([COMMAND, *approval], env=environment, check=True, capture_output=True)
    assert "is in force" in doctor(broker.url, made).stdout
    looked = doctor(broker.url, made, PROTOCOL=str(other))
    assert looked.returncode == 1
    assert "is in force on the log" in looked.stdout
    assert "safety-monitor protocol activate" in looked.stdout


def test_a_protocol_file_that_cannot_be_read_is_wrong(broker: Broker, tmp_path: Path, made: str) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("id: [")
    looked = doctor(broker.url, made, PROTOCOL=str(broken))
    assert looked.returncode == 1
    assert "WRONG  protocol" in looked.stdout


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"CHECKPOINT_KEY": "/absent/key"}, "WRONG  checkpoints"),
        ({"ROUTING": "/absent/routing.yaml"}, "WRONG  channels"),
        ({"HEARTBEAT_URL": f"ftp://{CANARY}@127.0.0.1/"}, "WRONG  heartbeat"),
        ({"HEARTBEAT_URL": f"https://127.0.0.1:1/{CANARY}"}, "WRONG  heartbeat"),
    ],
)
def test_what_is_wrong_on_this_machine_is_told(
    broker: Broker, tmp_path: Path, others: Mapping[str, str], told: str
) -> None:
    looked = doctor(broker.url, f"sqlite:///{tmp_path / 'log.db'}", **others)
    assert looked.returncode == 1
    assert told in looked.stdout
    assert CANARY not in looked.stdout + looked.stderr


def test_a_port_that_another_holds_is_wrong(broker: Broker, tmp_path: Path) -> None:
    with receiver() as port:
        looked = doctor(broker.url, f"sqlite:///{tmp_path / 'log.db'}", HTTP_PORT=str(port))
    assert looked.returncode == 1
    assert "WRONG  http" in looked.stdout


def test_a_channel_that_takes_no_test_notice_is_wrong(broker: Broker, made: str, tmp_path: Path) -> None:
    file = routing(tmp_path, f"json://officer:${{OFFICER_PASSWORD}}@127.0.0.1:{free_port()}/")
    tried = {**os.environ, "OFFICER_PASSWORD": CANARY}
    names = {"BROKER_URL": broker.url, "DATABASE_URL": made, "HTTP_PORT": str(free_port()), "ROUTING": file}
    environment = {**tried, **{f"SAFETY_MONITOR_{name}": value for name, value in names.items()}}
    looked = subprocess.run([COMMAND, "doctor", "--send"], env=environment, capture_output=True, text=True, timeout=90)
    assert looked.returncode == 1
    assert "WRONG  channels    officer: " in looked.stdout
    assert CANARY not in looked.stdout + looked.stderr


@pytest.mark.parametrize(
    ("seconds", "state"), [(1.5, State.WELL), (-1.5, State.WELL), (3, State.DOUBT), (-90, State.DOUBT)]
)
def test_a_clock_that_goes_otherwise_than_the_database_s_is_doubted(seconds: float, state: State) -> None:
    seen = Examination("1", "1", rights=frozenset({"SELECT", "INSERT"}), skew=timedelta(seconds=seconds))
    (clock,) = (each for each in _server(Settings(), seen) if each.part == "clock")
    assert clock.state is state
    assert f"{seconds:+.1f} s" in clock.said


@pytest.mark.parametrize(("clock", "state"), [("system", "WRONG  channels"), ("events", "doubt  channels")])
def test_a_house_where_nobody_is_told_is_wrong_unless_it_back_fills(
    broker: Broker, made: str, clock: str, state: str
) -> None:
    assert state in doctor(broker.url, made, CLOCK=clock).stdout
