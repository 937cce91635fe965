"""Work out once for each immutable object: facts are looked at again at every assessment, and never change."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

LIMIT = 100_000  # objects remembered; then all are forgotten, which costs only time


class Once(Generic[T, R]):
    """A pure function of one object, remembered by identity: to hash a fact would cost more than to read it."""

    def __init__(self, function: Callable[[T], R]) -> None:
        self._function = function
        self._known: dict[int, tuple[T, R]] = {}
        update_wrapper(self, function)

    def __call__(self, item: T) -> R:
        known = self._known.get(id(item))
        if known is not None and known[0] is item:
            return known[1]
        if len(self._known) >= LIMIT:
            self._known.clear()
        result = self._function(item)
        self._known[id(item)] = (item, result)
        return result
