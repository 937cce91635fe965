"""`verify` and `replay` as an operator runs them."""

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.audit.database import Database
from monitor.audit.log import SqlAuditLog
from monitor.audit.schema import upgrade
from monitor.cli.main import main
from tests.audit.rig import SCENARIOS, agreed, latest_time, lines_of, record_by_events_clock, simulated

LINES = lines_of(SCENARIOS[11])
UNTIL = latest_time(LINES)


@pytest.fixture
def recorded(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    async def record() -> None:
        await upgrade(sqlite_url)
        log = await SqlAuditLog.open(sqlite_url)
        await record_by_events_clock(log, LINES)
        await log.close()

    asyncio.run(record())
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", sqlite_url)
    return sqlite_url


@pytest.mark.parametrize("how", [[], ["--jobs", "2"]])
def test_verify_of_an_honest_log_says_so(recorded: str, how: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", *how]) == 0

    assert "as their facts lead to" in capsys.readouterr().out
    assert recorded


def test_verify_of_a_changed_log_exits_1_and_names_the_record(
    recorded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def tamper() -> None:
        database = Database(recorded)
        async with database.writing() as connection:
            await connection.execute(text("DROP TRIGGER audit_log_no_update"))
            await connection.execute(text("UPDATE audit_log SET payload = payload || ' ' WHERE sequence = 3"))
        await database.close()

    asyncio.run(tamper())

    assert main(["verify"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "BROKEN: record 3 of stream" in told.err
    assert "its payload is not the one that was recorded" in told.err


def test_replay_prints_what_simulate_prints(recorded: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--as-of", UNTIL.isoformat(), "--format", "json"]) == 0

    shown = json.loads(capsys.readouterr().out)
    expected = simulated(LINES, UNTIL)
    assert shown.keys() == expected.keys()
    assert (shown["until"], shown["protocol"]) == (expected["until"], expected["protocol"])
    assert agreed(shown) == agreed(expected)
    assert recorded


def test_replay_can_show_one_patient_as_text(recorded: str, capsys: pytest.CaptureFixture[str]) -> None:
    patient = next(iter(simulated(LINES, UNTIL)["patients"]))

    assert main(["replay", "--patient", patient]) == 0

    assert patient in capsys.readouterr().out
    assert recorded


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--patient", "nobody"], "knows no patient nobody"),
        (["--as-of", "yesterday"], "is not a time"),
        (["--as-of", "2025-06-30T09:00:00"], "has no zone"),
        (["--protocol", "/none.yaml"], "/none.yaml"),
    ],
)
def test_replay_refuses_what_it_cannot_use_in_one_line(
    recorded: str, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["replay", *arguments]) == 2

    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert recorded


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_without_a_log_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")

    assert main([command]) == 1

    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("bytes_", [b"no database at all, but a letter" * 200, None])
def test_a_file_that_is_no_log_or_is_cut_off_is_said_to_be_so_in_one_line(
    recorded: str, capsys: pytest.CaptureFixture[str], bytes_: bytes | None
) -> None:
    file = Path(recorded.removeprefix("sqlite:///"))
    file.write_bytes(bytes_ or file.read_bytes()[: file.stat().st_size // 2])

    assert main(["verify"]) != 0

    err = capsys.readouterr().err.splitlines()[-1]
    assert "restore it from a backup" in err
