"""`redact` says what it erased, what stays, and what it cannot reach."""

import asyncio
from pathlib import Path

import pytest

from monitor.audit.kinds import RECORD_REDACTED, patient_stream
from monitor.audit.log import SqlAuditLog
from monitor.audit.records import Record
from monitor.audit.schema import upgrade
from monitor.cli.main import main
from monitor.notify.receipts import Attempt
from tests.audit.given import START, batch, notice
from tests.audit.test_redaction import EVENT, LINES, NAME, WHY, record


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'log.db'}"

    async def fill() -> None:
        await upgrade(url)
        log = await SqlAuditLog.open(url)
        await record(log, LINES)
        await log.close()

    asyncio.run(fill())
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)
    monkeypatch.setenv("SAFETY_MONITOR_ACTOR", "officer-3")
    return url


def found(url: str, kind: str) -> Record:
    async def read() -> Record:
        log = await SqlAuditLog.open(url, writing=False)
        try:
            return next(each for each in await log.stream(patient_stream("SH-001")) if each.kind == kind)
        finally:
            await log.close()

    return asyncio.run(read())


def alert_of(url: str) -> str:
    """An alert that rests on the adverse event."""

    async def read() -> str:
        log = await SqlAuditLog.open(url, writing=False)
        try:
            return next(row.alert_id for row in await log.alerts() if row.rule == "report.susar-clock")
        finally:
            await log.close()

    return asyncio.run(read())


def test_a_record_is_redacted_and_all_that_reads_it_says_so(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    sequence = found(url, EVENT).sequence

    assert main(["redact", str(sequence), "--why", WHY]) == 0

    told = capsys.readouterr().out
    act = found(url, RECORD_REDACTED)
    assert f"Record {sequence} is redacted by record {act.sequence}; left: " in told
    assert "safety.quarantine" in told
    assert NAME not in told
    assert act.actor == "officer-3"
    for command in (["diff", "ae"], ["timeline", "SH-001"], ["verify"], ["database", "rebuild", "--check"]):
        assert main(command) == 0, command
    told = capsys.readouterr().out
    assert main(["explain", alert_of(url)]) == 0
    assert f"by officer-3: {WHY}" in capsys.readouterr().out
    assert f"by officer-3: {WHY}" in told
    assert f"redacted records {sequence}, by officer-3: {WHY}" in told
    assert "1 records are redacted, each by a record that says who did it and why" in told


def test_an_alert_of_which_a_receipt_was_erased_is_explained(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def receipt() -> int:
        log = await SqlAuditLog.open(url)
        row = notice(alert_id=alert)
        sent = Attempt(
            row_id=row.row_id, message_id="m-1", alert_id=alert, change="raised", recipient="officer", channel="mail",
            attempt=1, outcome="delivered", then="done", detail="accepted", elapsed_ms=1, digest="",
        )  # fmt: skip
        [written] = await log.append(batch(sent.record(row, START)))
        await log.close()
        return written.sequence

    alert = alert_of(url)
    sequence = asyncio.run(receipt())
    assert main(["redact", str(sequence), "--whole", "--why", WHY]) == 0

    assert main(["explain", alert]) == 0

    assert "nobody, so far" in capsys.readouterr().out


@pytest.mark.usefixtures("url")
def test_a_patient_is_erased(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["redact", "--patient", "SH-001", "--why", WHY]) == 0

    told = capsys.readouterr().out
    assert "all that was known of patient SH-001 is erased" in told
    assert "No longer told of: report.susar-clock" in told
    assert main(["verify"]) == 0
    assert "not re-derivable: redacted: 1 patients" in capsys.readouterr().out
    assert main(["export", "--out", str(tmp_path / "copy")]) == 0
    assert main(["verify", "--export", str(tmp_path / "copy")]) == 0
    assert NAME not in (tmp_path / "copy" / "records.jsonl").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["1"], "say why"),
        (["--why", "x"], "name the records, or one --patient"),
        (["1", "--patient", "SH-001", "--why", "x"], "name the records, or one --patient"),
        (["999", "--why", "x"], "the log has no record 999"),
        (["--patient", "SH-999", "--why", "x"], "the log knows no patient SH-999"),
    ],
)
@pytest.mark.usefixtures("url")
def test_what_cannot_be_redacted_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["redact", *arguments]) == 2

    assert said in capsys.readouterr().err


def test_beside_a_worker_a_sqlite_log_is_not_redacted(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def beside() -> int:
        log = await SqlAuditLog.open(url)
        try:
            return await asyncio.to_thread(main, ["redact", "1", "--why", "x"])
        finally:
            await log.close()

    assert asyncio.run(beside()) == 2
    assert "stop it, redact, start it again" in capsys.readouterr().err
