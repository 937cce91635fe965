"""What is settled is not worked out again; until something comes about the days it rests on."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.history import History, Kind
from monitor.core.patient import Entry, Patient
from monitor.core.window import Window, windows
from monitor.events.envelope import Received
from tests.core import charts
from tests.core.charts import PROTOCOL, acute, azacitidine, chronic, command, decided, enrolled, message, on_day, read
from tests.core.histories import histories

USED = [
    *[enrolled(), azacitidine(95), acute(110, skin=3), decided(110.2, "hold")],
    *[acute(120), chronic(121), decided(145, "restart"), azacitidine(146, cycle=2)],
]  # a window that opened and was used


def taken(messages: list[bytes]) -> Patient:
    """The patient after all of these, each when it was issued."""
    patient = Patient.new("SH-001", PROTOCOL)
    for event in (read(raw) for raw in messages):
        assert event.time is not None
        patient, _ = patient.advance(event.time, sweep=True)
        patient, _ = patient.receive(Entry(event, event.time))
    return patient


def windows_of(patient: Patient) -> tuple[Window, ...]:
    assert patient.fold.assessment is not None
    return windows(patient.fold.assessment.context)


def counts(day: float, number: int) -> list[bytes]:
    return [
        message("lab.resulted", f"plt-{n}", day + n, code="777-3", value="99", unit="10*9/L") for n in range(number)
    ]


def alerts(patient: Patient, rule: str) -> list[Any]:
    return [alert for alert in patient.alerts if alert.rule == rule]


def test_a_window_that_is_over_is_the_same_window_as_further_results_come() -> None:
    before, after = taken([*USED, *counts(160, 2)]), taken([*USED, *counts(160, 9), acute(170), chronic(171)])
    assert [w.state for w in windows_of(after)] == ["used"]
    assert alerts(before, "restart.window-open") == alerts(after, "restart.window-open")


def test_a_form_that_comes_weeks_late_still_closes_the_window_that_was_used() -> None:
    sick = chronic(130, record="late", issued=180, present=True, organ_scores=charts.NO_ORGAN | {"skin": 1})
    patient = taken([*USED, *counts(160, 9), sick])
    assert [w.state for w in windows_of(patient)] == ["invalidated"]
    assert len(alerts(patient, "restart.window-invalidated")) == 1


def test_a_dose_given_weeks_ago_is_told_when_the_stop_before_it_becomes_known() -> None:
    course = [enrolled(), azacitidine(95), azacitidine(123, cycle=2), *counts(130, 20)]
    assert alerts(taken(course), "treatment.dose-after-stop") == []
    (told,) = alerts(taken([*course, acute(110, skin=3, issued=152)]), "treatment.dose-after-stop")
    assert told.details["known"] is False


def test_a_retracted_stop_gives_up_the_dose_and_the_window_that_were_settled_under_it() -> None:
    back = acute(110, skin=3, version=2, issued=180, status="entered-in-error", reason="wrong patient")
    patient = taken([*USED, azacitidine(112), *counts(160, 9), back])
    assert windows_of(patient) == ()
    assert [a.status for a in alerts(patient, "treatment.dose-after-stop")] == ["withdrawn"]


def test_an_alert_of_a_settled_window_can_still_be_acknowledged() -> None:
    (told,) = alerts(taken(USED), "restart.window-open")
    assert told.status == "resolved"
    (same,) = alerts(taken([*USED, command("acknowledged", told.alert_id, 150)]), "restart.window-open")
    assert same == told


@given(histories(max_records=6), st.randoms(use_true_random=False))
def test_what_was_known_before_is_the_history_of_what_had_been_issued(
    messages: list[bytes], chance: random.Random
) -> None:
    events = sorted((e for e in map(read, messages) if isinstance(e, Received)), key=lambda e: e.time)
    time, until = on_day(chance.uniform(80, 200)), on_day(chance.uniform(80, 200))
    whole, then = History(PROTOCOL.tz), History(PROTOCOL.tz)
    for event in events:
        whole = whole.add(event)
        then = then.add(event) if event.time < time else then
    known = whole.known_before(time, until)
    assert _facts(known) == {kind: facts for kind, all_of in _facts(then).items()
                             if (facts := [f for f in all_of if f[0] <= until])}  # fmt: skip
    assert dict(known.records) == dict(then.records)
    assert list(known.days) == list(then.days)


def _facts(history: History) -> dict[Kind, list[Any]]:
    shown = {kind: [(f.at, f.key, f.data) for f in facts] for kind, facts in history.facts.items()}
    return {kind: facts for kind, facts in shown.items() if facts}
