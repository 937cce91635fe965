"""Going on from the last assessment gives what assessing everything anew gives, whatever comes and when."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.assess import assess, find_stops
from monitor.core.fold import Raised
from monitor.core.patient import Entry, Patient
from monitor.core.reconcile import Stamp, reconcile
from tests.core import charts
from tests.core.charts import on_day, read
from tests.core.histories import histories
from tests.core.test_laws import by_time

END = 260.0
pytestmark = pytest.mark.timeout(1800)  # seconds: every history is assessed anew after each of its events


@given(histories(max_records=6), st.randoms(use_true_random=False))
def test_after_every_fact_command_and_tick_the_result_is_that_of_assessing_anew(
    messages: list[bytes], chance: random.Random
) -> None:
    """Facts in order, late and corrected, of every kind; commands on what was raised; and the clock in between."""
    patient, clock, coming = Patient.new("SH-001", charts.PROTOCOL), on_day(60), by_time(messages)
    for place in range(len(coming) - 1, 0, -1):
        if chance.random() < 0.1:  # it comes late
            coming.insert(min(len(coming), place + chance.randint(1, 6)), coming.pop(place))
    while coming:
        event = read(coming.pop(0))
        if event.time is not None and event.time > clock:
            patient, _ = patient.advance(clock := event.time, sweep=True)
        patient, _ = patient.receive(Entry(event, clock))
        _holds(patient)
        if patient.alerts and chance.random() < 0.2:
            coming.insert(0, _answered(patient, chance, (clock - charts.D0) / timedelta(days=1)))
    patient, _ = patient.advance(on_day(END), sweep=True)
    _holds(patient)


def _answered(patient: Patient, chance: random.Random, day: float) -> bytes:
    alert, kind = chance.choice(patient.alerts), chance.choice(["acknowledged", "shelved", "resolved"])
    return charts.command(kind, alert.alert_id, day + 0.01, until=on_day(day + 9).isoformat())


def _holds(patient: Patient) -> None:
    """No rule finds another thing when it is asked anew, and no alert moves when every finding is matched anew."""
    fold = patient.fold
    assert fold.assessment is not None
    assert fold.now is not None
    known = fold.assessment.context
    memory = replace(fold.memory, memo={}, closures=known.closures)  # a person's word is taken up by the next step
    stops = find_stops(fold.history, known.protocol, known.now, None, known.superseded)
    told = Raised(fold.ledger, fold.now)
    anew = assess(fold.history, known.protocol, known.now, stops=stops, memory=memory, raised_at=told)
    assert anew.findings == fold.assessment.findings
    assert anew.deadline == fold.assessment.deadline
    if not fold.ledger.answered:  # what a person has done is matched with the next finding
        stamp = Stamp(patient.patient_id, known.protocol, fold.now, lambda _reference: None)
        matched = reconcile(fold.ledger.without_findings(), (), anew.findings, stamp)
        assert dict(matched.alerts) == dict(fold.alerts)
