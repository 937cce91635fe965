"""The dead-man's switch: a sign of life to a service outside, sent only while nothing here is overdue.

Nobody here can tell that we are silent. A service such as healthchecks.io calls somebody when the signs stop; so a sign
must mean that patients are watched, and not only that a process runs.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

import aiohttp

from monitor.clock import Clock
from monitor.errors import DatabaseUnavailable
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

LIMIT: Final = 10.0  # seconds for one sign: the next must not wait for it
OK: Final = 400  # statuses from here on are refusals

Overdue = Callable[[datetime], Awaitable[str | None]]
"""Tells what is overdue, in plain words without secrets; None if nothing is."""


class HeartbeatObserver(Protocol):
    """What it tells the metrics."""

    def heartbeat_sent(self, at: datetime) -> None: ...


class Heartbeat:
    """Runs until it is stopped. `url` is a secret: it is the whole right to say that we live."""

    def __init__(
        self, url: str, overdue: Mapping[str, Overdue], clock: Clock, observer: HeartbeatObserver, *, every: float
    ) -> None:
        """`every` in seconds; `overdue` by the name of what is looked after."""
        self._url = url
        self._overdue = overdue
        self._clock = clock
        self._observer = observer
        self._every = every
        self._stopping = Stopping()
        self._said = ""

    async def run(self) -> None:
        """Send signs until `stop`. Whatever the service outside does, it ends nothing here."""
        timeout = aiohttp.ClientTimeout(total=LIMIT)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            async for _ in self._stopping.rounds(self._every):
                await self.beat(session)

    def stop(self) -> None:
        """End `run` after the sign under way."""
        self._stopping.tell()

    async def beat(self, session: aiohttp.ClientSession) -> bool:
        """Send one sign if nothing is overdue; whether it arrived."""
        now = self._clock.now()
        if wrong := await self._wrong(now):
            self._say(f"no sign of life is sent: {wrong}")
            return False
        try:
            async with session.get(self._url) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._say(f"the sign of life did not arrive: {type(error).__name__}")  # the text may hold the URL
            return False
        if status >= OK:
            self._say(f"the sign of life was refused: HTTP {status}")
            return False
        self._said = ""
        self._observer.heartbeat_sent(now)
        return True

    async def _wrong(self, now: datetime) -> str:
        found = []
        for name, overdue in self._overdue.items():
            try:
                said = await overdue(now)
            except DatabaseUnavailable:
                said = "the database does not answer"
            except Exception as error:  # what cannot be told is not well
                logger.exception("whether %s is overdue cannot be told", name)
                said = type(error).__name__
            if said is not None:
                found.append(f"{name}: {said}")
        return "; ".join(found)

    def _say(self, what: str) -> None:
        """Say it once, not every minute."""
        if what != self._said:
            logger.warning("%s", what)
        self._said = what
