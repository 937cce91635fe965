"""Waiting for a condition, never for luck."""

import time
from collections.abc import Callable

POLL = 0.1  # seconds


def wait_until(holds: Callable[[], bool], what: str, limit: float = 60.0) -> None:
    """Return once `holds()`; AssertionError naming `what` after `limit` seconds."""
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, f"waited {limit:.0f} s in vain: {what}"
        time.sleep(POLL)
