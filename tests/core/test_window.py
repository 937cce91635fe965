"""The restart window: when it opens and closes, and what ends it for good."""

import json
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.times import show
from monitor.protocol.model import Protocol
from tests.core.charts import (
    NO_ORGAN,
    PROTOCOL,
    Chart,
    acute,
    azacitidine,
    chronic,
    decided,
    enrolled,
    marrow,
    message,
    on_date,
    on_day,
)

MINUTE = 1 / 1440
MIDNIGHT = -0.375  # days from 09:00 back to the beginning of the local day
STOPPED = [enrolled(), azacitidine(95), acute(110, skin=3), decided(110.2, "hold")]  # t0 is D+110
CLEAR = [acute(120), chronic(121)]  # remission, and an explicit "no cGVHD"
MILD: dict[str, Any] = {"present": True, "organ_scores": NO_ORGAN | {"skin": 1}}


def window(*facts: bytes, until: float) -> dict[str, Any]:
    shown = Chart([*STOPPED, *facts], until).window
    assert isinstance(shown, dict)
    return shown


def state(*facts: bytes, until: float) -> object:
    return window(*facts, until=until)["state"]


def day(number: int) -> str:
    return on_date(number)


def test_t0_is_the_first_signed_stop_or_hold_after_the_stop() -> None:
    assert window(until=111)["t0"] == day(110)
    chart = Chart([*STOPPED[:3], decided(113, "hold", signed_by=None), decided(114, "stop"), decided(116, "hold")], 117)
    assert (chart.window["t0"], chart.window["provisional"]) == (day(114), False)


def test_t0_is_the_order_in_force_when_the_stop_came() -> None:
    course = [enrolled(), azacitidine(95), decided(105, "hold"), acute(110, skin=3), decided(112, "stop")]
    assert (Chart(course, 113).window["t0"], Chart(course, 113).window["provisional"]) == (day(105), False)


def test_an_order_that_a_dose_has_overtaken_is_not_in_force() -> None:
    course = [enrolled(), azacitidine(95), decided(100, "hold"), azacitidine(105), acute(110, skin=3)]
    assert (Chart(course, 113).window["t0"], Chart(course, 113).window["provisional"]) == (day(110), True)


def test_an_order_of_the_day_of_the_stop_without_an_hour_is_its_order() -> None:
    course = [enrolled(), azacitidine(95), azacitidine(109.9), acute(110, skin=3)]
    chart = Chart([*course, decided(110, "hold", effective_at=on_date(110), issued=110.1)], 111)
    assert (chart.window["t0"], chart.window["provisional"]) == (day(110), False)


def test_without_an_order_t0_is_the_day_of_the_stop_and_provisional() -> None:
    shown = Chart(STOPPED[:3], 111).window
    assert (shown["t0"], shown["provisional"]) == (day(110), True)


def test_an_order_after_the_stop_was_lifted_is_none() -> None:
    chart = Chart([*STOPPED[:3], decided(120, "continue"), decided(122, "hold")], 123)
    assert (chart.window["t0"], chart.window["provisional"]) == (day(110), True)


def test_it_may_open_thirty_days_after_t0_and_closes_at_the_end_of_day_sixty() -> None:
    shown = window(*CLEAR, until=125)
    assert (shown["state"], shown["opens_on"], shown["closes_on"]) == ("pending", day(140), day(170))


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (140 + MIDNIGHT - MINUTE, "pending"),
        (140 + MIDNIGHT, "open"),
        (171 + MIDNIGHT - MINUTE, "open"),
        (171 + MIDNIGHT, "expired"),
    ],
)
def test_it_opens_and_closes_at_local_midnight_with_no_event_arriving(until: float, expected: str) -> None:
    assert state(*CLEAR, until=until) == expected


def test_it_opens_on_the_day_both_are_documented_if_that_is_later() -> None:
    late = [acute(143), chronic(145)]
    assert window(*late, until=144)["opens_on"] == day(140)  # until both are there: the earliest day it can open
    shown = window(*late, until=150)
    assert (shown["state"], shown["opens_on"]) == ("open", day(145))
    assert window(*late, acute(155), chronic(156), until=160)["opens_on"] == day(145)  # and it does not move


def test_it_is_blocked_from_day_thirty_while_nobody_has_looked_for_chronic_gvhd() -> None:
    assert state(acute(120), until=140 + MIDNIGHT - MINUTE) == "pending"
    assert state(acute(120), until=140 + MIDNIGHT) == "blocked"
    chart = Chart([*STOPPED, acute(120), chronic(150)], 151)
    [alert] = chart.alerts("restart.window-blocked")
    assert (alert.status, alert.details["outcome"], alert.to_json()["effective_at"]) == (
        "resolved",
        "later_result",
        day(140),
    )
    assert chart.window["state"] == "open"


def test_what_was_assessed_before_the_stop_does_not_count() -> None:
    assert state(chronic(109), acute(120), until=141) == "blocked"
    assert state(chronic(110), acute(120), until=141) == "open"  # at the very visit of the stop: since the stop


def test_remission_comes_after_the_stop_not_with_it() -> None:
    """Two assessments of one instant that disagree are no remission, nor is one of the same day without an hour."""
    for remission in (acute(110, record="z"), acute(110, record="z", effective_at=on_date(110))):
        assert state(remission, chronic(121), until=141) == "pending"
    assert state(acute(110.01, record="z"), chronic(121), until=141) == "open"


def test_of_the_day_of_the_stop_without_an_hour_counts_as_since_the_stop() -> None:
    assert state(chronic(110, effective_at=on_date(110)), acute(120), until=141) == "open"
    assert state(chronic(109, effective_at=on_date(109)), acute(120), until=141) == "blocked"


@pytest.mark.parametrize(
    "no_proof",
    [
        chronic(121, organ_scores={"skin": 0}),
        chronic(121, status="preliminary"),
        chronic(121, present=None, organ_scores={"skin": 0, "lung": None}),
    ],
)
def test_an_incomplete_or_preliminary_form_is_no_explicit_none(no_proof: bytes) -> None:
    assert state(acute(120), no_proof, until=141) == "pending"


def test_nor_does_it_undo_one_that_was_given() -> None:
    assert state(*CLEAR, chronic(130, organ_scores={"skin": 0}), until=141) == "open"
    assert state(*CLEAR, acute(130, status="preliminary"), until=141) == "open"
    skin_only = message("gvhd.acute-assessed", "skin-only", 130, stages={"skin": 0})
    assert state(*CLEAR, skin_only, until=141) == "open"


def test_a_lower_bound_is_no_remission_but_a_reported_grade_zero_is() -> None:
    skin_only: dict[str, Any] = {"stages": {"skin": 0}}
    assert state(message("gvhd.acute-assessed", "r", 120, **skin_only), chronic(121), until=141) == "pending"
    reported = message("gvhd.acute-assessed", "r", 120, reported_grade="0")
    assert state(reported, chronic(121), until=141) == "open"


def test_remission_up_to_grade_one_where_the_protocol_file_says_so() -> None:
    values = PROTOCOL.model_dump()
    values["restart"]["remission"] = "complete_or_grade_1"
    wider = Protocol.model_validate(values)
    grade_1 = [acute(120, skin=1), chronic(121)]
    assert state(*grade_1, until=141) == "pending"
    assert Chart([*STOPPED, *grade_1], 141, wider).window["state"] == "open"


@pytest.mark.parametrize(("unit", "opens", "closes"), [("cycle_days", 138, 166), ("calendar_months", 140, 171)])
def test_the_other_readings_of_one_to_two_months(unit: str, opens: int, closes: int) -> None:
    """D+110 is 21 April: the months end on 21 May and 21 June."""
    values = PROTOCOL.model_dump()
    values["restart"]["unit"] = unit
    shown = Chart([*STOPPED, *CLEAR], 125, Protocol.model_validate(values)).window
    assert (shown["opens_on"], shown["closes_on"]) == (day(opens), day(closes))


def test_acute_gvhd_back_at_grade_one_makes_it_wait_for_another_remission() -> None:
    back = acute(145, skin=1)
    assert state(*CLEAR, back, until=146) == "pending"
    assert window(*CLEAR, back, until=146)["opens_on"] == day(140)
    again = window(*CLEAR, back, acute(150), until=151)
    assert (again["state"], again["opens_on"]) == ("open", day(150))


def test_acute_gvhd_back_at_the_stop_grade_keeps_t0_when_nothing_was_given_between() -> None:
    back = [acute(145, skin=3), acute(155), chronic(156)]
    shown = window(*CLEAR, *back, until=157)
    assert (shown["t0"], shown["state"], shown["opens_on"]) == (day(110), "open", day(156))
    assert state(*CLEAR, back[0], until=146) == "blocked"  # remission and absence are asked for anew


@pytest.mark.parametrize("between", [azacitidine(130), decided(130, "restart")])
def test_it_has_a_window_of_its_own_when_something_was(between: bytes) -> None:
    shown = window(*CLEAR, between, acute(145, skin=3), until=146)
    assert (shown["t0"], shown["provisional"]) == (day(145), True)


AGAIN = [azacitidine(145), acute(150, skin=3), acute(160), chronic(161)]  # a window of its own: D+180 to D+210


def test_the_window_before_it_is_over_then_and_neither_opens_again_nor_expires() -> None:
    chart = Chart([*STOPPED, *CLEAR, *AGAIN], 172)
    assert [(a.status, a.details["outcome"]) for a in chart.alerts("restart.window-open")] == [
        ("resolved", "later_result")
    ]
    assert chart.alerts("restart.window-closing") == chart.alerts("restart.window-expired") == []


def test_what_had_ended_the_window_before_it_is_resolved_when_it_begins() -> None:
    course = [*CLEAR, azacitidine(175), acute(180, skin=3)]
    [alert] = Chart([*STOPPED, *course], 182).alerts("restart.window-expired")
    assert (alert.status, alert.details["outcome"]) == ("resolved", "later_result")


def test_chronic_gvhd_since_treatment_was_held_invalidates_the_new_window_as_well() -> None:
    """A dose against the rule and GVHD that comes back do not undo it; after a lifted stop it is of the past."""
    sick = chronic(148, **MILD)
    chart = Chart([*STOPPED, *CLEAR, AGAIN[0], sick, *AGAIN[1:]], 182)
    assert chart.window["state"] == "invalidated"
    told = [(a.effective_at, a.status) for a in chart.alerts("restart.window-invalidated")]
    assert told == [(on_day(148), "resolved"), (on_day(150), "firing")]
    lifted = [*STOPPED, *CLEAR, decided(145, "restart"), sick, acute(150, skin=3), acute(160), chronic(161)]
    assert Chart(lifted, 182).window["state"] == "open"


@pytest.mark.parametrize(
    ("signed", "expected", "outside"), [(165, "pending", 1), (190, "used", 0), (211, "expired", 1)]
)
def test_a_restart_is_judged_by_the_last_window_whose_stop_it_lifts(signed: int, expected: str, outside: int) -> None:
    chart = Chart([*STOPPED, *CLEAR, *AGAIN, decided(signed, "restart")], 215)
    assert chart.window["state"] == expected
    assert len(chart.alerts("restart.outside-window")) == outside


@pytest.mark.parametrize(
    ("course", "said"),
    [
        ([*CLEAR, decided(130, "restart")], "before the restart window could open"),
        ([chronic(121), decided(150, "restart")], "were not both documented"),
        ([acute(120), decided(150, "restart")], "no chronic GVHD assessment since the stop"),
        ([*CLEAR, decided(175, "restart")], "after the restart window had closed"),
        ([*CLEAR, chronic(130, **MILD), decided(150, "restart")], "closed for good"),
    ],
)
def test_a_restart_outside_is_told_with_how_it_found_the_window(course: list[bytes], said: str) -> None:
    [alert] = Chart([*STOPPED, *course], 180).alerts("restart.outside-window")
    assert said in alert.summary


def test_a_restart_after_one_that_was_taken_back_later_found_the_window_used() -> None:
    undone = decided(145, "restart", record="r", version=2, status="cancelled", reason="wrong patient", issued=160)
    course = [*CLEAR, decided(145, "restart", record="r"), decided(150, "restart"), undone]
    [alert] = Chart([*STOPPED, *course], 161).alerts("restart.outside-window")
    assert "had been used already" in alert.summary


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (chronic(130, **MILD), "Chronic GVHD since the stop, mild"),
        (chronic(130, overlap=True), "stop.overlap stands beside"),
        (marrow(130, "85"), "stop.chimerism stands beside"),
    ],
)
def test_what_closed_a_window_for_good_is_named(fact: bytes, said: str) -> None:
    [alert] = Chart([*STOPPED, *CLEAR, fact], 141).alerts("restart.window-invalidated")
    assert said in alert.summary


def test_a_window_that_counts_from_the_stop_itself_says_so() -> None:
    [alert] = Chart([*STOPPED[:3], *CLEAR], 141).alerts("restart.window-open")
    assert "counted from the stop itself" in alert.summary


def test_a_stop_that_was_unknown_to_the_signer_stands_and_its_window_is_the_one_to_show() -> None:
    earlier = acute(108, skin=3, issued=150)
    chart = Chart([*STOPPED, *CLEAR, decided(141, "restart"), earlier], 151)
    assert (chart.states[0], chart.window["state"]) == ("held", "open")


def test_a_stop_that_stands_alone_again_has_its_window_back() -> None:
    """The first came to light after a restart had lifted the second, which had a window of its own."""
    found_late = acute(110, liver=2, record="late", issued=148)
    course = [enrolled(), azacitidine(95), found_late, azacitidine(112), acute(115, skin=3), acute(125), chronic(126)]
    lifted = [*course, decided(146.5, "restart")]
    stood = Chart(lifted, 150)
    assert (stood.states[0], stood.window["t0"], stood.window["state"]) == ("held", day(110), "open")
    again = Chart([*lifted, decided(155, "restart")], 160)
    assert again.statuses("restart.outside-window") == []


def test_what_comes_after_the_last_day_does_not_move_the_day_on_which_it_could_open() -> None:
    assert window(acute(120), chronic(145), until=160)["opens_on"] == day(145)
    over = [acute(120), chronic(145), acute(172, liver=2)]
    assert window(*over, until=175)["state"] == "expired"
    assert window(*over, until=175)["opens_on"] == day(145)
    on_the_next_day = chronic(171, effective_at=day(171))
    assert window(acute(120), on_the_next_day, until=175)["opens_on"] == day(140)


def test_an_opening_that_was_used_on_its_own_day_has_been_one() -> None:
    used = Chart([*STOPPED, *CLEAR, decided(140, "restart", effective_at=day(140))], 150)
    assert used.window["state"] == "used"
    assert [(a.status, a.details["outcome"]) for a in used.alerts("restart.window-open")] == [("resolved", "used")]


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (chronic(130, **MILD), "invalidated"),
        (chronic(130, overlap=True), "invalidated"),
        (chronic(130, present=True), "invalidated"),  # present with all organs at 0 is not "none" either
        (marrow(130, "85"), "invalidated"),
        (chronic(130, **MILD, diagnostic_sign=False), "pending"),
        (chronic(130, **MILD, status="preliminary"), "pending"),
        (chronic(130, present=True, organ_scores=NO_ORGAN | {"skin": 2}, diagnostic_sign=False), "pending"),
        (marrow(130, "85", status="preliminary"), "pending"),
    ],
)
def test_what_is_sure_invalidates_and_what_is_provisional_only_suspends(fact: bytes, expected: str) -> None:
    assert state(*CLEAR, fact, until=141) == expected


def test_a_later_none_does_not_reopen_what_was_invalidated_but_ends_a_suspension() -> None:
    later = chronic(135)
    assert state(*CLEAR, chronic(130, **MILD), later, until=141) == "invalidated"
    shown = window(*CLEAR, chronic(130, **MILD, diagnostic_sign=False), later, until=141)
    assert shown["state"] == "open"


def test_chronic_gvhd_of_the_day_of_the_stop_without_an_hour_invalidates() -> None:
    assert state(*CLEAR, chronic(110, **MILD, record="x", effective_at=on_date(110)), until=141) == "invalidated"


def test_chronic_gvhd_before_the_stop_does_not() -> None:
    assert state(chronic(109, **MILD, record="x"), *CLEAR, until=141) == "open"


def test_retracting_what_invalidated_it_opens_it_again() -> None:
    wrong = chronic(130, **MILD, record="x")
    gone = chronic(130, record="x", version=2, status="entered-in-error", reason="wrong patient", issued=141)
    chart = Chart([*STOPPED, *CLEAR, wrong, gone], 142)
    assert chart.window["state"] == "open"
    assert chart.statuses("restart.window-invalidated") == ["withdrawn"]


def test_a_permanent_stop_that_was_lifted_before_does_not_invalidate() -> None:
    course = [enrolled(), azacitidine(95), marrow(98, "85"), decided(100, "continue"), *STOPPED[2:], *CLEAR]
    assert Chart(course, 141).window["state"] == "open"


def test_a_permanent_stop_that_stands_already_invalidates_from_the_first_day() -> None:
    chart = Chart([enrolled(), azacitidine(95), marrow(98, "85"), *STOPPED[2:], *CLEAR], 141)
    assert (chart.window["state"], chart.states[0]) == ("invalidated", "stopped")
    [alert] = chart.alerts("restart.window-invalidated")
    assert alert.to_json()["effective_at"] == "2025-04-21T01:00:00Z"


@pytest.mark.parametrize("decision", ["restart", "continue"])
@pytest.mark.parametrize(
    ("signed", "expected", "outside"),
    [
        (140 + MIDNIGHT - MINUTE, "pending", 1),
        (140 + MIDNIGHT, "used", 0),
        (171 + MIDNIGHT - MINUTE, "used", 0),
        (171 + MIDNIGHT, "expired", 1),
    ],
)
def test_a_restart_uses_the_window_only_while_it_is_open(
    decision: str, signed: float, expected: str, outside: int
) -> None:
    chart = Chart([*STOPPED, *CLEAR, decided(signed, decision)], 175)
    assert chart.window["state"] == expected
    assert len(chart.alerts("restart.outside-window")) == outside
    assert chart.states[0] == "on_treatment"  # either way the signature lifts the stop


@pytest.mark.parametrize(("on", "expected"), [(139, "pending"), (140, "used"), (170, "used"), (171, "expired")])
def test_a_restart_without_an_hour_is_judged_by_its_day(on: int, expected: str) -> None:
    restart = decided(on, "restart", effective_at=on_date(on), issued=on + 0.1)
    assert state(*CLEAR, restart, until=175) == expected


def test_a_restart_on_day_45_that_is_known_on_day_70_used_the_window() -> None:
    late = decided(155, "restart", issued=180)
    before, after = Chart([*STOPPED, *CLEAR], 179), Chart([*STOPPED, *CLEAR, late], 181)
    assert before.window["state"] == "expired"
    assert (after.window["state"], after.statuses("restart.window-expired")) == ("used", ["withdrawn"])
    assert after.alerts("restart.outside-window") == []


def test_whether_it_was_inside_is_judged_by_what_had_been_issued_before_it() -> None:
    remission_known_late = acute(120, issued=150)
    chart = Chart([*STOPPED, chronic(121), remission_known_late, decided(145, "restart")], 151)
    assert len(chart.alerts("restart.outside-window")) == 1
    assert chart.window["state"] == "pending"  # it keeps for good the state it was seen in
    unknown = chronic(130, **MILD, issued=150)
    kept = Chart([*STOPPED, *CLEAR, decided(145, "restart"), unknown], 151)
    assert kept.alerts("restart.outside-window") == []


def test_the_first_of_used_invalidated_and_expired_by_clinical_time_stays() -> None:
    assert state(*CLEAR, decided(145, "restart"), chronic(150, **MILD), until=175) == "used"
    assert state(*CLEAR, chronic(150, **MILD), until=175) == "invalidated"
    assert state(*CLEAR, chronic(172, **MILD), until=175) == "expired"
    assert state(*CLEAR, chronic(150, **MILD), decided(155, "restart"), until=175) == "invalidated"


def test_a_second_restart_is_told() -> None:
    chart = Chart([*STOPPED, *CLEAR, decided(145, "restart"), acute(150, skin=3), decided(185, "continue")], 186)
    [alert] = chart.alerts("restart.second")
    assert (alert.priority, alert.review, alert.basis) == ("medium", True, ("decision-185",))
    assert len(chart.alerts("restart.outside-window")) == 1


def test_the_course_of_a_window_is_told_each_with_its_day() -> None:
    chart = Chart([*STOPPED, *CLEAR], 180)
    told = {a.rule: (a.to_json()["effective_at"], a.to_json()["raised_at"], a.status) for a in chart.patient.alerts}

    def midnight(number: int) -> str:
        return show(on_day(number) - timedelta(hours=9))

    assert told["restart.window-open"] == (day(140), midnight(140), "resolved")
    assert told["restart.window-closing"] == (day(163), midnight(163), "resolved")
    assert told["restart.window-expired"] == (day(171), midnight(171), "firing")


def test_notice_of_closing_comes_at_the_opening_if_that_is_later() -> None:
    [alert] = Chart([*STOPPED, acute(120), chronic(166)], 167).alerts("restart.window-closing")
    assert (alert.to_json()["effective_at"], alert.status) == (day(166), "firing")
    assert Chart([*STOPPED, *CLEAR], 163 + MIDNIGHT - MINUTE).alerts("restart.window-closing") == []


def test_each_opening_is_an_alert_of_its_own_whatever_arrives_late() -> None:
    course = [*CLEAR, acute(145, skin=1), acute(150)]
    in_time = Chart([*STOPPED, *course], 152).alerts("restart.window-open")
    late = Chart([*STOPPED, *CLEAR, course[3], course[2]], 152).alerts("restart.window-open")
    assert [(a.alert_id, a.status, str(a.effective_at)) for a in in_time if a.live] == [
        (a.alert_id, a.status, str(a.effective_at)) for a in late if a.live
    ]
    assert [(str(a.effective_at), a.status) for a in in_time] == [(day(140), "resolved"), (day(150), "firing")]


def test_when_the_stop_is_retracted_there_is_no_window() -> None:
    gone = acute(110, record="acute-110", version=2, status="cancelled", reason="wrong patient", issued=142)
    chart = Chart([*STOPPED, *CLEAR, gone], 143)
    assert (chart.window, chart.states[0]) == (None, "stop_basis_retracted")
    assert chart.statuses("restart.window-open") == ["withdrawn"]


def test_off_study_there_is_no_window_and_its_clock_stands_still() -> None:
    left = message("patient.status-changed", "left", 145, patient_status="withdrawn")
    chart = Chart([*STOPPED, *CLEAR, left], 180)
    assert (chart.window, chart.states[:2]) == (None, ("off_study", "off_study"))
    assert chart.statuses("restart.window-open") == ["resolved"]
    assert chart.alerts("restart.window-closing") == chart.alerts("restart.window-expired") == []


def test_a_provisional_stop_has_a_window_like_any_other() -> None:
    maybe = [enrolled(), azacitidine(95), acute(110, skin=3, confidence="possible"), acute(120), chronic(121)]
    assert Chart(maybe, 141).window["state"] == "open"


def test_when_a_window_is_over_the_clock_no_longer_waits_for_it() -> None:
    over = Chart(
        [*STOPPED[:1], azacitidine(95), acute(110, skin=3), decided(110.2, "stop"), decided(112, "restart")], 113
    )
    assessment = over.patient.fold.assessment
    assert assessment is not None
    answer = next(a for name, a in assessment.answers.items() if "restart_window" in name)
    assert answer.deadlines == ()


def test_many_stops_and_restarts_are_each_judged_alone() -> None:
    """Were each judged by all before it, the cost would double with each: sixteen would take minutes, thirty years."""
    rounds = range(100, 260, 10)
    course = [*(acute(day, skin=3) for day in rounds), *(decided(day + 5, "restart") for day in rounds)]
    chart = Chart([enrolled(), azacitidine(95), *sorted(course, key=lambda raw: json.loads(raw)["time"])], 261)
    assert len(chart.alerts("restart.outside-window")) == len(rounds)
    assert len(chart.alerts("restart.second")) == len(rounds) - 1
