"""A patient as of a clinical time, by all that is known now."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.retrospect import as_of_clinical_time
from tests.core.charts import Chart, acute, azacitidine, decided, enrolled, marrow, on_day
from tests.core.histories import histories
from tests.core.test_laws import by_time

END = 300.0
LATE = marrow(120, "85", issued=150)
COURSE = [enrolled(80), azacitidine(95)]


@pytest.mark.parametrize(("day", "state"), [(119, "on_treatment"), (121, "stopped"), (200, "stopped")])
def test_a_late_result_counts_from_when_it_was_so(day: float, state: str) -> None:
    patient = Chart([*COURSE, LATE], END).patient
    assert as_of_clinical_time(patient, on_day(day)).snapshot()["protocol_state"] == state


def test_an_alert_keeps_its_reference_and_is_not_there_before_it_was_so() -> None:
    chart = Chart([*COURSE, LATE], END)
    (alert,) = chart.alerts("stop.chimerism")
    then = as_of_clinical_time(chart.patient, on_day(130))
    assert [a.alert_id for a in then.alerts if a.rule == "stop.chimerism"] == [alert.alert_id]
    before = as_of_clinical_time(chart.patient, on_day(110))
    assert [a.rule for a in before.alerts if a.rule.startswith("stop.")] == []


def test_what_is_lifted_later_stood_until_then() -> None:
    patient = Chart([*COURSE, acute(120, skin=3), decided(160, "restart")], END).patient
    assert as_of_clinical_time(patient, on_day(150)).snapshot()["protocol_state"] == "held"
    (alert,) = [a for a in as_of_clinical_time(patient, on_day(150)).alerts if a.rule == "stop.acute-gvhd"]
    assert alert.status == "firing"


@given(histories(), st.floats(60, 299))
@settings(max_examples=60)
def test_any_day_of_any_history_can_be_shown_and_shows_nothing_of_later(messages: list[bytes], day: float) -> None:
    patient = Chart(by_time(messages), END).patient
    at = on_day(day)
    shown = as_of_clinical_time(patient, at)
    json.dumps(shown.snapshot())
    for facts in shown.fold.history.facts.values():
        assert all(fact.at <= at for fact in facts)


@given(histories())
@settings(max_examples=60)
def test_as_of_now_is_now(messages: list[bytes]) -> None:
    patient = Chart(by_time(messages), END).patient
    assert as_of_clinical_time(patient, on_day(END)).snapshot() == patient.snapshot()
