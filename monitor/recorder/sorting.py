"""A batch laid out by patient, and the time at which each message is known. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.patient import Entry
from monitor.events.envelope import ClockAdvanced, Received, Refused
from monitor.recorder.deciding import Taken
from monitor.recorder.guard import Message
from monitor.recorder.watermarks import Watermarks


@dataclass(frozen=True, slots=True)
class Pile:
    """The new messages of a batch: by patient in order of arrival, and what was refused (also with its subject's)."""

    patients: dict[str, list[Message]] = field(default_factory=dict)
    refused: list[tuple[Message, Refused]] = field(default_factory=list)
    again: int = 0


def sort(messages: Iterable[Message]) -> Pile:
    """Lay out a batch. Messages at recorded offsets are counted and left out."""
    patients: dict[str, list[Message]] = {}
    refused: list[tuple[Message, Refused]] = []
    again = 0
    for message in messages:
        content = message.content
        if message.again:
            again += not isinstance(content, ClockAdvanced)
            continue
        if isinstance(content, Refused):
            refused.append((message, content))
        if not isinstance(content, ClockAdvanced) and content.subject is not None:
            patients.setdefault(content.subject, []).append(message)
    return Pile(patients, refused, again)


@dataclass(frozen=True, slots=True)
class Now:
    """The clock of a batch: the wall's, or the watermark of the message's partition number."""

    wall: datetime
    watermarks: Watermarks | None

    def of(self, partition: int) -> datetime:
        """Now, for a partition number."""
        return self.wall if self.watermarks is None else self.watermarks.now(partition)

    def swept(self, partition: int) -> datetime | None:
        """How far the events clock has swept a partition; None under the system's clock."""
        return None if self.watermarks is None else self.watermarks.now(partition)

    def known_at(self, message: Message) -> datetime:
        """When a message is known: now, or at its own time if that is later."""
        now = self.of(message.input.partition)
        content = message.content
        stated = content.time if isinstance(content, Received | Refused) else None
        return now if stated is None else max(now, stated)

    def taken(self, message: Message) -> Taken:
        """A message as a fact of its patient's history."""
        content = message.content
        if isinstance(content, ClockAdvanced):
            raise TypeError("a step of the clock belongs to no patient")
        known_at = self.known_at(message)
        waited = content.time is not None and content.time > self.of(message.input.partition)
        return Taken(message, Entry(event=content, known_at=known_at, waited=waited))
