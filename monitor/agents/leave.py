"""The end of the process, when going on would lose something: at once, with no clean-up that could acknowledge."""

import logging
import os
import sys
import threading
from typing import Final, NoReturn

from aiokafka.errors import KafkaError

from monitor.agents.ports import POSITIONS, SOFTWARE, SUPERSEDED, TEMPORARY
from monitor.broker import BrokerUnavailable
from monitor.errors import DatabaseUnavailable, Fenced, PositionMismatch, Superseded, TopicsMissing

logger = logging.getLogger(__name__)

AGAIN: Final = (
    BrokerUnavailable,
    DatabaseUnavailable,
    Fenced,
    TopicsMissing,
    KafkaError,
    TimeoutError,
)  # another start may help


def leave(code: int, why: str) -> NoReturn:
    """Say why, and end the process now: faust's own way out acknowledges what it was given."""
    logger.critical("worker ends: %s", why)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def exit_code(error: BaseException) -> int:
    """The code a process ends with for this error: whether to start it again is read from it."""
    if isinstance(error, PositionMismatch):
        return POSITIONS
    if isinstance(error, Superseded):
        return SUPERSEDED
    return TEMPORARY if isinstance(error, AGAIN) else SOFTWARE


def leave_after(seconds: float, why: str) -> threading.Timer:
    """End the process in so many seconds, even if its loop hangs; cancel the timer when it went well.

    A thread and not `loop.call_later`, since the loop may be what hangs.
    """
    timer = threading.Timer(seconds, leave, (TEMPORARY, why))
    timer.daemon = True
    timer.start()
    return timer
