"""Examinations that are overdue while treatment goes on or is held."""

from typing import Any

import pytest

from tests.core.charts import Chart, acute, azacitidine, chronic, decided, enrolled, marrow, message, mrd, on_day

MIDNIGHT = 15 / 24


def overdue(*messages: bytes, until: float) -> dict[str, Any]:
    found = Chart([enrolled(), azacitidine(100), *messages], until).alerts("monitoring.overdue")
    return {alert.item: alert for alert in found if alert.live}


def day(number: int) -> str:
    return str(on_day(number).date())


@pytest.mark.parametrize(
    ("item", "examination", "days"),
    [
        ("chimerism", lambda day: marrow(day, "95"), 60),
        ("mrd", lambda day: mrd(day, None), 60),
        ("gvhd", lambda day: acute(day), 14),
        ("gvhd", lambda day: chronic(day), 14),
    ],
)
@pytest.mark.parametrize("first", [98, 110])
def test_an_examination_is_overdue_when_the_last_is_older_than_its_days(
    item: str, examination: Any, days: int, first: int
) -> None:
    due = first + days
    assert item not in overdue(examination(first), until=due + MIDNIGHT - 0.01)
    alert = overdue(examination(first), until=due + MIDNIGHT)[item]
    assert str(alert.effective_at) == day(due + 1)
    assert (alert.priority, alert.review, alert.clause) == ("low", False, "practice")


def test_without_any_it_counts_from_the_first_dose() -> None:
    assert str(overdue(until=170)["chimerism"].effective_at) == day(161)
    assert str(overdue(until=170)["gvhd"].effective_at) == day(115)


def test_an_old_examination_was_late_before_treatment_began_and_is_told_once_it_has() -> None:
    assert str(overdue(marrow(30, "95"), until=101)["chimerism"].effective_at) == day(91)


def test_the_examination_that_comes_ends_it() -> None:
    assert "gvhd" not in overdue(acute(105), acute(120), until=125)


@pytest.mark.parametrize(
    "other", [marrow(110, "95", specimen="blood"), marrow(110, "95", lineage="cd3"), mrd(110, None, adequate=False)]
)
def test_only_whole_marrow_and_an_evaluable_mrd_count(other: bytes) -> None:
    found = overdue(other, until=162)
    assert {"chimerism", "mrd"} <= found.keys()


def test_nothing_is_overdue_before_the_first_dose() -> None:
    assert Chart([enrolled(80)], 300).alerts("monitoring.overdue") == []


def test_it_goes_on_while_held_and_not_after_a_permanent_stop() -> None:
    assert "gvhd" in overdue(acute(110, skin=3), until=130)
    assert overdue(marrow(110, "85"), until=200) == {}
    shock = message("adverse-event.reported", "ae", 110, term="shock", life_threatening=True)
    assert overdue(shock, until=200) == {}


@pytest.mark.parametrize("decision", ["stop", "hold", "complete"])
def test_a_decision_that_ends_treatment_ends_it(decision: str) -> None:
    assert overdue(decided(116, decision), until=200) == {}


def test_after_the_patient_has_left_nothing_is_overdue() -> None:
    assert overdue(message("patient.status-changed", "left", 116, patient_status="lost"), until=200) == {}


@pytest.mark.parametrize(("until", "told"), [(124 + MIDNIGHT - 0.01, False), (124 + MIDNIGHT, True)])
def test_a_marrow_that_was_asked_for_is_overdue_after_14_days(until: float, told: bool) -> None:
    found = overdue(marrow(110, "80", lineage="cd3"), until=until)
    assert ("marrow" in found) is told
    assert not told or str(found["marrow"].effective_at) == day(125)


def test_the_marrow_that_comes_ends_the_asking() -> None:
    assert "marrow" not in overdue(marrow(110, "80", lineage="cd3"), marrow(120, "95"), until=140)
    assert "marrow" not in overdue(marrow(110, "80", lineage="cd3"), marrow(130, "95"), until=140)


def test_several_samples_ask_for_one_marrow() -> None:
    asked = [marrow(110, "80", record=cells, lineage=cells) for cells in ("cd3", "cd33")]
    chart = Chart([enrolled(), azacitidine(100), *asked], 140)
    assert [a.item for a in chart.alerts("monitoring.overdue")].count("marrow") == 1
