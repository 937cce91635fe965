"""What a rule reads is what it says it reads: a dependency that is forgotten would give a stale answer."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.asked import Asked
from monitor.core.assess import assess, find_stops
from monitor.core.context import Context
from monitor.core.history import Fact, History, Kind
from monitor.core.patient import Entry, Patient
from monitor.core.rulebook import FINDERS, STOPS
from monitor.core.series import Series
from monitor.events.lab import Analyte
from monitor.events.patient import StatusChanged
from monitor.events.record import RecordBlock
from monitor.events.treatment import TreatmentDecided
from tests.core import charts
from tests.core.charts import Chart, command, message, on_day, read
from tests.core.histories import histories

END = 260.0
# What rules derive from several facts, told by its name; some of it is made of facts that it vouches for.
DERIVED: dict[str, tuple[Kind, ...]] = {
    "stops": (),
    "holds": (),
    "restartable": (),
    "retractions": (),
    "closures": (),
    "eligibility": (),
    "off_study_at": (StatusChanged, TreatmentDecided),
}


class WatchedHistory(History):
    """A history that remembers which kinds of facts it was asked for."""

    asked: set[Any]

    def of(self, kind: Any) -> Any:
        self.asked.add(kind)
        return super().of(kind)

    def said(self, kind: Kind) -> Series[Fact[RecordBlock]]:
        self.asked.add(kind)
        return super().said(kind)

    def labs(self, analyte: Analyte) -> Any:
        self.asked.add(analyte)
        return super().labs(analyte)


class WatchedContext(Context):
    """A context that remembers which derived values it was asked for."""

    def __getattribute__(self, name: str) -> Any:
        if name in DERIVED:
            super().__getattribute__("history").asked.add(name)
        # Some is made of the stops: who reads no more of them has not read them.
        if name == "holds":
            return tuple(stop.hold for stop in super().__getattribute__("known_stops"))
        if name == "restartable":
            return tuple(stop for stop in super().__getattribute__("known_stops") if not stop.permanent)
        return super().__getattribute__(name)


def watched(fold: Any) -> WatchedContext:
    known = fold.assessment.context
    history = WatchedHistory(**{f.name: getattr(fold.history, f.name) for f in fields(History)})
    object.__setattr__(history, "asked", set())
    values = {f.name: getattr(known, f.name) for f in fields(Context) if f.init}
    return WatchedContext(**{**values, "history": history, "deadlines": [], "known_stops": fold.assessment.stops.found})


extra = st.lists(
    st.sampled_from(
        [
            message("medication.given", "steroid", 99.5, name="prednisone", systemic_corticosteroid=True),
            message("graft.assessed", "graft", 120, failure="poor_function"),
            message("graft.assessed", "graft", 120, version=2, issued=130, rejection=True),
            message("lab.resulted", "hcg", 112, code="2118-8", value="positive"),
            message("lab.resulted", "ast", 84, code="1920-8", value="200", unit="U/L", ref_high="40"),
            message("lab.resulted", "late", 84, issued=125, code="777-3", value="20", unit="10*9/L"),
            message("lab.resulted", "bad", 118, code="777-3", value="20", unit="furlong"),
            message("patient.status-changed", "left", 200, patient_status="lost"),
            charts.enrolled(85, record_version=2, issued=140, status="corrected", reason="age", birth_year=1990),
            charts.dli(100, cd3_per_kg=None, record="dli-x"),
        ]
    ),
    max_size=6,
    unique=True,
)


RULES: list[Asked[Any]] = [*STOPS, *FINDERS]
FRUGAL = [asked for asked in RULES if "history" not in asked.reads]  # the others read all there is


@given(messages=histories(max_records=8), more=extra)
@settings(max_examples=40)
def test_a_rule_reads_nothing_that_it_does_not_declare(messages: list[bytes], more: list[bytes]) -> None:
    fold = Chart([*messages, *more], END).patient.fold
    for asked in FRUGAL:
        context = watched(fold)
        list(asked.find(context))
        allowed = {*asked.reads, *(kind for name in asked.reads for kind in DERIVED.get(str(name), ()))}
        undeclared = context.history.asked - allowed  # type: ignore[attr-defined]  # the watched one
        assert not undeclared, f"{asked.name} reads more than it says: {undeclared}"


@given(messages=histories(max_records=6), more=extra)
@settings(max_examples=20)
def test_after_every_event_asking_only_what_changed_finds_what_asking_everything_finds(
    messages: list[bytes], more: list[bytes]
) -> None:
    patient = Patient.new("SH-001", charts.PROTOCOL)
    events = sorted((read(raw) for raw in [*messages, *more]), key=lambda e: str(e.time))
    for event in events:
        if event.time is None:
            continue
        patient, _ = patient.advance(event.time, sweep=True)
        patient, _ = patient.receive(Entry(event, event.time))
        _same_as_anew(patient)


def test_a_person_who_resolves_a_clock_ends_it_for_the_rule_that_keeps_it() -> None:
    """Closures are read, too: a command changes what the rule says."""
    serious: dict[str, Any] = {"term": "hepatitis", "serious": True, "related": True, "expected": False}
    told = [charts.enrolled(85), message("adverse-event.reported", "ae", 100, **serious)]
    (start,) = Chart(told, 101).alerts("report.susar-clock")
    chart = Chart([*told, command("resolved", start.alert_id, 105)], 130)
    assert chart.statuses("report.susar-clock") == ["resolved"]
    _same_as_anew(chart.patient)


def test_a_late_result_before_enrolment_changes_eligibility_alone() -> None:
    late = message("lab.resulted", "late", 84, issued=87, code="777-3", value="20", unit="10*9/L")
    before, after = Chart([charts.enrolled(85)], 88), Chart([charts.enrolled(85), late], 88)
    assert before.alerts("eligibility.failed") == []
    assert [a.details["failed"] for a in after.alerts("eligibility.failed")] == [["platelets"]]
    assert after.patient.fold.now == on_day(87)


def _same_as_anew(patient: Patient) -> None:
    fold = patient.fold
    assert fold.assessment is not None
    known = fold.assessment.context
    stops = find_stops(fold.history, known.protocol, known.now, None, known.superseded)
    memory = replace(fold.memory, memo={})
    anew = assess(fold.history, known.protocol, known.now, stops=stops, memory=memory, raised_at=known.raised_at)
    assert anew.findings == fold.assessment.findings
