"""Work out once for each immutable object: facts are looked at again at every assessment, and never change."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

LIMIT = 2_000  # objects of a generation: two are remembered, so that what patients leave behind is soon let go


class Once(Generic[T, R]):
    """A pure function of one object, remembered by identity: to hash a fact would cost more than to read it."""

    def __init__(self, function: Callable[[T], R]) -> None:
        self._function = function
        self._recent: dict[int, tuple[T, R]] = {}
        self._older: dict[int, tuple[T, R]] = {}
        update_wrapper(self, function)

    def __call__(self, item: T) -> R:
        known = self._recent.get(id(item))
        if known is None or known[0] is not item:
            known = self._again(item)
        return known[1]

    def _again(self, item: T) -> tuple[T, R]:
        older = self._older.get(id(item))
        known = older if older is not None and older[0] is item else (item, self._function(item))
        if len(self._recent) >= LIMIT:
            self._older, self._recent = self._recent, {}
        self._recent[id(item)] = known
        return known
