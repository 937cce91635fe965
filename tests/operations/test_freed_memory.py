"""What was freed goes back to the system, also from between what is still used."""

import asyncio
import os
from pathlib import Path

import pytest

from monitor.operations.freed_memory import FreedMemory, trimmer
from tests.support.waiting import wait_until

BLOCK = 1_000  # bytes: more than Python keeps pools for
BLOCKS = 100_000
MB = 1_000_000


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(trimmer() is None, reason="only glibc keeps freed memory so")
async def test_pages_that_are_free_between_others_go_back() -> None:
    blocks = [bytes(BLOCK) for _ in range(BLOCKS)]
    full = resident()
    kept = blocks[::64]  # one in each dozen of pages, and the last: the heap cannot shrink from its end
    del blocks
    service = FreedMemory(every=0.01)
    running = asyncio.create_task(service.run())
    await asyncio.to_thread(wait_until, lambda: resident() < full - 50 * MB, "the pages have gone back")
    service.stop()
    await running
    assert len(kept) == len(range(0, BLOCKS, 64))
