"""What the broker sends is held against what the log recorded of it. Pure.

Positions guard, they do not deduplicate: a message at a recorded offset may come again (a crash between the commit and
the acknowledgement) but must be the one that was recorded, and none may be missing in between. Producers must not use
transactions: their markers take offsets, and look like a loss.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.audit.batch import Position, TopicPartition
from monitor.errors import PositionMismatch
from monitor.events.envelope import ClockAdvanced, Received, Refused
from monitor.events.refusal import refusal_key
from monitor.recorder.inputs import Input

ADVICE = "; the topic was made anew, truncated or rewritten: stop and look before anything is read again"


@dataclass(frozen=True, slots=True)
class Message:
    """An input that was read: what it is, the key of its redelivery, and whether its offset is on the log already."""

    input: Input
    content: Received | Refused | ClockAdvanced
    again: bool = False

    @property
    def dedupe_key(self) -> str | None:
        """What identifies it on the log. A refused message is no duplicate of another: only the same offset is."""
        if isinstance(self.content, Received):
            return self.content.delivery_key
        return self._key_of_refusal(self.content.delivery_key) if isinstance(self.content, Refused) else None

    @property
    def keys_again(self) -> tuple[str, ...]:
        """By what the log may know it if its offset is recorded: what can be read now was refused before a mend."""
        if (key := self.dedupe_key) is None:
            return ()
        return key, self._key_of_refusal(refusal_key(self.input.value, tuple(self.input.headers)))

    def _key_of_refusal(self, key: str) -> str:
        return f"{self.input.topic}/{self.input.partition}/{self.input.offset}/{key}"


def digest(value: bytes) -> str:
    """Short proof of a message's bytes."""
    return hashlib.sha256(value).hexdigest()


class Walk:
    """Follows the offsets of a batch from the recorded positions; `after` are the positions when it is recorded."""

    def __init__(self, positions: Mapping[TopicPartition, Position]) -> None:
        self._before = positions
        self.after: dict[TopicPartition, Position] = {}

    def step(self, item: Input, watermark: datetime | None = None) -> bool:
        """Take one message; True if its offset is on the log already. Raises PositionMismatch."""
        place = item.tp
        current = self.after.get(place) or self._before.get(place)
        if current is None or item.offset == current.next_offset:
            self.after[place] = _next(item, current, watermark)
            return False
        if item.offset > current.next_offset:
            raise PositionMismatch(
                f"{_name(item)}: offsets {current.next_offset} to {item.offset - 1} never came{ADVICE}"
            )
        newest = item.offset == current.next_offset - 1
        if newest and current.last_digest is not None and digest(item.value) != current.last_digest:
            raise _other_bytes(item)
        return True


def check_repeats(messages: Iterable[Message], known: set[str]) -> None:
    """Every message at a recorded offset must be on the log. Raises PositionMismatch."""
    for message in messages:
        if message.again and (keys := message.keys_again) and known.isdisjoint(keys):
            raise _other_bytes(message.input)


def _next(item: Input, current: Position | None, watermark: datetime | None) -> Position:
    told = [at for at in (watermark, current.watermark if current else None) if at is not None]
    return Position(next_offset=item.offset + 1, watermark=max(told, default=None), last_digest=digest(item.value))


def _other_bytes(item: Input) -> PositionMismatch:
    return PositionMismatch(f"{_name(item)}: other bytes at the recorded offset {item.offset}{ADVICE}")


def _name(item: Input) -> str:
    return f"{item.topic}/{item.partition}"
