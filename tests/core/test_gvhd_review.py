"""GVHD assessments for review: what is no stop, and what a human must look at."""

from typing import Any

import pytest

from tests.core.charts import NO_ORGAN, PROTOCOL, Chart, acute, azacitidine, chronic, enrolled

FROM_III = PROTOCOL.model_copy(update={"acute_gvhd": PROTOCOL.acute_gvhd.model_copy(update={"stop_grade": 3})})
SEVERE = PROTOCOL.model_copy(
    update={"chronic_gvhd": PROTOCOL.chronic_gvhd.model_copy(update={"stop_severity": "severe"})}
)


def chart(*messages: bytes, protocol: Any = PROTOCOL) -> Chart:
    return Chart([enrolled(), azacitidine(95), *messages], 125, protocol)


@pytest.mark.parametrize(("skin", "incomplete", "stops"), [(0, 1, 0), (2, 1, 0), (3, 0, 1), (4, 0, 1)])
def test_a_lower_bound_below_the_stop_is_incomplete_and_at_the_stop_it_stops_for_review(
    skin: int, incomplete: int, stops: int
) -> None:
    seen = chart(acute(100, skin=skin, liver=None))
    assert len(seen.alerts("gvhd.incomplete")) == incomplete
    assert len(seen.alerts("stop.acute-gvhd")) == stops
    for alert in seen.alerts("gvhd.incomplete"):
        assert (alert.priority, alert.review, alert.clause) == ("medium", True, "stop.2")
        assert alert.details["lower_bound"] is True
    for alert in seen.alerts("stop.acute-gvhd"):
        assert alert.review
        assert alert.details["lower_bound"] is True


def test_a_reported_grade_above_the_lower_bound_stops() -> None:
    assert len(chart(acute(100, skin=1, liver=None, reported_grade="II")).alerts("stop.acute-gvhd")) == 1


def test_neither_stages_nor_a_grade_is_incomplete_and_ruled_out_is_not() -> None:
    assert len(chart(acute(100, stages={})).alerts("gvhd.incomplete")) == 1
    assert chart(acute(100, stages={}, confidence="negative")).alerts("gvhd.incomplete") == []


def test_a_complete_assessment_ends_an_incomplete_one() -> None:
    (alert,) = chart(acute(100, skin=1, liver=None), acute(105, skin=1)).alerts("gvhd.incomplete")
    assert (alert.status, alert.details["outcome"]) == ("resolved", "later_result")


@pytest.mark.parametrize(("reported", "told"), [("0", 1), ("I", 1), ("II", 0), ("III", 1), (None, 0)])
def test_another_reported_grade_than_all_organs_give_is_a_mismatch(reported: str | None, told: int) -> None:
    found = chart(acute(100, skin=3, reported_grade=reported)).alerts("gvhd.grade-mismatch")
    assert len(found) == told
    for alert in found:
        assert (alert.priority, alert.review, alert.clause) == ("medium", True, "stop.2")
        assert alert.details["grade"] == 2


def test_with_organs_missing_there_is_nothing_to_mismatch_nor_where_gvhd_is_ruled_out() -> None:
    assert chart(acute(100, skin=3, liver=None, reported_grade="I")).alerts("gvhd.grade-mismatch") == []
    ruled_out = acute(100, skin=1, reported_grade="0", confidence="negative")
    assert chart(ruled_out).alerts("gvhd.grade-mismatch") == []


@pytest.mark.parametrize(("reported", "told"), [("none", 1), ("mild", 0), ("moderate", 1)])
def test_for_chronic_likewise(reported: str, told: int) -> None:
    form: dict[str, Any] = {"present": True, "organ_scores": {**NO_ORGAN, "skin": 1}, "reported_severity": reported}
    assert len(chart(chronic(100, **form)).alerts("gvhd.grade-mismatch")) == told


def test_present_with_all_scores_0_goes_to_review_as_a_mismatch() -> None:
    assert len(chart(chronic(100, present=True)).alerts("gvhd.grade-mismatch")) == 1


@pytest.mark.parametrize(
    ("scores", "mild", "stops"),
    [
        ({}, 0, 0),
        ({"skin": 1}, 1, 0),
        ({"skin": 1, "eyes": 1}, 1, 0),
        ({"skin": 1, "eyes": 1, "gi": 1}, 0, 1),
        ({"skin": 2}, 0, 1),
        ({"lung": 1}, 0, 1),
    ],
)
def test_mild_chronic_gvhd_is_for_review_and_moderate_stops(scores: dict[str, int], mild: int, stops: int) -> None:
    form: dict[str, Any] = {"present": bool(scores), "organ_scores": {**NO_ORGAN, **scores}}
    seen = chart(chronic(100, **form))
    assert len(seen.alerts("gvhd.chronic-mild")) == mild
    assert len(seen.alerts("stop.chronic-gvhd")) == stops
    assert all((a.priority, a.review) == ("medium", True) for a in seen.alerts("gvhd.chronic-mild"))


def test_a_missing_organ_without_chronic_gvhd_is_for_review_and_never_none() -> None:
    assert len(chart(chronic(100, organ_scores={"skin": 0})).alerts("gvhd.incomplete")) == 1
    assert len(chart(chronic(100, present=True, organ_scores=None)).alerts("gvhd.incomplete")) == 1
    assert chart(chronic(100)).alerts("gvhd.incomplete") == []


def test_a_missing_diagnostic_sign_still_stops_for_review() -> None:
    form: dict[str, Any] = {"present": True, "organ_scores": {**NO_ORGAN, "skin": 2}, "diagnostic_sign": False}
    (alert,) = chart(chronic(100, **form)).alerts("stop.chronic-gvhd")
    assert alert.review


@pytest.mark.parametrize(("skin", "boundary", "stops"), [(2, 0, 0), (3, 1, 0), (4, 0, 1)])
def test_by_the_other_reading_grade_ii_is_for_review_and_iii_stops(skin: int, boundary: int, stops: int) -> None:
    seen = chart(acute(100, skin=skin), protocol=FROM_III)
    assert len(seen.alerts("gvhd.boundary-grade")) == boundary
    assert len(seen.alerts("stop.acute-gvhd")) == stops
    for alert in seen.alerts("gvhd.boundary-grade"):
        assert (alert.priority, alert.review, alert.boundary) == ("medium", True, True)
        assert alert.reading == "acute_gvhd.stop_grade: 3"
    assert all(not alert.boundary for alert in seen.alerts("stop.acute-gvhd"))


def test_by_the_default_reading_grade_ii_stops_on_the_boundary_and_iii_does_not() -> None:
    assert [a.boundary for a in chart(acute(100, skin=3)).alerts("stop.acute-gvhd")] == [True]
    assert [a.boundary for a in chart(acute(100, skin=0, liver=2)).alerts("stop.acute-gvhd")] == [False]
    assert chart(acute(100, skin=3)).alerts("gvhd.boundary-grade") == []


def test_a_possible_grade_ii_on_the_boundary_is_provisional() -> None:
    (alert,) = chart(acute(100, skin=3, confidence="possible"), protocol=FROM_III).alerts("gvhd.boundary-grade")
    assert alert.provisional


@pytest.mark.parametrize(("score", "told", "stops"), [(1, 1, 0), (2, 1, 0), (3, 0, 1)])
def test_by_the_other_reading_moderate_chronic_gvhd_is_for_review_and_severe_stops(
    score: int, told: int, stops: int
) -> None:
    seen = chart(chronic(100, present=True, organ_scores={**NO_ORGAN, "skin": score}), protocol=SEVERE)
    assert len(seen.alerts("gvhd.chronic-mild")) == told
    assert len(seen.alerts("stop.chronic-gvhd")) == stops
    assert [a.boundary for a in seen.alerts("gvhd.chronic-mild")] == [score == 2] * told
