"""The one loop that every agent runs: take a batch, record it, and only then acknowledge it, in order.

Faust acknowledges an event whose body raised, and commits past a hole: so nothing leaves this loop by an exception.
A batch ends recorded (or quarantined, which is recorded too), or the process ends with nothing acknowledged.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from faust.streams import Stream
from faust.types import EventT, StreamT

from monitor.agents.leave import exit_code
from monitor.agents.ports import SOFTWARE, Keeper, Leave
from monitor.agents.watchdog import Watchdog
from monitor.errors import DatabaseUnavailable, Fenced, PositionMismatch
from monitor.recorder.inputs import Header, Input

logger = logging.getLogger(__name__)


class Intake:
    """Carries batches from faust's streams to the recorder; shared by all agents."""

    def __init__(
        self,
        keeper: Keeper,
        leave: Leave,
        watchdog: Watchdog,
        *,
        batch_events: int,
        batch_bytes: int,
        batch_wait: float,
    ) -> None:
        self._keeper = keeper
        self._leave = leave
        self._watchdog = watchdog
        self._batch_events = batch_events
        self._batch_bytes = batch_bytes
        self._batch_wait = batch_wait

    async def drain(self, stream: StreamT[bytes]) -> None:
        """Run until the stream ends. Never raises, but for cancellation."""
        batches = cast(Stream[bytes], stream).noack_take(self._batch_events, within=self._batch_wait)
        # It yields events, whatever its annotation says: so that we may acknowledge them by hand.
        async for events in cast(AsyncIterator[Sequence[EventT[bytes]]], batches):
            for part in parts(events, self._batch_bytes):
                await self._record(part)
                for event in part:
                    await stream.ack(event)

    async def _record(self, events: Sequence[EventT[bytes]]) -> None:
        try:
            with self._watchdog.working():
                await self._keeper.record([_input(event) for event in events])
        except (DatabaseUnavailable, Fenced, PositionMismatch) as error:
            self._leave(exit_code(error), str(error))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            logger.exception("recording a batch failed")
            self._leave(SOFTWARE, f"internal error while recording: {type(error).__name__}")


def parts(events: Sequence[EventT[bytes]], limit: int) -> Iterator[Sequence[EventT[bytes]]]:
    """The events in order, in parts of at most `limit` bytes; one that is larger is a part of its own."""
    part: list[EventT[bytes]] = []
    size = 0
    for event in events:
        more = len(event.message.value or b"")
        if part and size + more > limit:
            yield part
            part, size = [], 0
        part.append(event)
        size += more
    yield part


def _input(event: EventT[bytes]) -> Input:
    message = event.message
    return Input(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value or b"",
        headers=_headers(message.headers),
    )


def _headers(headers: Any) -> tuple[Header, ...]:
    pairs: Iterable[tuple[str, bytes]] = headers.items() if isinstance(headers, Mapping) else headers or ()
    return tuple((name, value or b"") for name, value in pairs)
