"""Chimerism that falls, or is low elsewhere than in whole marrow."""

from typing import Any

import pytest

from tests.core.charts import Chart, azacitidine, enrolled, marrow


def alerts(rule: str, *messages: bytes, until: float = 125) -> list[Any]:
    return Chart([enrolled(), azacitidine(95), *messages], until).alerts(rule)


@pytest.mark.parametrize(
    ("highest", "now", "told"),
    [("99", "94.01", 0), ("99", "94", 1), ("95", "90", 1), ("94.9", "90", 0), ("99", "89.9", 0), ("99", "90", 1)],
)
def test_five_points_below_the_highest_since_transplant_is_falling(highest: str, now: str, told: int) -> None:
    found = alerts("chimerism.falling", marrow(100, highest), marrow(110, now))
    assert len(found) == told
    assert all((a.priority, a.review, a.clause) == ("medium", True, "stop.3") for a in found)


def test_the_highest_is_of_the_time_since_the_transplant_and_of_whole_marrow() -> None:
    assert alerts("chimerism.falling", marrow(-5, "100"), marrow(110, "94")) == []
    assert alerts("chimerism.falling", marrow(100, "100", specimen="blood"), marrow(110, "94")) == []
    assert alerts("chimerism.falling", marrow(100, "100", lineage="cd3"), marrow(110, "94")) == []


def test_a_slow_fall_is_held_against_the_highest_not_the_last() -> None:
    assert len(alerts("chimerism.falling", marrow(100, "99"), marrow(105, "96"), marrow(110, "93.5"))) == 1


def test_a_recovery_ends_it() -> None:
    found = alerts("chimerism.falling", marrow(100, "99"), marrow(110, "93"), marrow(115, "97"))
    assert [a.status for a in found] == ["resolved"]


@pytest.mark.parametrize(
    "where",
    [
        {"specimen": "blood"},
        {"specimen": "blood", "lineage": "cd3"},
        {"lineage": "cd33"},
        {"lineage": None},
        {"specimen": None},
    ],
)
@pytest.mark.parametrize(("percent", "told"), [("90", 0), ("89.99", 1)])
def test_low_in_blood_in_sorted_or_in_unstated_cells_asks_for_a_marrow_and_never_stops(
    where: dict[str, Any], percent: str, told: int
) -> None:
    found = alerts("chimerism.non-marrow-low", marrow(100, percent, **where))
    assert len(found) == told
    assert all((a.priority, a.review, a.clause) == ("medium", True, "stop.3") for a in found)
    assert alerts("stop.chimerism", marrow(100, percent, **where)) == []


def test_a_marrow_answers_it() -> None:
    found = alerts("chimerism.non-marrow-low", marrow(100, "80", lineage="cd3"), marrow(105, "95"))
    assert [a.status for a in found] == ["resolved"]


def test_each_specimen_and_lineage_is_an_item_of_its_own() -> None:
    sorted_cells = [marrow(100, "80", record=cells, lineage=cells) for cells in ("cd3", "cd33")]
    assert len(alerts("chimerism.non-marrow-low", *sorted_cells)) == 2
