"""MRD for review: low levels, breaks between series, changes of sensitivity, confirmations due."""

from typing import Any

import pytest

from tests.core import charts
from tests.core.charts import Chart, enrolled, mrd, on_day


def alerts(rule: str, *messages: bytes, until: float = 120) -> list[Any]:
    return Chart([enrolled(), *messages], until).alerts(rule)


@pytest.mark.parametrize(("value", "told"), [("0.0099", 1), ("0.01", 0), (None, 0)])
def test_detected_below_the_cut_off_is_a_low_level(value: str | None, told: int) -> None:
    found = alerts("mrd.low-level", mrd(90, value))
    assert len(found) == told
    assert all((a.priority, a.review) == ("low", False) for a in found)


def test_a_low_level_ends_with_the_next_result_that_is_none() -> None:
    assert [a.status for a in alerts("mrd.low-level", mrd(90, "0.005"), mrd(97, None))] == ["resolved"]


def test_without_a_cut_off_nothing_is_low() -> None:
    assert alerts("mrd.low-level", mrd(90, "0.0001", positive_cutoff=None)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"assay": "ngs"},
        {"specimen": "peripheral_blood"},
        {"lab": "elsewhere"},
        {"method_version": "2"},
        {"unit": "{copies}/10*4{copies}"},
    ],
)
@pytest.mark.parametrize(("later", "told"), [(14, 0), (15, 1)])
def test_another_way_of_measuring_the_same_target_is_a_break_unless_begun_within_14_days(
    other: dict[str, str], later: int, told: int
) -> None:
    found = alerts("mrd.series-break", mrd(90, "0.02"), mrd(90 + later, "0.02", **other))
    assert len(found) == told
    assert all((a.priority, a.review) == ("low", True) for a in found)


def test_no_target_matches_any_and_another_target_is_no_break() -> None:
    assert len(alerts("mrd.series-break", mrd(90, "0.02"), mrd(110, "0.02", target=None, assay="flow"))) == 1
    assert alerts("mrd.series-break", mrd(90, "0.02"), mrd(110, "0.02", target="WT1", assay="flow")) == []


def test_a_break_is_told_once_a_series() -> None:
    flow = [mrd(day, "0.02", assay="flow") for day in (110, 117, 124)]
    assert len(alerts("mrd.series-break", mrd(90, "0.02"), *flow, until=130)) == 1


def sensitive(value: str | None, lod: str, day: float = 97, **more: Any) -> bytes:
    return mrd(day, value, lod=lod, method_version="2", **more)


def test_detected_below_the_earlier_limit_by_a_more_sensitive_series_may_be_no_rise() -> None:
    (found,) = alerts("mrd.sensitivity-changed", mrd(90, None), sensitive("0.0009", "0.0001"))
    assert (found.priority, found.review) == ("low", True)
    assert found.basis == ("mrd-97", "mrd-90")


@pytest.mark.parametrize(
    ("value", "lod", "more"),
    [
        ("0.001", "0.0001", {}),  # at the earlier limit: it would have been seen
        ("0.0009", "0.001", {}),  # no more sensitive
        ("0.0009", "0.0001", {"assay": "ngs"}),
        ("0.0009", "0.0001", {"target": "WT1"}),
        ("0.0009", "0.0001", {"specimen": "peripheral_blood"}),
        ("0.0009", "0.0001", {"unit": "{copies}/10*4{copies}"}),
    ],
)
def test_a_change_of_sensitivity_needs_the_same_measurement_and_a_value_below_the_earlier_limit(
    value: str, lod: str, more: dict[str, Any]
) -> None:
    assert alerts("mrd.sensitivity-changed", mrd(90, None), sensitive(value, lod, **more)) == []


def test_a_change_of_sensitivity_replaces_no_conversion() -> None:
    messages = [
        mrd(90, None),
        sensitive(None, "0.0001", day=97),
        sensitive("0.0009", "0.0001", 104, positive_cutoff=None),
    ]
    seen = Chart([enrolled(), *messages], 120)
    assert seen.statuses("mrd.positive") == ["firing"]
    assert seen.statuses("mrd.sensitivity-changed") == ["firing"]


@pytest.mark.parametrize(("until", "told"), [(97 + 27.99, 0), (97 + 28, 1)])
def test_a_confirmation_is_due_28_times_24_hours_after_a_rise_by_qpcr(until: float, told: int) -> None:
    found = alerts("mrd.confirmation-due", mrd(90, "0.02"), mrd(97, "0.3"), until=until)
    assert len(found) == told
    for alert in found:
        assert alert.effective_at == on_day(97 + 28)
        assert (alert.priority, alert.review) == ("medium", True)


def test_a_result_of_which_only_the_day_is_known_is_due_on_a_day() -> None:
    (found,) = alerts(
        "mrd.confirmation-due", mrd(90, "0.02"), mrd(97, "0.3", effective_at="2025-04-08", issued=97), until=130
    )
    assert str(found.effective_at) == "2025-05-06"


@pytest.mark.parametrize(
    "next_result",
    [mrd(120, "0.3"), mrd(120, None), mrd(97 + 27.9, "0.0001")],
)
def test_any_later_evaluable_result_of_the_series_is_a_confirmation(next_result: bytes) -> None:
    assert alerts("mrd.confirmation-due", mrd(90, "0.02"), mrd(97, "0.3"), next_result, until=150) == []


@pytest.mark.parametrize(
    "next_result",
    [
        mrd(120, None, adequate=False),
        mrd(120, "0.3", assay="flow"),
        mrd(120, "0.3", specimen="peripheral_blood"),
    ],
)
def test_neither_an_inadequate_negative_nor_another_series_confirms(next_result: bytes) -> None:
    assert len(alerts("mrd.confirmation-due", mrd(90, "0.02"), mrd(97, "0.3"), next_result, until=150)) == 1


def test_a_confirmation_that_comes_late_ends_the_reminder() -> None:
    late = mrd(130, "0.3")
    assert [a.status for a in alerts("mrd.confirmation-due", mrd(90, "0.02"), mrd(97, "0.3"), late, until=150)] == [
        "resolved"
    ]


def test_no_confirmation_is_asked_for_by_flow_nor_after_the_patient_has_left() -> None:
    flow = [mrd(90, "0.02", assay="flow"), mrd(97, "0.3", assay="flow")]
    assert alerts("mrd.confirmation-due", *flow, until=150) == []
    left = charts.message("patient.status-changed", "left", 110, patient_status="lost")
    assert alerts("mrd.confirmation-due", mrd(90, "0.02"), mrd(97, "0.3"), left, until=150) == []


def test_a_conversion_asks_for_confirmation_too() -> None:
    assert len(alerts("mrd.confirmation-due", mrd(90, None), mrd(97, "0.01"), until=150)) == 1
