"""The log folded again gives what the rules give, its decisions come out again, and so do the read models."""

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.audit.core_version import CORE_VERSION
from monitor.audit.read_models import rebuild
from monitor.audit.records import NewRecord, Record
from monitor.audit.replay import reached, replay
from monitor.audit.verify import verify
from monitor.audit.what_if import Since, what_if
from tests.audit.given import batch
from tests.audit.rig import (
    PROTOCOL,
    SCENARIOS,
    HandClock,
    agreed,
    latest_time,
    lines_of,
    messages_of,
    record_by_events_clock,
    record_by_system_clock,
    recorder,
    simulated,
    time_of,
)
from tests.support.memory_log import MemoryAuditLog

# The histories with two digits meet every way a fact can come and be taken back; those with three turn on a rule's
# boundaries, which the log knows nothing of (tests/scenarios holds them all).
OPEN = [path for path in SCENARIOS if path.name[2] == "-"]
scenarios = pytest.mark.parametrize("scenario", OPEN, ids=lambda path: path.name.removesuffix(".events.jsonl"))
clocks = pytest.mark.parametrize("clock", ["events", "system"])


async def recorded(scenario: Path, clock: str) -> tuple[MemoryAuditLog, list[bytes]]:
    log = MemoryAuditLog()
    lines = lines_of(scenario)
    if clock == "events":
        await record_by_events_clock(log, lines)
    else:
        await record_by_system_clock(log, lines)
    return log, lines


@scenarios
@clocks
async def test_a_recorded_history_is_whole_and_its_decisions_come_out_again(scenario: Path, clock: str) -> None:
    log, lines = await recorded(scenario, clock)

    verdict = await verify(log, PROTOCOL)

    assert verdict.broken is None
    assert [str(difference) for difference in verdict.differs] == []
    assert verdict.undecided == 0
    assert verdict.records >= len(set(lines))


@scenarios
@clocks
async def test_a_replay_agrees_with_a_simulation(scenario: Path, clock: str) -> None:
    log, lines = await recorded(scenario, clock)
    until = latest_time(lines)

    found = await replay(log, PROTOCOL, as_of=until)

    assert agreed(found.to_json()) == agreed(simulated(lines, until))
    assert found.failed == ()


@scenarios
@clocks
async def test_the_read_models_are_the_logs(scenario: Path, clock: str) -> None:
    log, _ = await recorded(scenario, clock)
    patients, alerts = await log.patients(), await log.alerts()

    made = await rebuild(log, PROTOCOL)
    assert (made.patients, made.alerts) == (patients, alerts)
    assert (await log.patients(), await log.alerts()) == (patients, alerts)


@scenarios
async def test_without_a_time_a_replay_goes_as_far_as_the_clock_went(scenario: Path) -> None:
    log, lines = await recorded(scenario, "events")

    assert await reached(log) == latest_time(lines)


@scenarios
@pytest.mark.parametrize("since", Since)
async def test_what_if_under_the_same_protocol_is_what_was(scenario: Path, since: Since) -> None:
    log, lines = await recorded(scenario, "events")
    until = latest_time(lines)

    found = await what_if(log, PROTOCOL, PROTOCOL, since=since, as_of=until)

    assert agreed(found.replay.to_json()) == agreed(simulated(lines, until))
    assert found.changes == {}


@scenarios
async def test_a_worker_that_restarts_decides_nothing_twice(scenario: Path) -> None:
    """The sources' clocks are ahead of ours, so each fact waits, and each worker finds what the one before it left."""
    log, clock = MemoryAuditLog(), HandClock()
    for message in messages_of(lines_of(scenario)):
        issued = time_of(message.value) or clock.at
        clock.at = max(clock.at, issued - timedelta(seconds=5))
        worker = await recorder(log, clock, events_clock=False)
        await worker.record([message])
        clock.at += timedelta(seconds=6)
        await worker.tick(clock.at)

    verdict = await verify(log, PROTOCOL)

    assert [str(difference) for difference in verdict.differs] == []


@scenarios
async def test_a_worker_on_the_systems_clock_goes_on_from_a_back_fill(scenario: Path) -> None:
    log, lines = await recorded(scenario, "events")
    clock = HandClock()
    clock.at = latest_time(lines) + timedelta(days=400)
    worker = await recorder(log, clock, events_clock=False)
    while await worker.tick(clock.at):
        pass

    verdict = await verify(log, PROTOCOL)

    assert [str(difference) for difference in verdict.differs] == []


async def test_decisions_under_another_protocol_are_not_called_different() -> None:
    log, _ = await recorded(SCENARIOS[11], "system")

    verdict = await verify(log, PROTOCOL.model_validate(PROTOCOL.model_dump() | {"version": "another"}))

    assert (verdict.differs, verdict.broken, verdict.undecided) == ((), None, verdict.patients)
    assert not verdict.tampered


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda _: None, "was never recorded, though its facts lead to it"),
        (lambda text: text.replace('"priority":"high"', '"priority":"low"'), "another priority than derived"),
    ],
    ids=["left out", "altered"],
)
async def test_a_decision_that_the_facts_do_not_lead_to_is_named(
    change: Callable[[str], str | None], told: str
) -> None:
    honest, _ = await recorded(SCENARIOS[11], "system")
    log = MemoryAuditLog()
    async for record in honest.read():
        payload = change(record.payload) if record.stream.startswith("alert/") else record.payload
        if payload is not None:
            await log.append(batch(_again(record, payload)))

    verdict = await verify(log, PROTOCOL)

    assert verdict.broken is None
    assert told in str(verdict.differs[0])
    assert verdict.tampered


async def test_newer_rules_that_decide_otherwise_are_told_apart() -> None:
    honest, _ = await recorded(SCENARIOS[11], "system")
    log = MemoryAuditLog()
    async for record in honest.read():
        payload = record.payload.replace('"priority":"high"', '"priority":"low"')
        await log.append(batch(_again(record, payload.replace(f'"core":"{CORE_VERSION}"', '"core":"0.0.1"'))))

    verdict = await verify(log, PROTOCOL)

    assert verdict.differs
    assert all(difference.newer for difference in verdict.differs)
    assert not verdict.tampered


def _again(record: Record, payload: str) -> NewRecord:
    names = [field.name for field in fields(NewRecord)]
    return NewRecord(**{name: getattr(record, name) for name in names} | {"payload": payload})
