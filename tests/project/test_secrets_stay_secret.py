"""No secret is ever shown: all commands, the worker at debug, its site, tracebacks, and every row of the database."""

import asyncio
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.audit.database import Database
from monitor.audit.schema import upgrade
from monitor.cli.commands import COMMANDS
from monitor.cli.main import main
from monitor.embedded import free_port
from tests.engine.wire import azacitidine, blasts, enrolment, put
from tests.support.broker import Broker, settings_for
from tests.support.postgres import PostgresCluster
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import COMMAND, WorkerProcess, worker_process

MARK = "c4nary"  # stands in each secret, and nowhere else
SECRETS: Mapping[str, str] = {
    "safety_monitor_database_password": f"{MARK}-database",
    "safety_monitor_http_token": f"{MARK}-token-of-the-site",
    "safety_monitor_heartbeat_url": f"http://127.0.0.1:1/{MARK}-heartbeat",
    "officer_password": f"{MARK}-channel",
}
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "timeline": ("SH-001",),
    "explain": ("al-unknown",),
    "acknowledge": ("al-unknown", "--note", "seen"),
    "shelve": ("al-unknown", "--note", "seen", "--until", "2099-01-01T00:00:00Z"),
    "resolve": ("al-unknown", "--note", "seen"),
    "diff": ("SH-001", "--from", "2025-03-01T00:00:00Z", "--to", "2025-04-01T00:00:00Z"),
    "publish": ("/dev/null",),
    "simulate": ("/dev/null",),
    "generate": ("--patients", "1", "--seed", "1"),
    "replay": ("--format", "json"),
    "doctor": ("--send",),
    "database rebuild": ("--check",),
    "audit checkpoint": ("--make",),
}
OWN = ("demo", "worker")  # the one is all of it again, the other is run by itself below


def words() -> Iterator[tuple[str, ...]]:
    """Every command of the command line."""
    for word, target in COMMANDS.items():
        if word not in OWN:
            yield from [(word,)] if isinstance(target, str) else [(word, second) for second in target]


@dataclass(frozen=True)
class House:
    """A worker with all its secrets in files, on PostgreSQL."""

    worker: WorkerProcess
    key: str
    folder: Path

    def secrets(self) -> list[str]:
        """What nobody may see."""
        return [MARK, self.key]


@pytest.fixture
def house(broker: Broker, postgres: PostgresCluster, postgres_url: str, tmp_path: Path) -> Iterator[House]:  # noqa: ARG001
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, value in SECRETS.items():
        (secrets / name).write_text(value)
    routing = tmp_path / "routing.yaml"
    ways = "".join(f"  {priority}: {{recipients: [officer]}}\n" for priority in ("high", "medium", "low"))
    target = f"json://officer:${{OFFICER_PASSWORD}}@127.0.0.1:{free_port()}/"
    routing.write_text(f"format: 1\nrecipients:\n  officer: {{url: '{target}'}}\npriorities:\n{ways}")
    key = tmp_path / "key"
    subprocess.run([COMMAND, "audit", "keygen", "--out", str(key)], check=True, capture_output=True)
    asyncio.run(upgrade(postgres_url))
    others = {
        "SECRETS_DIR": str(secrets),
        "ROUTING": str(routing),
        "CHECKPOINT_KEY": str(key),
        "CHECKPOINT_FILE": str(tmp_path / "checkpoints.txt"),
        "CLOCK": "system",
        "LOG_LEVEL": "DEBUG",
        "DEBUG": "1",  # tracebacks behind the lines
    }
    with worker_process(broker, postgres_url, tmp_path, **others) as worker:
        yield House(worker, key.read_text().strip().split("+", 4)[4], tmp_path)


def test_nothing_that_a_working_house_says_or_keeps_holds_a_secret(
    house: House, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    worker = house.worker
    worker.start()
    wait_until(lambda: worker.probe("readyz").get("ready") is True, f"it is ready; it said {worker.said()}")
    reach = settings_for(worker.broker)
    put(reach, "safety.patient", [(b"SH-001", enrolment("SH-001"))])
    put(reach, "safety.treatment", [(b"SH-001", azacitidine("SH-001", 1))])
    put(reach, "safety.clinical", [(b"SH-001", blasts("SH-001", 2)), (b"SH-001", b"no event")])
    wait_until(lambda: recorded_messages(worker.database_url) == 4, "the messages are on the log")
    wait_until(lambda: "notice" in worker.log.read_text(), "a notice was tried", limit=30)
    said = {"/metrics": worker.fetch("metrics"), "/readyz": worker.fetch("readyz")}
    monkeypatch.chdir(house.folder)
    for name, value in worker.environment.items():
        monkeypatch.setenv(name, value)
    for word in words():  # in this process: three dozen starts of another would take minutes
        main([*word, *ARGUMENTS.get(" ".join(word), ())])
        said[" ".join(word)] = "".join(capfd.readouterr())
    worker.stop()
    said["the worker"] = worker.log.read_text()
    said["the database"] = asyncio.run(everything(worker.database_url))
    said["the checkpoints"] = (house.folder / "checkpoints.txt").read_text()
    assert "SH-001" in said["the database"]
    shown = {where: secret for where, text in said.items() for secret in house.secrets() if secret in text}
    assert shown == {}


async def everything(url: str) -> str:
    """Every row of every table."""
    database = Database(url, writing=False)
    try:
        async with database.reading() as connection:
            names = (
                await connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ).scalars()
            rows = [
                str(row)
                for name in names
                for row in await connection.exec_driver_sql(f'SELECT t::text FROM "{name}" t')  # noqa: S608 - our own tables
            ]
            return "\n".join(rows)
    finally:
        await database.close()


@pytest.mark.parametrize(
    "others",
    [
        {"DATABASE_URL": f"postgresql://u:{MARK}-in-the-url@127.0.0.1:1/d"},
        {"DATABASE_URL": f"mysql://u:{MARK}@h/d"},
        {"DATABASE_URL": f"postgresql://u:{MARK}@h:port/d"},
        {"BROKER_URL": f"kafka://u:{MARK}@h:1"},
        {"BROKER_USERNAME": "u", "BROKER_PASSWORD": f"{MARK}-broker"},
        {"BROKER_PASSWORD": f"{MARK}-alone"},
        {"HTTP_TOKEN": MARK},
        {"ROUTING": f"/absent/{'x' * 8}", "HEARTBEAT_URL": f"{MARK}://nothing"},
        {"STUCK_AFTER": "1", "HTTP_TOKEN": f"{MARK}-long-enough-a-token"},
    ],
    ids=lambda others: ",".join(others),
)
@pytest.mark.parametrize("word", [("doctor",), ("topics", "apply")], ids=" ".join)
def test_no_failure_shows_a_secret_not_even_in_its_traceback(
    others: Mapping[str, str],
    word: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    names = {"DATABASE_URL": f"sqlite:///{tmp_path / 'log.db'}", "BROKER_URL": "kafka://127.0.0.1:1", **others}
    for name, value in {**names, "DEBUG": "1"}.items():
        monkeypatch.setenv(f"SAFETY_MONITOR_{name}", value)
    assert main(list(word)) != 0
    assert MARK not in "".join(capfd.readouterr())
