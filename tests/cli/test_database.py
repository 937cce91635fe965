"""`database rebuild` as an operator runs it."""

import asyncio
import json
from pathlib import Path

import pytest

from monitor.audit.log import SqlAuditLog
from monitor.audit.schema import upgrade
from monitor.cli.main import main
from tests.audit.given import alert, batch, fact, patient
from tests.audit.rig import SCENARIOS, lines_of, record_by_events_clock

LINES = lines_of(SCENARIOS[11])
PATIENT = json.loads(LINES[0])["subject"]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log whose tables say of one patient and of one alert what the log does not."""
    url = f"sqlite:///{tmp_path / 'log.db'}"

    async def record() -> None:
        await upgrade(url)
        log = await SqlAuditLog.open(url)
        await record_by_events_clock(log, LINES)
        await log.append(batch(patients=(patient(PATIENT, events=99),), alerts=(alert("ghost"),)))
        await log.close()

    asyncio.run(record())
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)
    return url


def test_what_differs_from_the_log_is_named_and_made_anew(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["database", "rebuild", "--check"]) == 1
    assert main(["database", "rebuild"]) == 0
    told = capsys.readouterr().out.splitlines()

    assert main(["database", "rebuild", "--check"]) == 0

    named = ["alert ghost of patient SH-001", f"patient {PATIENT}"]
    expected = [f"not as the log gives it: {name}" for name in named]
    assert told[:2] == told[3:5] == expected
    assert "none differed" in capsys.readouterr().out
    assert url


def test_a_log_that_goes_on_meanwhile_is_left_as_it_is(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = SqlAuditLog.replace_read_models

    async def late(self: SqlAuditLog, *rows: object, at: int | None = None) -> None:
        await self.append(batch(fact("another")))
        await replace(self, *rows, at=at)  # type: ignore[arg-type]  # the rows as they came

    monkeypatch.setattr(SqlAuditLog, "replace_read_models", late)

    assert main(["database", "rebuild"]) == 2

    assert "nothing was replaced: stop the workers first" in capsys.readouterr().err
    monkeypatch.undo()
    assert url
