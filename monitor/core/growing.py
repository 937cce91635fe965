"""A mapping that grows by one at about the same cost, however large it is: histories are immutable and get long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

RECENT = 128  # entries copied at each step; the rest is copied once in so many steps


class Growing(Mapping[K, V]):
    """An immutable mapping in two parts: the long-known, shared by all its successors, and the recent, copied."""

    __slots__ = ("_known", "_recent")

    def __init__(self, known: Mapping[K, V] | None = None) -> None:
        self._known: dict[K, V] = dict(known or {})
        self._recent: dict[K, V] = {}

    def with_entry(self, key: K, value: V) -> Growing[K, V]:
        """The mapping with one entry more, or another value for a key."""
        return self.with_entries({key: value})

    def with_entries(self, entries: Mapping[K, V]) -> Growing[K, V]:
        """The mapping with these entries more, or other values for their keys."""
        grown: Growing[K, V] = Growing.__new__(type(self))
        recent = {**self._recent, **entries}
        if len(recent) > RECENT:
            grown._known, grown._recent = {**self._known, **recent}, {}
        else:
            grown._known, grown._recent = self._known, recent
        return grown

    def without(self, keys: Iterable[K]) -> Growing[K, V]:
        """The mapping without these keys, at the cost of a copy."""
        left = {**self._known, **self._recent}
        for key in keys:
            left.pop(key, None)
        return Growing(left)

    def changed_since(self, earlier: Growing[K, V]) -> list[K]:
        """The keys that have come, or have another value, since the mapping it grew out of."""
        changed = self._recent if self._known is earlier._known else self
        return [key for key, value in changed.items() if earlier.get(key) is not value]

    def __getitem__(self, key: K) -> V:
        return self._recent[key] if key in self._recent else self._known[key]

    def __iter__(self) -> Iterator[K]:
        yield from self._known
        yield from (key for key in self._recent if key not in self._known)

    def __len__(self) -> int:
        return len(self._known) + sum(key not in self._known for key in self._recent)
