"""What the protocol promises of every history, not only of those somebody thought of."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.core.assess import assess, find_stops
from monitor.core.fold import Raised
from monitor.core.history import RecordKey
from monitor.core.patient import Entry, Patient
from monitor.events.envelope import Received
from tests.core import charts
from tests.core.charts import Chart, on_day, read
from tests.core.histories import histories

END = 300.0
LAW = settings(max_examples=500)
pytestmark = pytest.mark.timeout(1800)  # seconds for the 500 histories of one law, on a machine that is busy


def by_time(messages: list[bytes]) -> list[bytes]:
    """In the order in which the fold takes them: (time, source, record, version), then the content."""

    def order(raw: bytes) -> tuple[Any, ...]:
        sent = json.loads(raw)
        record, version = sent["data"].get("record_id", sent["id"]), sent["data"].get("record_version", 0)
        event = read(raw)
        return event.time, sent["source"], record, version, event.content if isinstance(event, Received) else ""

    return sorted(messages, key=order)


def what_rests_on_facts(chart: Chart) -> tuple[Any, ...]:
    alerts = {
        (a.alert_id, a.rule, a.status, str(a.effective_at)) for a in chart.patient.alerts if a.status != "withdrawn"
    }
    return chart.states, chart.live, alerts, chart.patient.events


@given(histories(), st.randoms(use_true_random=False))
@LAW
def test_any_order_and_any_redelivery_end_in_the_same_states_and_live_alerts(
    messages: list[bytes], shuffler: random.Random
) -> None:
    shuffled = messages + [raw for raw in messages if shuffler.random() < 0.2]
    shuffler.shuffle(shuffled)
    assert what_rests_on_facts(Chart(by_time(messages), END)) == what_rests_on_facts(Chart(shuffled, END))


@given(histories(max_records=8), st.data())
@LAW
def test_nor_does_the_order_matter_when_people_have_answered_alerts(messages: list[bytes], data: st.DataObject) -> None:
    raised = [a for a in Chart(by_time(messages), END).patient.alerts if a.status != "withdrawn"]
    kinds = st.sampled_from(["acknowledged", "shelved", "resolved"])
    answered = (
        data.draw(st.lists(st.sampled_from(raised), max_size=4, unique_by=lambda a: a.alert_id)) if raised else []
    )
    for number, alert in enumerate(answered):
        day = data.draw(st.floats(90, 290))
        more = {"until": on_day(day + 20).isoformat(), "note": str(number)}
        messages = [*messages, charts.command(data.draw(kinds), alert.alert_id, day, **more)]
    shuffled = data.draw(st.permutations(messages))
    assert what_rests_on_facts(Chart(by_time(messages), END)) == what_rests_on_facts(Chart(shuffled, END))


@given(histories())
@LAW
def test_an_assessment_is_total_and_gives_the_same_bytes_every_time(messages: list[bytes]) -> None:
    def shown() -> str:
        return json.dumps(Chart(by_time(messages), END).patient.snapshot(), default=str)

    assert shown() == shown()


@given(histories(max_records=8))
@LAW
def test_assessing_at_every_tick_equals_assessing_at_the_end(messages: list[bytes]) -> None:
    """Deadlines: a clock that stops every day changes nothing against one that jumps."""
    often = Patient.new("SH-001", charts.PROTOCOL)
    clock = on_day(60)
    for raw in by_time(messages):
        event = read(raw)
        if event.time is not None and event.time > on_day(END):
            continue  # nor does a chart read what comes after its end
        while event.time is not None and clock < event.time:
            clock = min(clock + timedelta(days=1), event.time)
            often, _ = often.advance(clock, sweep=True)
        often, _ = often.receive(Entry(event, clock))
    often, _ = often.advance(on_day(END), sweep=True)
    assert often.snapshot() == Chart(by_time(messages), END).patient.snapshot()


@given(histories(max_records=8), st.integers(0, 5))
@LAW
def test_retracting_a_result_equals_never_having_had_it_but_for_what_waits_for_a_decision(
    messages: list[bytes], which: int
) -> None:
    victim = f"chimerism-{which}"
    messages = [raw for raw in messages if json.loads(raw)["data"].get("record_id") != victim]
    had = charts.marrow(150, "85", record=victim)
    retracted = charts.marrow(
        150, "85", record=victim, version=2, issued=160, status="entered-in-error", reason="wrong patient"
    )
    without, taken_back = Chart(by_time(messages), END), Chart(by_time([*messages, had, retracted]), END)
    # whether a restart was inside its window is judged by what its signer could know, right or wrong
    latched = {"stop.basis-retracted", "report.susar-clock", "restart.outside-window"}
    left_over = {alert for alert in taken_back.live ^ without.live if alert[0] not in latched}
    waits = any(rule == "stop.basis-retracted" for rule, _ in taken_back.live)
    if not waits:  # a state that waits for a decision also holds the reminders back
        assert left_over == set()


@given(histories(), st.data())
@LAW
def test_a_preliminary_that_comes_after_its_final_changes_nothing(messages: list[bytes], data: st.DataObject) -> None:
    """Under one version it never outweighs a final, whatever it says."""
    read_back = [json.loads(raw) for raw in messages]
    finals = [sent for sent in read_back if sent["data"].get("record_id") and not _preliminary(sent)]
    final = data.draw(st.sampled_from(finals))
    other = data.draw(st.sampled_from([sent for sent in read_back if sent["type"] == final["type"]]))
    same = {name: final["data"][name] for name in ("record_id", "record_version") if name in final["data"]}
    said = {name: value for name, value in other["data"].items() if name != "reason"}
    issued = max(datetime.fromisoformat(sent["time"]) for sent in (final, other))
    late = final | {
        "id": "preliminary-after-its-final",
        "time": (issued + timedelta(days=data.draw(st.integers(1, 40)))).isoformat(),
        "data": said | same | {"status": "preliminary"},
    }
    plain, more = Chart(by_time(messages), END), Chart(by_time([*messages, json.dumps(late).encode()]), END)
    assert (more.states, more.live) == (plain.states, plain.live)


def _preliminary(sent: dict[str, Any]) -> bool:
    return bool(sent["data"].get("status") == "preliminary")


# A restart signed between the two comes out later: of one episode it makes two, the second one's alert is new.
TOLD_BEFORE_THE_EPISODE_FELL_APART = [
    charts.enrolled(85),
    charts.azacitidine(95),
    charts.acute(110, skin=3),
    charts.acute(120, skin=3),
    charts.dli(125),
    charts.decided(116, "restart", issued=130),
    charts.marrow(140, "99"),
]


@given(histories())
@example(TOLD_BEFORE_THE_EPISODE_FELL_APART)
@LAW
def test_asking_only_the_rules_whose_facts_changed_finds_what_asking_all_finds(messages: list[bytes]) -> None:
    fold = Chart(by_time(messages), END).patient.fold
    assert fold.assessment is not None
    now = fold.assessment.context.now
    stops = find_stops(fold.history, fold.protocol, now, None)
    memory, raised_at = replace(fold.memory, memo={}), Raised(fold.ledger, now)
    anew = assess(fold.history, fold.protocol, now, stops=stops, memory=memory, raised_at=raised_at)
    assert anew.findings == fold.assessment.findings


# Signed when a grade II was known, which stops by the stricter reading alone; that it was grade IV came out later.
WORSE_AFTER_THE_RESTART = [
    charts.enrolled(85),
    charts.azacitidine(95),
    charts.acute(110, skin=3, record="stop"),
    charts.decided(139.6, "restart", record="restart"),
    charts.acute(110, skin=4, record="stop", version=2, issued=155, status="corrected", reason="checked"),
]


@given(histories())
@example(WORSE_AFTER_THE_RESTART)
@LAW
def test_a_stricter_reading_never_removes_a_stop(messages: list[bytes]) -> None:
    """What stops by the looser reading stops by the stricter one, and holds unless a signed decision has lifted it."""
    strict = charts.PROTOCOL
    loose = strict.model_copy(
        update={
            "acute_gvhd": strict.acute_gvhd.model_copy(update={"stop_grade": 3}),
            "chronic_gvhd": strict.chronic_gvhd.model_copy(update={"stop_severity": "severe"}),
        }
    )
    ordered = by_time(messages)
    loosely, strictly = Chart(ordered, END, loose), Chart(ordered, END, strict)
    assert stopping(loosely).keys() <= stopping(strictly).keys()
    lifted = all(stopping(strictly)[fact] for fact, over in stopping(loosely).items() if not over)
    if loosely.states[0] in HELD and not lifted:
        assert strictly.states[0] in HELD


HELD = {"held", "stopped"}


def stopping(chart: Chart) -> dict[tuple[str, RecordKey], bool]:
    """The facts that stop, by the rule they stop by; and whether a signed decision has lifted it."""
    assessment = chart.patient.fold.assessment
    found = assessment.stops.found if assessment is not None else ()
    return {(stop.rule.id, key): stop.lift is not None for stop in found for key in stop.keys}


@given(histories(), st.randoms(use_true_random=False))
@LAW
def test_a_back_fill_that_waits_for_its_clock_raises_what_the_simulation_raises(
    messages: list[bytes], shuffler: random.Random
) -> None:
    """Facts recorded ahead of the clock wait, whatever order they came in, and are taken in order as it sweeps."""
    shuffled = list(messages)
    shuffler.shuffle(shuffled)
    patient = Patient.new("SH-001", charts.PROTOCOL)
    for raw in shuffled:
        event = read(raw)
        assert event.time is not None
        patient, steps = patient.receive(Entry(event, event.time, waited=True))
        assert steps == ()
    patient, _ = patient.advance(on_day(END), sweep=True)
    assert patient.snapshot() == Chart(by_time(messages), END).patient.snapshot()
