"""The worker's maker of checkpoints: every so often, every so many records, and once more at the end.

Of several workers the one that takes the lease makes the next; all of them know the newest.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from monitor.audit.leading import Leases
from monitor.audit.proof.checkpoint import SignedCheckpoint, read_checkpoint
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.publishing import Topic, append_to_file, send_to_topic
from monitor.audit.proof.store import Kept, ProofStore
from monitor.clock import Clock
from monitor.errors import DatabaseUnavailable, MonitorError
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

LEASE: Final = "checkpoint"
POLL: Final = 1.0  # seconds between two looks at the head
LAST_LIMIT: Final = 5.0  # seconds for the last one, when the worker ends


class CheckpointObserver(Protocol):
    """What it tells the metrics."""

    def checkpoint_is(self, size: int, made_at: datetime) -> None: ...

    def checkpoint_kept(self, kept: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """When the next checkpoint is due: after so long, or after so many records, whichever comes first."""

    every: timedelta
    records: int

    def due(self, newest: Kept | None, size: int, now: datetime) -> bool:
        """Is one due for a log of `size` records? Never while there is nothing new."""
        if newest is None:
            return size > 0
        new = size - newest.size
        return new > 0 and (now - newest.made_at >= self.every or new >= self.records)


class Checkpoints:
    """Makes and publishes checkpoints until it is stopped."""

    def __init__(
        self,
        leases: Leases,
        store: ProofStore,
        maker: CheckpointMaker,
        clock: Clock,
        topic: Topic,
        observer: CheckpointObserver,
        *,
        pace: Pace,
        file: Path | None,
    ) -> None:
        self._lease = leases.named(LEASE)
        self._store = store
        self._maker = maker
        self._clock = clock
        self._began_at = clock.now()
        self._topic = topic
        self._observer = observer
        self._pace = pace
        self._file = file
        self._newest: SignedCheckpoint | None = None
        self._for_file: SignedCheckpoint | None = None
        self._for_topic: SignedCheckpoint | None = None
        self._said = ""
        self._stopping = Stopping()

    def footer(self) -> str | None:
        """The newest checkpoint in one line, for the foot of a notice; None before the first."""
        return self._newest.footer if self._newest else None

    async def behind_since(self) -> datetime | None:
        """Since when (at the earliest) the log's head has been without a checkpoint over it; None if there is one.

        Raises DatabaseUnavailable.
        """
        newest = await self._store.newest()
        if (newest.size if newest else 0) >= await self._store.size():
            return None
        return newest.made_at if newest else self._began_at

    async def run(self) -> None:
        """Make checkpoints until `stop`. Neither the database's nor the broker's silence ends it."""
        self._observer.checkpoint_is(0, self._began_at)  # that they are to be made is seen, should none ever be
        async for _ in self._stopping.rounds(POLL):
            await self._round(self._pace)

    def stop(self) -> None:
        """End `run`; `close` makes the last checkpoint."""
        self._stopping.tell()

    async def close(self) -> None:
        """Sign what was written last, the receipts of the last notices too, and give the lease up."""
        self._stopping.tell()
        try:
            async with asyncio.timeout(LAST_LIMIT):
                await self._round(Pace(timedelta(0), 1))
                await self._lease.give_up()
        except TimeoutError:
            logger.warning("the last checkpoint was not finished in time")

    async def _round(self, pace: Pace) -> None:
        try:
            await self._make(pace)
            await self._send()
        except DatabaseUnavailable as error:
            logger.warning("checkpoints wait: %s", error)
        except MonitorError as error:
            self._say(str(error))

    async def _make(self, pace: Pace) -> None:
        newest = await self._store.newest()
        self._know(newest)
        now = self._clock.now()
        if not pace.due(newest, await self._store.size(), now):
            return
        if not await self._lease.taken(now):
            return
        made = await self._maker.make(now)
        if made is not None:
            self._newest = self._for_file = self._for_topic = made
            self._observer.checkpoint_is(made.size, now)
            self._said = ""

    def _know(self, newest: Kept | None) -> None:
        if newest is not None and (self._newest is None or newest.size > self._newest.size):
            self._newest = read_checkpoint(newest.note)
            self._observer.checkpoint_is(newest.size, newest.made_at)

    async def _send(self) -> None:
        if self._file is not None and self._for_file is not None:
            try:
                await asyncio.to_thread(append_to_file, self._file, self._for_file)
            except OSError as error:
                self._say(f"{self._file} cannot be written: {error.strerror}")
            else:
                self._for_file = None
            self._observer.checkpoint_kept(self._for_file is None)
        if self._for_topic is not None:
            await send_to_topic(self._topic, self._for_topic)
            self._for_topic = None

    def _say(self, wrong: str) -> None:
        """Say it once, not every second."""
        if wrong != self._said:
            logger.error("checkpoints: %s", wrong)
        self._said = wrong
