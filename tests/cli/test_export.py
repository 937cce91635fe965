"""`export` and `verify --export` as an operator and an inspector run them."""

import asyncio
import json
from hashlib import sha256
from pathlib import Path

import pytest

from monitor.audit.kinds import EXPORT_MADE, SYSTEM
from monitor.audit.log import SqlAuditLog
from monitor.audit.records import Record
from monitor.audit.schema import upgrade
from monitor.cli.main import main
from tests.audit.rig import SCENARIOS, lines_of, record_by_events_clock

LINES = lines_of(SCENARIOS[11])
PATIENT = json.loads(LINES[0])["subject"]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'log.db'}"

    async def record() -> None:
        await upgrade(url)
        log = await SqlAuditLog.open(url)
        await record_by_events_clock(log, LINES)
        await log.close()

    asyncio.run(record())
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)
    monkeypatch.setenv("SAFETY_MONITOR_ACTOR", "monitor-4")
    monkeypatch.chdir(tmp_path)
    return url


def exports_in(url: str) -> list[Record]:
    async def read() -> list[Record]:
        log = await SqlAuditLog.open(url, writing=False)
        try:
            return [record for record in await log.stream(SYSTEM) if record.kind == EXPORT_MADE]
        finally:
            await log.close()

    return asyncio.run(read())


@pytest.mark.parametrize("out", ["copy", "copy.zip"])
def test_an_export_is_recorded_with_who_made_it_and_what_it_was(recorded: str, tmp_path: Path, out: str) -> None:
    assert main(["export", "--out", out, "--patient", PATIENT]) == 0

    [record] = exports_in(recorded)
    told = json.loads(record.payload)
    assert record.actor == "monitor-4"
    assert told["filters"] == {"patient": PATIENT, "since": None, "until": None}
    assert told["head"]["sequence"] == record.sequence - 1
    if out == "copy":
        assert told["manifest_sha256"] == sha256((tmp_path / out / "manifest.json").read_bytes()).hexdigest()


@pytest.mark.parametrize("out", ["copy", "copy.zip"])
@pytest.mark.parametrize("filters", [[], ["--patient", PATIENT]])
@pytest.mark.parametrize("how", [[], ["--jobs", "2"]])
def test_verify_of_an_export_needs_no_log_and_derives_its_decisions_again(
    recorded: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    out: str,
    filters: list[str],
    how: list[str],
) -> None:
    assert main(["export", "--out", out, *filters]) == 0
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", "sqlite:////nowhere/log.db")

    assert main(["verify", "--export", out, *how]) == 0

    told = capsys.readouterr().out
    assert "WHOLE" in told
    assert "decisions of 1 patients as their facts lead to" in told
    assert recorded


def test_verify_of_a_changed_export_exits_1_and_names_the_record(
    recorded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--out", "copy", "--format", "jsonl"]) == 0
    assert not Path("copy/records.csv").exists()
    path = Path("copy/records.jsonl")
    path.write_text(path.read_text(encoding="utf-8").replace('"sequence":3,', '"sequence":4,'), encoding="utf-8")

    assert main(["verify", "--export", "copy"]) == 1

    told = capsys.readouterr()
    assert "BROKEN: record 3: is missing: the export goes on at 4" in told.err
    assert recorded


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export", "--out", "copy", "--patient", "nobody"], "the log knows no patient nobody"),
        (["export", "--out", "copy", "--since", "2025-06-30"], "has no zone"),
        (["export", "--out", "none/copy"], "there is no folder none"),
        (["export", "--out", "log.db"], "never written over"),
        (["verify", "--export", "nothing"], "there is no export at nothing"),
        (["verify", "--export", ".", "--keys", "nothing"], "nothing cannot be read"),
        (["verify", "--export", "copy", "--since", "file"], "--checkpoint and --since are for the log"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_and_leaves_nothing(
    recorded: str, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(arguments) == 2

    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert exports_in(recorded) == []
    assert not [path for path in Path().iterdir() if not path.name.startswith("log.db")]
