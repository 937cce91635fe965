"""From bytes to messages: each input decoded, and held against the recorded positions."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor.audit.batch import Position, TopicPartition
from monitor.events.codec import decode
from monitor.events.envelope import ClockAdvanced
from monitor.recorder.guard import Message, Walk
from monitor.recorder.inputs import Input

YIELD_EVERY = 50  # messages: some milliseconds of decoding between two turns of the loop


@dataclass(frozen=True, slots=True)
class Reading:
    """A batch as it was read: its messages, and where the positions are once it is recorded."""

    messages: tuple[Message, ...]
    positions: Mapping[TopicPartition, Position]


async def read(
    inputs: Sequence[Input], positions: Mapping[TopicPartition, Position], site: ZoneInfo, max_bytes: int
) -> Reading:
    """Decode a batch. Raises PositionMismatch; bad bytes raise nothing, they are refused with a reason."""
    walk = Walk(positions)
    messages: list[Message] = []
    for number, item in enumerate(inputs, start=1):
        content = decode(
            item.value,
            headers=item.headers,
            topic=item.topic,
            site_timezone=site,
            max_bytes=max_bytes,
        )
        told = content.now if isinstance(content, ClockAdvanced) else None
        messages.append(Message(item, content, again=walk.step(item, told)))
        if number % YIELD_EVERY == 0:
            await asyncio.sleep(0)
    return Reading(tuple(messages), walk.after)
