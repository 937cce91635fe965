"""The next donor lymphocyte infusion due on or near azacitidine."""

from typing import Any

import pytest

from tests.core.charts import Chart, azacitidine, decided, dli, enrolled


def conflicts(*messages: bytes, until: float = 250) -> list[Any]:
    return Chart([enrolled(), *messages], until).alerts("dli.schedule-conflict")


@pytest.mark.parametrize(("apart", "told"), [(-3, 0), (-2, 1), (0, 1), (6, 1), (7, 0)])
def test_the_next_due_day_within_two_days_of_planned_azacitidine_is_a_conflict(apart: int, told: int) -> None:
    """Azacitidine on D+95 to D+99, planned again from D+123 to D+127; the next infusion is due on D+123 + `apart`."""
    cycle = [azacitidine(95 + n) for n in range(5)]
    found = conflicts(*cycle, dli(95 + apart, record="d"), until=112)
    assert len(found) == told
    assert all((a.priority, a.review) == ("low", True) for a in found)


def test_days_of_a_cycle_that_has_begun_are_planned_until_they_are_given() -> None:
    begun = [azacitidine(95), azacitidine(130, cycle=2, record="second")]
    assert len(conflicts(*begun, dli(108), until=131)) == 1


def test_a_conflict_ends_when_the_next_infusion_comes() -> None:
    (found,) = conflicts(azacitidine(95), dli(98), dli(128, "5e5"), until=129)
    assert (found.status, found.details["outcome"]) == ("resolved", "came")


def test_a_conflict_ends_when_azacitidine_is_moved() -> None:
    moved = [azacitidine(110 + n, cycle=2, record=f"second-{n}") for n in range(5)]
    (found,) = conflicts(azacitidine(95), dli(98), *moved, until=116)
    assert (found.status, found.details["outcome"]) == ("resolved", "later_result")


def test_a_conflict_ends_with_the_treatment() -> None:
    (found,) = conflicts(azacitidine(95), dli(98), decided(100, "stop"), until=110)
    assert (found.status, found.details["outcome"]) == ("resolved", "state_ended")


def test_after_the_fourth_infusion_none_is_due() -> None:
    four = [dli(100), dli(130, "5e5"), dli(160, "1e6"), dli(190, "2e6")]
    assert not [a for a in conflicts(*four, azacitidine(217, record="near")) if a.live]
