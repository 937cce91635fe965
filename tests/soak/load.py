"""The load of a soak: patients enrolled one after another, then results of any of them, without an end."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from monitor.broker import producer
from monitor.settings import Settings
from tests.engine.wire import enrolment, platelets

CHUNK = 50  # messages between two looks at the time
AHEAD = 5_000  # messages sent and not yet recorded: more are held back, since the machine may be slow

Outgoing = tuple[str, str, bytes]


def endless(patients: int, seed: int) -> Iterator[Outgoing]:
    """Enrolments first, then results of a patient drawn at random; issued now."""
    chance = random.Random(seed)
    for number in range(patients):
        yield "safety.patient", _name(number), enrolment(_name(number), at=datetime.now(UTC))
    number = 0
    while True:
        patient = _name(chance.randrange(patients))
        number += 1
        value = str(chance.randint(20, 400))
        yield "safety.lab", patient, platelets(patient, number, value=value, at=datetime.now(UTC))


async def send(
    settings: Settings, patients: int, rate: float, until: float, recorded: Callable[[], int], seed: int
) -> int:
    """Send at `rate` a second until the monotonic time `until`, at most AHEAD before what is recorded; how many."""
    sent, began = 0, time.monotonic()
    load = endless(patients, seed)
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
