"""The program under a clock that is wrong by so many seconds as a file says: `python -m tests.support.skewed worker`.

Only the port is turned: what measures spans goes by the monotonic clock, which no step of the wall clock moves either.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

import monitor.wiring
from monitor.cli.main import run
from monitor.clock import WallClock
from tests.support.worker import SKEW_FILE


class SkewedClock(WallClock):
    """The machine's clock, and what the file adds to it."""

    def now(self) -> datetime:
        """The present, as this process believes it is."""
        return super().now() + timedelta(seconds=float(Path(os.environ[SKEW_FILE]).read_text() or 0))


if __name__ == "__main__":
    monitor.wiring.WallClock = SkewedClock  # type: ignore[attr-defined]
    run()
