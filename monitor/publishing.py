"""Events of a file sent to the broker as they are, with the clock that a back-fill needs.

`safety.clock.advanced.v1` goes to every partition of every inbound topic at each change of day and at the end. It tells
the latest time of what was sent before it, so that whoever reads it has seen all of the past.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Final

from monitor.events.canonical import canonical, utc
from monitor.events.catalogue import CLOCK_TYPE, TOPICS, TYPES
from monitor.events.parse import glimpse
from monitor.events.scalars import read_instant

UNREADABLE_TOPIC: Final = "safety.clinical"
SOURCE: Final = "/safety-monitor/publish"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send. `partition` None: by its key."""

    topic: str
    key: bytes | None
    value: bytes
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    type: str | None = None
    subject: str | None = None
    time: datetime | None = None


def messages(lines: Iterable[bytes], partitions: Mapping[str, int], tz: tzinfo, run: str) -> Iterator[Outgoing]:
    """Everything to send for these lines, in order.

    partitions: of each inbound topic. tz: whose days are meant. run: distinguishes the clock's messages of this run
    from those of others. Lines that cannot be read go out too: to judge them is the monitor's task.
    """
    latest: datetime | None = None
    for value in lines:
        line = _read(value)
        if latest is not None and line.time is not None and _day(line.time, tz) > _day(latest, tz):
            yield from _clock(latest, partitions, run)
        if line.time is not None:
            latest = line.time if latest is None else max(latest, line.time)
        kind = TYPES.get(line.type or "")
        key = line.subject.encode() if line.subject else None
        yield Outgoing(kind.topic if kind else UNREADABLE_TOPIC, key, value)
    if latest is not None:
        yield from _clock(latest, partitions, run)


def _clock(now: datetime, partitions: Mapping[str, int], run: str) -> Iterator[Outgoing]:
    for topic in TOPICS:
        for partition in range(partitions[topic]):
            event = {
                "specversion": "1.0",
                "id": f"{run}-{utc(now)}-{topic}-{partition}",
                "source": SOURCE,
                "type": CLOCK_TYPE,
                "time": utc(now),
                "datacontenttype": "application/json",
                "data": {"now": utc(now)},
            }
            yield Outgoing(topic, None, canonical(event).encode(), partition)


def _read(value: bytes) -> _Line:
    """What can be read of a line for sending it; the rest stays unknown."""
    event = glimpse(value)
    return _Line(_text(event.get("type")), _text(event.get("subject")), _time(event.get("time")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: object) -> datetime | None:
    """A time that the monitor would take: by any other the clock of its step would be refused."""
    try:
        return read_instant(value)
    except ValueError:
        return None


def _day(time: datetime, tz: tzinfo) -> date:
    return time.astimezone(tz).date()
