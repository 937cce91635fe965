"""What could not be used as sent: a human must mend the source."""

from typing import Any

import pytest

from monitor.core.rules.data_quality import CALLED
from monitor.events.catalogue import TYPES
from monitor.events.record import RecordBlock
from tests.core.charts import Chart, azacitidine, decided, enrolled, marrow, message, on_day


def chart(*messages: bytes, until: float = 125) -> Chart:
    return Chart([enrolled(), azacitidine(95), *messages], until)


def lab(value: str, unit: str | None, record: str = "lab", code: str = "777-3", **more: Any) -> bytes:
    return message("lab.resulted", record, 100, code=code, value=value, unit=unit, **more)


def same_version(first: str, second: str) -> list[bytes]:
    return [marrow(100, first, record="m", issued=100.1), marrow(100, second, record="m", issued=100.2)]


def test_two_contents_under_one_version_are_a_conflict_and_the_earlier_counts() -> None:
    seen = chart(*same_version("95", "96"))
    (alert,) = seen.alerts("data.conflict")
    assert (alert.status, alert.priority, alert.review, alert.clause) == ("firing", "medium", True, "practice")
    assert seen.alerts("stop.chimerism") == []


def test_the_conflict_says_which_kind_of_record_it_is_of() -> None:
    (alert,) = chart(*same_version("95", "96")).alerts("data.conflict")
    assert alert.summary == "Version 1 of a chimerism result was sent with 2 different contents"
    assert {kind.model for kind in TYPES.values() if issubclass(kind.model, RecordBlock)} == CALLED.keys()


def test_a_number_written_otherwise_is_no_conflict() -> None:
    assert chart(*same_version("95", "95.0")).alerts("data.conflict") == []


def test_if_any_of_the_contents_would_stop_it_stops_provisionally() -> None:
    for pair in (("95", "85"), ("85", "95")):
        (alert,) = chart(*same_version(*pair)).alerts("stop.chimerism")
        assert alert.provisional


def test_a_preliminary_and_its_final_are_no_conflict() -> None:
    preliminary = marrow(100, "85", record="m", status="preliminary", issued=100.1)
    assert chart(preliminary, marrow(100, "95", record="m", issued=101)).alerts("data.conflict") == []


def test_a_higher_version_settles_it() -> None:
    settled = marrow(100, "95", record="m", version=2, status="corrected", reason="checked", issued=101)
    assert chart(*same_version("95", "96"), settled).statuses("data.conflict") == ["resolved"]


@pytest.mark.parametrize(
    ("refused", "rule"),
    [
        (lab("50", "furlong"), "data.unit-unknown"),
        (lab("50", None), "data.unit-unknown"),
        (lab("50", "mg/dL"), "data.unit-unknown"),
        (lab("3001", "10*9/L"), "data.implausible"),
        (lab("101", "10*9/L", code="751-8"), "data.implausible"),
        (marrow(100, "100.1"), "data.implausible"),
        (lab("fifty", "10*9/L"), "data.refused"),
        (message("lab.resulted", "x", 100, status="corrected", code="777-3", value="5", unit="10*9/L"), "data.refused"),
        (message("unheard-of", "x", 100), "data.refused"),
        (message("graft.assessed", "x", 101, issued=100, rejection=True), "data.refused"),
    ],
)
def test_a_refused_message_is_told_by_its_reason_and_never_used(refused: bytes, rule: str) -> None:
    seen = chart(refused)
    (alert,) = [a for a in seen.patient.alerts if a.rule.startswith("data.")]
    assert (alert.rule, alert.priority, alert.review, alert.clause) == (rule, "medium", True, "practice")
    assert seen.alerts("lab.grade-4") == seen.alerts("stop.chimerism") == seen.alerts("stop.graft-rejection") == []


def test_it_is_told_once_the_patient_is_enrolled_whichever_came_first() -> None:
    refused = message("lab.resulted", "lab", 70, code="777-3", value="50", unit="furlong")
    assert Chart([refused], 90).patient.alerts == ()
    assert Chart([refused, enrolled(80)], 90).statuses("data.unit-unknown") == ["firing"]
    assert Chart([enrolled(80), lab("50", "furlong")], 110).statuses("data.unit-unknown") == ["firing"]


def test_it_is_dated_to_the_refused_fact() -> None:
    (alert,) = chart(lab("50", "furlong", issued=103)).alerts("data.unit-unknown")
    assert alert.effective_at == on_day(100)


def test_a_higher_version_that_is_accepted_withdraws_it_and_the_same_version_does_not() -> None:
    refused = lab("50", "furlong")
    right = lab("50", "10*9/L", version=2, issued=101, status="corrected", reason="unit")
    assert chart(refused, right).statuses("data.unit-unknown") == ["withdrawn"]
    assert chart(refused, lab("50", "10*9/L", issued=101)).statuses("data.unit-unknown") == ["firing"]


def test_a_refused_version_is_not_mended_by_the_one_before_it() -> None:
    later = lab("50", "furlong", version=2, issued=102, status="corrected", reason="unit")
    assert chart(lab("50", "10*9/L"), later).statuses("data.unit-unknown") == ["firing"]


def test_of_an_unreadable_version_only_what_was_issued_later_is_a_mend() -> None:
    unreadable = lab("50", "10*9/L", record_version="one", issued=102)
    earlier = lab("50", "10*9/L")
    later = lab("51", "10*9/L", version=2, issued=103, status="corrected", reason="version")
    assert chart(earlier, unreadable).statuses("data.refused") == ["firing"]
    assert chart(earlier, unreadable, later).statuses("data.refused") == ["withdrawn"]


def test_the_same_record_refused_twice_for_one_reason_is_one_alert() -> None:
    again = lab("50", "furlong", issued=102)
    assert len(chart(lab("50", "furlong"), again).alerts("data.unit-unknown")) == 1


def test_an_unsigned_decision_changes_nothing_and_is_told() -> None:
    seen = chart(marrow(100, "85"), decided(110, "restart", signed_by=None))
    assert seen.states[0] == "stopped"
    (alert,) = seen.alerts("data.unsigned-decision")
    assert (alert.priority, alert.review, alert.details["value"]) == ("medium", True, "restart")
    assert chart(decided(110, "hold")).alerts("data.unsigned-decision") == []


def test_a_signature_that_follows_mends_it() -> None:
    unsigned = decided(110, "hold", signed_by=None)
    signed = decided(110, "hold", version=2, issued=112, status="corrected", reason="signed")
    assert chart(unsigned, signed).statuses("data.unsigned-decision") == ["withdrawn"]
