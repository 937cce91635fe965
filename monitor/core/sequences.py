"""Walking along a sequence with what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def with_next(items: Sequence[T]) -> Iterator[tuple[T, T | None]]:
    """Each item and the one after it; None after the last."""
    for index, item in enumerate(items):
        yield item, items[index + 1] if index + 1 < len(items) else None
