"""The system clock: once a second, what is due is done, by the one worker that holds the clock's lease.

Faust's timers are best effort and its leader is not fenced; and the clock must run while the broker is down. So
deadlines are data in the log, and the lease is a row of it.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final, Protocol

from monitor.agents.leave import exit_code
from monitor.agents.ports import SOFTWARE, Leave
from monitor.audit.ports import AuditLog
from monitor.clock import Clock
from monitor.errors import DatabaseUnavailable, Fenced
from monitor.recorder.recorder import TICKED_AT_ONCE

logger = logging.getLogger(__name__)

LEASE: Final = "clock"


class Ticked(Protocol):
    """The recorder, as the clock sees it."""

    async def tick(self, now: datetime) -> int:
        """Advance those who have something to do at `now`; how many."""


class Ticker:
    """Ticks until it is stopped. Only one worker of many does: the others find the lease taken."""

    def __init__(
        self, recorder: Ticked, log: AuditLog, clock: Clock, leave: Leave, *, holder: str, every: float, lease: float
    ) -> None:
        """`every` and `lease` in seconds; `holder` names this worker."""
        self._recorder = recorder
        self._log = log
        self._clock = clock
        self._leave = leave
        self._holder = holder
        self._every = every
        self._lease = timedelta(seconds=lease)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Tick until `stop`. A database that does not answer is asked again at the next tick."""
        while not self._stopping.is_set():
            try:
                await self._tick()
            except DatabaseUnavailable as error:
                logger.warning("the clock waits: %s", error)
            except Fenced as error:
                self._leave(exit_code(error), str(error))
            except Exception as error:
                logger.exception("the clock failed")
                self._leave(SOFTWARE, f"internal error in the clock: {type(error).__name__}")
            await self._pause()
        await self._log.release_lease(LEASE, self._holder)

    def stop(self) -> None:
        """End `run` after the tick under way."""
        self._stopping.set()

    async def _tick(self) -> None:
        now = self._clock.now()
        if await self._log.acquire_lease(LEASE, self._holder, ttl=self._lease, now=now) is None:
            return
        ticked = TICKED_AT_ONCE
        while ticked == TICKED_AT_ONCE and not self._stopping.is_set():
            ticked = await self._recorder.tick(now)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), self._every)
        except TimeoutError:
            return
