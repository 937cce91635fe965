"""The end of the process, when going on would lose something: at once, with no clean-up that could acknowledge."""

import logging
import os
import sys
import threading
from typing import NoReturn

from monitor.agents.ports import TEMPORARY

logger = logging.getLogger(__name__)


def leave(code: int, why: str) -> NoReturn:
    """Say why, and end the process now: faust's own way out acknowledges what it was given."""
    logger.critical("worker ends: %s", why)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def leave_after(seconds: float, why: str) -> threading.Timer:
    """End the process in so many seconds, even if its loop hangs; cancel the timer when it went well.

    A thread and not `loop.call_later`, since the loop may be what hangs.
    """
    timer = threading.Timer(seconds, leave, (TEMPORARY, why))
    timer.daemon = True
    timer.start()
    return timer
