"""Rises and conversions of MRD: within one series, against its nadir since transplant, strictly above tenfold."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core import charts
from tests.core.charts import PROTOCOL, Chart, enrolled, mrd

UNDETECTED = None
NOT_QUANTIFIABLE = {"value": None, "detected": True}


def series(*values: str | dict[str, Any] | None, every: int = 7, **more: Any) -> list[bytes]:
    """Results a week apart from D+90; a dict is a result in other words."""
    return [
        mrd(
            90 + every * n, **{"value": "0.5", **value, **more} if isinstance(value, dict) else {"value": value, **more}
        )
        for n, value in enumerate(values)
    ]


def chart(*values: str | dict[str, Any] | None, reference: str = "nadir", until: float = 190, **more: Any) -> Chart:
    protocol = PROTOCOL.model_copy(update={"mrd": PROTOCOL.mrd.model_copy(update={"reference": reference})})
    return Chart([enrolled(), *series(*values, **more)], until, protocol)


def fired(rule: str, *values: str | dict[str, Any] | None, **more: Any) -> list[str]:
    """The records that an alert of this rule begins with, in order."""
    return [alert.basis[0] for alert in chart(*values, **more).alerts(rule)]


def result(comparator: str | None = None, **more: Any) -> dict[str, Any]:
    return {"comparator": comparator, **more}


def test_more_than_ten_times_the_nadir_is_a_rise() -> None:
    (alert,) = chart("0.02", "0.2000001").alerts("mrd.rising")
    assert (alert.priority, alert.review, alert.clause) == ("medium", False, "dosing.3")
    assert alert.details["reference"] == "0.02"
    assert alert.details["log10_change"] == "1.00"
    assert alert.basis == ("mrd-97", "mrd-90")


@pytest.mark.parametrize(("value", "rising", "borderline"), [("0.1999", 0, 0), ("0.2", 0, 1), ("0.2001", 1, 0)])
def test_exactly_tenfold_is_for_review_and_no_rise(value: str, rising: int, borderline: int) -> None:
    seen = chart("0.02", value)
    assert len(seen.alerts("mrd.rising")) == rising
    assert len(seen.alerts("mrd.rise-borderline")) == borderline
    for alert in seen.alerts("mrd.rise-borderline"):
        assert (alert.priority, alert.review) == ("low", True)


@given(st.from_regex(r"[1-9]\.[0-9]{0,29}", fullmatch=True), st.integers(-26, 1))
@settings(max_examples=500)
def test_tenfold_pairs_are_compared_undistorted_over_many_magnitudes(digits: str, exponent: int) -> None:
    pair = f"{digits}E{exponent}", f"{digits}E{exponent + 1}"
    assert fired("mrd.rise-borderline", *pair) == ["mrd-97"]
    assert fired("mrd.rising", *pair) == []


@pytest.mark.parametrize("exponent", range(-26, 2))
def test_the_last_of_thirty_digits_decides(exponent: int) -> None:
    low, above, below = (
        f"1.{'0' * 28}{last}E{power}" for last, power in ((1, exponent), (2, exponent + 1), (0, exponent + 1))
    )
    assert fired("mrd.rising", low, above) == ["mrd-97"]
    assert fired("mrd.rising", low, below) == []
    assert fired("mrd.rise-borderline", low, below) == []


def test_the_reference_is_the_lowest_of_the_series_wherever_it_stands() -> None:
    assert fired("mrd.rising", "0.05", "0.02", "0.04", "0.21") == ["mrd-111"]


def test_by_the_other_reading_the_previous_result_is_the_reference() -> None:
    assert fired("mrd.rising", "0.02", "0.1", "0.9", reference="previous") == []
    assert fired("mrd.rising", "0.5", "0.02", "0.21", reference="previous") == ["mrd-104"]


def test_by_the_third_reading_the_first_result_is_the_reference() -> None:
    assert fired("mrd.rising", "0.05", "0.02", "0.21", reference="baseline") == []
    assert fired("mrd.rising", "0.05", "0.02", "0.51", reference="baseline") == ["mrd-104"]


def test_a_result_from_before_the_transplant_is_no_nadir() -> None:
    before = mrd(-10, "0.011", record="before")
    seen = Chart([enrolled(), before, mrd(90, "0.02"), mrd(97, "0.15")], 120)
    assert seen.alerts("mrd.rising") == []


def test_above_ten_times_the_limit_of_an_undetected_reference_is_a_rise() -> None:
    assert fired("mrd.rising", UNDETECTED, "0.010001") == ["mrd-97"]
    assert fired("mrd.rising", UNDETECTED, "0.01") == []
    assert fired("mrd.rise-borderline", UNDETECTED, "0.01") == ["mrd-97"]


def test_undetected_is_never_a_number() -> None:
    """Undetected below 0.001, then 0.009: less than ten times the limit, whatever the truth was."""
    assert fired("mrd.rising", UNDETECTED, "0.009") == []


def test_undetected_without_any_limit_is_no_reference() -> None:
    undetected = {"detected": False, "value": None, "comparator": None, "lod": None}
    assert fired("mrd.rising", undetected, "5") == []
    assert fired("mrd.positive", undetected, "5") == ["mrd-97"]


def test_detected_but_not_quantifiable_is_never_a_nadir() -> None:
    assert fired("mrd.rising", "0.02", NOT_QUANTIFIABLE, "0.19") == []
    assert fired("mrd.rising", NOT_QUANTIFIABLE, "0.19", "1.8") == []


def test_a_value_above_the_range_is_never_a_nadir_and_rises_where_its_bound_does() -> None:
    assert fired("mrd.rising", result(">", value="0.02"), "5") == []
    assert fired("mrd.rising", "0.02", result(">", value="0.2")) == ["mrd-97"]
    assert fired("mrd.rising", "0.02", result(">", value="0.19")) == []


@pytest.mark.parametrize(
    "other",
    [
        {"assay": "flow"},
        {"target": "WT1"},
        {"specimen": "peripheral_blood"},
        {"lab": "other"},
        {"method_version": "2"},
        {"unit": "{copies}/10*4{copies}"},
    ],
)
def test_values_are_never_compared_across_series(other: dict[str, str]) -> None:
    assert fired("mrd.rising", "0.02", {"value": "9", **other}) == []


def test_undetected_then_at_or_above_the_cut_off_is_a_conversion() -> None:
    assert fired("mrd.positive", UNDETECTED, "0.01") == ["mrd-97"]
    assert fired("mrd.positive", UNDETECTED, "0.0099") == []
    (alert,) = chart(UNDETECTED, "0.01").alerts("mrd.positive")
    assert (alert.priority, alert.review) == ("medium", False)


def test_without_a_cut_off_any_detection_after_undetected_is_a_conversion() -> None:
    assert fired("mrd.positive", UNDETECTED, "0.0000001", positive_cutoff=None) == ["mrd-97"]


@pytest.mark.parametrize("value", [NOT_QUANTIFIABLE, {"comparator": ">", "value": "0.001"}])
def test_detected_not_quantifiable_and_above_the_range_count_as_positive(value: dict[str, Any]) -> None:
    assert fired("mrd.positive", UNDETECTED, value) == ["mrd-97"]


def test_a_conversion_is_from_any_undetected_result_earlier_in_the_series() -> None:
    assert fired("mrd.positive", UNDETECTED, "0.005", "0.02") == ["mrd-104"]


@pytest.mark.parametrize(("value", "told"), [("0.0099", 0), ("0.01", 1), (UNDETECTED, 0)])
def test_a_first_result_at_or_above_the_cut_off_has_nothing_to_be_compared_with(value: str | None, told: int) -> None:
    seen = chart(value)
    assert len(seen.alerts("mrd.baseline-positive")) == told
    assert seen.alerts("mrd.positive") == seen.alerts("mrd.rising") == []
    for alert in seen.alerts("mrd.baseline-positive"):
        assert (alert.priority, alert.review) == ("medium", True)


def test_a_negative_of_an_inadequate_sample_is_not_evaluable() -> None:
    assert fired("mrd.positive", {"value": "0.001", "comparator": "<", "adequate": False}, "0.05") == []


def test_a_positive_of_an_inadequate_sample_still_counts() -> None:
    assert fired("mrd.positive", UNDETECTED, {"value": "0.05", "adequate": False}) == ["mrd-97"]


def test_inside_an_episode_a_conversion_is_told_once() -> None:
    assert fired("mrd.positive", UNDETECTED, "0.02", "0.005", "0.02") == ["mrd-97"]


def test_inside_an_episode_a_rise_is_told_again_above_ten_times_what_last_fired() -> None:
    assert fired("mrd.rising", "0.02", "0.3", "3", "3.1") == ["mrd-97", "mrd-111"]


def test_inside_an_episode_a_rise_is_told_again_above_ten_times_a_new_low() -> None:
    assert fired("mrd.rising", "0.02", "3", "0.05", "0.51") == ["mrd-97", "mrd-111"]
    assert fired("mrd.rising", "0.02", "3", "0.05", "0.5") == ["mrd-97"]


def test_an_undetected_result_inside_an_episode_is_a_new_low_of_its_limit() -> None:
    less_sensitive = {"value": "0.05", "comparator": "<", "detected": None}
    assert fired("mrd.rising", "0.02", "9", less_sensitive, "0.51") == ["mrd-97", "mrd-111"]


def test_each_firing_is_an_alert_of_its_own_and_the_second_does_not_end_the_first() -> None:
    assert chart("0.02", "0.3", "3.1").statuses("mrd.rising") == ["firing", "firing"]


def test_one_result_at_or_below_the_reference_ends_the_episode_as_not_confirmed() -> None:
    (alert,) = chart("0.02", "0.3", "0.02").alerts("mrd.rising")
    assert (alert.status, alert.details["outcome"]) == ("resolved", "not_confirmed")
    assert chart("0.02", "0.3", "0.0201").statuses("mrd.rising") == ["firing"]


def test_two_results_in_a_row_below_the_cut_off_end_the_episode() -> None:
    assert chart("0.001", "0.3", "0.009").statuses("mrd.rising") == ["firing"]
    assert chart("0.001", "0.3", "0.009", "0.009").statuses("mrd.rising") == ["resolved"]
    assert chart("0.001", "0.3", "0.009", "0.01", "0.009").statuses("mrd.rising") == ["firing"]


@pytest.mark.parametrize(("limit", "ends"), [("0.0004", True), ("0.0005", True), ("0.0006", False), ("5", False)])
@pytest.mark.parametrize("reference", ["0.0005", {"comparator": "<", "value": "0.0005", "detected": False}])
def test_undetected_is_at_or_below_the_reference_only_if_its_limit_is(reference: Any, limit: str, ends: bool) -> None:
    seen = chart(reference, "0.5", result("<", value=limit, detected=False), positive_cutoff="0.01")
    assert seen.statuses("mrd.rising") == ["resolved" if ends else "firing"]


@pytest.mark.parametrize(("limit", "ends"), [("0.01", True), ("0.011", False), ("5", False)])
def test_undetected_is_below_the_cut_off_only_if_its_limit_is_not_above_it(limit: str, ends: bool) -> None:
    twice = [result("<", value=limit, detected=False)] * 2
    seen = chart("0.0005", "0.5", *twice, positive_cutoff="0.01")
    assert seen.statuses("mrd.rising") == ["resolved" if ends else "firing"]


def test_a_further_rise_ends_no_episode_though_it_is_below_the_cut_off() -> None:
    assert fired("mrd.rising", "0.0001", "0.02", "0.03", "0.9", positive_cutoff="1") == ["mrd-97", "mrd-111"]


def test_after_an_episode_has_closed_a_new_rise_opens_another() -> None:
    seen = chart("0.02", "0.3", "0.02", "0.3")
    assert seen.statuses("mrd.rising") == ["resolved", "firing"]


def test_a_corrected_result_withdraws_the_rise_it_made() -> None:
    corrected = mrd(97, "0.03", version=2, status="corrected", reason="typing error", issued=99)
    seen = Chart([enrolled(), mrd(90, "0.02"), mrd(97, "0.3"), corrected], 120)
    assert seen.statuses("mrd.rising") == ["withdrawn"]


def test_no_mrd_rule_changes_the_state_or_the_schedule_of_infusions() -> None:
    quiet = Chart([enrolled(), charts.azacitidine(95), charts.dli(101)], 120)
    rising = Chart([enrolled(), charts.azacitidine(95), charts.dli(101), *series("0.02", "9", every=20)], 120)
    assert rising.states[:3] == quiet.states[:3]
    assert rising.alerts("mrd.rising")
    assert {a.rule for a in rising.patient.alerts if a.rule.startswith("dli.")} == {
        a.rule for a in quiet.patient.alerts if a.rule.startswith("dli.")
    }
