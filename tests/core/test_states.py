"""The two states: what the rule says, and what people did."""

import pytest

from tests.core.charts import Chart, acute, azacitidine, decided, dli, enrolled, marrow, message, on_date

TREATED = [enrolled(), azacitidine(95)]
LOW = marrow(110, "85", record="m")
GONE = marrow(110, "95", record="m", version=2, status="corrected", reason="checked", issued=112)
LEFT = message("patient.status-changed", "left", 130, patient_status="lost")


def protocol(*facts: bytes, until: float = 140) -> object:
    return Chart(facts, until).states[0]


def treatment(*facts: bytes, until: float = 140) -> object:
    return Chart([enrolled(), *facts], until).states[1]


def test_the_protocol_state_is_the_first_that_holds() -> None:
    complete = decided(120, "complete")
    assert protocol(enrolled()) == "screening"
    assert protocol(*TREATED) == "on_treatment"
    assert protocol(*TREATED, complete) == "completed"
    assert protocol(*TREATED, complete, LOW, GONE, until=119) == "stop_basis_retracted"
    assert protocol(*TREATED, acute(111, skin=3), LOW, GONE, complete) == "held"
    assert protocol(*TREATED, acute(111, skin=3), LOW, complete) == "stopped"
    assert protocol(*TREATED, acute(111, skin=3), LOW, complete, LEFT) == "off_study"


def test_a_stop_found_after_completion_is_a_stop() -> None:
    assert protocol(*TREATED, decided(120, "complete"), marrow(125, "85")) == "stopped"


@pytest.mark.parametrize("decision", ["restart", "continue"])
def test_treatment_completed_and_taken_up_again_is_on_treatment(decision: str) -> None:
    course = [*TREATED, decided(120, "complete"), decided(125, decision)]
    assert Chart(course, 126).states[:2] == ("on_treatment", "on_treatment")


def test_before_the_first_dose_treatment_has_not_started() -> None:
    assert treatment() == "not_started"


@pytest.mark.parametrize("first", [azacitidine(95), dli(95)])
def test_the_first_dose_of_either_drug_begins_it(first: bytes) -> None:
    assert treatment(first) == "on_treatment"


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ("stop", "stopped"),
        ("hold", "on_hold"),
        ("complete", "completed"),
        ("withdraw", "off_study"),
        ("continue", "on_treatment"),
    ],
)
def test_decisions_say_what_people_did_next_before_the_first_dose_as_after_it(decision: str, expected: str) -> None:
    assert treatment(azacitidine(95), decided(120, decision)) == expected
    assert treatment(decided(120, decision)) == expected


def test_an_unsigned_decision_says_nothing() -> None:
    assert treatment(azacitidine(95), decided(120, "hold", signed_by=None)) == "on_treatment"


def test_a_stop_of_the_rules_is_not_what_people_did() -> None:
    chart = Chart([*TREATED, LOW], 111)
    assert chart.states[:2] == ("stopped", "on_treatment")
    assert Chart([*TREATED, LOW, decided(110.3, "stop")], 111).states[:2] == ("stopped", "stopped")


@pytest.mark.parametrize("decision", ["stop", "hold"])
def test_a_dose_after_it_says_that_people_treat_again(decision: str) -> None:
    assert treatment(azacitidine(95), decided(110, decision), azacitidine(111)) == "on_treatment"


def test_a_dose_of_the_day_of_the_order_counts_only_where_the_hours_are_known() -> None:
    of_the_day = decided(110, "hold", effective_at=on_date(110), issued=110.4)
    assert treatment(azacitidine(95), of_the_day, azacitidine(110)) == "on_hold"
    assert treatment(azacitidine(95), decided(110, "hold"), azacitidine(110.1)) == "on_treatment"
    assert treatment(azacitidine(95), decided(110, "hold"), azacitidine(109.9)) == "on_hold"


@pytest.mark.parametrize("status", ["withdrawn", "died", "lost"])
def test_who_left_the_study_is_off_study_in_both(status: str) -> None:
    left = message("patient.status-changed", "left", 120, patient_status=status)
    assert Chart([*TREATED, left], 121).states[:2] == ("off_study", "off_study")


def test_a_departure_taken_back_was_none() -> None:
    back = message(
        "patient.status-changed",
        "left",
        130,
        version=2,
        issued=132,
        patient_status="lost",
        status="entered-in-error",
        reason="found again",
    )
    assert Chart([*TREATED, LEFT, back], 133).states[:2] == ("on_treatment", "on_treatment")


def test_states_follow_clinical_time_not_the_order_of_arrival() -> None:
    late_hold = decided(110, "hold", issued=125)
    assert treatment(azacitidine(95), decided(120, "continue"), late_hold) == "on_treatment"
