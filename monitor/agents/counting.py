"""How many alerts wait for a person, and how long the oldest has: counted by the database now and then."""

import logging
from collections.abc import Mapping
from typing import Final, Protocol

from monitor.audit.ports import AuditLog
from monitor.clock import Clock
from monitor.errors import DatabaseUnavailable
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

EVERY: Final = 10.0  # seconds


class OpenAlertsObserver(Protocol):
    """What it tells the metrics."""

    def unacknowledged(self, by_priority: Mapping[str, int], oldest_seconds: Mapping[str, float]) -> None: ...


class OpenAlerts:
    """Counts until it is stopped."""

    def __init__(self, log: AuditLog, observer: OpenAlertsObserver, clock: Clock) -> None:
        self._log = log
        self._observer = observer
        self._clock = clock
        self._stopping = Stopping()

    async def run(self) -> None:
        """Count until `stop`; a database that does not answer is asked again later."""
        async for _ in self._stopping.rounds(EVERY):
            try:
                await self._count()
            except DatabaseUnavailable as error:
                logger.warning("open alerts cannot be counted: %s", error)

    def stop(self) -> None:
        """End `run`."""
        self._stopping.tell()

    async def _count(self) -> None:
        firing = await self._log.unanswered()
        now = self._clock.now()
        oldest = {each.priority: max((now - each.oldest_at).total_seconds(), 0.0) for each in firing}
        self._observer.unacknowledged({each.priority: each.count for each in firing}, oldest)
