"""Walking along a sequence with what comes next, and finding one's way in one that is in order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

from monitor.core.history import Fact, T_co
from monitor.core.series import Series

T = TypeVar("T")
_at = attrgetter("at")


def with_next(items: Sequence[T]) -> Iterator[tuple[T, T | None]]:
    """Each item and the one after it; None after the last."""
    for index, item in enumerate(items):
        yield item, items[index + 1] if index + 1 < len(items) else None


def first_from(facts: Series[Fact[T_co]], at: datetime) -> int:
    """The position of the first fact that was so at this instant or later; their number if none was."""
    return facts.position(at, _at)


def between(facts: Series[Fact[T_co]], start: datetime, end: datetime) -> tuple[Fact[T_co], ...]:
    """The facts from one instant to another, both included."""
    return facts[first_from(facts, start) : first_from(facts, end + timedelta(microseconds=1))]
