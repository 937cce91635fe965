"""A sequence that grows at its end: one more item costs the same however many there are, and nobody sees it change."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar, overload

T_co = TypeVar("T_co", covariant=True)


class Series(Sequence[T_co]):
    """An immutable sequence that shares its storage with those it grew from and those that grew out of it.

    The storage is only ever appended to, by whoever is the longest; another that grows from the same one takes a copy.
    """

    __slots__ = ("_length", "_storage")

    def __init__(self, items: Iterable[T_co] = ()) -> None:
        self._storage: list[Any] = list(items)
        self._length = len(self._storage)

    def with_item(self, item: T_co) -> Series[T_co]:  # type: ignore[misc]  # it is a constructor in all but name
        """The sequence with one more item at its end."""
        grown: Series[T_co] = Series.__new__(type(self))
        shared = 0 < self._length == len(self._storage)
        grown._storage = self._storage if shared else self._storage[: self._length]
        grown._storage.append(item)
        grown._length = self._length + 1
        return grown

    def with_sorted(self, item: T_co, order: Callable[[T_co], Any]) -> Series[T_co]:  # type: ignore[misc]
        """The sequence, in this order, with one more item: at its end if it belongs there, else in a copy."""
        if not self._length or order(self[-1]) <= order(item):
            return self.with_item(item)
        items = list(self)
        insort(items, item, key=order)
        return Series(items)

    def first(self, length: int) -> Series[T_co]:
        """The sequence as it was with so many items."""
        if length == self._length:
            return self
        shorter: Series[T_co] = Series.__new__(type(self))
        shorter._storage, shorter._length = self._storage, length
        return shorter

    def since(self, length: int) -> Iterator[T_co]:
        """The items after the first `length`."""
        return iter(self._storage[length : self._length])

    def position(self, of: Any, key: Callable[[T_co], Any] | None = None) -> int:
        """Of a sequence in this order: where the first item is whose key is `of` or more; else its length."""
        return bisect_left(self._storage, of, 0, self._length, key=key)

    def grew_from(self, other: Series[Any]) -> bool:
        """Is it the other one, or grown from it, item by item?"""
        return self._storage is other._storage and self._length >= other._length

    def continues(self, other: Series[Any]) -> bool:
        """Does it begin with all of the other's items? If it grew from it, that is known at once."""
        if self._length < other._length or self.grew_from(other):
            return self._length >= other._length
        return self._storage[: other._length] == other._storage[: other._length]

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T_co, ...]: ...
    def __getitem__(self, index: int | slice) -> T_co | tuple[T_co, ...]:
        if isinstance(index, slice):
            return tuple(map(self._storage.__getitem__, range(*index.indices(self._length))))
        if not -self._length <= index < self._length:
            raise IndexError(index)
        item: T_co = self._storage[index if index >= 0 else index + self._length]
        return item

    def __iter__(self) -> Iterator[T_co]:
        return islice(self._storage, self._length)

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Series):
            return NotImplemented
        return len(self) == len(other) and self.continues(other)

    __hash__ = None  # type: ignore[assignment]  # it may hold what cannot be hashed
