"""Takes up what people ask to have read again out of the quarantine, by the one worker that holds the lease."""

import logging
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final, Protocol

from monitor.agents.leave import exit_code
from monitor.agents.ports import Leave
from monitor.audit import kinds
from monitor.audit.batch import Batch
from monitor.audit.leading import Leases
from monitor.audit.ports import AuditLog
from monitor.clock import Clock
from monitor.errors import DatabaseUnavailable, Fenced
from monitor.recorder.records import MONITOR
from monitor.recorder.retrying import AT_ONCE, Choice, Kept, kept_in, made_record, retries_in
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

LEASE: Final = "retries"
EVERY: Final = 2.0  # seconds between two looks


class Rereader(Protocol):
    """The recorder, as this service sees it."""

    async def read_again(self, kept: Sequence[Kept]) -> list[int]:
        """Record those that can be read now; which."""


class RetryTaker:
    """Looks until it is stopped. A request that was broken off is taken from its beginning: nothing is doubled."""

    def __init__(
        self,
        recorder: Rereader,
        log: AuditLog,
        leases: Leases,
        clock: Clock,
        leave: Leave,
        *,
        topics: Collection[str],
    ) -> None:
        self._recorder = recorder
        self._log = log
        self._clock = clock
        self._leave = leave
        self._topics = sorted(topics)
        self._lease = leases.named(LEASE)
        self._stopping = Stopping()
        self._seen = 0

    async def run(self) -> None:
        """Look until `stop`. Neither the database's silence nor a request that fails ends it."""
        async for _ in self._stopping.rounds(EVERY):
            try:
                await self.look()
            except DatabaseUnavailable as error:
                logger.warning("retries wait: %s", error)
            except Fenced as error:
                self._leave(exit_code(error), str(error))
        await self._lease.give_up()

    def stop(self) -> None:
        """End `run` after the part under way."""
        self._stopping.tell()

    async def look(self) -> None:
        """Do what was asked. Raises DatabaseUnavailable, Fenced."""
        if not await self._lease.taken(self._clock.now()):
            return
        if not [record async for record in self._log.read(after=self._seen, stream=kinds.SYSTEM_RETRIES, limit=1)]:
            return
        records = await self._log.stream(kinds.SYSTEM_RETRIES)
        found = retries_in(records)
        for asked, choice in found.open.items():
            try:
                if not await self._do(asked, choice, found.accepted):
                    return
            except (DatabaseUnavailable, Fenced):
                raise
            except (
                Exception
            ) as error:  # a mistake of ours must not end the watch over patients, nor come again for ever
                logger.exception("a request to read refused messages again failed")
                await self._append(asked, (), (), error=type(error).__name__)
        self._seen = records[-1].sequence

    async def _do(self, asked: int, choice: Choice, accepted: set[int]) -> bool:
        """Read again what one request names; False if told to stop on the way, or if another leads now."""
        async for part in self._parts(choice, accepted):
            if self._stopping.told or not await self._lease.taken(self._clock.now()):
                return False
            made = await self._recorder.read_again(part)
            accepted |= set(made)
            await self._append(asked, [kept.sequence for kept in part], made)
            logger.info("read again out of the quarantine: %d of %d messages", len(made), len(part))
        await self._append(asked, (), ())
        return True

    async def _parts(self, choice: Choice, accepted: set[int]) -> AsyncIterator[list[Kept]]:
        part: list[Kept] = []
        for topic in self._topics:
            async for record in self._log.read(stream=kinds.quarantine_stream(topic)):
                kept = kept_in(record)
                if kept is not None and kept.sequence not in accepted and choice.takes(kept):
                    part.append(kept)
                if len(part) == AT_ONCE:
                    yield part
                    part = []
        if part:
            yield part

    async def _append(self, asked: int, tried: Sequence[int], made: Sequence[int], *, error: str | None = None) -> None:
        now = self._clock.now()
        record = made_record(asked, tried, made, error=error, actor=MONITOR, now=now)
        await self._log.append(Batch(recorded_at=now, records=(record,)))
