"""What a rule concludes: a finding rests on evidence, one piece for each fact, and may have ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Literal

from monitor.core.history import RecordKey
from monitor.core.series import Series
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


key_of = attrgetter("key")
in_time = attrgetter("at", "issued", "key")  # the order of evidence


@dataclass(frozen=True)
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

    @cached_property
    def keys(self) -> frozenset[RecordKey]:
        return frozenset(map(key_of, self.evidence))

    @cached_property
    def first(self) -> Evidence:
        """The earliest piece: it dates the finding."""
        return min(self.evidence, key=in_time)

    @cached_property
    def basis(self) -> tuple[str, ...]:
        """The record ids, in order of the facts' effective time, then what they lean on."""
        ordered = sorted(self.evidence, key=in_time)
        ids = [e.key[1] for e in ordered] + [key[1] for e in ordered for key in e.also]
        return tuple(dict.fromkeys(ids))


Found = Finding | Series[Finding]  # what a rule yields: a finding, or all that can change no more, which only grow
News = tuple[tuple[Finding, ...], tuple[Finding, ...]]  # what is no longer found, and what was not found before


def each(found: Iterable[Found]) -> Iterator[Finding]:
    """The findings one by one."""
    for some in found:
        if isinstance(some, Finding):
            yield some
        else:
            yield from some


def difference(before: Sequence[Found], after: Sequence[Found]) -> News:
    """What is no longer found of a rule, and what is found anew.

    Of findings on the same first fact all go and come, if one does: they are told in the order in which they are found.
    """
    were, are = _apart(before, after)
    known, found = {id(finding) for finding in were}, {id(finding) for finding in are}
    gone = _by_place(finding for finding in were if id(finding) not in found)
    come = _by_place(finding for finding in are if id(finding) not in known)
    changed = {place for place in (*gone, *come) if gone.get(place) != come.get(place)}
    if not changed:
        return (), ()
    return tuple(f for f in were if _place(f) in changed), tuple(f for f in are if _place(f) in changed)


def _apart(before: Sequence[Found], after: Sequence[Found]) -> tuple[list[Finding], list[Finding]]:
    """The findings of both, but for those by which a series goes on from one that was there."""
    were = [some for some in before if isinstance(some, Series)]
    left: list[Found] = [some for some in before if isinstance(some, Finding)]
    new: list[Found] = []
    for some in after:
        earlier = next((w for w in were if isinstance(some, Series) and some.grew_from(w)), None)
        if isinstance(some, Finding) or earlier is None:
            new.append(some)
        else:
            were = [w for w in were if w is not earlier]
            new += some.since(len(earlier))
    return list(each([*left, *were])), list(each(new))


def _by_place(findings: Iterable[Finding]) -> dict[tuple[str, str, RecordKey], list[Finding]]:
    placed: dict[tuple[str, str, RecordKey], list[Finding]] = {}
    for finding in findings:
        placed.setdefault(_place(finding), []).append(finding)
    return placed


def _place(finding: Finding) -> tuple[str, str, RecordKey]:
    return finding.rule.id, finding.item, finding.evidence[0].key
