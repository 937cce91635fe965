"""The worker verifies its own log: all of it every day, what is new every hour; one worker of several, by a lease.

It is polite: pages of some milliseconds on the loop, patients in a thread, and three times as much rest as work.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from monitor.audit.batch import Batch
from monitor.audit.checker import Checker
from monitor.audit.leading import Leases
from monitor.audit.passes import Pass, Passes, pass_of, pass_record
from monitor.audit.ports import AuditLog
from monitor.audit.proof.anchors import Anchors
from monitor.audit.verify import verify
from monitor.clock import Clock
from monitor.errors import DatabaseUnavailable, MonitorError
from monitor.protocol.model import Protocol as ProtocolFile
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

LEASE: Final = "verifier"
LOOK: Final = 5.0  # seconds between two looks whether a pass is due
SETTLING: Final = timedelta(minutes=5)
"""The first pass of a log waits so long after a start, which has better things to do."""

PAGE: Final = 256
"""Records checked in one go on the loop: some two milliseconds."""

REST: Final = 3.0
"""Times as long as it worked: a quarter of one core."""

LONGEST_REST: Final = 2.0  # seconds


class VerifierObserver(Protocol):
    """What it tells the metrics."""

    def log_verified(self, sequence: int, at: datetime) -> None: ...

    def log_broken(self, sequence: int) -> None: ...

    def verify_took(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often the whole log is verified, and what is new."""

    whole: timedelta
    new: timedelta


class _Interrupted(Exception):  # noqa: N818 - no error: told to stop, or another worker has the lease
    """A pass ends half-way."""


class LogVerifier:
    """Verifies until it is stopped. What is new is checked from where it stood; its first pass is a whole one.

    `anchors` gives the checkpoints to hold the log against.
    """

    def __init__(
        self,
        log: AuditLog,
        leases: Leases,
        protocol: ProtocolFile,
        anchors: Callable[[], Awaitable[Anchors]],
        clock: Clock,
        observer: VerifierObserver,
        *,
        schedule: Schedule,
    ) -> None:
        """`protocol`: the file for a log that holds none."""
        self._log = log
        self._protocol = protocol
        self._anchors = anchors
        self._clock = clock
        self._observer = observer
        self._schedule = schedule
        self._lease = leases.named(LEASE)
        self._instance = leases.holder
        self._begun_at = clock.now()
        self._checker: Checker | None = None  # where the last pass ended, if all was well
        self._looked_at = self._begun_at
        self._passes = Passes(log)
        self._stopping = Stopping()
        self._rested = 0.0
        self._held_until = self._begun_at

    async def run(self) -> None:
        """Verify until `stop`. Neither the database's silence nor what is found ends it."""
        async for _ in self._stopping.rounds(LOOK):
            try:
                await self.look()
            except _Interrupted:
                self._checker = None
            except MonitorError as error:
                self._checker = None
                waits = isinstance(error, DatabaseUnavailable)
                logger.log(logging.WARNING if waits else logging.ERROR, "the log cannot be verified: %s", error)
        await self._lease.give_up()

    def stop(self) -> None:
        """End `run`; a pass under way is given up."""
        self._stopping.tell()

    async def look(self) -> Pass | None:
        """Make a pass if one is due. Raises DatabaseUnavailable, ProtocolInvalid."""
        now = self._clock.now()
        await self._passes.follow()
        last = self._passes.whole
        if last is not None and self._passes.broken is None and self._checker is None:
            self._observer.log_verified(last.records, last.at)  # another worker's, or that of an earlier start
        whole = now - last.at >= self._schedule.whole if last else now - self._begun_at >= SETTLING
        if not (whole or now - self._looked_at >= self._schedule.new) or not await self._leads(now):
            return None
        self._looked_at = now
        return await self._pass(now, None if whole else self._checker)

    async def _pass(self, now: datetime, going_on: Checker | None) -> Pass:
        began = self._rested = time.monotonic()
        checker = going_on or Checker()
        anchors = await self._anchors()
        verdict = await verify(self._log, self._protocol, anchors=anchors, checker=checker, size=PAGE, rest=self._rest)
        done = pass_of(verdict, at=now, whole_log=going_on is None, seconds=time.monotonic() - began)
        await self._tell(done)
        checker.rest()
        self._checker = checker if done.broken_at is None else None
        return done

    async def _tell(self, done: Pass) -> None:
        if done.broken_at is not None:
            logger.error("the log is BROKEN at record %d: %s", done.broken_at, done.what)
            self._observer.log_broken(done.broken_at)
        else:
            self._observer.log_verified(done.records, done.at)
        if done.whole_log:
            self._observer.verify_took(done.seconds)
        if done.whole_log or done.broken_at is not None:  # what is new is looked at too often to tell of each time
            record = pass_record(done, instance=self._instance)
            await self._log.append(Batch(recorded_at=self._clock.now(), records=(record,)))

    async def _rest(self) -> None:
        """Let others work. Raises _Interrupted when told to stop, or when another worker has taken the lease."""
        worked = time.monotonic() - self._rested
        await self._stopping.pause(min(worked * REST, LONGEST_REST))
        if self._stopping.told or not await self._leads(self._clock.now()):
            raise _Interrupted
        self._rested = time.monotonic()

    async def _leads(self, now: datetime) -> bool:
        """Take the lease, or renew it at half of its time."""
        if now + self._lease.ttl / 2 < self._held_until:
            return True
        if not await self._lease.taken(now):
            return False
        self._held_until = now + self._lease.ttl
        return True
