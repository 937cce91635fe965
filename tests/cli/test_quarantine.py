"""The quarantine at the command line: what was refused and why, one message as it came, and asking for a retry."""

import asyncio
import json
from pathlib import Path

import pytest

from monitor.audit.log import SqlAuditLog
from monitor.audit.schema import upgrade
from monitor.cli.main import main
from monitor.recorder.inputs import Input
from tests.audit.rig import HandClock, recorder
from tests.engine.wire import platelets

SPOILT = platelets("SH-017", 1).replace(b"10*9/L", b"furlong")
TOO_LARGE = platelets("SH-017", 2)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log with two refused messages; one of them is read by the limit of today."""
    url = f"sqlite:///{tmp_path / 'log.db'}"
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)

    async def fill() -> None:
        await upgrade(url)
        log = await SqlAuditLog.open(url)
        target = await recorder(log, HandClock(), events_clock=False, max_message_bytes=len(SPOILT))
        big = TOO_LARGE + b" " * 100
        await target.record([Input("safety.lab", 0, n, None, value) for n, value in enumerate((SPOILT, big))])
        await log.close()

    asyncio.run(fill())
    return url


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["quarantine", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("url")
def test_the_list_says_what_was_refused_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "list")
    assert "1\tsafety.lab\t/test/source\tunit_unknown" in text
    assert "2 messages; times are those of the site (Asia/Shanghai)" in text
    (line,) = said(capsys, "list", "--reason", "too_large", "--format", "json").splitlines()
    assert (json.loads(line)["topic"], json.loads(line)["subject"]) == ("safety.lab", "SH-017")


@pytest.mark.usefixtures("url")
def test_a_message_is_shown_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    records = [json.loads(line)["record"] for line in said(capsys, "list", "--format", "json").splitlines()]
    text = said(capsys, "show", str(records[0]))
    assert SPOILT.decode() in text
    assert "now it cannot be read" in text
    assert "now it can be read" in said(capsys, "show", str(records[1]))
    assert main(["quarantine", "show", "999"]) == 2


def test_a_retry_is_asked_for_on_the_log(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "retry", "--topic", "safety.lab", "--actor", "op-7", "--note", "the limit was too low")
    assert text == "asked by op-7: 1 of 2 messages can be read now; the worker records them\n"

    async def asked() -> tuple[str, str]:
        log = await SqlAuditLog.open(url, writing=False)
        (record,) = await log.stream("system/retries")
        await log.close()
        return record.actor, json.loads(record.payload)["topic"]

    assert asyncio.run(asked()) == ("op-7", "safety.lab")


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "say which"),
        (["--topic", "safety.labs"], "no such topic"),
        (["--reason", "bad"], "no such reason"),
        (["--reason", "unit_unknown"], "none of the 1 messages can be read now"),
        (["--source", "/nobody"], "no message"),
    ],
)
def test_a_retry_that_would_do_nothing_is_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quarantine", "retry", "--actor", "op-7", "--note", "a mend", *arguments]) == 2
    assert complaint in capsys.readouterr().err
