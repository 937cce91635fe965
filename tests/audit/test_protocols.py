"""Which protocol file is in force is on the log: who approved it, why, and the file itself."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import text

from monitor.audit.log import SqlAuditLog
from monitor.audit.ports import AuditLog
from monitor.audit.protocols import activations, files_in
from monitor.audit.read_models import rebuild
from monitor.audit.replay import replay
from monitor.audit.schema import upgrade
from monitor.audit.verify import verify
from monitor.errors import ProtocolChanged, ProtocolRefused, UsageError, VersionConflict
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline
from monitor.recorder.activating import Files, activate, files_for
from tests.audit.rig import PROTOCOL, SCENARIOS, HandClock, lines_of, messages_of, recorder, time_of
from tests.core import charts
from tests.support.memory_log import MemoryAuditLog

NOW = datetime(2025, 6, 12, 3, 20, tzinfo=UTC)
APPROVED: dict[str, Any] = {"approved_by": "pi-1", "why": "amendment 2", "now": NOW, "events_clock": False}


def another(version: str = "1.1.0", **more: Any) -> Protocol:
    return Protocol.model_validate(PROTOCOL.model_dump() | {"version": version, "acute_gvhd": {"stop_grade": 3}} | more)


async def recorded_across_a_change(
    log: AuditLog, lines: Sequence[bytes], changed: Protocol, after: int
) -> tuple[Files, HandClock]:
    """So many messages under the first file, the rest under another, as they come in life."""
    clock = HandClock()
    messages = messages_of(lines)
    clock.at = next(filter(None, map(time_of, lines))) - timedelta(minutes=1)
    files = await files_for(log, PROTOCOL, instance="w-1", now=clock.at)
    for part, file in ((islice(messages, after), PROTOCOL), (messages, changed)):
        if file is changed:
            await activate(log, changed, **APPROVED | {"now": clock.at})
            clock.at += timedelta(minutes=1)
        files = await files_for(log, file, instance="w-1", now=clock.at)
        worker = await recorder(log, clock, events_clock=False, files=files)
        for message in part:
            clock.at = max(clock.at, time_of(message.value) or clock.at)
            await worker.tick(clock.at)
            await worker.record([message])
        while await worker.tick(clock.at):
            pass
    return files, clock


async def test_the_first_file_is_recorded_by_the_worker_itself(log: AuditLog) -> None:
    files = await files_for(log, PROTOCOL, instance="w-1", now=NOW)

    (only,) = await activations(log)
    assert (only.approved_by, only.hash, only.protocol) == ("w-1", PROTOCOL.hash, PROTOCOL)
    assert files.timeline.in_force(datetime(1999, 1, 1, tzinfo=UTC)) == PROTOCOL
    assert await files_for(log, PROTOCOL, instance="w-2", now=NOW) == files
    assert len(await activations(log)) == 1


async def test_another_file_is_refused_until_somebody_approves_it(log: AuditLog) -> None:
    await files_for(log, PROTOCOL, instance="w-1", now=NOW)
    with pytest.raises(ProtocolRefused, match=r"under protocol nct06754540 1\.0\.0 .* protocol activate FILE"):
        await files_for(log, another(), instance="w-1", now=NOW)

    done = await activate(log, another(), **APPROVED)

    assert (done.approved_by, done.why) == ("pi-1", "amendment 2")
    files = await files_for(log, another(), instance="w-1", now=NOW)
    assert (files.timeline.first, files.timeline.latest) == (PROTOCOL, another())
    assert files.timeline.in_force(done.since - timedelta(microseconds=1)) == PROTOCOL
    with pytest.raises(ProtocolRefused):
        await files_for(log, PROTOCOL, instance="w-1", now=NOW)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (PROTOCOL, "in force already"),
        (another(id="nct00000001"), "needs a log of its own"),
        (another(PROTOCOL.version), "raise the version"),
        (another(site_timezone="Europe/Berlin"), "all days would move"),
    ],
)
async def test_a_file_that_cannot_follow_is_refused(file: Protocol, says: str) -> None:
    log = MemoryAuditLog()
    await files_for(log, PROTOCOL, instance="w-1", now=NOW)
    with pytest.raises(UsageError, match=says):
        await activate(log, file, **APPROVED)
    assert len(await activations(log)) == 1


async def test_the_first_file_may_be_approved_before_anything_is_decided() -> None:
    log = MemoryAuditLog()
    await activate(log, another(), **APPROVED)
    files = await files_for(log, another(), instance="w-1", now=NOW)
    assert files.timeline == Timeline(another())


async def test_what_was_decided_before_any_file_was_recorded_is_not_put_under_a_new_one() -> None:
    log = MemoryAuditLog()
    await (await recorder(log, HandClock(), events_clock=False)).record(list(messages_of([charts.enrolled(80)])))
    with pytest.raises(UsageError, match="start a worker once"):
        await activate(log, another(), **APPROVED)


@pytest.mark.parametrize("missing", ["approved_by", "why"])
async def test_nothing_comes_into_force_without_a_name_and_a_reason(missing: str) -> None:
    with pytest.raises(UsageError, match="the one who approves it and why"):
        await activate(MemoryAuditLog(), another(), **APPROVED | {missing: " "})


async def test_two_activations_at_once_are_not_both_taken(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    await files_for(log, PROTOCOL, instance="w-1", now=NOW)
    seen = await log.patients()

    async def meanwhile() -> list[Any]:
        monkeypatch.undo()
        await activate(log, another("1.2.0"), **APPROVED)
        return seen

    monkeypatch.setattr(log, "patients", meanwhile)
    with pytest.raises(VersionConflict):
        await activate(log, another(), **APPROVED)


async def test_a_worker_with_the_file_before_ends_itself(log: AuditLog) -> None:
    files = await files_for(log, PROTOCOL, instance="w-1", now=NOW)
    clock = HandClock()
    worker = await recorder(log, clock, events_clock=False, files=files)
    messages = messages_of(lines_of(SCENARIOS[11]))
    await worker.record([next(messages)])
    written = (await log.head()).sequence

    await activate(log, another(), **APPROVED)
    with pytest.raises(ProtocolChanged, match="must start with it"):
        await worker.record([next(messages)])

    assert (await log.head()).sequence == written + 1


async def test_every_patient_is_assessed_anew_when_a_file_comes_into_force(log: AuditLog) -> None:
    """Grade II is no stop while only III is; it is one from the activation on, with no new fact."""
    loose = another("0.9.0")
    clock = HandClock()
    clock.at = charts.on_day(140)
    first = await recorder(log, clock, events_clock=False, files=await files_for(log, loose, instance="w", now=NOW))
    chart = [charts.enrolled(80), charts.azacitidine(95), charts.acute(120, skin=3)]
    await first.record(list(messages_of(chart)))
    assert "stop.acute-gvhd" not in {row.rule for row in await log.alerts()}

    done = await activate(log, PROTOCOL, **APPROVED | {"now": clock.at})
    clock.at += timedelta(minutes=1)
    files = await files_for(log, PROTOCOL, instance="w", now=clock.at)
    second = await recorder(log, clock, events_clock=False, files=files)
    while await second.tick(clock.at):
        pass

    (alert,) = [row for row in await log.alerts() if row.rule == "stop.acute-gvhd"]
    assert json.loads(alert.content)["protocol"] == PROTOCOL.hash
    assert alert.raised_at == clock.at >= done.since
    assert [str(each) for each in (await verify(log, loose)).differs] == []


async def test_a_stop_of_the_file_before_stays_on_the_log(log: AuditLog) -> None:
    clock = HandClock()
    clock.at = charts.on_day(140)
    files = await files_for(log, PROTOCOL, instance="w", now=NOW)
    chart = [charts.enrolled(80), charts.azacitidine(95), charts.acute(120, skin=3)]
    await (await recorder(log, clock, events_clock=False, files=files)).record(list(messages_of(chart)))

    await activate(log, another(), **APPROVED | {"now": clock.at})
    clock.at += timedelta(days=1)
    files = await files_for(log, another(), instance="w", now=clock.at)
    worker = await recorder(log, clock, events_clock=False, files=files)
    while await worker.tick(clock.at):
        pass

    (row,) = await log.patients()
    assert row.protocol_state == "held"
    (alert,) = [row for row in await log.alerts() if row.rule == "stop.acute-gvhd"]
    assert alert.status == "firing"
    assert json.loads(alert.content)["protocol"] == PROTOCOL.hash


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name.removesuffix(".events.jsonl"))
async def test_across_a_change_decisions_come_out_again_from_the_log_alone(scenario: Any) -> None:
    log, lines = MemoryAuditLog(), lines_of(scenario)
    changed = another(chronic_gvhd={"stop_severity": "severe"}, restart={"unit": "calendar_months"})
    files, clock = await recorded_across_a_change(log, lines, changed, len(lines) // 2)
    beside = another("not this one")  # what a settings file says does not matter: the log holds its own

    verdict = await verify(log, beside)

    assert verdict.broken is None
    assert [str(difference) for difference in verdict.differs] == []
    assert verdict.undecided == 0
    assert await files_in(log, beside) == files.timeline
    shown = await replay(log, beside, as_of=clock.at)
    assert shown.protocol == changed
    rows = {row.patient: row.protocol_state for row in await log.patients()}
    assert {name: patient.snapshot()["protocol_state"] for name, patient in shown.patients.items()} == rows
    alerts = await log.alerts()
    assert (await rebuild(log, beside)).alerts == alerts


async def test_under_the_events_clock_a_file_follows_all_that_was_reached() -> None:
    log = MemoryAuditLog()
    clock = HandClock()
    clock.at = charts.on_day(140)
    files = await files_for(log, PROTOCOL, instance="w", now=NOW)
    chart = [charts.enrolled(80), charts.azacitidine(95), charts.acute(120, skin=3)]
    await (await recorder(log, clock, events_clock=False, files=files)).record(list(messages_of(chart)))
    wall = NOW + timedelta(days=900)

    done = await activate(log, another(), **APPROVED | {"now": wall, "events_clock": True})

    assert charts.on_day(140) < done.since < charts.on_day(141)


async def test_a_file_whose_key_is_gone_is_named_by_verify(sqlite_url: str) -> None:
    await upgrade(sqlite_url)
    log = await SqlAuditLog.open(sqlite_url)
    await files_for(log, PROTOCOL, instance="w-1", now=NOW)
    (recorded,) = await activations(log)
    async with log.database.writing() as connection:
        await connection.execute(text("DELETE FROM wrapping_keys WHERE owner = 'system'"))

    verdict = await verify(log, PROTOCOL)

    await log.close()
    assert str(verdict.broken) == (
        f"record {recorded.sequence} of stream system/protocol: its payload does not open under its key"
    )
