"""What a signature lifts: what was so before it *and* could be known when it was given."""

import pytest

from tests.core.charts import Chart, acute, azacitidine, decided, enrolled, marrow, on_date

TREATED = [enrolled(), azacitidine(95)]
MINUTE = 1 / 1440


def stop_statuses(*facts: bytes, until: float = 200) -> list[str]:
    return Chart([*TREATED, *facts], until).statuses("stop.chimerism")


@pytest.mark.parametrize("decision", ["restart", "continue"])
def test_a_signed_restart_or_continue_lifts_the_stop(decision: str) -> None:
    chart = Chart([*TREATED, marrow(110, "85"), decided(120, decision)], 121)
    [alert] = chart.alerts("stop.chimerism")
    assert (alert.status, alert.details["outcome"], chart.states[0]) == ("resolved", "decision", "on_treatment")


@pytest.mark.parametrize("decision", ["stop", "hold", "complete"])
def test_no_other_decision_does(decision: str) -> None:
    chart = Chart([*TREATED, marrow(110, "85"), decided(120, decision)], 121)
    assert (chart.statuses("stop.chimerism"), chart.states[0]) == (["firing"], "stopped")


def test_an_unsigned_decision_changes_nothing_and_is_told() -> None:
    chart = Chart([*TREATED, marrow(110, "85"), decided(120, "restart", signed_by=None)], 121)
    assert (chart.statuses("stop.chimerism"), chart.states[:2]) == (["firing"], ("stopped", "on_treatment"))
    assert chart.statuses("data.unsigned-decision") == ["firing"]


def test_a_signature_that_comes_with_a_later_version_counts_from_that_version() -> None:
    unsigned = decided(120, "continue", signed_by=None, record="d", issued=120)
    signed = decided(120, "continue", record="d", version=2, issued=125)
    known_between = marrow(118, "85", issued=122)
    assert stop_statuses(known_between, unsigned, signed) == ["resolved"]
    assert stop_statuses(marrow(118, "85", issued=126), unsigned, signed) == ["firing"]


@pytest.mark.parametrize(("effective", "status"), [(120 - MINUTE, "resolved"), (120, "firing"), (121, "firing")])
def test_only_what_was_so_before_the_decision_is_lifted(effective: float, status: str) -> None:
    assert stop_statuses(marrow(effective, "85", issued=121.5), decided(120, "continue", issued=122)) == [status]


@pytest.mark.parametrize(("issued", "status"), [(122 - MINUTE, "resolved"), (122, "firing"), (122 + MINUTE, "firing")])
def test_only_what_had_been_issued_before_the_decision_is_lifted(issued: float, status: str) -> None:
    assert stop_statuses(marrow(110, "85", issued=issued), decided(120, "continue", issued=122)) == [status]


@pytest.mark.parametrize(("day", "status"), [(119, "resolved"), (120, "firing"), (121, "firing")])
def test_where_either_has_only_a_date_the_decision_must_be_of_a_later_day(day: int, status: str) -> None:
    signed = decided(120, "continue", effective_at=on_date(120), issued=123)
    assert stop_statuses(marrow(day, "85", issued=122), signed) == [status]
    dated = marrow(day, "85", effective_at=on_date(day), issued=122)
    assert stop_statuses(dated, decided(120.5, "continue", issued=123)) == [status]


def test_what_counts_is_the_first_version_that_qualified() -> None:
    said_before = marrow(110, "85", record="m", issued=111)
    corrected_after = marrow(110, "84", record="m", version=2, issued=125)
    assert stop_statuses(said_before, decided(120, "continue"), corrected_after) == ["resolved"]
    harmless_before = marrow(110, "95", record="m", issued=111)
    assert stop_statuses(harmless_before, decided(120, "continue"), corrected_after) == ["firing"]


def test_a_fact_effective_after_the_decision_is_a_stop_of_its_own() -> None:
    course = [marrow(110, "85"), decided(120, "continue"), marrow(130, "80")]
    assert stop_statuses(*course) == ["resolved", "firing"]


def test_one_decision_lifts_all_that_was_known_and_each_stop_apart() -> None:
    course = [acute(110, skin=3), marrow(112, "85"), marrow(113, "80", issued=125), decided(120, "continue")]
    chart = Chart([*TREATED, *course], 126)
    assert chart.statuses("stop.acute-gvhd") == ["resolved"]
    assert chart.statuses("stop.chimerism") == ["resolved", "firing"]
    assert chart.states[0] == "stopped"


def test_a_decision_taken_back_lifts_nothing_and_the_same_alert_fires_again() -> None:
    lift = decided(120, "continue", record="d")
    back = decided(120, "continue", record="d", version=2, status="cancelled", reason="wrong patient", issued=125)
    before = Chart([*TREATED, marrow(110, "85"), lift], 121).alerts("stop.chimerism")
    after = Chart([*TREATED, marrow(110, "85"), lift, back], 126)
    assert (after.statuses("stop.chimerism"), after.states[0]) == (["firing"], "stopped")
    assert [a.alert_id for a in after.alerts("stop.chimerism")] == [a.alert_id for a in before]


def test_a_hold_corrected_to_a_restart_is_signed_when_it_was_corrected() -> None:
    held = decided(112, "hold", record="d")
    corrected = decided(120, "restart", record="d", version=2, status="corrected", reason="typing error", issued=125)
    assert stop_statuses(marrow(110, "85", issued=123), held, corrected) == ["resolved"]
    assert stop_statuses(marrow(110, "85", issued=126), held, corrected) == ["firing"]


def test_a_decision_known_late_lifts_from_when_it_was_taken() -> None:
    course = [marrow(110, "85"), azacitidine(118), decided(115, "continue", issued=125)]
    chart = Chart([*TREATED, *course], 126)
    assert chart.states[:2] == ("on_treatment", "on_treatment")
    assert chart.statuses("treatment.dose-after-stop") == ["withdrawn"]


def test_a_version_that_never_counted_does_not_say_what_could_be_known() -> None:
    clear = marrow(110, "95", record="m", version=2, issued=110)
    overtaken = marrow(110, "85", record="m", version=1, issued=112)
    low = marrow(110, "85", record="m", version=3, issued=120, status="corrected", reason="checked")
    facts = [clear, overtaken, decided(115, "continue")]
    assert stop_statuses(*facts) == []
    assert stop_statuses(*facts, low) == ["firing"]
