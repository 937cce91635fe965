"""A source that keys its messages wrongly tears a patient over two workers; the log puts the patient together again."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.audit.ports import AuditLog
from monitor.audit.replay import replay
from monitor.audit.verify import verify
from monitor.recorder.inputs import Input
from tests.audit.rig import (
    PROTOCOL,
    SCENARIOS,
    HandClock,
    agreed,
    latest_time,
    lines_of,
    messages_of,
    recorder,
    simulated,
    time_of,
)

TORN = [path for path in SCENARIOS if path.name.startswith(("16-", "28-", "32-", "118-"))]


@pytest.mark.parametrize("scenario", TORN, ids=lambda path: path.name)
async def test_a_patient_torn_over_two_workers_is_assessed_as_one(log: AuditLog, scenario: Path) -> None:
    clock = HandClock()
    workers = [
        await recorder(log, clock, events_clock=False, instance=f"worker-{number}", partition=number)
        for number in range(2)
    ]
    offsets: dict[tuple[str, int], int] = defaultdict(int)
    lines = lines_of(scenario)
    for number, message in enumerate(messages_of(lines)):
        clock.at = max(clock.at, time_of(message.value) or clock.at)
        await workers[0].tick(clock.at)  # the clock's lease is with one of them
        await workers[number % 2].record([moved(message, number % 2, offsets)])
    until = latest_time(lines)
    assert agreed((await replay(log, PROTOCOL, as_of=until)).to_json()) == agreed(simulated(lines, until))
    assert not (await verify(log, PROTOCOL)).tampered


def moved(message: Input, partition: int, offsets: dict[tuple[str, int], int]) -> Input:
    """The message as it lies on another partition, under a key that is not its subject."""
    place = (message.topic, partition)
    offset = offsets[place]
    offsets[place] += 1
    return replace(message, partition=partition, offset=offset, key=f"not-the-subject-{partition}".encode())
