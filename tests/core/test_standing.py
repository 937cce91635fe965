"""Which stops stood on a day: their index finds all that each of them would claim."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.context import in_order
from monitor.core.finding import Evidence, Rule
from monitor.core.standing import Standing
from monitor.core.stops import Lift, Stop
from monitor.core.times import Effective, instant, local_date
from tests.core.charts import PROTOCOL

RULE = Rule("stop.acute-gvhd", "high", "stop.1")
DAY = date(2025, 6, 1)

hours = st.integers(0, 120).map(lambda n: datetime(2025, 6, 1, tzinfo=UTC) + timedelta(hours=n))
times: st.SearchStrategy[Effective] = hours | st.integers(0, 5).map(lambda n: DAY + timedelta(days=n))


@st.composite
def stops(draw: st.DrawFn) -> Stop:
    """One stop within some days, lifted or not."""
    effective, lifted = draw(times), draw(st.none() | times)
    at = instant(effective, PROTOCOL.tz)
    lift = None
    if lifted is not None:
        lift = Lift(("/site", "restart"), lifted, instant(lifted, PROTOCOL.tz), at, "restart")
    evidence = Evidence(("/site", f"{draw(st.integers())}"), effective, at, at, summary="grade III")
    return Stop(RULE, (evidence,), lift)


@given(st.lists(stops(), max_size=12), times)
def test_every_stop_that_covers_something_is_found_by_its_day(some: list[Stop], given: Effective) -> None:
    ordered, tz = in_order(some), PROTOCOL.tz
    found = Standing(ordered, tz).on(local_date(given, tz))
    covering = [stop for stop in ordered if stop.hold.covers(given, tz)]
    assert [stop for stop in found if stop.hold.covers(given, tz)] == covering
