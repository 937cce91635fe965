"""The clock of a back-fill: up to when the events of one partition have been sent."""

from monitor.events.record import Frozen
from monitor.events.scalars import Instant


class ClockAdvanced(Frozen):
    """The data of `safety.clock.advanced.v1`: everything of this partition up to `now` has been sent."""

    now: Instant
