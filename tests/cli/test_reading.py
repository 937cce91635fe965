"""The log as an inspector reads it: a patient's course, an alert explained, a record's versions, other files."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from monitor.audit.batch import Batch
from monitor.audit.log import SqlAuditLog
from monitor.audit.schema import upgrade
from monitor.cli.main import main
from monitor.notify.receipts import Attempt
from monitor.recorder.activating import files_for
from tests.audit.given import notice
from tests.audit.rig import PROTOCOL, HandClock, messages_of, recorder, time_of
from tests.core import charts

SWAPPED = charts.marrow(
    120, "96", record="marrow-1", version=2, issued=125, status="corrected", reason="specimens were swapped"
)
CHART = [
    charts.enrolled(80),
    charts.azacitidine(95),
    charts.marrow(110, "97", record="marrow-0"),
    charts.marrow(120, "85", record="marrow-1"),
]
NOTE = "on my way to the ward"


@pytest.fixture(params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A stop that was told to the officer, acknowledged, and withdrawn by a correction; its reference."""
    url = f"sqlite:///{tmp_path / 'log.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)
    return asyncio.run(_filled(url))


async def _filled(url: str) -> str:
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    clock = HandClock()
    files = await files_for(log, PROTOCOL, instance="w-1", now=charts.on_day(80))
    target = await recorder(log, clock, events_clock=False, files=files)
    messages = messages_of(CHART)
    for message in messages:
        clock.at = time_of(message.value) or clock.at
        await target.record([message])
    (stop,) = [row for row in await log.alerts() if row.rule == "stop.chimerism"]
    row = notice(f"{stop.alert_id}/row", alert_id=stop.alert_id)
    for number, (outcome, then, detail) in enumerate(
        [("failed", "retry", "mailbox full"), ("delivered", "done", "")], 1
    ):
        attempt = Attempt(
            row_id=row.row_id, message_id="m-1", alert_id=stop.alert_id, change="raised", recipient="officer",
            channel="mail", attempt=number, outcome=outcome, then=then, detail=detail, elapsed_ms=3, digest="d",
        )  # fmt: skip
        await log.append(Batch(recorded_at=clock.at, records=(attempt.record(row, clock.at),)))
    later: Sequence[bytes] = [*CHART, charts.command("acknowledged", stop.alert_id, 121, note=NOTE), SWAPPED]
    for message in list(messages_of(later))[len(CHART) :]:
        clock.at = time_of(message.value) or clock.at
        await target.record([message])
    await log.close()
    return stop.alert_id


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def text(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


class TestTheTimelineOfAPatient:
    def test_it_holds_all_that_happened(self, told: str, capsys: pytest.CaptureFixture[str]) -> None:
        course = shown(capsys, "timeline", "SH-001")
        kinds = [entry["kind"] for entry in course]
        assert set(kinds) == {"fact", "correction", "command", "tick", "alert", "notice"}
        mine = [entry["what"].partition(":")[0] for entry in course if entry["reference"] == told]
        assert [what for what in mine if what in {"raised", "acknowledged", "withdrawn"}] == [
            "raised", "acknowledged", "withdrawn",
        ]  # fmt: skip

    def test_clinical_time_and_knowledge_order_it_differently(
        self, told: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        clinical = [entry["at"] for entry in shown(capsys, "timeline", "SH-001") if "T" in entry["at"]]
        known = [entry["known_at"] for entry in shown(capsys, "timeline", "SH-001", "--by", "known")]
        assert clinical == sorted(clinical)
        assert known == sorted(known)
        correction = next(entry for entry in shown(capsys, "timeline", "SH-001") if entry["kind"] == "correction")
        assert correction["at"] < correction["known_at"]
        assert told

    def test_a_reader_sees_values_with_units_and_reasons(self, told: str, capsys: pytest.CaptureFixture[str]) -> None:
        said = text(capsys, "timeline", "SH-001")
        assert "chimerism resulted: donor 85 %" in said
        assert "donor percent: 85 -> 96; status: final -> corrected (specimens were swapped)" in said
        assert "raised to officer by mail: failed: mailbox full" in said
        assert f"alert acknowledged by officer-1: {NOTE}" in said
        assert "2025-05-01 09:00" in said
        assert told


class TestAnAlertExplained:
    def test_everything_about_it_is_there(self, told: str, capsys: pytest.CaptureFixture[str]) -> None:
        found = shown(capsys, "explain", told[:6])
        (basis,) = found["basis"]
        assert (basis["then"]["values"]["donor_percent"], basis["now"]["values"]["donor_percent"]) == ("85", "96")
        assert (basis["then"]["record_version"], basis["now"]["record_version"]) == (1, 2)
        assert basis["now"]["reason"] == "specimens were swapped"
        assert "bone marrow donor chimerism < 90%" in found["grounds"]["words"]
        assert found["grounds"]["thresholds"]["stop_below_percent"] == "90"
        assert [each["change"] for each in found["revisions"]] == ["raised", "acknowledged", "withdrawn"]
        assert found["revisions"][-1]["changed"]["status"] == {"old": "acknowledged", "new": "withdrawn"}
        assert [(each["outcome"], each["recipient"], each["channel"]) for each in found["told"]] == [
            ("failed", "officer", "mail"), ("delivered", "officer", "mail"),
        ]  # fmt: skip
        assert [(each["actor"], each["note"]) for each in found["commands"]] == [("officer-1", NOTE)]

    def test_it_reads_as_a_story(self, told: str, capsys: pytest.CaptureFixture[str]) -> None:
        said = text(capsys, "explain", told)
        for part in (
            "stop.chimerism, high priority, withdrawn",
            "then: version 1 (final): donor 85 %",
            "now:  version 2 (corrected): donor 96 %",
            'Clause stop.3: "Hematologic recurrence',
            "below 90% in whole marrow stops treatment; 90% itself does not",
            "status: acknowledged -> withdrawn",
            "raised to officer by mail: delivered (attempt 2)",
            NOTE,
        ):
            assert part in said

    def test_other_readings_of_the_clause_are_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        url = f"sqlite:///{tmp_path / 'log.db'}"
        monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)

        async def fill() -> str:
            await upgrade(url)
            log = await SqlAuditLog.open(url)
            clock = HandClock()
            clock.at = charts.on_day(130)
            chart = [charts.enrolled(80), charts.azacitidine(95), charts.acute(120, skin=3)]
            await (await recorder(log, clock, events_clock=False)).record(list(messages_of(chart)))
            (stop,) = [row for row in await log.alerts() if row.rule == "stop.acute-gvhd"]
            await log.close()
            return stop.alert_id

        said = text(capsys, "explain", asyncio.run(fill()))
        assert "Reading: acute_gvhd.stop_grade: 2" in said
        assert "Other reading: Acute GVHD stops treatment from grade III" in said


class TestTheVersionsOfARecord:
    def test_old_and_new_value_are_shown_with_who_when_and_why(
        self, told: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ((record),) = shown(capsys, "diff", "marrow-1")
        first, second = record["versions"]
        assert first["changes"] == []
        assert {"field": "donor_percent", "old": "85", "new": "96"} in second["changes"]
        assert (second["reason"], second["by"]) == ("specimens were swapped", "/ward")
        assert shown(capsys, "diff", "marrow-1", "--patient", "SH-001") == [record]
        said = text(capsys, "diff", "marrow-1")
        assert "donor percent: 85 -> 96" in said
        assert "specimens were swapped" in said
        assert told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["timeline", "SH-999"], "the log knows no patient SH-999"),
        (["explain", "ffff0000"], "no alert has the reference ffff0000"),
        (["explain", "f"], "no alert has the reference f"),
        (["diff", "nothing"], "the log knows no record nothing"),
        (["diff", "marrow-1", "--patient", "SH-999"], "the log knows no record marrow-1 of patient SH-999"),
        (["replay", "--effective", "then"], "--effective 'then' is not a time"),
        (["replay", "--effective", "2025-05-01T00:00Z", "--protocol", "x.yaml"], "ask different questions"),
        (["protocol", "activate", "/none.yaml", "--approved-by", "pi", "--why", "x"], "/none.yaml"),
    ],
)
def test_what_cannot_be_shown_is_one_clear_line(
    told: str, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert told


class TestAnotherProtocolFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> str:
        text = Path("monitor/protocol/nct06754540.yaml").read_text()
        changed = text.replace('version: "1.0.0"', 'version: "1.1.0"').replace("below_percent: 90", "below_percent: 98")
        (tmp_path / "amended.yaml").write_text(changed)
        return str(tmp_path / "amended.yaml")

    def test_what_it_would_change_is_told_before_it_is_approved(
        self, told: str, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = text(capsys, "replay", "--protocol", file)
        assert "protocol state: on_treatment -> stopped" in said or "stop_basis_retracted -> stopped" in said
        assert "1 of 1 patients" in said
        changes = shown(capsys, "replay", "--protocol", file)["changes"]["SH-001"]
        assert "stop.chimerism" in json.dumps(changes)
        assert told

    def test_its_activation_is_on_the_log(self, told: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
        said = text(capsys, "protocol", "activate", file, "--approved-by", "pi-1", "--why", "amendment 2")
        assert "nct06754540 1.1.0" in said
        first, second = shown(capsys, "protocol", "show")
        assert (first["version"], first["approved_by"]) == ("1.0.0", "w-1")
        assert (second["version"], second["approved_by"], second["why"]) == ("1.1.0", "pi-1", "amendment 2")
        assert "pi-1" in text(capsys, "protocol", "show")
        assert told

    def test_a_worker_refuses_a_file_that_nobody_approved(
        self, told: str, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SAFETY_MONITOR_PROTOCOL", file)
        assert main(["worker"]) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert "the log is under protocol nct06754540 1.0.0" in said
        assert "protocol activate FILE --approved-by WHO --why WHY" in said
        assert told


def test_a_replay_by_clinical_time_says_so(told: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = text(capsys, "replay", "--effective", "2025-05-03T00:00:00+08:00")
    assert "what was so at 2025-05-02T16:00:00Z" in said
    assert told
