"""The trial on its way through the worker, until all of it is on the log and every notice is out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from monitor.cli.demonstration.exposition import Exposition
from monitor.cli.demonstration.process import Worker
from monitor.cli.publish import send
from monitor.errors import MonitorError

PATIENCE: Final = 30.0  # seconds without any progress: then something is stuck
POLL: Final = 0.3  # seconds between two looks


class Notices(Protocol):
    """What is known of the notices from outside the worker."""

    async def waiting(self) -> int:
        """How many wait in the outbox."""

    def delivered(self) -> int:
        """How many have arrived."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """How it went: messages, seconds from the first that was sent to the last that was recorded, the last metrics."""

    messages: int
    seconds: float
    metrics: Exposition


async def stream(
    worker: Worker, lines: Sequence[bytes], until: datetime, notices: Notices, console: Console
) -> Streamed:
    """Publish the lines; wait until they are recorded, the clock stands at `until`, and no notice waits.

    Raises MonitorError if nothing moves any more, if the worker ends, or if publishing fails.
    """
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bars = [progress.add_task(name, total=len(lines)) for name in ("published", "on the log")]
        telling = progress.add_task("notices delivered", total=None)
        began = time.monotonic()
        sending = asyncio.create_task(send(worker.stage.settings(), progress.track(lines, task_id=bars[0])))
        try:
            await _recorded(worker, len(lines), until, sending, lambda done: progress.update(bars[1], completed=done))
            seconds = time.monotonic() - began
            await _delivered(worker, notices, progress, telling)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return Streamed(len(lines), seconds, Exposition(await worker.scrape()))


async def _recorded(
    worker: Worker, total: int, until: datetime, sending: asyncio.Task[int], show: Callable[[int], None]
) -> None:
    patience = Patience()
    while True:
        seen = Exposition(await worker.scrape())
        show(seen.taken)
        if sending.done():
            sending.result()  # raises what went wrong with it
            if seen.taken >= total and seen.clock >= until.timestamp():
                return
        patience.spend((seen.taken, seen.clock), f"{seen.taken} of {total} messages are on the log")
        await asyncio.sleep(POLL)


async def _delivered(worker: Worker, notices: Notices, progress: Progress, bar: TaskID) -> None:
    patience = Patience()
    while waiting := await notices.waiting():
        worker.raise_if_ended()
        delivered = notices.delivered()
        progress.update(bar, completed=delivered, total=delivered + waiting)
        patience.spend((delivered, waiting), f"{waiting} notices wait")
        await asyncio.sleep(POLL)
    progress.update(bar, completed=notices.delivered(), total=notices.delivered())


@dataclass(slots=True)
class Patience:
    """Runs out when what is looked at stays the same for too long."""

    limit: float = PATIENCE
    _seen: object = None
    _since: float = field(default_factory=time.monotonic)

    def spend(self, seen: object, where: str) -> None:
        """Look again. Raises MonitorError that says where things stand."""
        now = time.monotonic()
        if seen != self._seen:
            self._seen, self._since = seen, now
        elif now - self._since > self.limit:
            raise MonitorError(f"nothing has moved for {self.limit:.0f} s: {where}")
