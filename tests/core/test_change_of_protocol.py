"""A change of the protocol file lifts no stop: what fired stays, the rest is assessed anew."""

from __future__ import annotations

import json
import random
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.assess import assess, find_stops
from monitor.core.patient import Entry, Patient
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline
from tests.core import charts
from tests.core.charts import Chart, acute, azacitidine, decided, enrolled, marrow, on_day, read
from tests.core.histories import histories
from tests.core.test_laws import by_time

END = 300.0
STRICT = charts.PROTOCOL


def another(version: str, **sections: dict[str, Any]) -> Protocol:
    values = STRICT.model_dump()
    changed = {name: values[name] | fields for name, fields in sections.items()}
    return Protocol.model_validate(values | changed | {"version": version})


LOOSE = another(
    "loose",
    acute_gvhd={"stop_grade": 3},
    chronic_gvhd={"stop_severity": "severe"},
    overlap={"stop_severity": "moderate"},
    chimerism={"stop_below_percent": Decimal(80)},
    relapse={"blast_percent": Decimal(20)},
)
TO_LOOSE, TO_STRICT = (STRICT, LOOSE), (LOOSE, STRICT)
STRICTNESS = ("stop_basis_retracted", "held", "stopped")
either_way = st.sampled_from([TO_LOOSE, TO_STRICT])
change_days = st.floats(60, 295)


def changed(files: tuple[Protocol, Protocol], day: float, *more: tuple[float, Protocol]) -> Timeline:
    return Timeline(files[0], ((on_day(day), files[1]), *((on_day(later), file) for later, file in more)))


def issued_before(messages: list[bytes], day: float) -> list[bytes]:
    return [raw for raw in messages if datetime.fromisoformat(json.loads(raw)["time"]) < on_day(day)]


def stops(chart: Chart) -> set[tuple[str, str]]:
    """The live stop alerts, by reference."""
    return {(a.rule, a.alert_id) for a in chart.patient.alerts if a.live and a.rule.startswith("stop.")}


def qualifying(patient: Patient) -> set[tuple[str, tuple[str, str]]]:
    """Every fact that some stop still stands on."""
    assessment = patient.fold.assessment
    found = assessment.stops.found if assessment else ()
    return {(stop.rule.id, key) for stop in found if stop.lift is None for key in stop.keys}


@given(histories(), either_way, change_days)
@settings(max_examples=60)
def test_a_change_of_file_never_removes_a_stop(
    messages: list[bytes], files: tuple[Protocol, Protocol], day: float
) -> None:
    """No alert of a stop ends by it, and no state resumes by it, today or at the end."""
    known = issued_before(by_time(messages), day)
    before, after = Chart(known, END, files[0]), Chart(known, END, changed(files, day))
    assert qualifying(before.patient) <= qualifying(after.patient)
    ended = {rule for rule, _ in stops(before) - stops(after)}
    assert ended <= {"stop.basis-retracted"}  # which ends where the new file stops on what the correction left
    if before.states[0] in STRICTNESS:
        assert STRICTNESS.index(after.states[0]) >= STRICTNESS.index(before.states[0])


def test_what_a_correction_left_may_stop_under_the_new_file() -> None:
    """Grade IV corrected to II: nothing to stop on for the file that stops from III, and a stop for its successor."""
    worse = acute(110, skin=4, record="a")
    left = acute(110, skin=3, record="a", version=2, issued=112)
    course = [enrolled(), azacitidine(95), worse, left]
    assert Chart(course, 113, changed(TO_STRICT, 114)).states[0] == "stop_basis_retracted"
    chart = Chart(course, 115, changed(TO_STRICT, 114))
    assert (chart.states[0], chart.statuses("stop.acute-gvhd")) == ("held", ["firing"])
    assert chart.statuses("stop.basis-retracted") == ["withdrawn"]


@given(histories(), either_way, change_days)
@settings(max_examples=60)
def test_what_comes_later_is_judged_by_the_file_in_force_then(
    messages: list[bytes], files: tuple[Protocol, Protocol], day: float
) -> None:
    """Everything that stops under the new file alone stops under both in turn."""
    ordered = by_time(messages)
    assert qualifying(Chart(ordered, END, files[1]).patient) <= qualifying(
        Chart(ordered, END, changed(files, day)).patient
    )


@given(histories(), either_way, change_days, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_of_arrival_does_not_matter_across_a_change(
    messages: list[bytes], files: tuple[Protocol, Protocol], day: float, shuffler: random.Random
) -> None:
    shuffled = list(messages)
    shuffler.shuffle(shuffled)
    timeline = changed(files, day)
    one, other = Chart(by_time(messages), END, timeline), Chart(shuffled, END, timeline)
    assert (one.states, one.live, one.patient.events) == (other.states, other.live, other.patient.events)


@given(histories(max_records=8), change_days, change_days)
@settings(max_examples=40)
def test_asking_only_what_changed_finds_what_asking_all_finds_across_changes(
    messages: list[bytes], day: float, later: float
) -> None:
    first, second = sorted((day, later))
    timeline = changed(TO_LOOSE, first, (second + 1, STRICT))
    fold = Chart(by_time(messages), END, timeline).patient.fold
    assert fold.assessment is not None
    now = fold.assessment.context.now
    asked = find_stops(fold.history, fold.protocol, now, None, timeline.superseded(now))
    told = fold.assessment.context.raised_at
    anew = assess(fold.history, fold.protocol, now, stops=asked, memory=fold.memory, raised_at=told)
    assert anew.findings == fold.assessment.findings


@given(histories(), change_days)
@settings(max_examples=30)
def test_the_same_file_again_changes_nothing(messages: list[bytes], day: float) -> None:
    ordered = by_time(messages)
    same = another("again")
    once, twice = Chart(ordered, END, STRICT), Chart(ordered, END, changed((STRICT, same), day))
    assert (twice.states, twice.live) == (once.states, once.live)


TREATED = [enrolled(80), azacitidine(95)]


def test_grade_two_stays_a_stop_when_only_grade_three_stops_from_now_on() -> None:
    chart = Chart([*TREATED, acute(120, skin=3)], END, changed(TO_LOOSE, 130))
    (alert,) = chart.alerts("stop.acute-gvhd")
    assert (alert.status, alert.reading) == ("firing", "acute_gvhd.stop_grade: 2")
    assert alert.protocol_hash == STRICT.hash
    assert chart.states[0] == "held"


def test_grade_two_after_the_change_is_judged_by_the_new_file() -> None:
    chart = Chart([*TREATED, acute(140, skin=3)], END, changed(TO_LOOSE, 130))
    assert chart.alerts("stop.acute-gvhd") == []
    (alert,) = chart.alerts("gvhd.boundary-grade")
    assert alert.protocol_hash == LOOSE.hash


def test_what_is_known_already_stops_once_the_file_says_so() -> None:
    timeline = changed(TO_STRICT, 130)
    messages = [*TREATED, marrow(110, "85")]
    early, late = Chart(messages, 129, timeline), Chart(messages, 131, timeline)
    assert (early.states[0], late.states[0]) == ("on_treatment", "stopped")
    (alert,) = late.alerts("stop.chimerism")
    assert (alert.raised_at, alert.protocol_hash) == (on_day(130), STRICT.hash)


def test_a_correction_still_withdraws_a_stop_of_an_earlier_file() -> None:
    corrected = acute(120, skin=0, record="a", version=2, issued=150, status="corrected", reason="typing error")
    chart = Chart([*TREATED, acute(120, skin=3, record="a"), corrected], END, changed(TO_LOOSE, 130))
    assert chart.statuses("stop.acute-gvhd") == ["withdrawn"]
    assert chart.states[0] == "stop_basis_retracted"


@pytest.mark.parametrize("decision", ["restart", "continue"])
def test_a_signed_decision_lifts_a_stop_of_an_earlier_file(decision: str) -> None:
    chart = Chart([*TREATED, acute(120, skin=3), decided(160, decision)], END, changed(TO_LOOSE, 130))
    assert chart.statuses("stop.acute-gvhd") == ["resolved"]


def test_a_fact_that_arrives_late_is_judged_by_the_file_of_when_it_was_issued() -> None:
    messages = [*TREATED, acute(150, skin=0), acute(120, skin=3)]
    assert Chart(messages, END, changed(TO_LOOSE, 130)).statuses("stop.acute-gvhd") == ["firing"]


def test_a_waiting_clock_tells_of_the_change_as_of_a_deadline() -> None:
    patient = Patient.new("SH-001", changed(TO_LOOSE, 130))
    patient, _ = patient.receive(Entry(read(enrolled(80)), on_day(81)))
    assert patient.due_at is not None
    patient, steps = patient.advance(on_day(131), sweep=True)
    assert on_day(130) in [step.due for step in steps]
