"""Deliveries that come twice, byte for byte: every source retries now and then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import Final

from monitor.generate.message import Line

SHARE: Final = 0.015


def double(lines: Iterable[Line], rng: Random) -> Iterator[Line]:
    """Repeat one sound line in about seventy at once; a refused message is no duplicate and is not repeated."""
    for line in lines:
        yield line
        if line.broken is None and rng.random() < SHARE:
            yield line
