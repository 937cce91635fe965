"""Which protocol file was in force when: the first from the beginning, each later one from its activation on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import chain, pairwise

from monitor.protocol.model import Protocol


@dataclass(frozen=True, slots=True)
class Superseded:
    """A file that was in force once, and until when (that instant is its successor's)."""

    protocol: Protocol
    until: datetime


@dataclass(frozen=True, slots=True)
class Timeline:
    """The files of one trial in order of activation. All have one site zone: a local day stays the day it was."""

    first: Protocol
    later: tuple[tuple[datetime, Protocol], ...] = ()

    @classmethod
    def of(cls, files: Protocol | Timeline) -> Timeline:
        """One file is a timeline in which nothing ever changes."""
        return files if isinstance(files, Timeline) else cls(files)

    @property
    def files(self) -> tuple[Protocol, ...]:
        """All of them, in order."""
        return (self.first, *(protocol for _, protocol in self.later))

    @property
    def latest(self) -> Protocol:
        """The one that was activated last."""
        return self.files[-1]

    def in_force(self, at: datetime | None) -> Protocol:
        """The file in force at an instant; the first one where nothing has happened yet."""
        passed = [protocol for since, protocol in self.later if at is not None and since <= at]
        return passed[-1] if passed else self.first

    def superseded(self, at: datetime) -> tuple[Superseded, ...]:
        """The files that were in force before the one of this instant, in order."""
        passed = [(since, protocol) for since, protocol in self.later if since <= at]
        return tuple(Superseded(old, since) for (_, old), (since, _) in pairwise(chain([(at, self.first)], passed)))

    def next_change(self, after: datetime | None) -> datetime | None:
        """When the next file comes into force: a deadline like any other. None while nothing has happened yet."""
        return None if after is None else next((since for since, _ in self.later if since > after), None)
