"""Chronic GVHD by NIH 2014: every combination of organ scores, and what an assessment says beside them."""

from collections import Counter
from itertools import product
from typing import Any

import pytest

from monitor.core.grading import nih
from monitor.core.grading.chronic import ChronicSeverity, judged
from monitor.events.gvhd import ChronicGvhdAssessed

NONE = dict.fromkeys(nih.ORGANS, 0)


def verdict(**data: Any) -> ChronicSeverity:
    form = {"record_id": "c", "record_version": 1, "effective_at": "2025-05-01", **data}
    return judged(ChronicGvhdAssessed.model_validate(form))


def scores(**affected: int | None) -> dict[str, int | None]:
    return {**NONE, **affected}


def test_the_65536_combinations_of_scores_give_61162_severe_4345_moderate_28_mild_and_1_none() -> None:
    counted = Counter(nih.severity(dict(zip(nih.ORGANS, each, strict=True))) for each in product(range(4), repeat=8))
    assert counted == {"severe": 61162, "moderate": 4345, "mild": 28, "none": 1}


@pytest.mark.parametrize(
    ("affected", "severity"),
    [
        ({}, "none"),
        ({"skin": 1}, "mild"),
        ({"skin": 1, "eyes": 1}, "mild"),
        ({"skin": 1, "eyes": 1, "mouth": 1}, "moderate"),
        ({"skin": 2}, "moderate"),
        ({"lung": 1}, "moderate"),
        ({"lung": 2}, "severe"),
        ({"genital": 3}, "severe"),
    ],
)
def test_severity_is_what_the_consensus_says(affected: dict[str, int], severity: str) -> None:
    assert verdict(organ_scores=scores(**affected)).severity == severity


def test_a_worse_score_of_any_organ_never_lowers_the_severity() -> None:
    for combination in product(range(3), repeat=8):
        before = nih.rank(nih.severity(dict(zip(nih.ORGANS, combination, strict=True))))
        for organ in range(8):
            worse = [score + (index == organ) for index, score in enumerate(combination)]
            assert nih.rank(nih.severity(dict(zip(nih.ORGANS, worse, strict=True)))) >= before


@pytest.mark.parametrize("organ", nih.ORGANS)
@pytest.mark.parametrize("score", [0, 1, 2, 3])
def test_an_organ_scored_later_can_only_raise_the_severity(organ: str, score: int) -> None:
    for others in ({}, {"skin": 1, "eyes": 1}, {"mouth": 2}):
        known = scores(**others)
        before = verdict(organ_scores={**known, organ: None})
        after = verdict(organ_scores={**known, organ: score})
        assert before.lower_bound
        assert before.severity is not None
        assert after.severity is not None
        assert nih.rank(before.severity) <= nih.rank(after.severity) or others.get(organ, 0) > score


@pytest.mark.parametrize("organ", nih.ORGANS)
def test_a_missing_organ_is_never_no_chronic_gvhd(organ: str) -> None:
    assert not verdict(present=False, organ_scores=scores(**{organ: None})).explicit_none
    assert verdict(present=False, organ_scores=NONE).explicit_none


def test_present_with_all_scores_0_is_not_none_and_goes_to_review() -> None:
    said = verdict(present=True, organ_scores=NONE)
    assert (said.explicit_none, said.active, said.mismatch) == (False, True, True)


@pytest.mark.parametrize(
    ("data", "explicit"),
    [
        ({"present": False}, True),
        ({"reported_severity": "none"}, True),
        ({"present": False, "reported_severity": "none"}, True),
        ({"present": False, "overlap": True}, False),
        ({"present": True}, False),
        ({"overlap": False}, False),
        ({"present": False, "reported_severity": "mild"}, False),
        ({"organ_scores": NONE}, True),
    ],
)
def test_no_chronic_gvhd_must_be_said_in_so_many_words(data: dict[str, Any], explicit: bool) -> None:
    assert verdict(**data).explicit_none is explicit


@pytest.mark.parametrize(("reported", "counts"), [("none", "mild"), ("mild", "mild"), ("severe", "severe")])
def test_with_organs_missing_the_higher_of_derived_and_reported_counts(reported: str, counts: str) -> None:
    said = verdict(organ_scores={"skin": 1}, reported_severity=reported)
    assert (said.severity, said.lower_bound, said.mismatch) == (counts, True, False)


@pytest.mark.parametrize("reported", ["none", "mild", "severe"])
def test_with_all_organs_scored_the_derived_severity_counts_and_the_mismatch_is_told(reported: str) -> None:
    said = verdict(organ_scores=scores(skin=2), reported_severity=reported)
    assert (said.severity, said.mismatch) == ("moderate", True)


def test_a_sign_that_is_said_to_be_missing_is_not_one_that_was_not_said() -> None:
    assert verdict(present=True, organ_scores=scores(skin=2), diagnostic_sign=False).sign_missing
    assert not verdict(present=True, organ_scores=scores(skin=2)).sign_missing
