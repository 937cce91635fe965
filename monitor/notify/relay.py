"""Empties the outbox: a worker a channel, so that a dead one holds up no other; one relay at a time, by a lease."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta

from monitor.audit.batch import OutboxRow
from monitor.audit.leading import Leases
from monitor.audit.ports import AuditLog
from monitor.clock import Clock
from monitor.errors import DatabaseUnavailable
from monitor.notify.delivering import Deliverer
from monitor.notify.ports import RelayObserver
from monitor.notify.routing import ALERT_CHANNEL, TOPIC_CHANNELS
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

LEASE = "relay"
# Longer than any send with its waits: a row comes again only if its relay is gone.
ROW_LEASE = timedelta(seconds=90)
# Rows of one claim. A claim is worked off before the next, so a channel never holds more than these.
AT_ONCE = 16
EVENTS_AT_ONCE = 100


class Relay:
    """Run it as a task of the worker; `stop` ends it after the sends under way.

    `channels` are those of the routing file; rows of channels that are in it no more are
    tried too, and go to their fallback. `poll`: how long an idle worker waits, in seconds.
    """

    def __init__(
        self,
        log: AuditLog,
        leases: Leases,
        deliverer: Deliverer,
        clock: Clock,
        observer: RelayObserver,
        *,
        channels: Collection[str],
        poll: float = 1.0,
    ) -> None:
        self._log = log
        self._deliverer = deliverer
        self._clock = clock
        self._observer = observer
        self._lease = leases.named(LEASE)
        self._channels = frozenset({*channels, ALERT_CHANNEL})
        self._poll = poll
        self._leading = False
        self._stopping = Stopping()
        self._news: dict[str, asyncio.Event] = {channel: asyncio.Event() for channel in self._channels}

    def wake(self) -> None:
        """There may be new rows: look now. Called after each commit."""
        for news in self._news.values():
            news.set()

    def stop(self) -> None:
        """End `run` after the sends under way."""
        self._stopping.tell()
        self.wake()

    async def run(self) -> None:
        """Relay until `stop`. Neither a channel's nor the database's silence ends it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._lead())
            tasks.create_task(self._watch())
            for channel in sorted(self._channels):
                tasks.create_task(self._work(channel))
        await self._lease.give_up()

    async def relay_once(self, channels: Collection[str]) -> int:
        """Claim and deliver one round of rows of some channels; how many there were."""
        limit = EVENTS_AT_ONCE if channels == {ALERT_CHANNEL} else AT_ONCE
        now = self._clock.now()
        rows = await self._log.claim_outbox(limit=limit, lease_for=ROW_LEASE, now=now, channels=channels)
        await asyncio.gather(*(self._deliver(group) for group in _in_order(rows)))
        return len(rows)

    async def _deliver(self, rows: Sequence[OutboxRow]) -> None:
        """Deliver a group. What goes wrong with it must not end the others, nor the watch over patients: its rows
        come again when their lease ends.
        """
        try:
            await self._deliverer.deliver(rows)
        except DatabaseUnavailable as error:
            logger.warning("notices by %s will be sent again: %s", rows[0].channel, error)
        except Exception as error:  # a mistake of ours; its text may hold what is in the row
            logger.error("a notice by %s cannot be handled: %s", rows[0].channel, type(error).__name__)  # noqa: TRY400
            self._observer.notice_undelivered()

    async def _lead(self) -> None:
        """Hold the lease, and renew it well before it ends; without it, see whether it has become free."""
        while not self._stopping.told:
            try:
                await self._take_the_lead()
            except DatabaseUnavailable as error:
                self._leading = False
                logger.warning("the relay waits for the database: %s", error)
            await self._stopping.pause(self._lease.ttl.total_seconds() / 3 if self._leading else self._poll)

    async def _take_the_lead(self) -> None:
        now = self._clock.now()
        leads = await self._lease.taken(now)
        if leads and not self._leading:
            # Rows that a relay before us had claimed come back when their leases end.
            waiting = {backlog.channel for backlog in await self._log.outbox_backlog()} - set(TOPIC_CHANNELS)
            self._deliverer.sure_from = now + ROW_LEASE if waiting else None
            self.wake()
        self._leading = leads

    async def _work(self, channel: str) -> None:
        """Deliver one channel's rows while this process leads."""
        news = self._news[channel]
        while not self._stopping.told:
            news.clear()
            found = 0
            if self._leading:
                try:
                    found = await self.relay_once({channel})
                except DatabaseUnavailable as error:
                    logger.warning("channel %s waits for the database: %s", channel, error)
            if not found:
                await self._pause(news)

    async def _watch(self) -> None:
        """Tell the metrics what waits, and take up rows whose channel is configured no more."""
        async for _ in self._stopping.rounds(5 * self._poll):
            try:
                backlog = await self._log.outbox_backlog()
                now = self._clock.now()
                oldest = max(((now - waiting.oldest_at).total_seconds() for waiting in backlog), default=0.0)
                self._observer.outbox_is({waiting.channel: waiting.pending for waiting in backlog}, max(oldest, 0.0))
                orphans = {waiting.channel for waiting in backlog} - self._channels - set(TOPIC_CHANNELS)
                if orphans and self._leading:
                    await self.relay_once(orphans)
            except DatabaseUnavailable as error:
                logger.warning("the outbox cannot be counted: %s", error)

    async def _pause(self, news: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(news.wait(), self._poll)
        except TimeoutError:
            return


def _in_order(rows: Sequence[OutboxRow]) -> list[list[OutboxRow]]:
    """Rows in groups that keep their order: events by patient, notices by alert and recipient."""
    groups: dict[tuple[str | None, ...], list[OutboxRow]] = defaultdict(list)
    for row in rows:
        key = (row.patient,) if row.channel == ALERT_CHANNEL else (row.alert_id, row.recipient)
        groups[key].append(row)
    return list(groups.values())
