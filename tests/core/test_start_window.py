"""The day of the first dose, counted from the transplant."""

import pytest

from tests.core.charts import Chart, azacitidine, dli, enrolled


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        (89, "start.too-early"),
        (90, None),
        (120, None),
        (121, "start.window-conflict"),
        (180, "start.window-conflict"),
        (181, "start.too-late"),
    ],
)
@pytest.mark.parametrize("first", [azacitidine, dli])
def test_the_first_dose_of_either_drug_is_held_against_both_windows_of_the_record(
    day: int, rule: str | None, first: object
) -> None:
    dose = azacitidine(day) if first is azacitidine else dli(day)
    alerts = [a for a in Chart([enrolled(), dose], 200).patient.alerts if a.rule.startswith("start.")]
    assert [a.rule for a in alerts] == ([rule] if rule else [])
    assert all((a.priority, a.review, a.clause) == ("medium", True, "dosing.1") for a in alerts)


def test_it_is_counted_once_at_the_first_dose() -> None:
    chart = Chart([enrolled(), azacitidine(89), azacitidine(90), dli(125)], 200)
    assert [a.rule for a in chart.patient.alerts if a.rule.startswith("start.")] == ["start.too-early"]


def test_local_days_count_not_hours() -> None:
    """D+90 begins at midnight at the site, 15 hours after 09:00 on D+89."""
    assert len(Chart([enrolled(), azacitidine(89.6)], 100).alerts("start.too-early")) == 1
    assert Chart([enrolled(), azacitidine(89.64)], 100).alerts("start.too-early") == []


def test_an_earlier_dose_that_becomes_known_is_the_first() -> None:
    late = azacitidine(85, record="forgotten", issued=130)
    chart = Chart([enrolled(), azacitidine(121), late], 140)
    assert chart.statuses("start.too-early") == ["firing"]
    assert chart.statuses("start.window-conflict") == ["withdrawn"]
