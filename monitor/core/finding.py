"""What a rule concludes: a finding rests on evidence, one piece for each fact, and may have ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


News = tuple[tuple[Finding, ...], tuple[Finding, ...]]  # what is no longer found, and what was not found before


def difference(before: Sequence[Finding], after: Sequence[Finding]) -> News:
    """What is no longer found of a rule, and what is found anew.

    Of findings on the same first fact all go and come, if one does: they are told in the order in which they are found.
    """
    known, found = {id(finding) for finding in before}, {id(finding) for finding in after}
    gone = _by_place(finding for finding in before if id(finding) not in found)
    come = _by_place(finding for finding in after if id(finding) not in known)
    changed = {place for place in (*gone, *come) if gone.get(place) != come.get(place)}
    if not changed:
        return (), ()
    return tuple(f for f in before if _place(f) in changed), tuple(f for f in after if _place(f) in changed)


def _by_place(findings: Iterable[Finding]) -> dict[tuple[str, str, RecordKey], list[Finding]]:
    placed: dict[tuple[str, str, RecordKey], list[Finding]] = {}
    for finding in findings:
        placed.setdefault(_place(finding), []).append(finding)
    return placed


def _place(finding: Finding) -> tuple[str, str, RecordKey]:
    return finding.rule.id, finding.item, finding.evidence[0].key
