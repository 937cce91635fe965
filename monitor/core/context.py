"""What every rule looks at: a history, the protocol, and now; with what several rules derive from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from monitor.core.finding import Evidence
from monitor.core.grading.acute import AcuteGrade, graded
from monitor.core.grading.chronic import ChronicSeverity, judged
from monitor.core.history import Fact, History, Kind, RecordKey
from monitor.core.stops import Lift, Stop
from monitor.core.superseded import fired, joined
from monitor.core.times import Effective, instant, local_date, start_of
from monitor.core.walking import Memo
from monitor.events.chimerism import ChimerismResulted
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.lab import Analyte, LabResulted
from monitor.events.patient import PatientEnrolled, StatusChanged
from monitor.events.record import RecordBlock
from monitor.events.treatment import AzacitidineGiven, DliInfused, TreatmentDecided
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Superseded

Dependency = Kind | str  # a kind of fact, or the name of something derived: "stops", "closures", ...
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


RaisedAt = Callable[[str, frozenset[RecordKey]], datetime | None]


def never_raised(_rule: str, _keys: frozenset[RecordKey]) -> datetime | None:
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

    def read(self, name: Dependency) -> object:
        """What a rule says it reads: the facts of a kind, or one of the derived values by its name."""
        if isinstance(name, type | Analyte):
            return self.history.facts.get(name, ()), self.history.contested.get(name, ())
        return getattr(self, name)

    @property
    def tz(self) -> ZoneInfo:
        return self.history.tz

    @cached_property
    def today(self) -> date:
        return local_date(self.now, self.tz)

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
    def doses(self) -> tuple[Fact[AzacitidineGiven] | Fact[DliInfused], ...]:
        """Everything given, of either drug."""
        given: list[Fact[AzacitidineGiven] | Fact[DliInfused]] = [*self.history.of(AzacitidineGiven)]
        given += self.history.of(DliInfused)
        return tuple(sorted(given, key=lambda f: f.order))

    @cached_property
    def first_dose(self) -> Fact[AzacitidineGiven] | Fact[DliInfused] | None:
        return self.doses[0] if self.doses else None

    @cached_property
    def signed(self) -> tuple[Fact[TreatmentDecided], ...]:
        """The decisions that count: an unsigned one changes nothing."""
        return tuple(f for f in self.history.of(TreatmentDecided) if f.data.signed_by)

    @cached_property
    def lifts(self) -> tuple[Lift, ...]:
        """Signed restarts and continues, in order."""
        kinds = ("restart", "continue")
        return tuple(_lift(fact) for fact in self.signed if fact.data.decision in kinds)

    @cached_property
    def acute(self) -> tuple[tuple[Fact[AcuteGvhdAssessed], AcuteGrade], ...]:
        return tuple((f, graded(f.data)) for f in self.history.of(AcuteGvhdAssessed))

    @cached_property
    def chronic(self) -> tuple[tuple[Fact[ChronicGvhdAssessed], ChronicSeverity], ...]:
        return tuple((f, judged(f.data)) for f in self.history.of(ChronicGvhdAssessed))

    @cached_property
    def marrow(self) -> tuple[Fact[ChimerismResulted], ...]:
        """Chimerism of whole (unsorted) marrow: the only one that can stop."""
        return tuple(f for f in self.history.of(ChimerismResulted) if is_whole_marrow(f.data))

    def labs(self, analyte: Analyte) -> tuple[Fact[LabResulted], ...]:
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
        return Context(known, self.protocol, at, self.stop_rules, superseded=self.superseded)


def in_order(stops: Iterable[Stop]) -> tuple[Stop, ...]:
    """Stops by when they began."""
    return tuple(sorted(stops, key=lambda stop: (stop.first.at, stop.rule.id)))


def _lift(fact: Fact[TreatmentDecided]) -> Lift:
    decision = fact.data.decision

    def signed(data: RecordBlock) -> bool:
        return isinstance(data, TreatmentDecided) and data.decision == decision and bool(data.signed_by)

    return Lift(fact.key, fact.effective, fact.at, fact.record.issued(signed), decision)


def is_whole_marrow(result: ChimerismResulted) -> bool:
    """Marrow, and cells said to be whole: anything else only asks for a marrow."""
    return result.specimen == "bone_marrow" and result.lineage == "whole"
