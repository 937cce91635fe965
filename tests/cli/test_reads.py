"""Whoever reads patients' data stands on the log before anything is shown."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import insert

from monitor.audit.acts import ActsTaker, act, record_act, take_over, take_over_left
from monitor.audit.kinds import EXPORT_MADE, LOG_READ, SYSTEM
from monitor.audit.log import SqlAuditLog
from monitor.audit.records import Record
from monitor.audit.schema import upgrade
from monitor.audit.spool import Spool
from monitor.audit.tables import waiting_acts
from monitor.cli.main import main
from monitor.clock import WallClock
from monitor.errors import UsageError
from tests.audit.given import START, at, batch, fact
from tests.audit.rig import SCENARIOS, lines_of, record_by_events_clock
from tests.support.memory_log import MemoryAuditLog
from tests.support.postgres import PostgresCluster

LINES = lines_of(SCENARIOS[11])
PATIENT = json.loads(LINES[0])["subject"]
ROLES = Path(__file__).parents[2] / "deploy" / "postgres" / "roles.sql"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'log.db'}"

    async def record() -> None:
        await upgrade(url)
        log = await SqlAuditLog.open(url)
        await record_by_events_clock(log, LINES)
        await log.close()

    asyncio.run(record())
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)
    monkeypatch.setenv("SAFETY_MONITOR_ACTOR", "monitor-4")
    return url


async def reads(log: SqlAuditLog | MemoryAuditLog) -> list[Record]:
    return [record for record in await log.stream(SYSTEM) if record.kind == LOG_READ]


def reads_in(url: str) -> list[Record]:
    async def read() -> list[Record]:
        log = await SqlAuditLog.open(url, writing=False)
        try:
            return await reads(log)
        finally:
            await log.close()

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("arguments", "patient"),
    [
        (["timeline", PATIENT], PATIENT),
        (["explain", "dd8332527bdc0d2c"], PATIENT),
        (["diff", "enrolment"], None),
        (["replay", "--patient", PATIENT], PATIENT),
        (["replay"], None),
        (["alerts"], None),
        (["alerts", "--patient", PATIENT, "--format", "json"], PATIENT),
    ],
)
def test_a_command_that_shows_patients_data_is_recorded_with_its_actor(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], patient: str | None
) -> None:
    assert main(arguments) == 0

    [record] = reads_in(url)
    told = json.loads(record.payload)
    assert (record.actor, told["command"], told["patient"]) == ("monitor-4", arguments[0], patient)
    assert capsys.readouterr().err == ""
    assert main(["verify"]) == 0


def test_without_an_actor_the_login_name_stands(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAFETY_MONITOR_ACTOR")
    monkeypatch.setenv("LOGNAME", "zhang")

    assert main(["alerts"]) == 0

    assert [record.actor for record in reads_in(url)] == ["zhang"]


def test_recording_of_reads_can_be_switched_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFETY_MONITOR_RECORD_READS", "false")

    assert main(["timeline", PATIENT]) == 0

    assert reads_in(url) == []


def test_what_shows_nothing_is_not_recorded(url: str) -> None:
    assert main(["timeline", "nobody"]) == 2

    assert reads_in(url) == []


def test_while_a_worker_writes_reads_wait_beside_the_log_until_it_takes_them_over(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = asyncio.new_event_loop()
    log = writer.run_until_complete(SqlAuditLog.open(url))
    assert main(["timeline", PATIENT]) == 0
    assert main(["export", "--out", str(tmp_path / "copy")]) == 0
    assert "recorded by the worker in a moment" in capsys.readouterr().out
    assert reads_in(url) == []
    taker = ActsTaker(partial(take_over, log, Spool(tmp_path / "log.db")), WallClock())

    taker.stop()
    writer.run_until_complete(taker.run())

    assert len(writer.run_until_complete(reads(log))) == 1
    writer.run_until_complete(log.close())
    writer.close()
    assert (tmp_path / "log.db.waiting").read_bytes() == b""
    assert (tmp_path / "log.db.waiting").stat().st_mode & 0o777 == 0o600


def test_what_waits_is_taken_over_by_the_next_command_too(url: str, tmp_path: Path) -> None:
    Spool(tmp_path / "log.db").add(act(LOG_READ, {"patient": None}, actor="earlier", at=START))

    assert main(["alerts"]) == 0

    assert [record.actor for record in reads_in(url)] == ["earlier", "monitor-4"]


async def test_what_is_taken_over_twice_is_recorded_once_and_half_a_line_never(tmp_path: Path) -> None:
    log, spool = MemoryAuditLog(), Spool(tmp_path / "log.db")
    spool.add(act(LOG_READ, {"patient": None}, actor="reader", at=START))
    line = (tmp_path / "log.db.waiting").read_bytes()

    taken = [await take_over(log, spool, START)]
    (tmp_path / "log.db.waiting").write_bytes(line + line[:20])  # killed after the append, and while another was added
    taken.append(await take_over(log, spool, START))

    assert taken == [1, 1]
    assert [record.known_at for record in await reads(log)] == [START]
    assert await take_over(log, spool, START) == 0


async def test_what_is_added_behind_half_a_line_waits_whole_and_under_the_key_of_its_patient(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "log.db")
    (tmp_path / "log.db.waiting").write_bytes(b'{"actor":"kil')
    said = replace(act(LOG_READ, {"patient": "SH-001"}, actor="reader", at=START), keyed_by="patient/SH-001")

    spool.add(said)

    with spool.taken() as waiting:
        assert waiting == [said]


@pytest_asyncio.fixture
async def roles(postgres: PostgresCluster) -> AsyncIterator[Callable[[str], str]]:
    """The URL of a database by who is logged in: `reader`, `writer`, or `nobody` of any role of ours."""
    owner = postgres.database()
    database = owner.rsplit("/", 1)[1]
    await upgrade(owner)
    postgres.sql(ROLES.read_text(encoding="utf-8"), database=database)
    for name in ("reader", "writer"):
        postgres.sql(f"CREATE ROLE {name}_{database} LOGIN IN ROLE safety_{name}")
    postgres.sql(f"CREATE ROLE nobody_{database} LOGIN")
    postgres.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO nobody_{database}", database=database)
    yield lambda name: postgres.url(database, f"{name}_{database}")


async def test_a_role_that_may_write_nothing_else_leaves_word_that_it_reads_and_the_worker_records_it(
    roles: Callable[[str], str],
) -> None:
    first = act(LOG_READ, {"command": "timeline", "patient": "SH-001", "asked": {}}, actor="monitor-4", at=START)
    exported = act(EXPORT_MADE, {"records": 3, "patient": None}, actor="monitor-4", at=START)
    for record in (first, exported):
        assert await record_act(roles("reader"), record, START) is None
    worker = await SqlAuditLog.open(roles("writer"))

    taken = [await take_over_left(worker, at(1)), await take_over_left(worker, at(2))]

    told = {record.kind: record for record in await worker.stream(SYSTEM)}
    await worker.close()
    assert taken == [2, 0]
    assert set(told) == {LOG_READ, EXPORT_MADE}
    read = told[LOG_READ]
    assert (read.actor, read.known_at, read.recorded_at) == ("monitor-4", START, at(1))
    shown = json.loads(read.payload)
    assert shown["login"].startswith("reader_monitor_")
    assert (shown["command"], shown["patient"]) == ("timeline", "SH-001")


async def test_what_is_left_cannot_pass_for_anything_else(
    postgres: PostgresCluster, roles: Callable[[str], str]
) -> None:
    url = roles("reader")
    user, database = url.split("/")[2].split("@")[0], url.rsplit("/", 1)[1]
    columns = "INSERT INTO waiting_acts (dedupe_key, kind, payload, actor, known_at"
    for statement in (
        f"{columns}) VALUES ('k', 'safety.alert.raised.v1', '{{}}', 'a', 'now')",
        f"{columns}, login) VALUES ('k', 'safety.log.read.v1', '{{}}', 'a', 'now', 'somebody')",
    ):
        with pytest.raises(subprocess.CalledProcessError):
            postgres.sql(statement, database=database, user=user)
    postgres.sql(f"{columns}) VALUES ('k', 'safety.log.read.v1', 'no json', 'a', 'now')", database=database, user=user)
    worker = await SqlAuditLog.open(roles("writer"))

    await take_over_left(worker, START)

    [record] = await worker.stream(SYSTEM)
    await worker.close()
    assert json.loads(record.payload)["unreadable"] == "no json"


@pytest.mark.parametrize(
    "payload", ['{"asked": ' + "[" * 4000 + "]" * 4000 + "}", r'{"asked": "\ud800"}', r'{"asked": "\udc00x\udc00"}']
)
async def test_whatever_is_left_is_recorded_and_holds_nobody_up(tmp_path: Path, payload: str) -> None:
    log = await left_on(tmp_path, payload=payload, known_at="9999-12-31T23:59:59-14:00")

    assert await take_over_left(log, START) == 1
    assert await take_over_left(log, START) == 0

    [record] = await reads(log)
    await log.close()
    assert json.loads(record.payload)["unreadable"] == payload


async def test_what_is_left_keeps_no_other_record_out(tmp_path: Path) -> None:
    log = await left_on(tmp_path, dedupe_key="key of a result that is yet to come")
    await take_over_left(log, START)

    made = await log.append(batch(fact(dedupe_key="key of a result that is yet to come")))

    await log.close()
    assert len(made) == 1


async def left_on(folder: Path, **said: str) -> SqlAuditLog:
    """A log beside which a role left this. SQLite has the table, too."""
    url = f"sqlite:///{folder / 'log.db'}"
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    left = {"dedupe_key": "act/1", "kind": LOG_READ, "payload": "{}", "actor": "reader", "known_at": "now"} | said
    await log.database.write(lambda connection: connection.execute(insert(waiting_acts).values(left)))
    return log


async def test_a_role_that_may_not_record_may_not_read_unrecorded(roles: Callable[[str], str]) -> None:
    record = act(LOG_READ, {"patient": None}, actor="reader", at=START)

    with pytest.raises(UsageError, match="may not record that it reads"):
        await record_act(roles("nobody"), record, START)
    made = await record_act(roles("writer"), record, START)

    assert made is not None
