"""Which stops stood on a day, found without asking every stop there ever was."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from monitor.core.stops import Stop
from monitor.core.times import start_of

_NEVER = datetime.max.replace(tzinfo=UTC)


class Standing:
    """Stops in order of their beginning, with the latest end that any of the first so many had."""

    def __init__(self, stops: Sequence[Stop], tz: ZoneInfo) -> None:
        self._stops, self._tz = stops, tz
        self._begun = [stop.first.at for stop in stops]
        ends = [stop.lift.at if stop.lift is not None else _NEVER for stop in stops]
        self._latest = list(accumulate(ends, max))

    def on(self, day: date) -> Sequence[Stop]:
        """Those that may have stood on this local day, in their order: all that did, and few that did not."""
        first = bisect_right(self._latest, start_of(day, self._tz))
        last = bisect_left(self._begun, start_of(day + timedelta(days=1), self._tz))
        return self._stops[first:last]
