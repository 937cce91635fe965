"""What a person does with an alert: acknowledge, shelve, resolve; and what facts that come after make of it."""

from datetime import timedelta

import pytest

from tests.core.charts import (
    Chart,
    acute,
    azacitidine,
    chronic,
    command,
    decided,
    enrolled,
    marrow,
    on_day,
)

TREATED = [enrolled(), azacitidine(95)]
LOW = marrow(110, "85", record="m")


def reference(*facts: bytes, rule: str = "stop.chimerism", until: float = 110.5) -> str:
    return str(Chart([*TREATED, *facts], until).alerts(rule)[0].alert_id)


SHUT = reference(LOW)


def test_an_acknowledged_alert_stays_acknowledged_while_nothing_gets_worse() -> None:
    chart = Chart([*TREATED, LOW, command("acknowledged", SHUT, 111), marrow(112, "84")], 113)
    assert chart.statuses("stop.chimerism") == ["acknowledged"]


def test_one_that_gets_worse_is_put_before_people_again() -> None:
    early = marrow(110, "85", record="m", status="preliminary")
    seen = command("acknowledged", reference(early), 111)
    assert Chart([*TREATED, early, seen], 112).statuses("stop.chimerism") == ["acknowledged"]
    final = marrow(110, "85", record="m", version=2, issued=112)
    assert Chart([*TREATED, early, seen, final], 113).statuses("stop.chimerism") == ["firing"]


def test_a_stop_that_is_no_longer_on_the_boundary_has_got_worse() -> None:
    two = acute(110, skin=3)
    seen = command("acknowledged", reference(two, rule="stop.acute-gvhd"), 111)
    assert Chart([*TREATED, two, seen, acute(112, skin=3)], 113).statuses("stop.acute-gvhd") == ["acknowledged"]
    assert Chart([*TREATED, two, seen, acute(112, skin=4)], 113).statuses("stop.acute-gvhd") == ["firing"]


def test_a_shelved_alert_comes_back_when_its_time_is_over() -> None:
    shelved = command("shelved", SHUT, 111, until=on_day(115).isoformat())
    assert Chart([*TREATED, LOW, shelved], 114.99).statuses("stop.chimerism") == ["shelved"]
    assert Chart([*TREATED, LOW, shelved], 115).statuses("stop.chimerism") == ["firing"]


def test_one_that_gets_worse_leaves_the_shelf_and_does_not_leave_it_twice() -> None:
    early = marrow(110, "85", record="m", status="preliminary")
    shelved = command("shelved", reference(early), 111, until=on_day(115).isoformat())
    final = marrow(110, "85", record="m", version=2, issued=112)
    seen = command("acknowledged", reference(early), 113)
    assert Chart([*TREATED, early, shelved, final], 113).statuses("stop.chimerism") == ["firing"]
    assert Chart([*TREATED, early, shelved, final, seen], 116).statuses("stop.chimerism") == ["acknowledged"]


def test_a_shelf_that_is_over_when_asked_for_is_none() -> None:
    past = command("shelved", SHUT, 111, until=(on_day(111) - timedelta(hours=1)).isoformat())
    assert Chart([*TREATED, LOW, past], 112).statuses("stop.chimerism") == ["firing"]


def test_a_persons_resolve_ends_the_alert_and_not_the_stop() -> None:
    chart = Chart([*TREATED, LOW, command("resolved", SHUT, 111), azacitidine(112)], 113)
    [alert] = chart.alerts("stop.chimerism")
    assert (alert.status, alert.details["outcome"], chart.states[0]) == ("resolved", "person", "stopped")
    assert chart.statuses("treatment.dose-after-stop") == ["firing"]


@pytest.mark.parametrize(
    ("effective", "issued", "told"),
    [
        (110.5, 110.9, False),  # before it and issued before it: covered
        (112, 112.1, True),  # effective after it
        (110.5, 112, True),  # issued after it
    ],
)
def test_a_fact_later_than_the_resolve_in_either_time_is_a_new_alert(
    effective: float, issued: float, told: bool
) -> None:
    another = marrow(effective, "84", record="n", issued=issued)
    chart = Chart([*TREATED, LOW, another, command("resolved", SHUT, 111)], 113)
    assert chart.statuses("stop.chimerism").count("firing") == told
    assert chart.statuses("stop.chimerism").count("resolved") == 1


def test_a_later_decision_lifts_what_a_person_resolved_and_leaves_the_outcome() -> None:
    chart = Chart([*TREATED, LOW, command("resolved", SHUT, 111), decided(115, "continue")], 116)
    [alert] = chart.alerts("stop.chimerism")
    assert (alert.details["outcome"], chart.states[0]) == ("person", "on_treatment")


def test_what_a_person_resolved_and_was_never_so_is_withdrawn_and_waits_for_a_decision() -> None:
    gone = marrow(110, "95", record="m", version=2, status="corrected", reason="checked", issued=115)
    chart = Chart([*TREATED, LOW, command("resolved", SHUT, 111), gone], 116)
    assert (chart.statuses("stop.chimerism"), chart.states[0]) == (["withdrawn"], "stop_basis_retracted")
    again = marrow(110, "85", record="m", version=3, status="corrected", reason="was right", issued=117)
    chart = Chart([*TREATED, LOW, command("resolved", SHUT, 111), gone, again], 118)
    assert chart.statuses("stop.chimerism") == ["firing"]
    assert chart.alerts("stop.chimerism")[0].revision > 3


@pytest.mark.parametrize("arrival", [[0, 1], [1, 0]])
def test_a_command_that_comes_before_its_alert_is_applied_when_the_alert_comes(arrival: list[int]) -> None:
    pair = [LOW, command("acknowledged", SHUT, 110.01)]  # the officer's clock is slow
    assert Chart([*TREATED, *(pair[i] for i in arrival)], 112).statuses("stop.chimerism") == ["acknowledged"]


def test_a_command_for_an_alert_that_never_comes_does_nothing_and_is_counted() -> None:
    chart = Chart([*TREATED, LOW, command("resolved", "no-such-alert", 111)], 112)
    assert (chart.statuses("stop.chimerism"), chart.patient.events) == (["firing"], 4)


def test_a_command_on_an_alert_that_is_over_does_nothing() -> None:
    chart = Chart([*TREATED, LOW, decided(112, "continue"), command("acknowledged", SHUT, 113)], 114)
    [alert] = chart.alerts("stop.chimerism")
    assert (alert.status, alert.details["outcome"]) == ("resolved", "decision")


def test_commands_survive_a_fact_that_arrives_late() -> None:
    unrelated = marrow(100, "95", issued=101)
    for kind, status in (("acknowledged", "acknowledged"), ("resolved", "resolved")):
        chart = Chart([*TREATED, LOW, command(kind, SHUT, 111), unrelated], 113)
        assert chart.statuses("stop.chimerism") == [status]


def test_a_resolved_opening_of_a_window_does_not_hide_the_next() -> None:
    course = [acute(110, skin=3), acute(120), chronic(121), acute(145, skin=1), acute(150)]
    opened = Chart([*TREATED, *course], 144).alerts("restart.window-open")[0].alert_id
    chart = Chart([*TREATED, *course, command("resolved", opened, 142)], 151)
    assert [(str(a.effective_at), a.status) for a in chart.alerts("restart.window-open")] == [
        ("2025-05-21", "resolved"),
        ("2025-05-31", "firing"),
    ]


def test_a_fact_that_is_moved_past_a_persons_resolved_is_a_new_alert() -> None:
    moved = marrow(120, "85", record="m", version=2, issued=121, status="corrected", reason="wrong day")
    chart = Chart([*TREATED, LOW, command("resolved", SHUT, 115), moved], 122)
    [alert] = [alert for alert in chart.alerts("stop.chimerism") if alert.live]
    assert (alert.effective_at, chart.states[0]) == (on_day(120), "stopped")
