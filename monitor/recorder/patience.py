"""Waiting for the database: a bounded back-off in place, since nothing behind a failure may be acknowledged."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_random_exponential

from monitor.errors import DatabaseUnavailable
from monitor.recorder.ports import Vitals

logger = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_WAIT = 0.1  # seconds
LONGEST_WAIT = 2.0  # seconds: an answer is noticed soon after it comes


class Patience:
    """Calls the database until it answers or `limit` seconds are over; readiness is red in between."""

    def __init__(self, vitals: Vitals, limit: float) -> None:
        self._vitals = vitals
        self._limit = limit

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of `call`. Raises DatabaseUnavailable when patience is at its end, and whatever else it raises."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(DatabaseUnavailable),
            wait=wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
            stop=stop_after_delay(self._limit),
            before_sleep=self._down,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                result = await call()
                self._vitals.database_answered()
                return result
        raise AssertionError("tenacity ends by a result or by an exception")

    def _down(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if state.attempt_number == 1:
            logger.warning("waiting for the database: %s", error)
        self._vitals.database_failed(f"{error}; the worker waits with what it has in hand")
