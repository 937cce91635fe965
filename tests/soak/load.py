"""The load of a soak: patients come, have results, and leave, so that it is the same at its end as at its beginning."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.broker import producer
from monitor.settings import Settings
from tests.engine.wire import enrolment, platelets

CHUNK = 50  # messages between two looks at the time
AHEAD = 5_000  # messages sent and not yet recorded: more are held back, since the machine may be slow

Outgoing = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Ward:
    """`patients` in all, `active` at a time, over so many `messages`; with all of them active none ever leaves."""

    patients: int
    active: int
    messages: int

    @property
    def turnover(self) -> float:
        """How often a message is the enrolment of a patient in the place of another."""
        return max(0.0, (self.patients - self.active) / max(self.messages - self.active, 1))

    @property
    def settled(self) -> float:
        """After so many messages nobody is left of those who came together at the beginning: it is as at the end."""
        return self.active + (self.active / self.turnover if self.turnover else 0)


def endless(ward: Ward, seed: int) -> Iterator[Outgoing]:
    """Enrolments of those who are active first; then results of one of them, or the next in the place of the one who
    has been there longest; issued now.
    """
    chance = random.Random(seed)
    enrolled = results = 0
    while True:
        now = datetime.now(UTC)
        if enrolled < ward.active or chance.random() < ward.turnover:
            enrolled += 1
            yield "safety.patient", _name(enrolled), enrolment(_name(enrolled), at=now)
        else:
            results += 1
            patient = _name(enrolled - chance.randrange(ward.active))
            yield "safety.lab", patient, platelets(patient, results, value=str(chance.randint(20, 400)), at=now)


async def send(
    settings: Settings, ward: Ward, rate: float, until: float, recorded: Callable[[], int], seed: int
) -> int:
    """Send at `rate` a second until the monotonic time `until`, at most AHEAD before what is recorded; how many."""
    sent, began = 0, time.monotonic()
    load = endless(ward, seed)
    async with producer(settings) as client:
        while time.monotonic() < until:
            if sent - recorded() <= AHEAD:
                waiting = [await client.send(topic, value, key.encode()) for topic, key, value in _next(load)]
                await asyncio.gather(*waiting)
                sent += len(waiting)
            due = began + sent / rate - time.monotonic()
            await asyncio.sleep(max(CHUNK / rate / 2, due))
    return sent


def _next(load: Iterator[Outgoing]) -> list[Outgoing]:
    return [next(load) for _ in range(CHUNK)]


def _name(number: int) -> str:
    return f"SK-{number:05}"
