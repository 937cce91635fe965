"""What comes in from the broker, before anybody has read it."""

from collections.abc import Sequence
from dataclasses import dataclass

Header = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Input:
    """One message as the broker holds it. An absent value (a tombstone) is given as no bytes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Sequence[Header] = ()

    @property
    def tp(self) -> tuple[str, int]:
        """Its topic and partition."""
        return (self.topic, self.partition)
