"""aiokafka's reading may end by itself and say nothing: the worker notices."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.agents.consumer_thread import PromptThread


async def ended(error: BaseException | None) -> str | None:
    """What is said of a reader that ended so."""

    async def read() -> None:
        if error is not None:
            raise error

    task = asyncio.ensure_future(read())
    await asyncio.wait({task})
    thread: Any = SimpleNamespace(_consumer=SimpleNamespace(_fetcher=SimpleNamespace(_fetch_task=task)))
    return PromptThread.reader_ended(thread)


@pytest.mark.parametrize("error", [None, asyncio.CancelledError()])
async def test_a_reader_that_was_told_to_stop_is_no_failure(error: BaseException | None) -> None:
    assert await ended(error) is None


async def test_a_reader_that_failed_is_named_with_its_cause() -> None:
    assert await ended(RuntimeError("no such thing")) == "RuntimeError('no such thing')"


def test_a_consumer_that_has_not_started_has_no_reader() -> None:
    for consumer in (None, SimpleNamespace(_fetcher=None)):
        thread: Any = SimpleNamespace(_consumer=consumer)
        assert PromptThread.reader_ended(thread) is None
