"""What stops treatment, from when on, and how sure: the stop rules and what comes before the first dose."""

from typing import Any

import pytest

from tests.core.charts import (
    NO_ORGAN,
    Chart,
    acute,
    azacitidine,
    chronic,
    decided,
    dli,
    enrolled,
    marrow,
    message,
    on_date,
)

TREATED = [enrolled(), azacitidine(95)]


def disease(day: float, record: str = "disease", **more: Any) -> bytes:
    return message("disease.assessed", record, day, **more)


def event(day: float, **more: Any) -> bytes:
    return message("adverse-event.reported", "ae", day, term="event", **more)


def graft(day: float, **more: Any) -> bytes:
    return message("graft.assessed", "graft", day, **more)


def stops(chart: Chart) -> list[str]:
    return [a.rule for a in chart.patient.alerts if a.rule.startswith("stop.") and a.live]


STOPPING = [
    (event(110, ctcae_grade=2, life_threatening=True), "stop.life-threatening"),
    (event(110, ctcae_grade=4, laboratory=False), "stop.life-threatening"),
    (event(110, ctcae_grade=5, laboratory=True), "stop.life-threatening"),
    (acute(110, skin=3), "stop.acute-gvhd"),
    (chronic(110, present=True, organ_scores=NO_ORGAN | {"skin": 2}), "stop.chronic-gvhd"),
    (chronic(110, present=True, organ_scores=NO_ORGAN | {"skin": 1}, overlap=True), "stop.overlap"),
    (disease(110, marrow_blast_percent="5"), "stop.relapse"),
    (disease(110, blood_blast_percent="5"), "stop.relapse"),
    (disease(110, extramedullary=True), "stop.relapse"),
    (disease(110, relapse=True), "stop.relapse"),
    (message("lab.resulted", "blasts", 110, code="26446-5", value="5", unit="%", specimen="blood"), "stop.relapse"),
    (graft(110, rejection=True), "stop.graft-rejection"),
    (marrow(110, "89.99"), "stop.chimerism"),
]

NOT_STOPPING = [
    event(110, ctcae_grade=4, laboratory=True),
    event(110, ctcae_grade=3, laboratory=False),
    acute(110, skin=2),
    chronic(110, present=True, organ_scores=NO_ORGAN | {"skin": 1, "eyes": 1}),
    disease(110, marrow_blast_percent="4.99", blood_blast_percent="4.99"),
    message("lab.resulted", "blasts", 110, code="26446-5", value="4.99", unit="%", specimen="blood"),
    graft(110, rejection=False, failure="secondary"),
    marrow(110, "90"),
    marrow(110, "90.00"),
    marrow(110, "80", lineage="cd3"),
    marrow(110, "80", specimen="blood"),
]


@pytest.mark.parametrize(("fact", "rule"), STOPPING)
def test_each_condition_of_the_clause_stops(fact: bytes, rule: str) -> None:
    chart = Chart([*TREATED, fact], 111)
    assert stops(chart) == [rule]
    assert chart.states[0] == ("held" if rule == "stop.acute-gvhd" else "stopped")
    assert [(a.priority, a.provisional) for a in chart.alerts(rule)] == [("high", False)]


@pytest.mark.parametrize("fact", NOT_STOPPING)
def test_just_short_of_each_condition_nothing_stops(fact: bytes) -> None:
    chart = Chart([*TREATED, fact], 111)
    assert (stops(chart), chart.states[0]) == ([], "on_treatment")


@pytest.mark.parametrize("fact", [fact for fact, _ in STOPPING])
def test_before_the_first_dose_nothing_is_stopped(fact: bytes) -> None:
    chart = Chart([enrolled(), fact], 111)
    assert (stops(chart), chart.states[0]) == ([], "screening")


@pytest.mark.parametrize(("fact", "rule"), [pair for pair in STOPPING if pair[1] != "stop.life-threatening"])
def test_at_the_first_dose_the_latest_assessment_is_judged_and_stops_from_that_dose(fact: bytes, rule: str) -> None:
    chart = Chart([enrolled(), fact, azacitidine(112)], 113)
    [alert] = chart.alerts(rule)
    assert alert.to_json()["effective_at"] == "2025-04-23T01:00:00Z"
    assert chart.alerts("treatment.dose-after-stop") == []


@pytest.mark.parametrize("fact", [fact for fact, rule in STOPPING if rule == "stop.life-threatening"])
def test_an_adverse_event_before_the_first_dose_is_not_judged_again_at_the_dose(fact: bytes) -> None:
    assert stops(Chart([enrolled(), fact, azacitidine(112)], 113)) == []


def test_at_the_first_dose_only_the_latest_assessment_is_judged() -> None:
    assert stops(Chart([enrolled(), marrow(80.5, "85"), marrow(90, "95"), azacitidine(95)], 96)) == []
    assert stops(Chart([enrolled(), marrow(80.5, "95"), marrow(90, "85"), azacitidine(95)], 96)) == ["stop.chimerism"]


@pytest.mark.parametrize(("low", "fine"), [("a", "b"), ("b", "a")])
def test_of_two_results_of_one_instant_before_the_first_dose_the_worse_is_judged(low: str, fine: str) -> None:
    both = [marrow(90, "85", record=low), marrow(90, "95", record=fine)]
    assert stops(Chart([enrolled(), *both, azacitidine(95)], 96)) == ["stop.chimerism"]


@pytest.mark.parametrize(("mild", "grave"), [("a", "b"), ("b", "a")])
def test_of_two_hits_of_one_instant_before_the_first_dose_neither_hides_the_other(mild: str, grave: str) -> None:
    both = [acute(90, skin=3, record=mild, status="preliminary"), acute(90, skin=4, record=grave)]
    [alert] = Chart([enrolled(), *both, azacitidine(95)], 96).alerts("stop.acute-gvhd")
    assert set(alert.basis) == {mild, grave}
    assert not alert.provisional


def test_an_assessment_of_the_day_of_the_first_dose_without_an_hour_counts_as_since_the_dose() -> None:
    low = marrow(95, "85", effective_at=on_date(95))
    [alert] = Chart([enrolled(), azacitidine(95.1), low], 96).alerts("stop.chimerism")
    assert alert.to_json()["effective_at"] == on_date(95)


def test_no_assessment_is_lost_between_those_with_an_hour_and_those_without() -> None:
    """A day stands for its beginning in an order; a dose of that day without an hour comes before neither."""
    low = marrow(95, "85", record="low", effective_at=on_date(95))
    fine = marrow(94.9, "97", record="fine")
    assert stops(Chart([enrolled(), low, fine, azacitidine(95)], 96)) == ["stop.chimerism"]


def test_a_first_dose_that_is_reported_late_stops_by_what_was_known_before_it() -> None:
    chart = Chart([enrolled(), azacitidine(100), marrow(98, "85"), azacitidine(97, record="late", issued=105)], 106)
    [alert] = chart.alerts("stop.chimerism")
    assert alert.to_json()["effective_at"] == "2025-04-09T01:00:00Z"
    assert [a.to_json()["effective_at"] for a in chart.alerts("treatment.dose-after-stop")] == ["2025-04-11T01:00:00Z"]


def test_when_the_first_dose_was_never_given_its_stop_is_withdrawn_and_waits_for_a_decision() -> None:
    gone = azacitidine(95, record="aza-95", version=2, status="entered-in-error", reason="not given", issued=112)
    chart = Chart([*TREATED, marrow(110, "85"), gone], 113)
    assert chart.statuses("stop.chimerism") == ["withdrawn"]
    assert chart.states[:2] == ("stop_basis_retracted", "not_started")


def test_a_preliminary_stops_provisionally_and_its_final_makes_it_certain() -> None:
    early = marrow(110, "85", record="m", status="preliminary")
    held = Chart([*TREATED, early], 111)
    assert [(a.provisional, a.review) for a in held.alerts("stop.chimerism")] == [(True, True)]
    assert held.states[0] == "stopped"
    sure = Chart([*TREATED, early, marrow(110, "85", record="m", version=2, issued=111)], 112)
    [alert] = sure.alerts("stop.chimerism")
    assert (alert.status, alert.provisional, alert.review, alert.revision) == ("firing", False, False, 2)
    assert alert.alert_id == held.alerts("stop.chimerism")[0].alert_id


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_final_amended_and_corrected_count(status: str) -> None:
    [alert] = Chart([*TREATED, marrow(110, "85", status=status, reason="checked")], 111).alerts("stop.chimerism")
    assert not alert.provisional


def test_a_second_fact_of_another_rule_revises_the_first_alert() -> None:
    chart = Chart([*TREATED, marrow(110, "85"), marrow(115, "95"), marrow(120, "80")], 121)
    [alert] = chart.alerts("stop.chimerism")
    assert (alert.basis, alert.revision) == (("chimerism-110", "chimerism-120"), 2)
    assert alert.to_json()["effective_at"] == "2025-04-21T01:00:00Z"


def test_a_late_earlier_fact_revises_the_effective_time() -> None:
    chart = Chart([*TREATED, marrow(110, "85"), marrow(105, "86", issued=112)], 113)
    [alert] = chart.alerts("stop.chimerism")
    assert (alert.to_json()["effective_at"], alert.to_json()["raised_at"]) == (
        "2025-04-16T01:00:00Z",
        "2025-04-21T02:00:00Z",
    )


def test_boundary_and_provisional_hold_only_while_they_hold_for_all() -> None:
    boundary = acute(110, skin=3, confidence="possible")
    [alert] = Chart([*TREATED, boundary], 111).alerts("stop.acute-gvhd")
    assert (alert.boundary, alert.provisional, alert.review) == (True, True, True)
    [alert] = Chart([*TREATED, boundary, acute(112, skin=4)], 113).alerts("stop.acute-gvhd")
    assert (alert.boundary, alert.provisional, alert.review) == (False, False, False)


def test_a_stop_that_got_worse_says_so() -> None:
    [alert] = Chart([*TREATED, acute(110, skin=3), acute(112, skin=4)], 113).alerts("stop.acute-gvhd")
    assert "grade II (" in alert.summary
    assert "Latest: Acute GVHD grade IV" in alert.summary


def test_several_reasons_are_each_listed_with_their_own_time_and_a_permanent_one_dominates() -> None:
    chart = Chart([*TREATED, acute(110, skin=3), marrow(112, "85")], 113)
    assert {(rule, at[:10]) for rule, at in chart.live if rule.startswith("stop.")} == {
        ("stop.acute-gvhd", "2025-04-21"),
        ("stop.chimerism", "2025-04-23"),
    }
    assert chart.states[0] == "stopped"


def test_overlap_is_derived_provisionally_from_both_diseases_on_one_day_at_the_later_of_the_two() -> None:
    mild = chronic(110, present=True, organ_scores=NO_ORGAN | {"skin": 1}, overlap=False)
    [alert] = Chart([*TREATED, mild, acute(110.25, skin=1)], 111).alerts("stop.overlap")
    assert (alert.provisional, alert.review) == (True, True)
    assert alert.to_json()["effective_at"] == "2025-04-21T07:00:00Z"
    assert stops(Chart([*TREATED, mild, acute(111, skin=1)], 112)) == []


def test_acute_gvhd_that_returns_after_an_assessment_below_is_a_second_alert() -> None:
    back = [acute(110, skin=3), acute(115, skin=2), acute(120, skin=3)]
    assert Chart([*TREATED, *back], 121).statuses("stop.acute-gvhd") == ["firing", "firing"]
    stayed = [acute(110, skin=3), acute(115, skin=4), acute(120, skin=3)]
    assert Chart([*TREATED, *stayed], 121).statuses("stop.acute-gvhd") == ["firing"]


def test_an_assessment_of_no_organ_is_no_improvement() -> None:
    nothing = message("gvhd.acute-assessed", "nothing", 115, stages={"skin": None})
    chart = Chart([*TREATED, acute(110, skin=3), nothing, acute(120, skin=3)], 121)
    assert chart.statuses("stop.acute-gvhd") == ["firing"]


def test_possible_alone_is_withdrawn_by_a_next_assessment_that_rules_it_out() -> None:
    ruled_out = acute(113, confidence="negative")
    chart = Chart([*TREATED, acute(110, skin=3, confidence="possible"), ruled_out], 114)
    assert (chart.statuses("stop.acute-gvhd"), chart.states[0]) == (["withdrawn"], "stop_basis_retracted")
    sure = Chart([*TREATED, acute(110, skin=3), ruled_out], 114)
    assert (sure.statuses("stop.acute-gvhd"), sure.states[0]) == (["firing"], "held")
    mixed = Chart([*TREATED, acute(110, skin=3, confidence="possible"), acute(111, skin=3), ruled_out], 114)
    assert mixed.statuses("stop.acute-gvhd") == ["firing"]


@pytest.mark.parametrize("given", [azacitidine, dli])
def test_each_dose_after_a_stop_is_an_alert_of_its_own(given: object) -> None:
    dose = azacitidine if given is azacitidine else dli
    chart = Chart([*TREATED, marrow(110, "85"), dose(112), dose(113)], 114)
    assert [a.details["known"] for a in chart.alerts("treatment.dose-after-stop")] == [True, True]


def test_a_dose_at_the_very_instant_of_the_stop_is_not_after_it() -> None:
    assert Chart([*TREATED, marrow(110, "85"), azacitidine(110)], 111).alerts("treatment.dose-after-stop") == []


@pytest.mark.parametrize(("dose_on", "after"), [(109, False), (110, False), (111, True)])
def test_without_an_hour_a_dose_is_after_the_stop_only_on_a_later_day(dose_on: int, after: bool) -> None:
    dose = azacitidine(dose_on, effective_at=on_date(dose_on))
    stopped = Chart([*TREATED, marrow(110, "85"), dose], 112)
    assert bool(stopped.alerts("treatment.dose-after-stop")) is after
    by_day = Chart([*TREATED, marrow(110, "85", effective_at=on_date(110)), azacitidine(dose_on + 0.3)], 112)
    assert bool(by_day.alerts("treatment.dose-after-stop")) is after


def test_a_dose_before_the_stop_was_told_is_not_known_and_one_after_it_is() -> None:
    late = marrow(110, "85", issued=113)
    chart = Chart([*TREATED, azacitidine(112), late, azacitidine(114)], 115)
    assert [a.details["known"] for a in chart.alerts("treatment.dose-after-stop")] == [False, True]


def test_what_was_told_before_the_dose_stays_told_when_an_earlier_result_arrives_late() -> None:
    """The alert gets another reference, since the fold would have raised it by the earlier fact; people knew."""
    chart = Chart([*TREATED, marrow(110, "85"), azacitidine(112), marrow(105, "85")], 113)
    live = [a for a in chart.alerts("treatment.dose-after-stop") if a.live]
    assert [a.details["known"] for a in live] == [True]


def test_a_dose_after_the_lifting_decision_is_none_of_it() -> None:
    course = [marrow(110, "85"), decided(115, "continue"), azacitidine(116)]
    assert Chart([*TREATED, *course], 117).alerts("treatment.dose-after-stop") == []


def test_a_fact_that_a_fast_clock_dates_minutes_ahead_stops_at_once() -> None:
    ahead = marrow(110, "85", issued=110 - 5 / 1440)
    assert Chart([*TREATED, ahead], 110 - 4 / 1440).states[0] == "stopped"


def test_a_dose_is_not_against_a_stop_that_a_form_of_a_later_day_took_away_weeks_after() -> None:
    doubted = acute(95, liver=1, record="doubted", confidence="possible", effective_at=on_date(95))
    refuted = acute(97, record="refuted", confidence="negative", effective_at=on_date(97), issued=105)
    doses = [azacitidine(95, effective_at=on_date(95)), azacitidine(96, effective_at=on_date(96))]
    settling = azacitidine(104)  # given against the stop as well, when the first is long past
    before = Chart([enrolled(), doubted, *doses, settling], 104.5)
    assert before.statuses("treatment.dose-after-stop") == ["firing", "firing"]
    after = Chart([enrolled(), doubted, *doses, settling, refuted], 106)
    assert after.statuses("treatment.dose-after-stop") == ["withdrawn", "withdrawn"]


@pytest.mark.parametrize(
    ("form", "state"),
    [
        (disease(85.2, relapse=False), "stopped"),
        (disease(85, relapse=False, effective_at=on_date(85)), "stopped"),  # the count may be the later one
        (disease(85.6, relapse=False), "on_treatment"),
    ],
)
def test_before_the_first_dose_a_form_answers_for_the_counts_that_are_certainly_earlier(
    form: bytes, state: str
) -> None:
    count = message("lab.resulted", "blasts", 85.4, code="26446-5", value="8", unit="%", specimen="blood")
    assert Chart([enrolled(), count, form, azacitidine(95)], 96).states[0] == state
