"""Clocks of suspected unexpected serious adverse reactions."""

from typing import Any

import pytest

from tests.core.charts import Chart, azacitidine, command, enrolled, message, on_day

SUSAR: dict[str, Any] = {"term": "hepatitis", "ctcae_grade": 3, "serious": True, "related": True, "expected": False}
MIDNIGHT = 15 / 24  # after 09:00 at the site


def event(day: float = 100, record: str = "ae", **more: Any) -> bytes:
    return message("adverse-event.reported", record, day, **{**SUSAR, **more})


def stages(*messages: bytes, until: float = 100.5) -> dict[str, Any]:
    found = Chart([enrolled(), azacitidine(95), *messages], until).alerts("report.susar-clock")
    return {alert.details["stage"]: alert for alert in found}


def day(number: int) -> str:
    return str(on_day(number).date())


def test_the_clock_starts_when_somebody_became_aware() -> None:
    start = stages(event(aware_at=on_day(101).isoformat(), issued=101.2), until=101.3)["start"]
    assert (start.priority, start.review, start.clause) == ("high", False, "practice")
    assert start.effective_at == on_day(101)
    assert start.details["due_on"] == day(116)


def test_unsaid_awareness_is_the_time_the_event_was_issued() -> None:
    assert stages(event(issued=104.1), until=105)["start"].details["due_on"] == day(119)


def test_an_event_that_becomes_serious_starts_the_clock_with_the_version_that_says_so() -> None:
    worse = event(version=2, status="amended", reason="follow-up", issued=110.1)
    assert stages(event(serious=False), worse, until=111)["start"].details["due_on"] == day(125)


def test_a_preliminary_that_comes_after_its_retraction_tells_nobody_anything() -> None:
    retracted = event(status="entered-in-error", reason="another patient", issued=101)
    late = event(status="preliminary", issued=102)
    found_after_all = event(version=2, issued=107.1)
    assert stages(retracted, late, found_after_all, until=108)["start"].details["due_on"] == day(122)


@pytest.mark.parametrize(
    ("data", "days"),
    [
        ({}, 15),
        ({"life_threatening": True}, 7),
        ({"ctcae_grade": 5}, 7),
        ({"outcome": "fatal"}, 7),
        ({"ctcae_grade": 4, "life_threatening": False}, 15),
        ({"ctcae_grade": 4, "laboratory": True}, 15),
        ({"ctcae_grade": 4}, 7),
    ],
)
def test_seven_calendar_days_if_fatal_or_life_threatening_else_fifteen(data: dict[str, Any], days: int) -> None:
    assert stages(event(aware_at=on_day(100).isoformat(), **data))["start"].details["due_on"] == day(100 + days)


@pytest.mark.parametrize(
    ("data", "told", "review"),
    [
        ({"related": False}, 0, False),
        ({"expected": True}, 0, False),
        ({"serious": False}, 0, False),
        ({"related": None}, 1, True),
        ({"expected": None}, 1, True),
        ({"serious": None}, 1, True),
        ({"serious": False, "life_threatening": True}, 1, False),
        ({"ctcae_grade": 4}, 1, True),
        ({"serious": False, "ctcae_grade": 4}, 0, False),
        ({}, 1, False),
    ],
)
def test_unknown_counts_as_yes_for_review(data: dict[str, Any], told: int, review: bool) -> None:
    found = stages(event(**data))
    assert len(found) == told
    assert all(alert.review is review for alert in found.values())


@pytest.mark.parametrize(
    ("until", "seen"),
    [
        (112 + MIDNIGHT - 0.01, {"start"}),
        (112 + MIDNIGHT, {"start", "reminder"}),
        (115 + MIDNIGHT - 0.01, {"start", "reminder"}),
        (115 + MIDNIGHT, {"start", "reminder", "breach"}),
    ],
)
def test_a_reminder_comes_two_days_before_and_a_breach_when_the_due_day_has_passed(
    until: float, seen: set[str]
) -> None:
    found = stages(event(aware_at=on_day(100).isoformat()), until=until)
    assert found.keys() == seen
    assert {stage: str(a.effective_at) for stage, a in found.items() if stage != "start"} == {
        stage: day(number) for stage, number in (("reminder", 113), ("breach", 116)) if stage in seen
    }


def test_a_person_ends_all_its_stages() -> None:
    told = event(aware_at=on_day(100).isoformat())
    start = stages(told)["start"]
    done = command("resolved", start.alert_id, 105)
    assert {stage: a.status for stage, a in stages(told, done, until=130).items()} == {"start": "resolved"}
    late = command("resolved", start.alert_id, 114)
    assert {stage: a.status for stage, a in stages(told, late, until=130).items()} == {
        "start": "resolved",
        "reminder": "resolved",
    }


def test_it_runs_on_after_the_patient_has_left() -> None:
    left = message("patient.status-changed", "left", 101, patient_status="died")
    assert "breach" in stages(event(), left, until=130)


def test_a_downgrade_withdraws_it() -> None:
    expected = event(expected=True, version=2, status="amended", reason="in the brochure", issued=101)
    assert {a.status for a in stages(event(), expected, until=102).values()} == {"withdrawn"}


def test_each_event_has_its_own_clock() -> None:
    chart = Chart([enrolled(), event(), event(101, "other")], 102)
    assert len(chart.alerts("report.susar-clock")) == 2
