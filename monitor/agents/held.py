"""What the broker holds, held against what the log recorded of it: a topic made anew, truncated or rewritten is found.

Nothing else would find it: a seek past the end delivers nothing, and faust drops what comes from behind.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Place
from aiokafka.errors import AuthenticationFailedError

from monitor.agents.ports import TopicPartition
from monitor.agents.unpacking import unpack_carefully
from monitor.audit.batch import Position
from monitor.broker import client_options
from monitor.errors import PositionMismatch, UsageError
from monitor.recorder.guard import ADVICE, digest
from monitor.settings import Settings

LIMIT: Final = 15.0  # seconds for one look at all partitions
POLL_MS: Final = 200


@dataclass(frozen=True, slots=True)
class Held:
    """A partition on the broker: its first offset, its next one, and the bytes at the offset recorded last.

    `last` is None where there is no message at that offset any more (retention), or where the log recorded nothing.
    """

    beginning: int
    end: int
    last: bytes | None = None


class Look(Protocol):
    """Tells what the broker holds of these partitions."""

    async def __call__(self, positions: Mapping[TopicPartition, Position]) -> Mapping[TopicPartition, Held]:
        """Raises KafkaError, TimeoutError."""


async def look(settings: Settings, positions: Mapping[TopicPartition, Position]) -> dict[TopicPartition, Held]:
    """What the broker holds of these partitions. Raises KafkaError, TimeoutError."""
    unpack_carefully(settings.max_expanded_bytes)  # or the digests would differ from the worker's
    client = AIOKafkaConsumer(
        **_options(settings), enable_auto_commit=False, auto_offset_reset="none", fetch_max_wait_ms=POLL_MS
    )
    async with asyncio.timeout(LIMIT):
        await client.start()
        try:
            places = {Place(*place): position.next_offset - 1 for place, position in positions.items()}
            beginnings = await client.beginning_offsets(list(places))
            ends = await client.end_offsets(list(places))
            there = {place: last for place, last in places.items() if beginnings[place] <= last < ends[place]}
            found = await _messages(client, there)
        finally:
            await client.stop()
    return {tuple(place): Held(beginnings[place], ends[place], found.get(place)) for place in places}


def _options(settings: Settings) -> dict[str, Any]:
    """As `client_options`. Its files were there at the start: what is missing of them now is being renewed."""
    try:
        return client_options(settings)
    except UsageError as error:
        raise AuthenticationFailedError(str(error)) from None


async def _messages(client: Any, wanted: Mapping[Place, int]) -> dict[Place, bytes]:
    """The messages at these offsets; an offset that holds none is left out."""
    found: dict[Place, bytes] = {}
    missing = dict(wanted)
    if missing:
        client.assign(list(missing))
    for place, offset in missing.items():
        client.seek(place, offset)
    while missing:
        for place, records in (await client.getmany(*missing, timeout_ms=POLL_MS)).items():
            if records and missing.pop(place) == records[0].offset:
                found[place] = records[0].value or b""
    return found


def check(place: TopicPartition, position: Position, held: Held, *, ends_are_told: bool) -> None:
    """Raises PositionMismatch unless the broker holds what the log recorded, and what comes next.

    ends_are_told: whether the broker's word on the end of a topic can be relied on (Tansu's lags by a minute and more).
    """
    name = f"{place[0]}/{place[1]}: the log recorded up to offset {position.next_offset}, but the broker"
    if held.beginning > position.next_offset:
        raise PositionMismatch(
            f"{name} begins at {held.beginning}: messages between were lost, or the topic was made anew"
        )
    if ends_are_told and held.end < position.next_offset:
        raise PositionMismatch(f"{name} ends at {held.end}: the topic was truncated or made anew")
    if held.last is not None and position.last_digest is not None and digest(held.last) != position.last_digest:
        raise PositionMismatch(
            f"{place[0]}/{place[1]}: other bytes at the recorded offset {position.next_offset - 1}{ADVICE}"
        )
