"""What was infused: dose level, premedication, steroids, active GVHD."""

from decimal import Decimal
from typing import Any

import pytest

from monitor.core.rules.dli_dose import level
from tests.core.charts import PROTOCOL, Chart, acute, chronic, dli, enrolled, message, on_day

LIMITS = PROTOCOL.dli
HOUR = 1 / 24


def alerts(rule: str, *messages: bytes) -> list[Any]:
    return Chart([enrolled(), *messages], 260).alerts(rule)


def infusions(*cells: str | None) -> list[bytes]:
    return [dli(100 + 30 * n, each) if each else dli(100 + 30 * n, cd3_per_kg=None) for n, each in enumerate(cells)]


@pytest.mark.parametrize(
    ("cells", "is_level"),
    [
        ("1", 1),
        ("1e5", 1),
        ("110000", 1),
        ("110000.0000000000000000000001", 2),
        ("5e5", 2),
        ("550000", 2),
        ("550001", 3),
        ("1e6", 3),
        ("1.1e6", 3),
        ("1100001", 4),
        ("2e6", 4),
        ("5e6", 4),
        ("5.5e6", 4),
        ("5500001", 5),
    ],
)
def test_a_level_is_the_lowest_that_is_not_exceeded_by_more_than_ten_percent(cells: str, is_level: int) -> None:
    assert level(Decimal(cells), LIMITS) == is_level


def test_the_planned_escalation_is_in_order() -> None:
    assert alerts("dli.dose", *infusions("1e5", "5e5", "1e6", "5e6")) == []


@pytest.mark.parametrize(
    ("given", "above"),
    [
        (("1.1e5",), 0),
        (("110001",), 1),
        (("1e5", "5.5e5"), 0),
        (("1e5", "5.51e5"), 1),
        (("1e5", "1e6"), 1),
        (("1e5", "1e5", "1e6"), 1),  # one above the highest level given is due, not the ordinal
        (("1e5", "1e5", "5e5"), 0),
        (("1e5", "5e5", "5e5", "1e6"), 0),
        (("1e5", "5e5", "1e6", "5.6e6"), 1),
        (("1e5", "5e5", "1e6", "2e6", "5.6e6"), 1),
        (("5.6e6", "5e5", "1e6", "2e6", "1e7"), 2),
        (("1e6", "5e5"), 1),  # the ordinal is due even after a higher level was given
        (("1e6", "1e6"), 2),
    ],
)
def test_due_is_the_lower_of_the_ordinal_and_one_above_the_highest_given(given: tuple[str, ...], above: int) -> None:
    found = alerts("dli.dose", *infusions(*given))
    assert len(found) == above
    assert all((a.priority, a.review, a.clause) == ("high", True, "dosing") for a in found)


def test_an_infusion_without_a_stated_dose_is_told_and_counts_as_one() -> None:
    assert len(alerts("dli.dose", *infusions(None))) == 1
    assert len(alerts("dli.dose", *infusions("1e5", None, "5e5"))) == 1


@pytest.mark.parametrize("exponent", range(-20, 1))
def test_the_last_digit_decides_over_many_magnitudes(exponent: int) -> None:
    just = Decimal(10) ** exponent
    for number, upper in enumerate(LIMITS.levels_cd3_per_kg, start=1):
        bound = int(upper) * 11 // 10
        assert level(bound - just, LIMITS) == level(Decimal(bound), LIMITS) == number
        assert level(bound + just, LIMITS) == number + 1


ANTIHISTAMINE = {"name": "promethazine", "class": "antihistamine"}
STEROID = {"name": "dexamethasone", "class": "corticosteroid"}


@pytest.mark.parametrize(
    ("premedication", "missing"),
    [([ANTIHISTAMINE], 0), ([], 1), (None, 1), ([STEROID], 1), ([{"name": "paracetamol", "class": "other"}], 1)],
)
def test_an_infusion_needs_an_antihistamine_before_it(premedication: Any, missing: int) -> None:
    found = alerts("dli.premedication-missing", dli(100, premedication=premedication))
    assert len(found) == missing
    assert all((a.priority, a.review, a.clause) == ("medium", False, "dosing.2") for a in found)


@pytest.mark.parametrize(
    ("drug", "told"), [(STEROID, 1), ({**STEROID, "topical": True}, 0), ({**STEROID, "topical": False}, 1)]
)
def test_no_systemic_steroid_is_a_premedication_and_topical_ones_are_exempt(drug: dict[str, Any], told: int) -> None:
    found = alerts("dli.steroid", dli(100, premedication=[ANTIHISTAMINE, drug]))
    assert len(found) == told
    assert all((a.priority, a.review, a.clause) == ("medium", False, "dosing.2") for a in found)


def steroid(day: float, **more: Any) -> bytes:
    return message("medication.given", "drug", day, **{"name": "prednisone", "systemic_corticosteroid": True, **more})


@pytest.mark.parametrize(("hours", "told"), [(0, 1), (1, 1), (24, 1), (24.01, 0), (-1, 0)])
def test_no_systemic_steroid_in_the_24_hours_before(hours: float, told: int) -> None:
    assert len(alerts("dli.steroid", dli(100), steroid(100 - hours * HOUR))) == told


@pytest.mark.parametrize(("day", "told"), [(100, 1), (99, 1), (98, 0), (101, 0)])
def test_where_only_the_day_of_the_steroid_is_known_it_is_that_day_or_the_day_before(day: int, told: int) -> None:
    dated = steroid(day, effective_at=on_day(day).date().isoformat(), issued=day + 0.1)
    assert len(alerts("dli.steroid", dli(100), dated)) == told


def test_another_drug_is_no_steroid() -> None:
    assert alerts("dli.steroid", dli(100), steroid(99.9, systemic_corticosteroid=False)) == []


@pytest.mark.parametrize(
    ("assessments", "told"),
    [
        ([acute(99, skin=1)], 1),
        ([acute(99, skin=0)], 0),
        ([acute(90, skin=1), acute(99, skin=0, record="later")], 0),
        ([acute(90, skin=0), acute(99, skin=1, record="later")], 1),
        ([acute(101, skin=1)], 0),
        ([acute(99, skin=1, confidence="negative")], 0),
        ([acute(99, skin=1, confidence="possible")], 1),
        ([chronic(99, present=True, organ_scores=None)], 1),
        ([chronic(99)], 0),
        ([chronic(99, present=None, organ_scores=None, overlap=True)], 1),
        ([acute(99, skin=0), chronic(95, reported_severity="mild", organ_scores=None, present=True)], 1),
        ([], 0),
    ],
)
def test_an_infusion_into_active_gvhd_is_told_by_the_latest_assessments(assessments: list[bytes], told: int) -> None:
    found = alerts("dli.active-gvhd", *assessments, dli(100))
    assert len(found) == told
    assert all((a.priority, a.review) == ("high", True) for a in found)


def test_an_assessment_of_the_same_day_counts_where_the_hour_of_the_infusion_is_not_known() -> None:
    infusion = dli(100, effective_at=on_day(100).date().isoformat(), issued=100.2)
    assert len(alerts("dli.active-gvhd", acute(100, skin=1), infusion)) == 1
