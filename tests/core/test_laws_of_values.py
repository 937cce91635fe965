"""What the protocol promises of grades and values, whatever else is known of the patient."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core import charts
from tests.core.charts import Chart, mrd
from tests.core.histories import histories
from tests.core.test_laws import END, LAW, by_time

pytestmark = pytest.mark.timeout(1800)

ORGANS = ("skin", "liver", "upper_gi", "lower_gi")
HIGHEST = {"upper_gi": 1}  # of the others: 4 (MAGIC)
LABORATORY = "laboratory-of-its-own"  # a series that no history has


def staged(stages: Mapping[str, int | None]) -> bytes:
    return charts.message("gvhd.acute-assessed", "staged", 150, stages=stages, confidence="confirmed")


def grade(chart: Chart) -> int:
    """By MAGIC, of the assessment that is looked at."""
    assessment = chart.patient.fold.assessment
    assert assessment is not None
    [found] = [grade.grade for fact, grade in assessment.context.acute if fact.key[1] == "staged"]
    return found or 0


def told(chart: Chart, rule: str) -> bool:
    return any(alert.rule == rule and alert.status != "withdrawn" for alert in chart.patient.alerts)


@given(histories(max_records=8), st.data())
@LAW
def test_an_organ_assessed_later_only_raises_the_grade_and_takes_no_stop_away(
    messages: list[bytes], data: st.DataObject
) -> None:
    seen = {organ: data.draw(st.integers(0, HIGHEST.get(organ, 4)), label=organ) for organ in ORGANS}
    missing = data.draw(st.sets(st.sampled_from(ORGANS), min_size=1), label="assessed later")
    at_first = {organ: None if organ in missing else stage for organ, stage in seen.items()}
    fewer, all_ = (Chart(by_time([*messages, staged(stages)]), END) for stages in (at_first, seen))
    assert grade(all_) >= grade(fewer)
    for rule in ("stop.acute-gvhd", "eligibility.stop-criterion"):
        assert told(all_, rule) or not told(fewer, rule)


@given(histories(max_records=8), st.from_regex(r"[1-9]\.[0-9]{0,27}", fullmatch=True), st.integers(-24, 0))
@LAW
def test_tenfold_is_no_rise_and_the_last_digit_above_it_is_one_over_many_magnitudes(
    messages: list[bytes], digits: str, exponent: int
) -> None:
    def rose(last: str) -> bool:
        pair = [result(100, f"{digits}E{exponent}"), result(130, f"{digits}{last}E{exponent + 1}")]
        return any(
            alert.basis[0] == "mrd-130-own"
            for alert in Chart(by_time([*messages, *pair]), END).patient.alerts
            if alert.rule == "mrd.rising" and alert.status != "withdrawn"
        )

    assert (rose(""), rose("1")) == (False, True)


def result(day: int, value: str) -> bytes:
    return mrd(day, value, record=f"mrd-{day}-own", lab=LABORATORY)
