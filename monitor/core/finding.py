"""What a rule concludes: a finding rests on evidence, one piece for each fact, and may have ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from monitor.core.history import RecordKey
from monitor.core.times import Effective
from monitor.protocol.model import Protocol

Priority = Literal["high", "medium", "low"]
Detail = str | bool | int | None | list[str] | dict[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """The identity of a rule: its stable id, its clause, and the reading of the protocol file it applies."""

    id: str
    priority: Priority
    clause: str
    review: bool = False
    reading: str = ""
    reminder: bool = False  # a reminder that is over before anybody could be reminded is not raised


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact under a finding: when it was so (`effective`, ordered by `at`), when it could be known (`issued`).

    `also` are further facts it leans on: they stand in the basis and do not tell one episode from another.
    """

    key: RecordKey
    effective: Effective
    at: datetime
    issued: datetime
    provisional: bool = False
    boundary: bool = False
    review: bool = False
    summary: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)
    also: tuple[RecordKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One episode of one rule. Its alert follows the evidence."""

    rule: Rule
    evidence: tuple[Evidence, ...]
    item: str = ""
    outcome: str | None = None  # why it ended; None while it is so
    priority: Priority | None = None
    effective: Effective | None = None  # where no clinical fact dates it
    details: Mapping[str, Detail] = field(default_factory=dict)
    summary: str = ""
    protocol: Protocol | None = None  # the superseded file that it rests on; None: the one in force

    @property
    def keys(self) -> frozenset[RecordKey]:
        return frozenset(e.key for e in self.evidence)

    @property
    def first(self) -> Evidence:
        """The earliest piece: it dates the finding."""
        return min(self.evidence, key=lambda e: (e.at, e.issued, e.key))
