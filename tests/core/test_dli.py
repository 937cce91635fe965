"""Donor lymphocyte infusions against the schedule."""

from typing import Any

import pytest

from tests.core.charts import Chart, acute, azacitidine, decided, dli, enrolled, message, on_day


def alerts(rule: str, *messages: bytes, until: float = 250) -> list[Any]:
    return Chart([enrolled(), *messages], until).alerts(rule)


def on_date(day: int) -> dict[str, Any]:
    """Only the day is known."""
    return {"effective_at": on_day(day).date().isoformat(), "issued": day + 0.1}


HOUR = 1 / 24


@pytest.mark.parametrize(("hours", "told"), [(0, 1), (47.99, 1), (48, 0), (72, 0)])
def test_an_infusion_is_at_least_48_hours_after_the_last_azacitidine(hours: float, told: int) -> None:
    found = alerts("dli.too-soon", azacitidine(95), azacitidine(96), dli(96 + hours * HOUR))
    assert len(found) == told
    for alert in found:
        assert (alert.priority, alert.review, alert.clause) == ("medium", True, "dosing")
        assert alert.details["unit"] == "h"


@pytest.mark.parametrize(("day", "told"), [(96, 1), (97, 1), (98, 0)])
def test_where_only_days_are_known_fewer_than_two_are_too_soon(day: int, told: int) -> None:
    assert len(alerts("dli.too-soon", azacitidine(96), dli(day, **on_date(day)))) == told
    assert len(alerts("dli.too-soon", azacitidine(96, **on_date(96)), dli(day))) == told
    assert len(alerts("dli.too-soon", azacitidine(96, **on_date(96)), dli(day, **on_date(day)))) == told


def test_an_infusion_before_azacitidine_is_not_too_soon() -> None:
    assert alerts("dli.too-soon", dli(95), azacitidine(96)) == []
    assert alerts("dli.too-soon", dli(95, **on_date(95)), azacitidine(96, **on_date(96))) == []


@pytest.mark.parametrize(("apart", "told"), [(27, 1), (28, 0), (42, 0)])
def test_infusions_are_four_weeks_apart(apart: int, told: int) -> None:
    found = alerts("dli.interval-short", dli(100), dli(100 + apart, "5e5"))
    assert len(found) == told
    assert all((a.priority, a.review) == ("low", False) for a in found)


@pytest.mark.parametrize(("apart", "told"), [(42, 0), (43, 1)])
def test_the_next_infusion_is_late_on_day_43_before_it_comes(apart: int, told: int) -> None:
    before = on_day(100 + apart).replace(hour=0)
    days = (before - on_day(0)).total_seconds() / 86400
    found = alerts("dli.interval-long", dli(100), until=days)
    assert len(found) == told
    for alert in found:
        assert str(alert.effective_at) == str(on_day(143).date())
        assert alert.details["due_on"] == str(alert.effective_at)


def test_the_reminder_ends_when_the_infusion_comes() -> None:
    (late,) = alerts("dli.interval-long", dli(100), dli(143, "5e5"), until=150)
    assert (late.status, late.details["outcome"]) == ("resolved", "came")
    assert alerts("dli.interval-long", dli(100), dli(142, "5e5"), until=150) == []


def test_after_three_infusions_nobody_is_reminded_but_a_late_fourth_is_told() -> None:
    three = [dli(100), dli(130, "5e5"), dli(160, "1e6")]
    assert alerts("dli.interval-long", *three) == []
    (late,) = alerts("dli.interval-long", *three, dli(160 + 43, "2e6"))
    assert str(late.effective_at) == str(on_day(160 + 43).date())
    assert alerts("dli.interval-long", *three, dli(160 + 42, "2e6")) == []


@pytest.mark.parametrize("end", [acute(110, skin=3), decided(110, "stop"), decided(110, "complete")])
def test_nobody_is_reminded_unless_both_states_are_on_treatment(end: bytes) -> None:
    assert alerts("dli.interval-long", dli(100), end) == []


def test_a_stop_ends_the_reminder() -> None:
    (late,) = alerts("dli.interval-long", dli(100), acute(150, skin=3))
    assert (late.status, late.details["outcome"]) == ("resolved", "state_ended")


def test_what_is_late_when_treatment_resumes_has_been_late_since_the_day_over_the_limit() -> None:
    (late,) = alerts("dli.interval-long", dli(100), decided(110, "hold"), decided(160, "restart"))
    assert (late.status, str(late.effective_at)) == ("firing", str(on_day(143).date()))


def test_a_fifth_infusion_is_too_many() -> None:
    four = [dli(100), dli(130, "5e5"), dli(160, "1e6"), dli(190, "2e6")]
    assert alerts("dli.count", *four) == []
    (found,) = alerts("dli.count", *four, dli(220, "2e6"))
    assert (found.priority, found.review) == ("medium", True)
    assert str(found.effective_at) == str(on_day(220).astimezone(found.effective_at.tzinfo))


def test_no_clock_runs_after_the_patient_has_left() -> None:
    left = message("patient.status-changed", "left", 120, patient_status="withdrawn")
    assert alerts("dli.interval-long", dli(100), left) == []
