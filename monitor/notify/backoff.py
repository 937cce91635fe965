"""How long to wait before a notice is tried again: full jitter, so that a channel that comes back is not stormed."""

from datetime import timedelta

FIRST = timedelta(seconds=1)
# The longest wait, by priority: a stop criterion is worth a try a minute.
LONGEST = {"high": timedelta(minutes=1), "medium": timedelta(minutes=5), "low": timedelta(minutes=5)}
_DOUBLINGS = 20  # past this the longest wait holds anyway, and the numbers stay small


def wait_before(attempt: int, priority: str, chance: float) -> timedelta:
    """The wait before the next try after `attempt` failures (from 1): a `chance` (0..1) of 1 s, 2 s, 4 s, ... at most.

    An unknown priority waits as high does.
    """
    longest = LONGEST.get(priority, LONGEST["high"])
    return chance * min(longest, FIRST * (1 << min(attempt - 1, _DOUBLINGS)))
