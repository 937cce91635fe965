"""Grade 4 by laboratory alone is for review."""

from typing import Any

import pytest

from tests.core.charts import Chart, azacitidine, enrolled, message


def lab(code: str, value: str, day: float = 100, unit: str = "10*9/L", **more: Any) -> bytes:
    return message("lab.resulted", f"lab-{day}", day, code=code, value=value, unit=unit, **more)


def event(**data: Any) -> bytes:
    return message("adverse-event.reported", "ae", 100, term="neutropenia", **data)


def alerts(*messages: bytes) -> list[Any]:
    return Chart([enrolled(), azacitidine(95), *messages], 125).alerts("lab.grade-4")


@pytest.mark.parametrize(
    ("code", "unit", "value", "told"),
    [
        ("751-8", "10*9/L", "0.5", 0),
        ("751-8", "10*9/L", "0.49999999999999999999999999999", 1),
        ("26499-4", "/uL", "499", 1),
        ("26499-4", "/uL", "500", 0),
        ("777-3", "10*9/L", "25", 0),
        ("777-3", "10*9/L", "24.9", 1),
        ("26515-7", "10*9/L", "24", 1),
        ("6690-2", "10*9/L", "0.1", 0),
    ],
)
def test_neutrophils_below_half_and_platelets_below_25_are_grade_4(code: str, unit: str, value: str, told: int) -> None:
    found = alerts(lab(code, value, unit=unit))
    assert len(found) == told
    assert all((a.priority, a.review, a.clause) == ("medium", True, "stop.1") for a in found)


@pytest.mark.parametrize(("comparator", "value", "told"), [("<", "0.5", 1), ("<", "0.6", 0), (">", "0.1", 0)])
def test_a_result_beyond_the_range_is_grade_4_only_if_it_surely_is(comparator: str, value: str, told: int) -> None:
    assert len(alerts(lab("751-8", value, comparator=comparator))) == told


@pytest.mark.parametrize(
    ("code", "unit", "low", "later", "ends"),
    [
        ("777-3", "10*9/L", "20", {"value": "2.5", "comparator": ">"}, False),
        ("777-3", "10*9/L", "20", {"value": "25", "comparator": ">"}, True),
        ("777-3", "10*9/L", "20", {"value": "30", "comparator": "<"}, False),
        ("1920-8", "U/L", "900", {"value": "900", "comparator": "<", "ref_high": "40"}, False),
        ("1920-8", "U/L", "900", {"value": "500"}, False),  # held against nothing, for no upper limit came with it
        ("1920-8", "U/L", "900", {"value": "500", "ref_high": "40"}, True),
    ],
)
def test_a_result_that_leaves_it_open_ends_nothing(
    code: str, unit: str, low: str, later: dict[str, Any], ends: bool
) -> None:
    (alert,) = alerts(lab(code, low, unit=unit, ref_high="40"), lab(code, **later, unit=unit, day=105))
    assert alert.status == ("resolved" if ends else "firing")


def test_a_percentage_of_neutrophils_is_never_read_as_a_count() -> None:
    assert alerts(lab("770-8", "0.1", unit="%")) == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"ctcae_grade": 4, "laboratory": True}, 1),
        ({"ctcae_grade": 3, "laboratory": True}, 0),
        ({"ctcae_grade": 4, "laboratory": False}, 0),  # that is a stop
        ({"ctcae_grade": 4}, 0),  # whether it is laboratory alone must be said
        ({"ctcae_grade": 5, "laboratory": True}, 0),
        ({"ctcae_grade": 4, "laboratory": True, "life_threatening": True}, 0),
    ],
)
def test_a_laboratory_event_of_grade_4_is_for_review_and_no_stop(data: dict[str, Any], told: int) -> None:
    chart = Chart([enrolled(), azacitidine(95), event(**data)], 125)
    assert len(chart.alerts("lab.grade-4")) == told
    assert not (chart.alerts("stop.life-threatening") and told)


def test_repeats_are_one_alert_until_a_result_is_better() -> None:
    found = alerts(lab("751-8", "0.3"), lab("751-8", "0.4", 102), lab("751-8", "0.6", 104), lab("751-8", "0.4", 106))
    assert [a.status for a in found] == ["resolved", "firing"]
    assert found[0].basis == ("lab-100", "lab-102")


@pytest.mark.parametrize(
    ("code", "unit", "value", "upper", "told"),
    [
        ("1920-8", "U/L", "800", "40", 0),
        ("1920-8", "U/L", "800.0001", "40", 1),
        ("1742-6", "U/L", "1001", "50", 1),
        ("1975-2", "mg/dL", "12", "1.2", 0),
        ("1975-2", "mg/dL", "12.1", "1.2", 1),
        ("14631-6", "umol/L", "211", "21", 1),
        ("2160-0", "mg/dL", "7.2", "1.2", 0),
        ("2160-0", "mg/dL", "7.21", "1.2", 1),
    ],
)
def test_liver_and_kidney_are_graded_by_the_upper_limit_that_came_with_the_result(
    code: str, unit: str, value: str, upper: str, told: int
) -> None:
    assert len(alerts(lab(code, value, unit=unit, ref_high=upper))) == told


def test_without_an_upper_limit_liver_and_kidney_are_not_graded() -> None:
    assert alerts(lab("1920-8", "5000", unit="U/L")) == []


def test_a_value_above_the_range_of_the_machine_is_graded_by_what_is_certain() -> None:
    assert len(alerts(lab("1920-8", "800", unit="U/L", ref_high="40", comparator=">"))) == 1
    assert alerts(lab("1920-8", "900", unit="U/L", ref_high="40", comparator="<")) == []
