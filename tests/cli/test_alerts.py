"""The officer's queue, and what a person says of an alert."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiokafka import AIOKafkaConsumer
from rich.console import Console

from monitor.audit.batch import AlertRow, Batch
from monitor.audit.log import SqlAuditLog
from monitor.audit.schema import upgrade
from monitor.broker import client_options
from monitor.cli.acknowledge import command, the_one, time_of
from monitor.cli.alerts import _table
from monitor.cli.main import main
from monitor.core.alert import Change
from monitor.embedded import EmbeddedBroker
from monitor.errors import UsageError
from monitor.events.canonical import canonical
from monitor.events.codec import decode
from monitor.events.envelope import Received
from monitor.operations.reconciling import alert_of
from monitor.operations.trouble import Trouble
from monitor.recorder.records import change_record
from monitor.recorder.rows import alert_row
from tests.support.broker import settings_for

NOW = datetime(2025, 6, 12, 19, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
SUMMARY = "Donor chimerism 85% [/redacted 1a2b3c4d]"


def row(alert_id: str, *, rule: str = "stop.chimerism", status: str = "firing", priority: str = "high") -> AlertRow:
    content = {"alert_id": alert_id, "rule": rule, "status": status, "summary": SUMMARY}
    return AlertRow(
        alert_id=alert_id,
        patient="SH-017",
        rule=rule,
        status=status,
        priority=priority,
        effective_at="2025-06-10T03:20:00Z",
        raised_at=NOW,
        changed_at=NOW,
        revision=1,
        content=canonical(content),
    )


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)

    async def fill() -> None:
        await upgrade(url)
        log = await SqlAuditLog.open(url)
        rows = (
            row("a1b2c3d4", rule="mrd.rising", priority="medium"),
            row("b1b2c3d4", status="acknowledged"),
            row("c1b2c3d4"),
            row("d1b2c3d4", status="withdrawn"),
        )
        await log.append(Batch(recorded_at=NOW, alerts=rows))
        await log.close()

    asyncio.run(fill())


@pytest.mark.usefixtures("queue")
class TestTheQueue:
    def test_the_most_urgent_come_first_and_what_is_over_is_left_out(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["alerts", "--format", "json"]) == 0
        listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [entry["alert_id"] for entry in listed] == ["c1b2c3d4", "b1b2c3d4", "a1b2c3d4"]
        assert listed[0]["patient"] == "SH-017"

    def test_all_of_them_can_be_seen(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["alerts", "--all", "--format", "json"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 4

    def test_it_reads_as_a_line_an_alert_and_says_what_it_says_to_the_letter(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["alerts"]) == 0
        first, *others = capsys.readouterr().out.splitlines()
        what = f"Stop criterion: low donor chimerism in marrow: {SUMMARY}"
        assert first.split("\t") == ["c1b2c3d4", "high", "firing", "SH-017", "13 June 2025, 03:00", what]
        assert len(others) == 2

    def test_on_eighty_columns_a_reference_can_be_copied(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        found = replace(row("cf899da7ac0a00eb"), content=canonical({"summary": "after a stop (2024-03-20T02:24:00Z)"}))
        Console().print(_table([found], SHANGHAI))
        shown = capsys.readouterr().out
        assert "cf899da7ac0a00eb" in shown
        assert "20 March 2024, 10:24" in shown
        assert "raised 13 June 2025, 03:00" in shown

    def test_an_empty_queue_says_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["alerts", "--patient", "SH-099"]) == 0
        assert capsys.readouterr().out == "No alert waits for anybody.\n"

    def test_an_alert_that_is_not_there_is_one_clear_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["acknowledge", "ffff0000", "--actor", "so-1", "--note", "on my way"]) == 2
        assert capsys.readouterr().err == "safety-monitor: no alert has the reference ffff0000\n"


@pytest.mark.usefixtures("queue")
def test_an_acknowledgement_goes_to_the_broker_keyed_by_its_patient(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAFETY_MONITOR_BROKER_URL", broker.url)
    monkeypatch.setenv("SAFETY_MONITOR_BROKER_KIND", "tansu")
    assert main(["acknowledge", "c1b2", "--actor", "so-1", "--note", "on my way"]) == 0
    assert capsys.readouterr().out == "sent: alert c1b2c3d4 acknowledged by so-1\n"
    key, value = asyncio.run(first_message(broker, "safety.command"))
    event = json.loads(value)
    assert (key, event["type"]) == (b"SH-017", "safety.alert.acknowledged.v1")
    assert event["data"] == {"alert_id": "c1b2c3d4", "actor": "so-1", "note": "on my way"}


def test_what_is_said_of_an_alert_about_the_system_goes_to_the_log_and_not_to_the_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)
    trouble = Trouble(rule="ops.source-silent", item="safety.lab /lis", since=NOW, summary="Nothing has come")
    raised = Change("raised", alert_of(trouble, NOW), None, NOW)

    async def fill() -> None:
        await upgrade(url)
        log = await SqlAuditLog.open(url)
        records = (change_record(raised, facts=0),)
        await log.append(Batch(recorded_at=NOW, records=records, alerts=(alert_row(raised),)))
        await log.close()

    asyncio.run(fill())
    reference = raised.alert.alert_id
    assert main(["resolve", reference, "--actor", "op-7", "--note", "that feed was retired"]) == 0
    assert capsys.readouterr().out == f"recorded: alert {reference} resolved by op-7\n"
    assert main(["explain", reference]) == 0
    assert "resolved" in capsys.readouterr().out


async def first_message(broker: EmbeddedBroker, topic: str) -> tuple[bytes, bytes]:
    options = client_options(settings_for(broker))
    async with AIOKafkaConsumer(topic, auto_offset_reset="earliest", **options) as consumer:
        message = await asyncio.wait_for(consumer.getone(), 10)
    return message.key, message.value


class TestWhichAlertIsMeant:
    def test_the_beginning_of_a_reference_is_enough_if_it_is_the_only_one(self) -> None:
        assert the_one("a1b2", [row("a1b2c3d4"), row("ffffc3d4")]).alert_id == "a1b2c3d4"

    def test_too_little_of_it_is_not(self) -> None:
        with pytest.raises(UsageError, match="no alert has the reference a1"):
            the_one("a1", [row("a1b2c3d4")])
        with pytest.raises(UsageError, match="2 alerts begin with a1b2"):
            the_one("a1b2", [row("a1b2c3d4"), row("a1b2ffff")])

    def test_what_is_over_can_not_be_acknowledged(self) -> None:
        with pytest.raises(UsageError, match="is withdrawn already"):
            the_one("a1b2c3d4", [row("a1b2c3d4", status="withdrawn")])


@pytest.mark.parametrize("kind", ["acknowledged", "resolved"])
def test_what_is_sent_is_what_our_own_door_accepts(kind: str) -> None:
    event = command(kind, row("a1b2c3d4"), "so-1", "on my way", NOW)
    taken = decode(canonical(event).encode(), site_timezone=SHANGHAI)
    assert isinstance(taken, Received)
    assert (taken.type, taken.subject) == (f"safety.alert.{kind}.v1", "SH-017")


def test_a_shelved_alert_carries_its_end() -> None:
    event = command("shelved", row("a1b2c3d4"), "so-1", "waits for the repeat", NOW, until="2025-06-13T08:00:00Z")
    assert isinstance(decode(canonical(event).encode(), site_timezone=SHANGHAI), Received)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("30m", NOW + timedelta(minutes=30)),
        ("4h", NOW + timedelta(hours=4)),
        ("2d", NOW + timedelta(days=2)),
        ("2025-06-13T08:00+08:00", datetime(2025, 6, 13, 0, 0, tzinfo=UTC)),
    ],
)
def test_until_is_a_span_or_a_time(text: str, time: datetime) -> None:
    assert time_of(text, NOW) == time


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("soon", "neither a span"),
        ("2025-06-14T08:00", "say its offset"),
        ("2025-06-12T08:00Z", "that is past"),
        ("0m", "that is past"),
        ("9999-12-31T23:59:59-12:00", "a year that cannot be"),
    ],
)
def test_until_is_never_a_guess(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        time_of(text, NOW)
