"""What was found has an alert of its own, also where a late fact or a decision divides what was one."""

from collections import Counter

from hypothesis import example, given, settings

from tests.core.charts import Chart, acute, azacitidine, chronic, decided, enrolled, marrow, on_day
from tests.core.histories import histories
from tests.core.test_laws import END, by_time

TREATED = [enrolled(), azacitidine(95)]
CLEARED_BETWEEN = [*TREATED, acute(110, skin=3), acute(105, skin=3, issued=112), acute(107, skin=0, issued=115)]
LIFTED_IN_PART = [*TREATED, marrow(110.2, "85"), marrow(107, "85", issued=112), decided(110, "restart", issued=115)]
BLOCKED_TWICE = [*TREATED, acute(110, skin=3), decided(110.2, "hold"), chronic(145), acute(150, skin=3)]


@given(histories())
@example(CLEARED_BETWEEN)
@example(LIFTED_IN_PART)
@example(BLOCKED_TWICE)
@settings(max_examples=60)
def test_everything_that_was_found_has_an_alert_of_its_own(messages: list[bytes]) -> None:
    chart = Chart(by_time(messages), END)
    findings = chart.patient.fold.assessment.findings if chart.patient.fold.assessment else ()
    found = Counter(
        (f.rule.id, f.item, f.effective or f.first.effective, f.keys)
        for f in findings
        if f.outcome is None or not f.rule.reminder  # a reminder that is over before it could remind is not raised
    )
    told = Counter((a.rule, a.item, a.effective_at, a.keys) for a in chart.patient.alerts if a.status != "withdrawn")
    assert found <= told


def test_where_an_episode_falls_apart_the_part_that_was_told_first_keeps_its_alert() -> None:
    before = Chart(CLEARED_BETWEEN[:3], 111).alerts("stop.acute-gvhd")
    earlier, later = Chart(CLEARED_BETWEEN, 116).alerts("stop.acute-gvhd")
    assert ((earlier.effective_at, earlier.status), (later.effective_at, later.status)) == (
        (on_day(105), "firing"),
        (on_day(110), "firing"),
    )
    assert [later.alert_id, later.raised_at] == [before[0].alert_id, before[0].raised_at]
