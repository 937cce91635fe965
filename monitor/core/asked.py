"""What is asked of a context again only when what it reads has changed or its time has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Generic, TypeVar

from monitor.core.context import Context, Dependency

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a rule said, on what (`read`); and when it can change with no fact arriving, in order."""

    read: tuple[object, ...]
    found: tuple[T, ...]
    deadlines: tuple[datetime, ...]

    def holds(self, read: tuple[object, ...], now: datetime) -> bool:
        return self.read == read and (not self.deadlines or now < self.deadlines[0])


@dataclass(frozen=True)
class Asked(Generic[T]):
    """A rule's function, or another that goes through a context, and what it reads."""

    find: Callable[[Context], Iterator[T]]
    reads: tuple[Dependency, ...]

    @cached_property
    def name(self) -> str:
        return f"{self.find.__module__}.{self.find.__name__}"

    def answer(self, ctx: Context, last: Answer[T] | None) -> Answer[T]:
        """The last answer while it holds, else a new one; its deadlines are those of whoever asks, too."""
        read = ctx.read(self.reads)
        if last is not None and last.holds(read, ctx.now):
            ctx.deadlines.extend(last.deadlines)
            return last
        before = len(ctx.deadlines)
        found = tuple(self.find(ctx))
        return Answer(read, found, tuple(sorted({at for at in ctx.deadlines[before:] if at > ctx.now})))
