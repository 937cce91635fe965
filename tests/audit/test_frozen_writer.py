"""A writer that is stopped in the middle of its transaction, with the head of the log locked."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from monitor.audit.log import SqlAuditLog
from monitor.audit.schema import upgrade
from tests.audit.given import batch, fact

WRITER = Path(__file__).with_name("frozen_writer.py")
LONGEST = 5.0  # seconds that others may be held


async def test_a_writer_that_freezes_holds_the_others_for_five_seconds_at_most_and_writes_nothing(
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
        frozen_at = time.monotonic()
        [record] = await log.append(batch(fact("alive")))
        held = time.monotonic() - frozen_at
        frozen.send_signal(signal.SIGCONT)
        said, _ = await frozen.communicate(b"\n")
    finally:
        if frozen.returncode is None:
            frozen.kill()

    assert held < LONGEST
    assert record.sequence == 1
    assert said == b"refused\n"
    assert [record.stream async for record in log.read()] == ["patient/alive"]
    await log.close()
