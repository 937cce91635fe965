"""The system clock: once a second, what is due is done, by the one worker that holds the clock's lease.

Faust's timers are best effort and its leader is not fenced; and the clock must run while the broker is down. So
deadlines are data in the log, and the lease is a row of it.
"""

import logging
from datetime import datetime
from typing import Final, Protocol

from monitor.agents.leave import exit_code
from monitor.agents.ports import SOFTWARE, Leave
from monitor.audit.leading import Leases
from monitor.clock import Clock
from monitor.errors import DatabaseUnavailable, Fenced
from monitor.recorder.recorder import TICKED_AT_ONCE
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

LEASE: Final = "clock"


class Ticked(Protocol):
    """The recorder, as the clock sees it."""

    async def tick(self, now: datetime) -> int:
        """Advance those who have something to do at `now`; how many."""


class Ticker:
    """Ticks until it is stopped. Only one worker of many does: the others find the lease taken."""

    def __init__(self, recorder: Ticked, leases: Leases, clock: Clock, leave: Leave, *, every: float) -> None:
        """`every` in seconds."""
        self._recorder = recorder
        self._lease = leases.named(LEASE)
        self._clock = clock
        self._leave = leave
        self._every = every
        self._stopping = Stopping()

    async def run(self) -> None:
        """Tick until `stop`. A database that does not answer is asked again at the next tick."""
        async for _ in self._stopping.rounds(self._every):
            try:
                await self._tick()
            except DatabaseUnavailable as error:
                logger.warning("the clock waits: %s", error)
            except Fenced as error:
                self._leave(exit_code(error), str(error))
            except Exception as error:
                logger.exception("the clock failed")
                self._leave(SOFTWARE, f"internal error in the clock: {type(error).__name__}")
        await self._lease.give_up()

    def stop(self) -> None:
        """End `run` after the tick under way."""
        self._stopping.tell()

    async def _tick(self) -> None:
        now = self._clock.now()
        if not await self._lease.taken(now):
            return
        ticked = TICKED_AT_ONCE
        while ticked == TICKED_AT_ONCE and not self._stopping.told:
            ticked = await self._recorder.tick(now)
