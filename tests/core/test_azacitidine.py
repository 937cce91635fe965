"""Azacitidine as given against the schedule."""

from typing import Any

import pytest

from tests.core.charts import Chart, acute, azacitidine, decided, enrolled, message, on_day


def alerts(rule: str, *messages: bytes, until: float = 140) -> list[Any]:
    return Chart([enrolled(), *messages], until).alerts(rule)


def cycle(first: float, number: int = 1, days: tuple[int, ...] = (0, 1, 2, 3, 4), **more: Any) -> list[bytes]:
    return [azacitidine(first + n, cycle=number, record=f"c{number}-{n}", **more) for n in days]


def day(number: int) -> str:
    return str(on_day(number).date())


@pytest.mark.parametrize(
    ("dose", "told"),
    [
        ("28.8", 0),
        ("28.7999999999999999999999999999", 1),
        ("32", 0),
        ("35.2", 0),
        ("35.2000000000000000000000000001", 1),
    ],
)
def test_a_dose_is_32_mg_per_m2_within_ten_percent(dose: str, told: int) -> None:
    found = alerts("azacitidine.dose", message("azacitidine.given", "a", 95, cycle=1, dose_mg_m2=dose))
    assert len(found) == told
    assert all((a.priority, a.review, a.clause) == ("medium", True, "dosing") for a in found)


def test_doses_of_one_cycle_are_one_alert_and_those_of_another_a_second() -> None:
    low = [message("azacitidine.given", f"a{n}", 95 + n, cycle=1, dose_mg_m2=20) for n in range(5)]
    again = message("azacitidine.given", "b", 123, cycle=2, dose_mg_m2=20)
    assert [len(a.basis) for a in alerts("azacitidine.dose", *low, again)] == [5, 1]


def test_a_dose_that_was_not_stated_is_not_judged() -> None:
    assert alerts("azacitidine.dose", message("azacitidine.given", "a", 95, cycle=1)) == []


def test_five_consecutive_days_are_in_order() -> None:
    assert alerts("azacitidine.days", *cycle(95)) == []


def test_a_gap_is_told_on_the_day_after_it() -> None:
    (found,) = alerts("azacitidine.days", *cycle(95, days=(0, 1, 3, 4, 5)), until=101)
    assert str(found.effective_at) == day(98)
    assert (found.priority, found.review) == ("low", False)


def test_a_sixth_day_is_told() -> None:
    (found,) = alerts("azacitidine.days", *cycle(95, days=(0, 1, 2, 3, 4, 5)), until=101)
    assert str(found.effective_at) == day(100)


def test_local_days_count_not_hours() -> None:
    late_then_early = [azacitidine(95.6, record="late"), azacitidine(95.7, record="next-day")]  # 23:24 and 01:48
    assert alerts("azacitidine.days", *late_then_early, *cycle(97, days=(0, 1, 2)), until=101) == []


@pytest.mark.parametrize(("until", "told"), [(95 + 27.6, 0), (95 + 28, 1)])
def test_fewer_than_five_days_are_told_when_28_days_have_passed(until: float, told: int) -> None:
    found = alerts("azacitidine.days", *cycle(95, days=(0, 1, 2, 3)), until=until)
    assert len(found) == told
    assert all(str(a.effective_at) == day(95 + 28) for a in found)


def test_fewer_than_five_days_are_told_when_the_next_cycle_begins() -> None:
    (found,) = alerts("azacitidine.days", *cycle(95, days=(0, 1, 2, 3)), *cycle(120, 2), until=125)
    assert str(found.effective_at) == day(120)


@pytest.mark.parametrize("stop", [acute(98, skin=3), decided(98, "hold"), decided(98, "stop")])
def test_a_stop_excuses_a_short_cycle(stop: bytes) -> None:
    assert alerts("azacitidine.days", *cycle(95, days=(0, 1, 2)), stop) == []


def test_a_stop_within_a_gap_excuses_it_and_a_later_one_does_not() -> None:
    gap = cycle(95, days=(0, 1, 4, 5, 6))
    held = alerts("azacitidine.days", *gap[:2], decided(97, "hold"), decided(98.9, "continue"), *gap[2:], until=120)
    assert held == []
    assert len(alerts("azacitidine.days", *gap, decided(110, "hold"), until=120)) == 1


@pytest.mark.parametrize(("apart", "told"), [(27, 1), (28, 0)])
def test_cycles_begin_28_days_apart(apart: int, told: int) -> None:
    found = alerts("azacitidine.cycle-early", *cycle(95), *cycle(95 + apart, 2), until=130)
    assert len(found) == told
    assert all((a.priority, a.review) == ("low", False) for a in found)


@pytest.mark.parametrize(("until", "told"), [(95 + 42.6, 0), (95 + 42.7, 1)])
def test_a_cycle_is_late_on_day_43_from_the_first_day_of_the_last(until: float, told: int) -> None:
    """Midnight at the site comes 15 hours after the 09:00 of these days."""
    found = alerts("azacitidine.cycle-late", *cycle(95), until=until)
    assert len(found) == told
    assert all(str(a.effective_at) == day(95 + 43) for a in found)


def test_a_cycle_that_comes_ends_the_reminder_and_in_time_there_is_none() -> None:
    (late,) = alerts("azacitidine.cycle-late", *cycle(95), *cycle(140, 2), until=150)
    assert (late.status, late.details["outcome"]) == ("resolved", "came")
    assert alerts("azacitidine.cycle-late", *cycle(95), *cycle(137, 2), until=150) == []


@pytest.mark.parametrize("end", [acute(110, skin=3), decided(110, "hold"), decided(110, "complete")])
def test_nobody_is_reminded_of_a_cycle_unless_both_states_are_on_treatment(end: bytes) -> None:
    assert alerts("azacitidine.cycle-late", *cycle(95), end, until=170) == []


def test_the_twelfth_cycle_asks_for_no_other_and_the_thirteenth_is_too_many() -> None:
    twelve = [azacitidine(95 + 28 * n, cycle=n + 1, record=f"c{n + 1}") for n in range(12)]
    seen = Chart([enrolled(), *twelve], 95 + 28 * 12 + 60)
    assert seen.alerts("azacitidine.cycle-count") == []
    assert not [a for a in seen.alerts("azacitidine.cycle-late") if a.live]
    (found,) = alerts("azacitidine.cycle-count", *twelve, azacitidine(431, cycle=13, record="c13"), until=432)
    assert (found.priority, found.review) == ("low", False)


def test_cycles_without_a_number_are_told_apart_by_time() -> None:
    def unnumbered(first: int) -> list[bytes]:
        return [message("azacitidine.given", f"{first}-{n}", first + n, dose_mg_m2=32) for n in range(5)]

    assert alerts("azacitidine.days", *unnumbered(95), *unnumbered(123)) == []
    assert len(alerts("azacitidine.cycle-early", *unnumbered(95), *unnumbered(121))) == 1
