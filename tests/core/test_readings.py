"""The ambiguity register: each reading of the protocol file is a switch, and what it switches is this."""

from typing import Any

import pytest

from monitor.protocol.model import Protocol
from tests.core.charts import NO_ORGAN, PROTOCOL, Chart, acute, azacitidine, chronic, decided, enrolled, on_day

ORDER = ["none", "mild", "moderate", "severe"]


def reading(section: str, **values: Any) -> Protocol:
    content = PROTOCOL.model_dump()
    return Protocol.model_validate({**content, section: {**content[section], **values}})


def treated(*messages: bytes, protocol: Protocol = PROTOCOL, until: float = 145) -> Chart:
    return Chart([enrolled(85), *(azacitidine(95 + n) for n in range(5)), *messages], until, protocol)


def held_from(day: float) -> list[bytes]:
    return [acute(day, skin=3), decided(day + 0.1, "stop"), acute(day + 10), chronic(day + 10)]


@pytest.mark.parametrize(
    ("unit", "opens_on", "closes_on"),
    [("days", "2025-05-21", "2025-06-20"), ("cycle_days", "2025-05-19", "2025-06-16")],
)
def test_one_to_two_months_are_days_30_to_60_or_two_treatment_cycles(unit: str, opens_on: str, closes_on: str) -> None:
    window = treated(*held_from(110), protocol=reading("restart", unit=unit)).window
    assert (window["t0"], window["opens_on"], window["closes_on"]) == ("2025-04-21", opens_on, closes_on)


@pytest.mark.parametrize(
    ("day", "t0", "opens_on", "closes_on"),
    [
        (110, "2025-04-21", "2025-05-21", "2025-06-21"),
        (119, "2025-04-30", "2025-05-30", "2025-06-30"),
        (150, "2025-05-31", "2025-06-30", "2025-07-31"),
    ],
)
def test_calendar_months_keep_the_day_of_the_month_or_end_on_its_last(
    day: int, t0: str, opens_on: str, closes_on: str
) -> None:
    window = treated(*held_from(day), protocol=reading("restart", unit="calendar_months"), until=day + 12).window
    assert (window["t0"], window["opens_on"], window["closes_on"]) == (t0, opens_on, closes_on)


@pytest.mark.parametrize(("unit", "days"), [("days", (29, 30)), ("cycle_days", (27, 28))])
def test_the_window_opens_on_its_first_day_and_not_before(unit: str, days: tuple[int, int]) -> None:
    before, first = (
        treated(*held_from(110), protocol=reading("restart", unit=unit), until=110 + day).window["state"]
        for day in days
    )
    assert (before, first) == ("pending", "open")


@pytest.mark.parametrize(
    ("skin", "strictly", "widely"), [(0, "open", "open"), (1, "pending", "open"), (2, "pending", "open")]
)
def test_remission_is_complete_or_by_the_other_reading_grade_i_too(skin: int, strictly: str, widely: str) -> None:
    course = [acute(110, skin=3), decided(110.1, "stop"), acute(120, skin=skin), chronic(120)]
    wide = reading("restart", remission="complete_or_grade_1")
    assert treated(*course).window["state"] == strictly
    assert treated(*course, protocol=wide).window["state"] == widely


@pytest.mark.parametrize("severity", ["mild", "moderate"])
def test_an_overlap_stops_at_any_severity_or_by_the_other_reading_from_moderate(severity: str) -> None:
    scores = {**NO_ORGAN, "skin": ORDER.index(severity)}
    overlap = chronic(110, present=True, organ_scores=scores, overlap=True)
    assert treated(overlap).statuses("stop.overlap") == ["firing"]
    from_moderate = reading("overlap", stop_severity="moderate")
    assert len(treated(overlap, protocol=from_moderate).alerts("stop.overlap")) == (severity == "moderate")


def test_an_alert_carries_the_reading_it_rests_on_and_the_hash_of_its_file() -> None:
    severe = reading("chronic_gvhd", stop_severity="severe")
    (alert,) = treated(chronic(110, present=True, organ_scores={**NO_ORGAN, "skin": 3}), protocol=severe).alerts(
        "stop.chronic-gvhd"
    )
    assert alert.reading == "chronic_gvhd.stop_severity: severe"
    assert alert.protocol_hash == severe.hash != PROTOCOL.hash
    assert alert.effective_at == on_day(110)
