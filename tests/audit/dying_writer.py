"""Appends to the log at URL and kills itself, by SIGKILL, before or after one statement of it: each in turn.

For each death a line of JSON: where it died, what had been acknowledged, what is on the log then. Ends when an append
has no statement left to die at.
"""

import asyncio
import json
import os
import signal
import sys
from typing import Any

from sqlalchemy import event

from monitor.audit.batch import Batch, Position
from monitor.audit.checker import Broken, Checker
from monitor.audit.database import Database
from monitor.audit.integrity import check_log
from monitor.audit.log import SqlAuditLog
from tests.audit.given import START, alert, fact, notice, patient

LAB = ("safety.lab", 0)


async def append(url: str, step: int, when: str) -> int:
    """Append one batch and die at a step of it; the sequence that was acknowledged, if the append outlives it."""
    database = Database(url, briefly=True)
    log = SqlAuditLog(database)
    owner = await log.start_instance("w1")
    await log.claim_ownership([LAB], owner)
    number = (await log.head()).sequence
    left = step

    def die_in_turn(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in (f"{when}_cursor_execute", *(("commit",) if when == "before" else ())):
        event.listen(database.engine.sync_engine, name, die_in_turn)
    records = await log.append(
        Batch(
            recorded_at=START,
            records=(fact("A", number, dedupe_key=f"k{number}"), fact("B", number)),
            positions={LAB: Position(next_offset=number + 1)},
            owner=owner,
            outbox=(notice(f"n{number}"),),
            patients=(patient(),),
            alerts=(alert(),),
        )
    )
    if when == "after":
        die_in_turn()  # committed, and nobody was told
    return records[-1].sequence


async def found(url: str) -> dict[str, Any]:
    """What is on the log."""
    log = SqlAuditLog(Database(url, briefly=True))
    broken = [str(each) async for each in check_log(log, Checker()) if isinstance(each, Broken)]
    head = (await log.head()).sequence
    position = (await log.positions()).get(LAB)
    await log.close()
    return {"head": head, "broken": broken, "next_offset": position.next_offset if position else 0}


def child(url: str, step: int, when: str) -> tuple[int, bool]:
    """Append in a process of its own: what it acknowledged, and whether it was killed."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        os.write(writing, str(asyncio.run(append(url, step, when))).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        acknowledged = int(told.read() or 0)
    _, status = os.waitpid(process, 0)
    return acknowledged, os.WIFSIGNALED(status)


def main(url: str) -> None:
    """Die at each step, before and after it."""
    acknowledged = 0
    for when in ("before", "after"):
        step, killed = 0, True
        while killed:
            told, killed = child(url, step, when)
            acknowledged = max(acknowledged, told)
            state = asyncio.run(found(url))
            line = {"when": when, "step": step, "killed": killed, "acknowledged": acknowledged, **state}
            print(json.dumps(line), flush=True)
            step += 1


main(sys.argv[1])
