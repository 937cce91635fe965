"""A stop that was there and is no longer: nothing resumes by itself."""

import pytest

from tests.core.charts import (
    NO_ORGAN,
    Chart,
    acute,
    azacitidine,
    chronic,
    decided,
    enrolled,
    marrow,
)

TREATED = [enrolled(), azacitidine(95)]
LOW = marrow(110, "85", record="m")


def corrected(percent: str = "95", version: int = 2, issued: float = 115, status: str = "corrected") -> bytes:
    return marrow(110, percent, record="m", version=version, issued=issued, status=status, reason="checked")


@pytest.mark.parametrize("status", ["corrected", "amended", "entered-in-error", "cancelled"])
def test_nothing_resumes_by_itself_when_the_basis_is_corrected_away(status: str) -> None:
    chart = Chart([*TREATED, LOW, corrected(status=status)], 116)
    assert chart.statuses("stop.chimerism") == ["withdrawn"]
    assert chart.states[0] == "stop_basis_retracted"
    [alert] = chart.alerts("stop.basis-retracted")
    assert (alert.status, alert.priority, alert.review) == ("firing", "high", True)
    assert alert.to_json()["effective_at"] == "2025-04-26T01:00:00Z"  # when the correction was issued


@pytest.mark.parametrize("decision", ["restart", "continue", "stop", "hold", "complete"])
def test_any_signed_decision_after_it_ends_the_wait(decision: str) -> None:
    chart = Chart([*TREATED, LOW, corrected(), decided(120, decision)], 121)
    [alert] = chart.alerts("stop.basis-retracted")
    assert (alert.status, alert.details["outcome"]) == ("resolved", "decision")
    assert chart.states[0] == ("completed" if decision == "complete" else "on_treatment")


def test_an_unsigned_decision_does_not_nor_one_that_was_signed_before() -> None:
    chart = Chart([*TREATED, LOW, decided(112, "hold"), corrected(), decided(120, "continue", signed_by=None)], 121)
    assert chart.statuses("stop.basis-retracted") == ["firing"]


def test_a_decision_begun_before_the_retraction_and_signed_after_it_counts() -> None:
    begun = decided(112, "continue", signed_by=None, record="d")
    signed = decided(112, "continue", record="d", version=2, issued=118)
    assert Chart([*TREATED, LOW, begun, corrected(), signed], 119).statuses("stop.basis-retracted") == ["resolved"]
    earlier = decided(112, "hold", record="d")
    resigned = decided(112, "hold", record="d", version=2, issued=118, status="amended", reason="rationale")
    assert Chart([*TREATED, LOW, earlier, corrected(), resigned], 119).statuses("stop.basis-retracted") == ["firing"]


def test_a_preliminary_refuted_by_its_own_final_asks_nobody() -> None:
    preliminary = marrow(110, "85", record="m", status="preliminary")
    chart = Chart([*TREATED, preliminary, corrected(status="final")], 116)
    assert (chart.statuses("stop.chimerism"), chart.states[0]) == (["withdrawn"], "on_treatment")
    assert chart.alerts("stop.basis-retracted") == []
    same_version = corrected(status="final", version=1)
    assert Chart([*TREATED, preliminary, same_version], 116).states[0] == "on_treatment"


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "corrected", "amended", "preliminary"])
def test_a_preliminary_that_is_refuted_in_another_way_does(status: str) -> None:
    """What is corrected or amended had been final in between, though that version never came."""
    preliminary = marrow(110, "85", record="m", status="preliminary")
    assert Chart([*TREATED, preliminary, corrected(status=status)], 116).states[0] == "stop_basis_retracted"


def test_a_preliminary_confirmed_and_then_corrected_does() -> None:
    preliminary = marrow(110, "85", record="m", status="preliminary")
    final = corrected("85", status="final", issued=112)
    assert Chart([*TREATED, preliminary, final, corrected(version=3)], 116).states[0] == "stop_basis_retracted"


def test_an_overlap_derived_from_a_preliminary_is_refuted_with_it() -> None:
    mild = chronic(110, present=True, organ_scores=NO_ORGAN | {"skin": 1})
    preliminary = acute(110, skin=1, record="a", status="preliminary")
    chart = Chart([*TREATED, mild, preliminary, acute(110, skin=0, record="a", version=2, issued=112)], 113)
    assert (chart.statuses("stop.overlap"), chart.states[0]) == (["withdrawn"], "on_treatment")


def test_a_stop_that_was_lifted_already_leaves_nothing_to_wait_for() -> None:
    chart = Chart([*TREATED, LOW, decided(112, "continue"), corrected()], 116)
    assert (chart.statuses("stop.chimerism"), chart.states[0]) == (["withdrawn"], "on_treatment")
    assert chart.alerts("stop.basis-retracted") == []


def test_unless_the_decision_that_lifted_it_is_taken_back_as_well() -> None:
    lift = decided(112, "continue", record="d")
    undone = decided(112, "continue", record="d", version=2, status="cancelled", reason="wrong patient", issued=118)
    for later in ([corrected(), undone], [undone, corrected(issued=120)]):
        chart = Chart([*TREATED, LOW, lift, *later], 121)
        assert (chart.statuses("stop.basis-retracted"), chart.states[0]) == (["firing"], "stop_basis_retracted")


def test_while_one_fact_remains_the_stop_remains() -> None:
    chart = Chart([*TREATED, LOW, marrow(112, "86"), corrected()], 116)
    assert (chart.statuses("stop.chimerism"), chart.states[0]) == (["firing"], "stopped")
    assert chart.alerts("stop.chimerism")[0].to_json()["effective_at"] == "2025-04-23T01:00:00Z"


def test_what_is_put_right_again_is_the_same_stop_again() -> None:
    chart = Chart([*TREATED, LOW, corrected(), corrected("85", version=3, issued=117)], 118)
    assert (chart.statuses("stop.chimerism"), chart.states[0]) == (["firing"], "stopped")
    assert chart.statuses("stop.basis-retracted") == ["withdrawn"]


def test_a_later_result_from_before_the_first_dose_takes_the_place_of_the_one_that_stopped() -> None:
    """Nothing was retracted: the stop at the dose stands, by what turned out to be the latest before it."""
    course = [*TREATED, marrow(90, "85"), marrow(94, "84", record="latest", issued=97)]
    chart = Chart(course, 98)
    [alert] = chart.alerts("stop.chimerism")
    assert (alert.status, alert.basis) == ("firing", ("latest",))
    assert (chart.states[0], chart.alerts("stop.basis-retracted")) == ("stopped", [])


def test_a_later_one_that_does_not_stop_leaves_something_to_decide() -> None:
    chart = Chart([*TREATED, marrow(90, "85"), marrow(94, "95", issued=97)], 98)
    assert chart.statuses("stop.chimerism") == ["withdrawn"]
    assert chart.states[0] == "stop_basis_retracted"


def test_another_stop_that_stands_comes_first() -> None:
    chart = Chart([*TREATED, LOW, acute(112, skin=3), corrected()], 116)
    assert chart.states[0] == "held"
    assert chart.statuses("stop.basis-retracted") == ["firing"]


def test_it_is_the_same_when_the_correction_arrives_first() -> None:
    chart = Chart([*TREATED, corrected(), LOW], 116)
    assert chart.states[0] == "stop_basis_retracted"
    assert chart.statuses("stop.basis-retracted") == ["firing"]


def test_possible_gvhd_amended_to_negative_in_the_same_record_withdraws_the_stop() -> None:
    ruled_out = acute(110, skin=3, record="a", version=2, confidence="negative", issued=112)
    for confidence in ("possible", "confirmed"):
        first = acute(110, skin=3, record="a", confidence=confidence)
        chart = Chart([*TREATED, first, ruled_out], 113)
        assert (chart.statuses("stop.acute-gvhd"), chart.states[0]) == (["withdrawn"], "stop_basis_retracted")


def test_what_was_final_before_is_not_undone_by_a_preliminary_in_between() -> None:
    between = marrow(110, "84", record="m", version=2, issued=112, status="preliminary")
    chart = Chart([*TREATED, LOW, between, corrected(version=3, status="final")], 116)
    assert chart.states[0] == "stop_basis_retracted"
    assert chart.statuses("stop.basis-retracted") == ["firing"]


def test_a_stop_that_was_lifted_does_not_stand_for_another_of_its_day() -> None:
    lifted = [marrow(110, "84", record="first"), decided(115, "continue")]
    late, taken_back = (
        marrow(110, "85", record="m", issued=120),
        corrected(status="entered-in-error", issued=125),
    )
    assert Chart([*TREATED, *lifted, late], 121).states[0] == "stopped"
    chart = Chart([*TREATED, *lifted, late, taken_back], 126)
    assert chart.states[0] == "stop_basis_retracted"
    assert sorted(chart.statuses("stop.chimerism")) == ["resolved", "withdrawn"]


def test_an_alert_goes_back_to_the_fact_it_was_raised_on_when_the_later_one_is_retracted() -> None:
    lifted = [enrolled(), marrow(85, "85", record="first"), azacitidine(100), decided(104, "continue")]
    late = marrow(90, "84", record="later", issued=110)
    taken_back = marrow(90, "84", record="later", version=2, issued=115, status="entered-in-error", reason="mixed up")
    assert Chart([*lifted, late], 111).statuses("stop.chimerism") == ["firing"]
    assert Chart([*lifted, late, taken_back], 116).statuses("stop.chimerism") == ["resolved"]
