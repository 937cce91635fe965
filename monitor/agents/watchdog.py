"""Ends a process that makes no progress: a loop that does not turn, or one batch that is never done.

It looks from a thread of its own, since the loop is what may be stuck.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from monitor.agents.ports import SOFTWARE, Leave

BEAT: Final = 1.0  # seconds


class Watchdog:
    """Runs beside the worker; `working` marks what must come to an end."""

    def __init__(self, leave: Leave, limit: float, now: Callable[[], float] = time.monotonic) -> None:
        """`limit` in seconds, longer than the recorder's patience with its database."""
        self._leave = leave
        self._limit = limit
        self._now = now
        self._beat_at = now()
        self._under_way = 0
        self._progress_at = now()
        self._over = threading.Event()

    @contextmanager
    def working(self) -> Iterator[None]:
        """A piece of work, from its beginning to its end. While some are under way, one must end now and then."""
        if self._under_way == 0:
            self._progress_at = self._now()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._progress_at = self._now()

    async def run(self) -> None:
        """Beat with the loop until cancelled, with a thread that listens."""
        thread = threading.Thread(target=self._listen, name="watchdog", daemon=True)
        thread.start()
        try:
            while True:
                self.beat()
                await asyncio.sleep(BEAT)
        finally:
            self._over.set()

    def beat(self) -> None:
        """The event loop turns."""
        self._beat_at = self._now()

    def stuck(self) -> str | None:
        """What is stuck, in plain words."""
        now = self._now()
        if now - self._beat_at > self._limit:
            return f"the event loop has not turned for {now - self._beat_at:.0f} s"
        if self._under_way and now - self._progress_at > self._limit:
            return f"no batch has come to its end for {now - self._progress_at:.0f} s"
        return None

    def _listen(self) -> None:
        while not self._over.wait(BEAT):
            if why := self.stuck():
                self._leave(SOFTWARE, f"no progress: {why}")
