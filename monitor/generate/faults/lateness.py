"""Results that were in time at the bench and late on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from monitor.generate.message import Message

SHARE: Final = 0.02
LATE_DAYS: Final = (3, 21)
RESULTS: Final = ("safety.lab.resulted.v1", "safety.mrd.resulted.v1", "safety.chimerism.resulted.v1")


def delay(messages: Iterable[Message], rng: Random) -> Iterator[Message]:
    """Hold back one result in fifty by days or weeks; its own times stay as they are."""
    for message in messages:
        if message.type in RESULTS and rng.random() < SHARE:
            yield replace(message, issued_at=message.issued_at + timedelta(days=rng.randint(*LATE_DAYS)))
        else:
            yield message
