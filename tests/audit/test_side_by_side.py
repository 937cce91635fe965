"""Decisions that several processes derive are judged as one process judges them."""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields

import pytest

from monitor.audit.records import NewRecord
from monitor.audit.verify import verify
from monitor.cli.side_by_side import side_by_side
from monitor.errors import UsageError
from monitor.generate.trial import generate_trial
from tests.audit.given import batch
from tests.audit.rig import PROTOCOL, record_by_events_clock
from tests.support.memory_log import MemoryAuditLog

PATIENTS = 6
ALTERED = "SH-003"


@pytest.fixture
async def altered() -> MemoryAuditLog:
    """A log in which each decision about one patient says another priority than the rules do."""
    honest, log = MemoryAuditLog(), MemoryAuditLog()
    await record_by_events_clock(
        honest, [line.text.encode() for line in generate_trial(PATIENTS, 3).lines], at_once=500
    )
    names = [field.name for field in fields(NewRecord)]
    async for record in honest.read():
        kept = {name: getattr(record, name) for name in names}
        if record.stream == f"alert/{ALTERED}":
            kept["payload"] = record.payload.replace('"priority":"low"', '"priority":"high"')
        await log.append(batch(NewRecord(**kept)))
    return log


async def test_several_processes_find_what_one_finds(altered: MemoryAuditLog) -> None:
    with side_by_side(2) as aside:
        assert isinstance(aside.executor, ProcessPoolExecutor)
        found = await verify(altered, PROTOCOL, aside=aside)
    assert found == await verify(altered, PROTOCOL)
    assert found.patients == PATIENTS
    assert {each.patient for each in found.differs} == {ALTERED}


async def test_a_process_that_is_killed_is_told_of_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="fewer --jobs"), side_by_side(2) as aside:
        await aside.begin(os._exit, 9)


def test_for_one_job_no_process_is_started() -> None:
    with side_by_side(1) as aside:
        assert aside.executor is None
