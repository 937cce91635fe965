"""Whatever ends an append, and wherever: all of a batch is there, or nothing of it."""

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from monitor.audit.batch import Batch, Position
from monitor.audit.checker import Broken, Checker
from monitor.audit.database import Database
from monitor.audit.integrity import check_log
from monitor.audit.log import SqlAuditLog
from monitor.audit.ports import AuditLog
from monitor.audit.schema import upgrade
from tests.audit.given import START, alert, batch, fact, notice, patient

LAB = ("safety.lab", 0)
WRITER = Path(__file__).with_name("endless_writer.py")
DYING = Path(__file__).with_name("dying_writer.py")
PER_BATCH = 5


class Interrupted(Exception):  # noqa: N818 - it stands for a kill, not for an error
    """Stands for a death in the middle of a transaction."""


async def state(log: AuditLog) -> tuple[Any, ...]:
    """All that an append can change."""
    return (
        await log.head(),
        [record async for record in log.read()],
        await log.positions(),
        await log.patients(),
        await log.alerts(),
        await log.outbox_backlog(),
    )


async def broken(log: AuditLog) -> list[Broken]:
    return [found async for found in check_log(log, Checker()) if isinstance(found, Broken)]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_append_that_fails_at_any_statement_leaves_nothing(url: str, when: str) -> None:
    await upgrade(url)
    database = Database(url)
    log = SqlAuditLog(database)
    owner = await log.start_instance("w1")
    await log.claim_ownership([LAB], owner)
    await log.append(batch(fact("A")))
    before = await state(log)
    full = Batch(
        recorded_at=START,
        records=(fact("A", 2, dedupe_key="k"), fact("B")),
        expected={"patient/A": 1},
        positions={LAB: Position(next_offset=3)},
        owner=owner,
        outbox=(notice(),),
        patients=(patient(),),
        alerts=(alert(),),
    )
    left = 0

    def interrupt(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Interrupted

    event.listen(database.engine.sync_engine, f"{when}_cursor_execute", interrupt)
    event.listen(database.engine.sync_engine, "commit", interrupt)
    steps = 0
    try:
        while True:
            left = steps
            try:
                await log.append(full)
            except Interrupted:
                left = 1_000
                assert await state(log) == before, f"after statement {steps}"
                steps += 1
            else:
                break
    finally:
        event.remove(database.engine.sync_engine, f"{when}_cursor_execute", interrupt)
        event.remove(database.engine.sync_engine, "commit", interrupt)

    assert steps >= 12
    assert (await log.head()).sequence == 3
    assert await broken(log) == []
    await log.close()


def test_kill_9_before_and_after_each_statement_of_an_append_loses_nothing_that_was_told(url: str) -> None:
    asyncio.run(upgrade(url))
    command = [sys.executable, str(DYING), url]
    environment = os.environ | {"PYTHONPATH": str(DYING.parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    deaths = [json.loads(line) for line in done.stdout.splitlines()]

    for when in ("before", "after"):
        steps = [each for each in deaths if each["when"] == when]
        assert len(steps) >= 12
        assert [each["killed"] for each in steps[-2:]] == [True, False]
    for death in deaths:
        assert death["broken"] == [], death
        assert death["head"] >= death["acknowledged"], death
        assert death["head"] % 2 == 0, death  # both records of a batch, or neither
        assert death["next_offset"] in {0, death["head"] - 1}, death  # and its position with them
    assert deaths[-1]["head"] >= 4


@pytest.mark.parametrize("seed", range(3))
async def test_kill_9_at_a_random_moment_loses_nothing_that_was_told(url: str, seed: int) -> None:
    await upgrade(url)
    chance = random.Random(seed)
    told = 0
    for _ in range(2):
        writer = await asyncio.create_subprocess_exec(
            sys.executable,
            str(WRITER),
            url,
            str(PER_BATCH),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(WRITER.parents[2])},
        )
        assert writer.stdout is not None
        for _ in range(chance.randrange(3, 30)):
            told = int(await writer.stdout.readline())
        await asyncio.sleep(chance.random() * 0.01)
        writer.kill()
        rest, _ = await writer.communicate()
        told = max([told, *map(int, rest.split(b"\n")[:-1])])

    log = await SqlAuditLog.open(url)
    head = (await log.head()).sequence
    assert head >= told
    assert head % PER_BATCH == 0
    assert await log.positions() == {LAB: Position(next_offset=head)}
    assert await broken(log) == []
    await log.close()
