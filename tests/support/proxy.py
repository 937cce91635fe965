"""A TCP proxy on the loopback between a worker and its database: slow, silent or gone, as a test wants it."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from monitor.embedded import HOST

CHUNK: Final = 65_536  # bytes read at a time


class Proxy:
    """Runs in a thread of its own. `delay`: seconds that each piece of traffic waits, both ways."""

    def __init__(self, behind: int) -> None:
        """`behind`: the port that is spoken to."""
        self.delay = 0.0
        self.port = 0
        self._behind = behind
        self._gone = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._connections: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()

    def start(self) -> None:
        """Listen, on a free port."""
        threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True).start()
        self._server = self._do(asyncio.start_server(self._serve, HOST, 0))
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Listen no more, and end what is connected."""
        self.cut()
        self._server.close()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def cut(self) -> None:
        """Break every connection, and each new one at once, until `mend`."""

        async def cut() -> None:
            self._gone = True
            for writer in self._connections:
                writer.transport.abort()

        self._do(cut())

    def hold(self) -> None:
        """Let nothing through, and break nothing, until `mend`: as a server that hangs."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def mend(self) -> None:
        """Let everything through at once."""
        self._gone = False
        self.delay = 0.0
        self._loop.call_soon_threadsafe(self._flows.set)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._gone:
            writer.transport.abort()
            return
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(HOST, self._behind)
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            with suppress(OSError):
                while piece := await reader.read(CHUNK):
                    await self._flows.wait()
                    await asyncio.sleep(self.delay)
                    writer.write(piece)
                    await writer.drain()
        finally:
            self._connections.discard(writer)
            writer.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy that does not outlive the block."""
    proxy = Proxy(port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()
