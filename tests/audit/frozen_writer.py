"""Writes a record to the log at URL, and hangs before its commit: told once it holds the head, and how it ended."""

import asyncio
import sys

from monitor.audit.appending import write
from monitor.audit.database import Database
from monitor.audit.payload_keys import Encryption
from monitor.errors import DatabaseUnavailable
from tests.audit.given import batch, fact


async def main(url: str) -> None:
    database = Database(url)
    try:
        async with database.writing() as connection:
            await write(connection, batch(fact("frozen")), Encryption())
            print("held", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
    except DatabaseUnavailable:
        print("refused", flush=True)
    else:
        print("committed", flush=True)
    await database.close()


asyncio.run(main(sys.argv[1]))
