"""Copies of refused messages to the `safety.quarantine` topic, out of the outbox; the log has them already."""

import logging
from datetime import timedelta
from typing import Final

from monitor.agents.publisher import TopicPublisher
from monitor.audit.batch import Batch, OutboxRow, OutboxState, Outcome
from monitor.audit.ports import AuditLog
from monitor.clock import Clock
from monitor.errors import DatabaseUnavailable, MessageTooLarge, MonitorError
from monitor.events.catalogue import QUARANTINE_TOPIC
from monitor.notify.routing import QUARANTINE_CHANNEL
from monitor.recorder.quarantine import copy_of
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

AT_ONCE: Final = 20  # copies in memory: each is as large as the broker took it
LEASE: Final = timedelta(seconds=60)
PAUSE: Final = 0.5  # seconds, when there is nothing to copy
RETRY_AFTER: Final = timedelta(seconds=5)


class QuarantineCopies:
    """Sends copies until it is stopped. A copy may go twice, never zero times."""

    def __init__(self, log: AuditLog, publisher: TopicPublisher, clock: Clock) -> None:
        self._log = log
        self._publisher = publisher
        self._clock = clock
        self._stopping = Stopping()

    async def run(self) -> None:
        """Copy until `stop`. Neither the database's nor the broker's silence ends it."""
        while not self._stopping.told:
            try:
                copied = await self._copy()
            except DatabaseUnavailable as error:
                logger.warning("copies to %s wait: %s", QUARANTINE_TOPIC, error)
                copied = 0
            if copied < AT_ONCE:
                await self._stopping.pause(PAUSE)

    def stop(self) -> None:
        """End `run` after the copies under way."""
        self._stopping.tell()

    async def _copy(self) -> int:
        now = self._clock.now()
        rows = await self._log.claim_outbox(limit=AT_ONCE, lease_for=LEASE, now=now, channels={QUARANTINE_CHANNEL})
        for row in rows:
            outcome = await self._send(row)
            await self._log.settle_outbox(row.row_id, outcome, Batch(recorded_at=self._clock.now()))
        return len(rows)

    async def _send(self, row: OutboxRow) -> Outcome:
        copy = copy_of(row.payload)
        try:
            try:
                await self._publisher.send(QUARANTINE_TOPIC, copy.key, copy.value, copy.headers)
            except MessageTooLarge:  # it came just within the limit, and says more now: the log alone has it whole
                await self._publisher.send(QUARANTINE_TOPIC, None, b"", copy.bare)
        except MonitorError as error:
            logger.warning("a copy to %s waits: %s", QUARANTINE_TOPIC, error)
            retry_at = self._clock.now() + RETRY_AFTER
            return Outcome(attempt=row.attempts, state=OutboxState.PENDING, retry_at=retry_at)
        return Outcome(attempt=row.attempts, state=OutboxState.DELIVERED)
