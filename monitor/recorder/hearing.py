"""Who sent the messages of a batch: counted by topic and source, whatever became of them. Pure."""

from collections import Counter
from collections.abc import Iterable

from monitor.audit.batch import Heard
from monitor.events.envelope import ClockAdvanced, Refused
from monitor.recorder.guard import Message


def heard(messages: Iterable[Message]) -> tuple[Heard, ...]:
    """What a batch heard from each source.

    Messages at recorded offsets were counted when they were recorded, and those read again when they were refused.
    """
    read: Counter[tuple[str, str]] = Counter()
    refused: Counter[tuple[str, str]] = Counter()
    for message in messages:
        content = message.content
        if message.again or isinstance(content, ClockAdvanced):
            continue
        if isinstance(content, Refused):
            refused[message.input.topic, content.source or ""] += 1
        elif content.readmits is None:
            read[message.input.topic, content.source] += 1
    return tuple(Heard(*key, read[key], refused[key]) for key in sorted(read.keys() | refused.keys()))
