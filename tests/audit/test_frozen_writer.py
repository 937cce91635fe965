"""A writer that is stopped in the middle of its transaction, with the head of the log locked.

How long it may idle there, and others wait for the lock, is the database's business: LIMIT_MS, a second below 5 s.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from monitor.audit.log import SqlAuditLog
from monitor.audit.schema import upgrade
from monitor.errors import DatabaseUnavailable
from tests.audit.given import batch, fact

WRITER = Path(__file__).with_name("frozen_writer.py")


async def test_a_writer_that_freezes_is_ended_before_others_have_waited_twice_and_writes_nothing(
    postgres_url: str,
) -> None:
    await upgrade(postgres_url)
    log = await SqlAuditLog.open(postgres_url)
    frozen = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WRITER),
        postgres_url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(WRITER.parents[2])},
    )
    try:
        assert frozen.stdout is not None
        assert await frozen.stdout.readline() == b"held\n"
        frozen.send_signal(signal.SIGSTOP)
        try:
            [record] = await log.append(batch(fact("alive")))
        except DatabaseUnavailable:  # its own wait was over at the very moment at which the other was ended
            [record] = await log.append(batch(fact("alive")))
        frozen.send_signal(signal.SIGCONT)
        said, _ = await frozen.communicate(b"\n")
    finally:
        if frozen.returncode is None:
            frozen.kill()

    assert record.sequence == 1
    assert said == b"refused\n"
    assert [record.stream async for record in log.read()] == ["patient/alive"]
    await log.close()
