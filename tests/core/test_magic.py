"""Acute GVHD by MAGIC: every combination of stages, and the stages of raw findings."""

from collections import Counter
from decimal import Decimal
from itertools import product

import pytest

from monitor.core.grading import magic
from monitor.core.grading.acute import graded
from monitor.events.gvhd import AcuteFindings, AcuteGvhdAssessed, AcuteStages

COMBINATIONS = list(product(range(5), range(5), range(2), range(5)))


def assessed(**data: object) -> AcuteGvhdAssessed:
    return AcuteGvhdAssessed.model_validate(
        {"record_id": "a", "record_version": 1, "effective_at": "2025-05-01", **data}
    )


def stages(skin: int | None, liver: int | None, upper_gi: int | None, lower_gi: int | None) -> dict[str, int | None]:
    return {"skin": skin, "liver": liver, "upper_gi": upper_gi, "lower_gi": lower_gi}


def found(**findings: object) -> AcuteStages:
    return magic.staged(AcuteFindings.model_validate(findings))


def test_the_250_combinations_of_stages_give_1_2_29_96_and_122_of_grades_0_to_iv() -> None:
    assert Counter(magic.grade(*combination) for combination in COMBINATIONS) == {0: 1, 1: 2, 2: 29, 3: 96, 4: 122}


@pytest.mark.parametrize(
    ("skin", "liver", "upper_gi", "lower_gi", "grade"),
    [
        (0, 0, 0, 0, 0),
        (1, 0, 0, 0, 1),
        (2, 0, 0, 0, 1),
        (3, 0, 0, 0, 2),
        (4, 0, 0, 0, 4),
        (0, 1, 0, 0, 2),
        (0, 2, 0, 0, 3),
        (0, 3, 0, 0, 3),
        (0, 4, 0, 0, 4),
        (0, 0, 1, 0, 2),
        (0, 0, 0, 1, 2),
        (0, 0, 0, 2, 3),
        (0, 0, 0, 3, 3),
        (0, 0, 0, 4, 4),
        (2, 0, 1, 0, 2),
        (3, 1, 1, 1, 2),
        (0, 1, 0, 4, 4),
    ],
)
def test_a_grade_is_what_the_table_of_harris_says(
    skin: int, liver: int, upper_gi: int, lower_gi: int, grade: int
) -> None:
    assert magic.grade(skin, liver, upper_gi, lower_gi) == grade


def test_a_worse_stage_of_any_organ_never_lowers_the_grade() -> None:
    for combination in COMBINATIONS:
        for organ, highest in enumerate((4, 4, 1, 4)):
            if combination[organ] < highest:
                worse = [stage + (index == organ) for index, stage in enumerate(combination)]
                assert magic.grade(*worse) >= magic.grade(*combination)


def test_an_organ_assessed_later_can_only_raise_the_grade() -> None:
    """Over every assessment with one organ missing, and every stage it may turn out to have."""
    for combination in COMBINATIONS:
        known = dict(zip(magic.ORGANS, combination, strict=True))
        full = graded(assessed(stages=known)).grade
        for organ in magic.ORGANS:
            before = graded(assessed(stages={**known, organ: None}))
            assert before.lower_bound
            assert before.grade is not None
            assert full is not None
            assert before.grade <= full


@pytest.mark.parametrize(
    ("mg_dl", "stage"),
    [
        ("0", 0),
        ("1.99999999999999999999999999999", 0),
        ("2", 1),
        ("3", 1),
        ("3.0000000001", 2),
        ("6", 2),
        ("6.01", 3),
        ("15", 3),
        ("15.000000000000000000000000001", 4),
    ],
)
def test_the_liver_is_staged_by_total_bilirubin_in_mg_per_dl(mg_dl: str, stage: int) -> None:
    assert found(total_bilirubin_mg_dl=mg_dl).liver == stage


@pytest.mark.parametrize(
    ("ml", "stage"),
    [("0", 0), ("499.9", 0), ("500", 1), ("999.9", 1), ("1000", 2), ("1500", 2), ("1500.1", 3), ("4000", 3)],
)
def test_the_gut_is_staged_by_the_volume_of_stool(ml: str, stage: int) -> None:
    assert found(stool_ml_per_day=ml).lower_gi == stage


@pytest.mark.parametrize(
    ("episodes", "stage"), [("0", 0), ("2", 0), ("3", 1), ("4", 1), ("5", 2), ("7", 2), ("8", 3), ("20", 3)]
)
def test_the_gut_is_staged_by_episodes_where_no_volume_was_measured(episodes: str, stage: int) -> None:
    assert found(diarrhoea_episodes_per_day=episodes).lower_gi == stage


@pytest.mark.parametrize(
    ("percent", "stage"),
    [("0", 0), ("0.1", 1), ("24.99", 1), ("25", 2), ("50", 2), ("50.01", 3), ("100", 3)],
)
def test_the_skin_is_staged_by_its_area(percent: str, stage: int) -> None:
    assert found(skin_bsa_percent=percent).skin == stage


@pytest.mark.parametrize(
    ("erythroderma", "bullae", "desquamation", "stage"),
    [
        (True, True, "5.1", 4),
        (True, True, "5", 3),
        (True, False, "10", 3),
        (False, True, "10", 3),
        (True, None, None, 3),
    ],
)
def test_skin_stage_4_takes_erythroderma_and_bullae_and_more_than_5_percent_desquamation(
    erythroderma: bool, bullae: bool | None, desquamation: str | None, stage: int
) -> None:
    skin = found(
        skin_bsa_percent="60", erythroderma=erythroderma, bullae=bullae, desquamation_percent=desquamation
    ).skin
    assert skin == stage


def test_persistent_upper_gut_symptoms_are_stage_1_and_others_stage_0() -> None:
    assert found(upper_gi_persistent=True).upper_gi == 1
    assert found(upper_gi_persistent=False).upper_gi == 0


@pytest.mark.parametrize("sign", [{"severe_abdominal_pain": True}, {"grossly_bloody_stool": True}])
@pytest.mark.parametrize("ileus", [True, False, None])
def test_severe_pain_or_gross_blood_is_gut_stage_4_at_any_volume_with_or_without_ileus(
    sign: dict[str, bool], ileus: bool | None
) -> None:
    assert found(**sign, ileus=ileus, stool_ml_per_day="100").lower_gi == 4


def test_an_organ_nothing_was_found_out_about_stays_unassessed() -> None:
    assert found(total_bilirubin_mg_dl="1") == AcuteStages(liver=0)
    assert found(severe_abdominal_pain=False, grossly_bloody_stool=False).lower_gi is None


def test_where_volume_and_episodes_disagree_the_higher_counts_for_review() -> None:
    verdict = graded(assessed(findings={"stool_ml_per_day": "400", "diarrhoea_episodes_per_day": "6"}))
    assert verdict.grade == 3
    assert verdict.sources_disagree
    assert not graded(
        assessed(findings={"stool_ml_per_day": "1200", "diarrhoea_episodes_per_day": "6"})
    ).sources_disagree


def test_findings_stage_the_organs_that_no_stage_was_sent_for() -> None:
    verdict = graded(assessed(stages=stages(1, None, 0, 0), findings={"total_bilirubin_mg_dl": "7"}))
    assert verdict.grade == 3
    assert not verdict.lower_bound


def test_a_stage_that_was_sent_counts_before_what_was_found() -> None:
    assert graded(assessed(stages=stages(1, 0, 0, 0), findings={"total_bilirubin_mg_dl": "7"})).grade == 1


def test_findings_of_a_few_organs_are_a_lower_bound() -> None:
    verdict = graded(assessed(findings={"skin_bsa_percent": "60"}))
    assert (verdict.grade, verdict.lower_bound) == (2, True)


def test_without_any_stage_the_reported_grade_counts_and_is_no_lower_bound() -> None:
    verdict = graded(assessed(reported_grade="III"))
    assert (verdict.grade, verdict.lower_bound) == (3, False)


@pytest.mark.parametrize(("reported", "counts"), [("I", 2), ("II", 2), ("III", 3)])
def test_with_organs_missing_the_higher_of_derived_and_reported_counts(reported: str, counts: int) -> None:
    verdict = graded(assessed(stages=stages(3, None, 0, 0), reported_grade=reported))
    assert (verdict.grade, verdict.lower_bound, verdict.mismatch) == (counts, True, False)


@pytest.mark.parametrize("reported", ["0", "I", "III", "IV"])
def test_with_all_organs_assessed_the_derived_grade_counts_and_the_mismatch_is_told(reported: str) -> None:
    verdict = graded(assessed(stages=stages(3, 0, 0, 0), reported_grade=reported))
    assert (verdict.grade, verdict.mismatch) == (2, True)


def test_a_negative_assessment_is_no_gvhd_whatever_its_stages() -> None:
    verdict = graded(assessed(stages=stages(3, 0, 0, 0), reported_grade="0", confidence="negative"))
    assert (verdict.grade, verdict.active, verdict.mismatch) == (0, False, False)
    assert verdict.in_remission("complete")


@pytest.mark.parametrize(
    ("data", "complete", "to_grade_1"),
    [
        ({"stages": stages(0, 0, 0, 0)}, True, True),
        ({"stages": stages(2, 0, 0, 0)}, False, True),
        ({"stages": stages(3, 0, 0, 0)}, False, False),
        ({"stages": stages(0, 0, None, 0)}, False, False),
        ({"stages": stages(0, 0, None, 0), "reported_grade": 0}, True, True),
        ({"stages": stages(1, 0, None, 0), "reported_grade": 0}, False, True),
        ({"reported_grade": 0}, True, True),
        ({"reported_grade": 1}, False, True),
        ({"reported_grade": 2}, False, False),
    ],
)
def test_remission_is_four_organs_at_0_or_reported_grade_0_and_by_the_other_reading_grade_1_too(
    data: dict[str, object], complete: bool, to_grade_1: bool
) -> None:
    verdict = graded(assessed(**data))
    assert verdict.in_remission("complete") is complete
    assert verdict.in_remission("complete_or_grade_1") is to_grade_1


def test_bilirubin_is_compared_undistorted_over_many_magnitudes() -> None:
    for exponent in range(-25, -1):
        just = Decimal(10) ** exponent
        assert [found(total_bilirubin_mg_dl=bound + just).liver for bound in (2, 3, 6, 15)] == [1, 2, 3, 4]
        assert [found(total_bilirubin_mg_dl=bound - just).liver for bound in (2, 3, 6, 15)] == [0, 1, 2, 3]
