"""Versions, conflicts, duplicates and retractions: what of a record counts, whatever the order of arrival."""

from itertools import permutations
from typing import Any

import pytest

from tests.core.charts import (
    Chart,
    acute,
    azacitidine,
    decided,
    dli,
    enrolled,
    marrow,
    message,
    on_day,
)

TREATED = [enrolled(), azacitidine(95)]


def result(percent: str, version: int = 1, issued: float = 110.1, effective: float = 110, **more: Any) -> bytes:
    return marrow(effective, percent, record="m", version=version, issued=issued, **more)


def everywhere(facts: list[bytes], until: float = 130) -> list[Chart]:
    """The same facts in every order of arrival."""
    return [Chart([*TREATED, *order], until) for order in permutations(facts)]


def test_the_highest_version_counts_whatever_the_order_of_arrival() -> None:
    for chart in everywhere([result("85"), result("95", 2, 111), result("84", 3, 112)]):
        assert chart.states[0] == "stopped"
        assert [a.summary for a in chart.alerts("stop.chimerism") if a.live] == [
            "Donor chimerism 84% in whole marrow, below 90%"
        ]


def test_a_correction_moves_the_stop_to_the_time_it_says() -> None:
    moved = result("85", 2, 115, effective=105, status="corrected", reason="wrong date")
    for chart in everywhere([result("85"), moved]):
        assert [at for rule, at in chart.live if rule == "stop.chimerism"] == ["2025-04-16T01:00:00Z"]


def test_equal_contents_are_a_duplicate_and_the_earliest_time_counts() -> None:
    first, again = result("85", issued=112), result("85.0", issued=115)
    for chart in everywhere([first, again, decided(111, "continue", issued=114)]):
        assert (chart.patient.duplicates, chart.patient.events) == (1, 4)
        assert chart.statuses("stop.chimerism")[-1:] == ["resolved"]  # it could be known before the decision


def test_an_exact_redelivery_is_counted_and_changes_nothing() -> None:
    once, twice = Chart([*TREATED, result("85")], 120), Chart([*TREATED, result("85"), result("85")], 120)
    assert (once.patient.alerts, once.patient.duplicates) == (twice.patient.alerts, 0)
    assert (twice.patient.duplicates, twice.patient.events) == (1, 3)


def test_the_same_version_with_other_content_is_a_conflict_of_which_the_earliest_counts() -> None:
    for chart in everywhere([result("95", issued=111), result("96", issued=112)]):
        assert chart.statuses("data.conflict") == ["firing"]
        assert chart.states[0] == "on_treatment"


@pytest.mark.parametrize(("stops_at", "fine_at"), [(111, 112), (112, 111)])
def test_if_any_of_the_contents_would_stop_the_stop_is_provisional(stops_at: float, fine_at: float) -> None:
    for chart in everywhere([result("85", issued=stops_at), result("95", issued=fine_at)]):
        assert [(a.status, a.provisional, a.review) for a in chart.alerts("stop.chimerism") if a.live] == [
            ("firing", True, True)
        ]
        assert chart.states[0] == "stopped"


def test_so_it_is_where_the_contents_are_of_different_kinds() -> None:
    """One number for two examinations of one sample: neither may hide the other."""
    blasts = message("disease.assessed", "m", 110, issued=112, marrow_blast_percent="20")
    for chart in everywhere([result("95", issued=111), blasts]):
        assert [(a.rule, a.provisional) for a in chart.patient.alerts if a.live and a.rule.startswith("stop.")] == [
            ("stop.relapse", True)
        ]


def test_a_stop_on_contents_that_disagree_is_provisional_also_where_each_would_stop() -> None:
    torn = [marrow(110, "85", record="m"), marrow(110, "86", record="m", issued=112)]
    [alert] = Chart([enrolled(), azacitidine(95), *torn], 113).alerts("stop.chimerism")
    assert (alert.status, alert.provisional, alert.review) == ("firing", True, True)
    settled = marrow(110, "86", record="m", version=2, status="corrected", reason="recount", issued=114)
    assert not Chart([enrolled(), azacitidine(95), *torn, settled], 115).alerts("stop.chimerism")[0].provisional


def test_a_content_of_a_conflict_is_judged_by_its_own_time() -> None:
    """The one that counts is of before the first dose; the other, of after it, would stop."""
    for chart in everywhere([result("95", effective=90, issued=111), result("85", issued=112)]):
        assert chart.states[0] == "stopped"


def test_a_retraction_of_the_same_version_wins_and_what_it_retracts_does_not_stop() -> None:
    gone = result("85", issued=112, status="entered-in-error", reason="wrong patient")
    for chart in everywhere([result("85", issued=111), gone]):
        assert chart.states[0] == "stop_basis_retracted"
        assert [a for a in chart.alerts("stop.chimerism") if a.live] == []
    for chart in everywhere([result("85", issued=113), gone]):
        assert chart.states[0] == "on_treatment"  # in the order of their times the stop never was


def test_a_retraction_of_a_lower_version_does_not_take_back_a_higher_one() -> None:
    gone = result("85", issued=115, status="cancelled", reason="typing error")
    for chart in everywhere([result("85", 2, 111), gone]):
        assert chart.states[0] == "stopped"


def test_a_preliminary_never_outweighs_a_final_of_the_same_version() -> None:
    for early, late in ((111, 112), (112, 111)):
        refuted = [result("85", issued=early, status="preliminary"), result("95", issued=late)]
        for chart in everywhere(refuted):
            assert chart.states[0] == "on_treatment"
        confirmed = [result("95", issued=early, status="preliminary"), result("85", issued=late)]
        for chart in everywhere(confirmed):
            assert [(a.status, a.provisional) for a in chart.alerts("stop.chimerism") if a.live] == [("firing", False)]


def test_the_same_record_number_of_another_source_is_another_record() -> None:
    other = result("95", 2, 111).replace(b'"/ward"', b'"/other"')
    assert Chart([*TREATED, result("85"), other], 120).states[0] == "stopped"


def test_a_late_result_runs_the_rules_over_the_whole_history_again() -> None:
    for chart in everywhere([azacitidine(112), marrow(108, "85", issued=118)]):
        assert [a.details["known"] for a in chart.alerts("treatment.dose-after-stop")] == [False]


def test_who_was_told_before_the_dose_knew_also_when_the_episode_falls_apart_later() -> None:
    """A restart signed between the two is entered late: what is left of the stop has an alert of its own."""
    told = [acute(110, skin=3), acute(120, skin=3), dli(125)]
    chart = Chart([*TREATED, *told, decided(116, "restart", issued=130), result("99", issued=140, effective=140)], 150)
    assert [(a.raised_at - on_day(0)).days for a in chart.alerts("stop.acute-gvhd")] == [110, 130]
    assert [a.details["known"] for a in chart.alerts("treatment.dose-after-stop")] == [True]


def test_alerts_keep_when_they_were_raised_through_a_late_arrival() -> None:
    before = Chart([*TREATED, result("85")], 112).alerts("stop.chimerism")
    after = Chart([*TREATED, result("85"), marrow(100, "95", issued=101)], 125).alerts("stop.chimerism")
    assert [(a.alert_id, a.raised_at) for a in before] == [(a.alert_id, a.raised_at) for a in after]


def test_an_alert_has_the_same_reference_in_any_order_of_arrival() -> None:
    facts = [result("85"), marrow(105, "86", issued=112), acute(108, skin=3), acute(115), acute(120, skin=3)]
    references = [{(a.alert_id, a.rule) for a in chart.patient.alerts if a.live} for chart in everywhere(facts)]
    assert all(found == references[0] for found in references)


def test_revisions_go_on_through_a_late_arrival() -> None:
    course = [marrow(110, "85"), marrow(112, "84"), marrow(114, "83")]
    before = Chart([*TREATED, *course], 116).alerts("stop.chimerism")[0]
    unrelated = Chart([*TREATED, *course, marrow(100, "95", issued=101)], 117).alerts("stop.chimerism")[0]
    assert unrelated.revision == before.revision == 3  # nothing changed, and nothing is told
    between = Chart([*TREATED, *course, marrow(113, "82")], 117).alerts("stop.chimerism")[0]
    assert (between.alert_id, between.revision) == (before.alert_id, 4)


def test_withdrawn_is_what_never_was_and_resolved_is_what_has_ended() -> None:
    gone = result("95", 2, 115, status="corrected", reason="checked")
    assert Chart([*TREATED, result("85"), gone], 116).statuses("stop.chimerism") == ["withdrawn"]
    lifted = Chart([*TREATED, result("85"), decided(115, "continue")], 116)
    assert [(a.status, a.details["outcome"]) for a in lifted.alerts("stop.chimerism")] == [("resolved", "decision")]


def test_a_higher_version_settles_a_conflict() -> None:
    settled = result("95", 2, 115, status="corrected", reason="checked")
    for chart in everywhere([result("95", issued=111), result("85", issued=112), settled]):
        assert not [a for a in chart.alerts("data.conflict") if a.live]
        assert chart.states[0] == "stop_basis_retracted"
