"""Laws of the restart window: what people are told of it is what is shown, whatever happened to the patient."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.charts import Chart
from tests.core.histories import courses_after_a_stop, courses_with_a_window

TOLD = ("open", "blocked", "expired", "invalidated")  # the states that have an alert of their own
courses = courses_with_a_window() | courses_after_a_stop()
days = st.sampled_from([120, 139, 140, 141, 150, 163, 170, 172, 200, 300])


def firing(chart: Chart) -> list[str]:
    return sorted(a.rule.removeprefix("restart.window-") for a in chart.patient.alerts if a.live)


@given(courses, days)
@settings(max_examples=60)
def test_while_a_stop_stands_one_alert_tells_the_state_of_the_window_and_no_other(
    messages: list[bytes], day: int
) -> None:
    chart = Chart(messages, day)
    told = [state for state in firing(chart) if state in TOLD]
    assert "closing" not in firing(chart) or told == ["open"]
    if "stop.acute-gvhd" in firing(chart):
        assert told == [state for state in TOLD if chart.window["state"] == state]
    else:
        assert told == []
