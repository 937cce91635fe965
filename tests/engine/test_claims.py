"""A claim of partitions never goes over that of the next owner."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, cast

import faust
import pytest
from faust.types import TP

from monitor.agents.consumer import consumer_class
from monitor.agents.ports import TopicPartition
from monitor.audit.batch import Position

PARTITION = TP("safety.lab", 0)


class SlowKeeper:
    """A log that takes a claim only when it is let."""

    def __init__(self) -> None:
        self.claimed: list[Collection[TopicPartition]] = []
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def assigned(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Position]:
        self.asked.set()
        await self.let.wait()
        self.claimed.append(partitions)
        return {}

    def recorded(self, _partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Position]:
        return {}


def _never_left(code: int, why: str) -> None:
    raise AssertionError(f"the worker ended ({code}): {why}")


async def _nothing(*_: Any) -> None:
    return None


@pytest.fixture
def keeper() -> SlowKeeper:
    return SlowKeeper()


@pytest.fixture
def consumer(keeper: SlowKeeper, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A consumer of one partition, whose broker answers at once."""
    made = consumer_class(
        cast(Any, keeper), cast(Any, _never_left), cast(Any, _nothing), ends_are_told=False, fetch_bytes=1
    )
    for name in ("_begin", "_demand", "seek"):
        monkeypatch.setattr(made, name, _nothing)
    monkeypatch.setattr(made, "assignment", lambda _: {PARTITION})
    monkeypatch.setattr(made, "seek_to_committed", _committed_nothing)
    app = faust.App("claims", broker="kafka://127.0.0.1:1", store="memory://")
    return cast(Any, made)(
        app.transport, callback=_nothing, on_partitions_revoked=_nothing, on_partitions_assigned=_nothing
    )


async def _committed_nothing(_: Any) -> Mapping[TP, int]:
    return {}


async def test_what_was_revoked_is_not_claimed_again(consumer: Any, keeper: SlowKeeper) -> None:
    keeper.let.set()
    await consumer.on_partitions_assigned({PARTITION}, 1)
    await consumer.perform_seek()
    await consumer.on_partitions_revoked({PARTITION})
    await consumer.perform_seek()  # faust does, between two deals
    assert keeper.claimed == [[("safety.lab", 0)]]
    await consumer.on_partitions_assigned({PARTITION}, 2)
    await consumer.perform_seek()
    assert len(keeper.claimed) == 2


async def test_the_group_deals_anew_only_after_a_claim_on_its_way(consumer: Any, keeper: SlowKeeper) -> None:
    await consumer.on_partitions_assigned({PARTITION}, 1)
    claim = asyncio.create_task(consumer.perform_seek())
    await keeper.asked.wait()
    revoked = asyncio.create_task(consumer.on_partitions_revoked({PARTITION}))
    done, _ = await asyncio.wait({revoked}, timeout=0.1)
    assert not done, "others could claim before the claim on its way is written"
    keeper.let.set()
    await asyncio.gather(claim, revoked)
    assert len(keeper.claimed) == 1
