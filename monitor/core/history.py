"""The history of a patient: the *set* of facts known, whatever the order they came in.

A record is identified by (source, record_id) within its patient. Its highest version counts; of the contents sent under
one version a retraction wins, then anything above a preliminary, then the earliest. What lost is kept:
it can still stop.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Generic, TypeVar, cast
from zoneinfo import ZoneInfo

from monitor.core.growing import Growing
from monitor.core.series import Series
from monitor.core.times import Effective, instant, local_date
from monitor.events.command import Command
from monitor.events.envelope import Received, Refused
from monitor.events.lab import Analyte, LabResulted
from monitor.events.record import RecordBlock, Status

RecordKey = tuple[str, str]
Kind = type[RecordBlock] | Analyte
T_co = TypeVar("T_co", bound=RecordBlock, covariant=True)


@dataclass(frozen=True, slots=True)
class Version:
    """One content sent under one version of a record; `time` is the earliest at which it was issued."""

    number: int
    time: datetime
    content: str
    type: str
    data: RecordBlock

    @property
    def retracts(self) -> bool:
        return self.data.retracted

    @property
    def preliminary(self) -> bool:
        return self.data.status is Status.PRELIMINARY


@dataclass(frozen=True, slots=True)
class Record:
    """All versions of one record, in order of (number, time, content)."""

    key: RecordKey
    versions: tuple[Version, ...]

    @property
    def contents_of_latest(self) -> tuple[Version, ...]:
        """Every content of the highest version, of which there should be one."""
        if len(self.versions) == 1:
            return self.versions
        number = self.versions[-1].number
        latest = tuple(v for v in self.versions if v.number == number)
        return tuple(v for v in latest if not v.preliminary) or latest

    @property
    def current(self) -> Version | None:
        """The version that counts, or None when the record is retracted."""
        latest = self.contents_of_latest
        return None if any(v.retracts for v in latest) else latest[0]

    @property
    def rivals(self) -> tuple[Version, ...]:
        """Other contents under the version that counts (`data.conflict`)."""
        return () if self.current is None else self.contents_of_latest[1:]

    def issued(self, holds: Callable[[RecordBlock], bool]) -> datetime:
        """When the first version for which `holds` was issued: the moment it could be known."""
        known = (v.time for v in self.versions if not v.retracts and holds(v.data) and not self._too_late(v))
        return min(known, default=self.versions[0].time)

    def _too_late(self, version: Version) -> bool:
        """Had one that outranks it been issued by then? It never counted.

        A higher version, a retraction of its own, or of a preliminary its own final.
        """
        return any(
            other.time <= version.time
            and (
                other.number > version.number
                or (
                    other.number == version.number
                    and (other.retracts or (version.preliminary and not other.preliminary))
                )
            )
            for other in self.versions
        )


@dataclass(frozen=True, slots=True)
class Fact(Generic[T_co]):
    """What a record says now. `at` orders it, `on` is its local day, `effective` keeps its precision."""

    at: datetime
    time: datetime
    record: Record
    data: T_co
    on: date

    @property
    def key(self) -> RecordKey:
        return self.record.key

    @property
    def effective(self) -> Effective:
        return self.data.effective_at

    @property
    def preliminary(self) -> bool:
        return self.data.status is Status.PRELIMINARY

    @property
    def order(self) -> tuple[datetime, datetime, RecordKey]:
        return (self.at, self.time, self.key)


@dataclass(frozen=True, slots=True)
class Given:
    """A person's command, at the earliest `time` it was issued."""

    time: datetime
    source: str
    id: str
    content: str
    data: Command


@dataclass(frozen=True, slots=True)
class Taken:
    """That a content of a record was taken: when it was issued, and the earliest local day that it changes."""

    time: datetime
    key: RecordKey
    day: date


NONE: Series[Fact[RecordBlock]] = Series()


@dataclass(frozen=True, eq=False)  # two histories are the same if they are one: to compare them all would cost all
class History:
    """An immutable set of facts, commands and refusals. `add` gives the set with one more."""

    tz: ZoneInfo
    records: Growing[RecordKey, Record] = field(default_factory=Growing)
    facts: Mapping[Kind, Series[Fact[RecordBlock]]] = field(default_factory=dict)
    contested: Mapping[Kind, Series[Fact[RecordBlock]]] = field(default_factory=dict)  # by what does not count
    taken: Series[Taken] = field(default_factory=Series)  # in the order in which they were added
    days: Series[date] = field(default_factory=Series)  # of each that was taken the earliest it is about, in order
    revised: tuple[RecordKey, ...] = ()  # records with more than one version or content
    commands: Series[Given] = field(default_factory=Series)
    refusals: Series[tuple[datetime, Refused]] = field(default_factory=Series)
    readmitted: frozenset[str] = frozenset()  # refusals (their delivery keys) that could be read later

    def of(self, kind: type[T_co]) -> Series[Fact[T_co]]:
        """The effective facts of a kind, in order of effective time."""
        return cast("Series[Fact[T_co]]", self.facts.get(kind, NONE))

    def said(self, kind: Kind) -> Series[Fact[RecordBlock]]:
        """The facts of a kind, and the records that are of it only by a content that does not count."""
        facts, contested = self.facts.get(kind, NONE), self.contested.get(kind, NONE)
        return Series(sorted((*facts, *contested), key=lambda f: f.order)) if contested else facts

    @property
    def latest_at(self) -> datetime | None:
        """The latest clinical time of a fact: a sender's clock may run minutes ahead of its own effective times."""
        return max((facts[-1].at for facts in self.facts.values() if facts), default=None)

    def labs(self, analyte: Analyte) -> Series[Fact[LabResulted]]:
        """The results of one analyte, in order of effective time."""
        return cast("Series[Fact[LabResulted]]", self.facts.get(analyte, NONE))

    def add(self, event: Received) -> History:
        """The history with this event; the same content twice keeps the earlier `time`."""
        after = self._added(event)
        return after if event.readmits is None else replace(after, readmitted=self.readmitted | {event.readmits})

    def _added(self, event: Received) -> History:
        if isinstance(event.data, Command):
            given = Given(event.time, event.source, event.id, event.content, event.data)
            return replace(self, commands=self.commands.with_sorted(given, lambda g: (g.time, g.source, g.id)))
        key = (event.source, event.data.record_id)
        version = Version(event.data.record_version, event.time, event.content, event.type, event.data)
        before = self.records.get(key)
        versions = (*(before.versions if before else ()), version)
        record = Record(key, tuple(sorted(versions, key=lambda v: (v.number, v.time, v.content))))
        day = min(local_date(version.data.effective_at, self.tz) for version in versions)
        after = (self if before is None else self._without({key}))._with(record)
        return replace(
            after,
            revised=self.revised if before is None or key in self.revised else tuple(sorted((*self.revised, key))),
            taken=self.taken.with_item(Taken(event.time, key, day)),
            days=self.days.with_sorted(day, lambda day: day),
        )

    def _with(self, record: Record) -> History:
        """With a record that was not there."""
        facts, contested = dict(self.facts), dict(self.contested)
        if (now := record.current) is not None:
            for kind in _kinds(now.data):
                facts[kind] = facts.get(kind, NONE).with_sorted(self._fact(record, now), _order)
            for kind, version in _contested(record).items():
                contested[kind] = contested.get(kind, NONE).with_sorted(self._fact(record, version), _order)
        return replace(self, records=self.records.with_entry(record.key, record), facts=facts, contested=contested)

    def _without(self, keys: AbstractSet[RecordKey]) -> History:
        """Without the facts of these records, which stay on record."""
        facts, contested = dict(self.facts), dict(self.contested)
        records = [self.records[key] for key in keys]
        for kind in {kind for record in records if record.current for kind in _kinds(record.current.data)}:
            facts[kind] = Series(f for f in facts[kind] if f.key not in keys)
        for kind in {kind for record in records for kind in _contested(record)}:
            contested[kind] = Series(f for f in contested[kind] if f.key not in keys)
        return replace(self, facts=facts, contested=contested)

    def refuse(self, refused: Refused, known_at: datetime) -> History:
        """The history with one more refused message."""
        return replace(self, refusals=self.refusals.with_item((refused.time or known_at, refused)))

    def about_days_before(self, day: date) -> int:
        """How much was taken about local days before this one: what rests on those alone stays while this does."""
        return self.days.position(day)

    def taken_before(self, time: datetime) -> Series[Taken]:
        """What had been taken before the first event that was issued at `time` or later."""
        return self.taken.first(self.taken.position(time, attrgetter("time")))

    def known_before(self, time: datetime, until: datetime) -> History:
        """What had been issued before `time` and was so by `until`: the history a reader could have had."""
        taken = self.taken_before(time)
        later = {one.key for one in self.taken.since(len(taken))}
        left, records, days = self._without(later), self.records.without(later), list(self.days)
        for one in self.taken.since(len(taken)):
            del days[bisect_left(days, one.day)]
        known = History(self.tz, records, left.facts, left.contested, taken, Series(days), self.revised)
        for key in later:
            versions = tuple(v for v in self.records[key].versions if v.time < time)
            known = known._with(Record(key, versions)) if versions else known
        facts = {kind: _until(until, of_kind) for kind, of_kind in known.facts.items()}
        contested = {kind: _until(until, of_kind) for kind, of_kind in known.contested.items()}
        return replace(known, facts=facts, contested=contested)

    def _fact(self, record: Record, version: Version) -> Fact[RecordBlock]:
        effective = version.data.effective_at
        return Fact(instant(effective, self.tz), version.time, record, version.data, local_date(effective, self.tz))


def _kinds(data: RecordBlock) -> tuple[Kind, ...]:
    """Where a fact is found: under its type, or a laboratory result that the rules read under its analyte."""
    if isinstance(data, LabResulted) and data.analyte is not None:
        return (data.analyte,)
    return (type(data),)


def _contested(record: Record) -> dict[Kind, Version]:
    """Kinds that a record is of only by a rival content, with the first that says so."""
    if record.current is None:
        return {}
    counts, found = _kinds(record.current.data), dict[Kind, Version]()
    for rival in record.rivals:
        for kind in _kinds(rival.data):
            if kind not in counts:
                found.setdefault(kind, rival)
    return found


def _order(fact: Fact[RecordBlock]) -> tuple[datetime, datetime, RecordKey]:
    return fact.order


def _until(at: datetime, facts: Series[Fact[RecordBlock]]) -> Series[Fact[RecordBlock]]:
    """The facts that were so by this instant."""
    return facts.first(bisect_right(facts, at, key=lambda fact: fact.at))
