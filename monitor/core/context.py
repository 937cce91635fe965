"""What every rule looks at: a history, the protocol, and now; with what several rules derive from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from operator import attrgetter
from zoneinfo import ZoneInfo

from monitor.core.finding import Evidence
from monitor.core.grading.acute import AcuteGrade, graded
from monitor.core.grading.chronic import ChronicSeverity, judged
from monitor.core.history import NONE, Fact, History, Kind, RecordKey
from monitor.core.series import Series
from monitor.core.standing import Standing
from monitor.core.stops import Hold, Lift, Stop
from monitor.core.superseded import fired, joined
from monitor.core.times import Effective, instant, local_date, start_of
from monitor.core.walking import Memo, Walked, chosen, merged, walk
from monitor.events.chimerism import ChimerismResulted
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.lab import Analyte, LabResulted
from monitor.events.patient import PatientEnrolled, StatusChanged
from monitor.events.record import RecordBlock
from monitor.events.treatment import AzacitidineGiven, DliInfused, TreatmentDecided
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Superseded

Dependency = Kind | str  # a kind of fact, or the name of something derived: "stops", "closures", ...
Dose = Fact[AzacitidineGiven] | Fact[DliInfused]
StopRule = Callable[["Context"], Iterator[Stop]]


@dataclass(frozen=True, slots=True)
class Retraction:
    """A stop that was there and, by a correction, no longer is; `at` is when the correction was issued."""

    rule: str
    evidence: tuple[Evidence, ...]
    at: datetime
    by: RecordKey


@dataclass(frozen=True, slots=True)
class Closure:
    """A person resolved an alert of this rule and item at `at`."""

    rule: str
    item: str
    keys: frozenset[RecordKey]
    at: datetime


RaisedAt = Callable[[str, RecordKey], datetime | None]  # when an alert of a stop rule was first raised on a fact


def never_raised(_rule: str, _key: RecordKey) -> datetime | None:
    """For an assessment that knows of no alerts."""
    return None


@dataclass(frozen=True)
class Context:
    """One assessment in the making. Nothing here depends on the order in which facts arrived."""

    history: History
    protocol: Protocol
    now: datetime
    stop_rules: tuple[StopRule, ...]
    raised_at: RaisedAt = never_raised
    retractions: tuple[Retraction, ...] = ()
    closures: tuple[Closure, ...] = ()
    eligibility: Mapping[str, str] | None = None  # as frozen at the first dose
    known_stops: tuple[Stop, ...] | None = None  # as worked out already
    superseded: tuple[Superseded, ...] = ()  # the protocol files that were in force before
    deadlines: list[datetime] = field(default_factory=list)
    memo: Memo = field(default_factory=dict)  # what was walked along before, under this file
    _reads: dict[Dependency, object] = field(default_factory=dict, init=False)

    def read(self, names: Sequence[Dependency]) -> tuple[object, ...]:
        """What a rule says it reads: the facts of a kind, or one of the derived values by its name."""
        known = self._reads  # every rule asks for several of the same few
        for name in names:
            if name not in known:
                known[name] = self._read(name)
        return tuple(map(known.__getitem__, names))

    def _read(self, name: Dependency) -> object:
        if isinstance(name, type | Analyte):
            return self.history.facts.get(name, NONE), self.history.contested.get(name, NONE)
        return getattr(self, name)

    @property
    def tz(self) -> ZoneInfo:
        return self.history.tz

    def instant(self, effective: Effective) -> datetime:
        return instant(effective, self.tz)

    def on(self, effective: Effective) -> date:
        return local_date(effective, self.tz)

    def start_of(self, day: date) -> datetime:
        return start_of(day, self.tz)

    def reached(self, at: datetime) -> bool:
        """Has the clock reached this instant? If not, it is a deadline: the assessment may change then."""
        if at > self.now:
            self.deadlines.append(at)
            return False
        return True

    def day_reached(self, day: date) -> bool:
        """Has this local day begun?"""
        return self.reached(self.start_of(day))

    @cached_property
    def enrolment(self) -> Fact[PatientEnrolled] | None:
        facts = self.history.of(PatientEnrolled)
        return facts[-1] if facts else None

    @cached_property
    def d0(self) -> date | None:
        """The day of the transplant."""
        return self.enrolment.data.hct_date if self.enrolment else None

    def day(self, number: int) -> date | None:
        """D+`number`."""
        return self.d0 + timedelta(days=number) if self.d0 else None

    def since_transplant(self, fact: Fact[RecordBlock]) -> bool:
        return self.d0 is None or fact.on >= self.d0

    @cached_property
    def doses(self) -> Series[Dose]:
        """Everything given, of either drug."""
        both = (self.history.of(AzacitidineGiven), self.history.of(DliInfused))
        return merged(self.memo, ("doses",), both, lambda f: f.order)

    @cached_property
    def first_dose(self) -> Dose | None:
        return self.doses[0] if self.doses else None

    @cached_property
    def signed(self) -> Series[Fact[TreatmentDecided]]:
        """The decisions that count: an unsigned one changes nothing."""
        return chosen(self.memo, ("signed",), self.history.of(TreatmentDecided), lambda f: bool(f.data.signed_by))

    @cached_property
    def lifts(self) -> Series[Lift]:
        """Signed restarts and continues, in order."""
        start: Series[Lift] = Series()
        return walk(self.memo, ("lifts",), self.signed, start, _with_lift)

    @cached_property
    def acute(self) -> Series[tuple[Fact[AcuteGvhdAssessed], AcuteGrade]]:
        start: Series[tuple[Fact[AcuteGvhdAssessed], AcuteGrade]] = Series()
        facts = self.history.of(AcuteGvhdAssessed)
        return walk(self.memo, ("acute",), facts, start, lambda known, f: known.with_item((f, graded(f.data))))

    @cached_property
    def chronic(self) -> Series[tuple[Fact[ChronicGvhdAssessed], ChronicSeverity]]:
        start: Series[tuple[Fact[ChronicGvhdAssessed], ChronicSeverity]] = Series()
        facts = self.history.of(ChronicGvhdAssessed)
        return walk(self.memo, ("chronic",), facts, start, lambda known, f: known.with_item((f, judged(f.data))))

    @cached_property
    def marrow(self) -> Series[Fact[ChimerismResulted]]:
        """Chimerism of whole (unsorted) marrow: the only one that can stop."""
        results = self.history.of(ChimerismResulted)
        return chosen(self.memo, ("marrow",), results, lambda f: is_whole_marrow(f.data))

    def labs(self, analyte: Analyte) -> Series[Fact[LabResulted]]:
        """Results of one analyte, in order of effective time."""
        return self.history.labs(analyte)

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """Every stop there is or was, by all the facts known."""
        if self.known_stops is not None:
            return self.known_stops
        kept: list[Stop] = []
        for file in self.superseded:
            kept = joined(kept, fired(replace(self, protocol=file.protocol, superseded=())._found(), file))
        return in_order(joined(kept, self._found()))

    @cached_property
    def holds(self) -> tuple[Hold, ...]:
        """From when on, and until when, each stop holds treatment."""
        return tuple([stop.hold for stop in self.stops])

    @cached_property
    def turns(self) -> list[datetime]:
        """When a stop began or ended to hold treatment, in order."""
        return sorted({hold.at for hold in self.holds} | {hold.until for hold in self.holds if hold.until})

    @cached_property
    def restartable(self) -> tuple[Stop, ...]:
        """The stops that a restart may lift."""
        return tuple([stop for stop in self.stops if not stop.permanent])

    @cached_property
    def standing(self) -> Standing:
        """The stops by the days on which they stood."""
        return Standing(self.stops, self.tz)

    def _found(self) -> Iterator[Stop]:
        return (stop for rule in self.stop_rules for stop in rule(self))

    @cached_property
    def off_study_at(self) -> datetime | None:
        """When the patient left the study: by status or by a signed withdrawal."""
        left = [f.at for f in self.history.of(StatusChanged)]
        left += [f.at for f in self.signed if f.data.decision == "withdraw"]
        return min((at for at in left if at <= self.now), default=None)

    def as_known(self, before: datetime, at: datetime) -> Context:
        """The context a person had who knew what was issued before `before`, as of clinical time `at`."""
        known = self.history.known_before(before, at)
        memo = self.memo.setdefault(("as known",), Walked((), None, {})).state  # of the one known so before
        return Context(known, self.protocol, at, self.stop_rules, superseded=self.superseded, memo=memo)

    def as_of(self, at: datetime) -> Context:
        """The same facts at another time; what it finds to wait for is nobody's deadline."""
        return Context(self.history, self.protocol, at, self.stop_rules, superseded=self.superseded, memo=self.memo)

    def before(self, day: date) -> object:
        """What there is about local days before this one, all over: equal while nothing more is taken about them."""
        return self.history.about_days_before(day) if self.start_of(day) <= self.now else object()


def in_order(stops: Iterable[Stop]) -> tuple[Stop, ...]:
    """Stops by when they began."""
    return tuple(sorted(stops, key=attrgetter("order")))


def _with_lift(lifts: Series[Lift], fact: Fact[TreatmentDecided]) -> Series[Lift]:
    return lifts.with_item(_lift(fact)) if fact.data.decision in ("restart", "continue") else lifts


def _lift(fact: Fact[TreatmentDecided]) -> Lift:
    decision = fact.data.decision

    def signed(data: RecordBlock) -> bool:
        return isinstance(data, TreatmentDecided) and data.decision == decision and bool(data.signed_by)

    return Lift(fact.key, fact.effective, fact.at, fact.record.issued(signed), decision)


def is_whole_marrow(result: ChimerismResulted) -> bool:
    """Marrow, and cells said to be whole: anything else only asks for a marrow."""
    return result.specimen == "bone_marrow" and result.lineage == "whole"
