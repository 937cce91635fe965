"""Blasts in blood: above 0 and below 5% an urgent review, from 5% relapse."""

from typing import Any

import pytest

from tests.core.charts import Chart, azacitidine, enrolled, message


def counted(percent: str, day: float = 100, **more: Any) -> bytes:
    return message("lab.resulted", f"b{day}", day, code="26446-5", value=percent, unit="%", **more)


def assessed(percent: str, day: float = 100) -> bytes:
    return message("disease.assessed", f"d{day}", day, blood_blast_percent=percent)


def chart(*messages: bytes) -> Chart:
    return Chart([enrolled(), azacitidine(95), *messages], 125)


@pytest.mark.parametrize("how", [counted, assessed])
@pytest.mark.parametrize(
    ("percent", "review", "stop"),
    [("0", 0, 0), ("0.0000000000001", 1, 0), ("4.99999999999999999999999999999", 1, 0), ("5", 0, 1), ("5.1", 0, 1)],
)
def test_above_0_and_below_5_percent_is_an_urgent_review_and_from_5_relapse(
    how: Any, percent: str, review: int, stop: int
) -> None:
    seen = chart(how(percent))
    assert len(seen.alerts("relapse.blood-blasts")) == review
    assert len(seen.alerts("stop.relapse")) == stop
    for alert in seen.alerts("relapse.blood-blasts"):
        assert (alert.priority, alert.review, alert.clause) == ("high", True, "stop.3")


def test_below_a_limit_of_detection_is_not_above_0() -> None:
    assert chart(counted("1", comparator="<")).alerts("relapse.blood-blasts") == []


def test_more_than_0_is_above_0() -> None:
    (alert,) = chart(counted("0", comparator=">")).alerts("relapse.blood-blasts")
    assert alert.summary == "More than 0% blasts in blood (relapse from 5%)"


@pytest.mark.parametrize(("limit", "ends"), [("0.5", True), ("1", True), ("2", False), ("50", False)])
def test_fewer_than_some_are_none_only_where_a_smear_could_show_no_fewer(limit: str, ends: bool) -> None:
    seen = chart(counted("2"), counted(limit, 105, comparator="<"))
    assert seen.statuses("relapse.blood-blasts") == ["resolved" if ends else "firing"]


def test_marrow_blasts_are_no_blood_blasts() -> None:
    marrow = message("disease.assessed", "d", 100, marrow_blast_percent="3")
    assert chart(marrow).alerts("relapse.blood-blasts") == []


def test_a_clear_count_ends_it_and_repeats_are_one_alert() -> None:
    (alert,) = chart(counted("1"), counted("2", 105), counted("0", 110)).alerts("relapse.blood-blasts")
    assert (alert.status, alert.basis) == ("resolved", ("b100", "b105"))
