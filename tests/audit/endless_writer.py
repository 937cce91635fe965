"""Appends batches to the log at URL until it is killed, and tells the sequence after each."""

import asyncio
import sys

from monitor.audit.batch import Position
from monitor.audit.log import SqlAuditLog
from tests.audit.given import batch, fact


async def main(url: str, size: int) -> None:
    log = await SqlAuditLog.open(url)
    head = (await log.head()).sequence
    while True:
        records = [fact(f"P{n % 3}", n, dedupe_key=str(head + n)) for n in range(size)]
        head += len(await log.append(batch(*records, positions={("safety.lab", 0): Position(next_offset=head + size)})))
        print(head, flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
