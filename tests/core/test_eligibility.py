"""Inclusion and exclusion by facts up to the end of the enrolment day; stop criteria before there is a treatment."""

from typing import Any

import pytest

from tests.core.charts import (
    D0,
    NO_ORGAN,
    PROTOCOL,
    Chart,
    acute,
    azacitidine,
    chronic,
    enrolled,
    marrow,
    message,
    on_day,
)


def lab(code: str, value: str, unit: str, day: float = 79, record: str | None = None, **more: Any) -> bytes:
    return message("lab.resulted", record or f"lab-{code}-{day}", day, code=code, value=value, unit=unit, **more)


def verdict(item: str, *messages: bytes, **form: Any) -> str:
    return str(Chart([enrolled(80, **form), *messages], 85).states[3][item])


def verdict_by(limits: dict[str, Any], item: str, *messages: bytes) -> str:
    """By a protocol file with other limits than the trial's."""
    protocol = PROTOCOL.model_copy(update={"eligibility": PROTOCOL.eligibility.model_copy(update=limits)})
    return str(Chart([enrolled(80), *messages], 85, protocol).states[3][item])


def turning(year_of_age: int) -> dict[str, int]:
    """Born so that the birthday of this age falls in the year of enrolment (2025)."""
    return {"birth_year": 2025 - year_of_age}


@pytest.mark.parametrize(
    ("age", "said"), [(17, "fail"), (18, "review"), (19, "pass"), (70, "pass"), (71, "review"), (72, "fail")]
)
def test_the_year_of_birth_leaves_two_ages_and_both_must_agree(age: int, said: str) -> None:
    assert verdict("age", **turning(age)) == said


@pytest.mark.parametrize(
    ("item", "name", "good", "bad"),
    [
        ("donor", "donor_type", "haploidentical", "matched_sibling"),
        ("graft", "graft_source", "peripheral_blood", "bone_marrow"),
        ("conditioning", "conditioning", "busulfan_myeloablative", "reduced_intensity"),
        ("high_risk", "high_risk", True, False),
        ("remission", "complete_remission", True, False),
        ("ecog", "ecog", 2, 3),
        ("ecog", "ecog", 0, 5),
    ],
)
def test_what_the_enrolment_form_says_passes_fails_or_is_missing(item: str, name: str, good: Any, bad: Any) -> None:
    assert verdict(item, **{name: good}) == "pass"
    assert verdict(item, **{name: bad}) == "fail"
    assert verdict(item, **{name: None}) == "missing"


def test_consent_is_given_by_the_enrolment_day() -> None:
    assert verdict("consent", consent_at=on_day(80).date().isoformat()) == "pass"
    assert verdict("consent", consent_at=on_day(81).date().isoformat()) == "fail"
    assert verdict("consent", consent_at=None) == "missing"


@pytest.mark.parametrize(
    ("item", "code", "unit", "passes", "fails"),
    [
        ("neutrophils", "751-8", "10*9/L", "1.0", "0.99"),
        ("neutrophils", "26499-4", "/uL", "1000", "999"),
        ("platelets", "777-3", "10*9/L", "50", "49.9"),
        ("platelets", "26515-7", "10*3/uL", "50", "49.9"),
        ("creatinine_clearance", "2164-2", "mL/min", "50", "49.99"),
    ],
)
def test_counts_and_clearance_reach_their_limit(item: str, code: str, unit: str, passes: str, fails: str) -> None:
    assert verdict(item, lab(code, passes, unit)) == "pass"
    assert verdict(item, lab(code, fails, unit)) == "fail"
    assert verdict(item) == "missing"


@pytest.mark.parametrize(
    ("item", "code", "unit", "upper", "passes", "fails"),
    [
        ("ast", "1920-8", "U/L", "40", "120", "120.1"),
        ("alt", "1742-6", "U/L", "33.3", "99.9", "99.91"),
        ("direct_bilirubin", "14629-0", "umol/L", "6.8", "20.4", "20.5"),
        ("direct_bilirubin", "1968-7", "mg/dL", "0.3", "0.9", "0.91"),
        ("creatinine", "14682-9", "umol/L", "97", "145.5", "145.6"),
        ("creatinine", "2160-0", "mg/dL", "1.1", "1.65", "1.66"),
    ],
)
def test_liver_and_kidney_stay_within_their_multiple_of_the_limit_sent_with_the_result(
    item: str, code: str, unit: str, upper: str, passes: str, fails: str
) -> None:
    assert verdict(item, lab(code, passes, unit, ref_high=upper)) == "pass"
    assert verdict(item, lab(code, fails, unit, ref_high=upper)) == "fail"
    assert verdict(item, lab(code, passes, unit)) == "missing"


@pytest.mark.parametrize("exponent", range(-22, 3))
def test_exactly_three_times_the_upper_limit_passes_to_the_last_digit(exponent: int) -> None:
    upper, threefold, above = f"1.{'3' * 25}E{exponent}", f"3.{'9' * 25}E{exponent}", f"4.{'0' * 25}E{exponent}"
    assert verdict("ast", lab("1920-8", threefold, "U/L", ref_high=upper)) == "pass"
    assert verdict("ast", lab("1920-8", above, "U/L", ref_high=upper)) == "fail"


def test_a_result_in_another_unit_than_its_code_uses_is_converted_before_it_is_compared() -> None:
    assert verdict("ast", lab("1920-8", "2", "ukat/L", ref_high="0.6667")) == "pass"
    assert verdict("ast", lab("1920-8", "2.1", "ukat/L", ref_high="0.6667")) == "fail"


def test_total_bilirubin_is_never_read_as_direct() -> None:
    assert verdict("direct_bilirubin", lab("14631-6", "5", "umol/L", ref_high="20")) == "missing"


@pytest.mark.parametrize(
    ("comparator", "value", "said"), [("<", "1.0", "fail"), ("<", "5", "review"), (">", "1", "pass")]
)
def test_a_result_beyond_the_range_of_the_method_decides_only_where_it_can(
    comparator: str, value: str, said: str
) -> None:
    assert verdict("neutrophils", lab("751-8", value, "10*9/L", comparator=comparator)) == said


def test_facts_count_up_to_the_end_of_the_enrolment_day() -> None:
    late, next_day = 80 + 14.9 / 24, 80 + 15.1 / 24  # just before and after midnight at the site
    assert verdict("platelets", lab("777-3", "60", "10*9/L", late)) == "pass"
    assert verdict("platelets", lab("777-3", "60", "10*9/L", next_day)) == "missing"


def test_the_latest_result_counts() -> None:
    assert verdict("platelets", lab("777-3", "20", "10*9/L", 70), lab("777-3", "60", "10*9/L", 79)) == "pass"
    assert verdict("platelets", lab("777-3", "60", "10*9/L", 70), lab("777-3", "20", "10*9/L", 79)) == "fail"


@pytest.mark.parametrize(
    ("assessment", "said"),
    [
        (acute(79, skin=0), "pass"),
        (acute(79, skin=1), "review"),
        (acute(79, skin=2), "review"),
        (acute(79, skin=3), "fail"),
        (acute(79, skin=0, liver=None), "review"),
        (acute(79, skin=0, liver=None, reported_grade=0), "pass"),
        (acute(79, skin=3, confidence="negative"), "pass"),
        (acute(79, stages={}, findings={"skin_bsa_percent": 60}), "fail"),
    ],
)
def test_acute_gvhd_of_grade_ii_fails_and_any_other_goes_to_review(assessment: bytes, said: str) -> None:
    assert verdict("acute_gvhd", assessment) == said


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "pass"),
        ({"present": True, "organ_scores": {**NO_ORGAN, "skin": 1}}, "pass"),
        ({"present": True, "organ_scores": {**NO_ORGAN, "skin": 2}}, "fail"),
        ({"present": True, "organ_scores": {**NO_ORGAN, "lung": 1}}, "fail"),
        ({"organ_scores": {"skin": 0}}, "review"),
        ({"present": True, "organ_scores": None}, "review"),
        ({"present": True}, "review"),
        ({"overlap": True}, "review"),
    ],
)
def test_chronic_gvhd_below_moderate_passes_if_every_organ_was_scored(form: dict[str, Any], said: str) -> None:
    assert verdict("chronic_gvhd", chronic(79, **form)) == said


@pytest.mark.parametrize(
    ("limit", "below", "said", "reached"),
    [
        ({"acute_gvhd_fails_from_grade": 1}, acute(79, skin=0), "pass", acute(79, skin=1)),
        ({"acute_gvhd_fails_from_grade": 3}, acute(79, skin=3), "review", acute(79, liver=2)),
        ({"acute_gvhd_fails_from_grade": 4}, acute(79, liver=3), "review", acute(79, liver=4)),
    ],
)
def test_the_grade_of_acute_gvhd_that_excludes_is_the_protocol_files(
    limit: dict[str, Any], below: bytes, said: str, reached: bytes
) -> None:
    assert verdict_by(limit, "acute_gvhd", below) == said
    assert verdict_by(limit, "acute_gvhd", reached) == "fail"


@pytest.mark.parametrize(
    ("limit", "below", "reached"),
    [("mild", {}, {"skin": 1}), ("moderate", {"skin": 1}, {"skin": 2}), ("severe", {"skin": 2}, {"skin": 3})],
)
def test_the_severity_of_chronic_gvhd_that_excludes_is_the_protocol_files(
    limit: str, below: dict[str, int], reached: dict[str, int]
) -> None:
    def said(scores: dict[str, int]) -> str:
        seen = chronic(79, present=bool(scores), organ_scores={**NO_ORGAN, **scores})
        return verdict_by({"chronic_gvhd_fails_from_severity": limit}, "chronic_gvhd", seen)

    assert said(below) == "pass"
    assert said(reached) == "fail"


def test_what_was_never_assessed_is_missing() -> None:
    for item in ("acute_gvhd", "chronic_gvhd", "chimerism", "relapse", "pregnancy"):
        assert verdict(item) == "missing"


@pytest.mark.parametrize(("percent", "said"), [("90", "pass"), ("89.99999", "fail")])
def test_marrow_chimerism_is_at_least_90(percent: str, said: str) -> None:
    assert verdict("chimerism", marrow(79, percent)) == said
    assert verdict("chimerism", marrow(79, percent, lineage="cd3")) == "missing"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"marrow_blast_percent": "4.99"}, "pass"),
        ({"marrow_blast_percent": "5"}, "fail"),
        ({"blood_blast_percent": "5"}, "fail"),
        ({"extramedullary": True}, "fail"),
        ({"relapse": True}, "fail"),
        ({"relapse": False}, "pass"),
    ],
)
def test_relapse_is_by_the_latest_disease_assessment(data: dict[str, Any], said: str) -> None:
    assert verdict("relapse", message("disease.assessed", "d", 79, **data)) == said


def test_a_later_blast_count_in_blood_is_relapse_too() -> None:
    clear = message("disease.assessed", "d", 70, relapse=False)
    assert verdict("relapse", clear, lab("26446-5", "5", "%", 79)) == "fail"
    assert verdict("relapse", clear, lab("26446-5", "4.9", "%", 79)) == "pass"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"infection": True, "ctcae_grade": 3}, "fail"),
        ({"infection": True, "ctcae_grade": 2}, "pass"),
        ({"infection": False, "ctcae_grade": 3}, "pass"),
        ({"infection": True, "ctcae_grade": 3, "outcome": "resolved"}, "pass"),
        ({"infection": True, "ctcae_grade": 3, "outcome": "resolving"}, "fail"),
    ],
)
def test_an_active_severe_infection_fails(event: dict[str, Any], said: str) -> None:
    assert verdict("infection", message("adverse-event.reported", "ae", 79, term="pneumonia", **event)) == said


def test_no_infection_known_passes_the_one_absence_that_is_evidence() -> None:
    assert verdict("infection") == "pass"


@pytest.mark.parametrize(("value", "said"), [("positive", "fail"), ("negative", "pass")])
def test_pregnancy_is_by_the_latest_test_and_does_not_apply_to_men(value: str, said: str) -> None:
    tested = message("lab.resulted", "hcg", 79, code="2118-8", value=value)
    assert verdict("pregnancy", tested) == said
    assert verdict("pregnancy", tested, sex="male") == "not_applicable"


def test_failed_lists_what_failed_or_needs_review_and_incomplete_what_is_missing() -> None:
    chart = Chart([enrolled(80, ecog=3, **turning(18)), acute(79, skin=1)], 85)
    (failed,), (incomplete,) = chart.alerts("eligibility.failed"), chart.alerts("eligibility.incomplete")
    assert failed.details["failed"] == ["ecog"]
    assert failed.details["review"] == ["acute_gvhd", "age"]
    assert (failed.priority, failed.review, failed.effective_at) == ("medium", True, on_day(80))
    assert {"platelets", "chimerism", "pregnancy"} <= set(incomplete.details["missing"])
    assert (incomplete.priority, incomplete.review) == ("low", False)


def test_eligibility_is_judged_anew_until_the_first_dose_and_kept_from_then_on() -> None:
    late = lab("777-3", "20", "10*9/L", 79, issued=92)
    assert Chart([enrolled(80), late], 95).states[3]["platelets"] == "fail"
    assert Chart([enrolled(80), azacitidine(91), late], 95).states[3]["platelets"] == "missing"


CRITERIA: list[tuple[str, bytes, bytes]] = [
    ("stop.acute-gvhd", acute(82, skin=3), acute(85, skin=0)),
    ("stop.chronic-gvhd", chronic(82, present=True, organ_scores={**NO_ORGAN, "skin": 2}), chronic(85)),
    ("stop.overlap", chronic(82, overlap=True), chronic(85)),
    ("stop.chimerism", marrow(82, "89.9"), marrow(85, "95")),
    (
        "stop.relapse",
        message("disease.assessed", "d82", 82, marrow_blast_percent=5),
        message("disease.assessed", "d85", 85, marrow_blast_percent=1),
    ),
    (
        "stop.graft-rejection",
        message("graft.assessed", "g82", 82, rejection=True),
        message("graft.assessed", "g85", 85, rejection=False),
    ),
]


@pytest.mark.parametrize(("item", "hit", "clear"), CRITERIA, ids=[c[0] for c in CRITERIA])
def test_before_the_first_dose_a_stop_criterion_follows_the_latest_assessment(
    item: str, hit: bytes, clear: bytes
) -> None:
    chart = Chart([enrolled(80), hit], 86)
    (alert,) = chart.alerts("eligibility.stop-criterion")
    assert (alert.status, alert.priority, alert.review, alert.clause) == ("firing", "medium", True, "exclusion.6")
    assert alert.details["item"] == item
    assert chart.states[0] == "screening"
    (ended,) = Chart([enrolled(80), hit, clear], 100).alerts("eligibility.stop-criterion")
    assert (ended.status, ended.priority) == ("resolved", "medium")


def test_a_life_threatening_event_is_a_criterion_too() -> None:
    event = message("adverse-event.reported", "ae", 82, term="shock", life_threatening=True)
    assert len(Chart([enrolled(80), event], 86).alerts("eligibility.stop-criterion")) == 1


def test_an_overlap_that_would_be_derived_at_the_first_dose_is_a_criterion_until_one_of_the_two_is_seen_again() -> None:
    both = [acute(82, skin=1), chronic(82, present=True, organ_scores={**NO_ORGAN, "skin": 1})]
    (alert,) = Chart([enrolled(80), *both], 86).alerts("eligibility.stop-criterion")
    assert (alert.details["item"], alert.status, alert.provisional) == ("stop.overlap", "firing", True)
    assert Chart([enrolled(80), *both, azacitidine(91)], 92).statuses("stop.overlap") == ["firing"]
    for seen in (acute(84, skin=1), chronic(84)):
        course = [enrolled(80), *both, seen]
        assert Chart(course, 86).statuses("eligibility.stop-criterion") == ["resolved"]
        assert Chart([*course, azacitidine(91)], 92).alerts("stop.overlap") == []


def test_of_two_contents_under_one_version_the_one_that_would_stop_is_a_criterion_provisionally() -> None:
    torn = [marrow(82, "95", record="m"), marrow(82, "85", record="m", issued=83)]
    (alert,) = Chart([enrolled(80), *torn], 86).alerts("eligibility.stop-criterion")
    assert (alert.status, alert.provisional) == ("firing", True)


def test_a_disease_assessment_answers_for_the_blast_count_before_it() -> None:
    count = message("lab.resulted", "blasts", 82, code="26446-5", value="6", unit="%")
    answer = message("disease.assessed", "d85", 85, marrow_blast_percent=1)
    assert Chart([enrolled(80), count], 86).statuses("eligibility.stop-criterion") == ["firing"]
    assert Chart([enrolled(80), count, answer], 86).statuses("eligibility.stop-criterion") == ["resolved"]


def test_it_is_high_from_day_90_since_a_dose_may_be_unreported() -> None:
    def at(day: float) -> str:
        (alert,) = Chart([enrolled(80), marrow(82, "85")], day).alerts("eligibility.stop-criterion")
        return str(alert.priority)

    midnight = 90 - 9 / 24
    assert D0.hour == 9
    assert at(midnight - 0.01) == "medium"
    assert at(midnight) == "high"


def test_what_is_so_only_after_day_90_is_high_at_once() -> None:
    (alert,) = Chart([enrolled(80), marrow(95, "85")], 96).alerts("eligibility.stop-criterion")
    assert alert.priority == "high"


def test_it_does_not_grow_urgent_for_a_patient_who_has_left() -> None:
    left = message("patient.status-changed", "left", 85, patient_status="withdrawn")
    (alert,) = Chart([enrolled(80), marrow(82, "85"), left], 100).alerts("eligibility.stop-criterion")
    assert alert.priority == "medium"


def test_at_the_first_dose_the_stop_rules_take_over() -> None:
    chart = Chart([enrolled(80), marrow(82, "85"), azacitidine(95)], 100)
    (alert,) = chart.alerts("eligibility.stop-criterion")
    assert (alert.status, alert.details["outcome"]) == ("resolved", "treatment_started")
    assert chart.statuses("stop.chimerism") == ["firing"]
