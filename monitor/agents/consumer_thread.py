"""The thread of faust that talks to the broker, with a short wait for company."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from aiokafka.errors import CorruptRecordException, IllegalStateError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from monitor.agents.ports import TEMPORARY, Leave, TopicPartition

FETCH_WAIT_MS = 50  # faust's own 1,500 makes a lone event wait for most of a second on Tansu


class Told(Protocol):
    """What the thread asks and tells its consumer."""

    leave: Leave
    fetch_bytes: int

    async def fetched(self, records: Mapping[TP, Sequence[Any]]) -> None:
        """Look at what one fetch brought."""


class PromptThread(AIOKafkaConsumerThread):
    """Its consumer is a `Told`."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._fetch_max_bytes = self._told.fetch_bytes
        return consumer

    @property
    def _told(self) -> Told:
        return cast(Told, self.consumer)

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - faust's
        """Fetch."""
        try:
            records = await super().getmany(active_partitions, timeout)
        except CorruptRecordException as error:  # on the way, or on the broker's disk: another start asks again
            self._told.leave(TEMPORARY, f"what the broker sends does not match its own checksum: {error}")
        await self._told.fetched(records)
        return records

    async def on_thread_stop(self) -> None:
        """Stop, and leave the group, which a static member would not: others go on at once, not after its session.

        Only an orderly stop comes here, with nothing in hand; who was killed keeps its partitions for its next start.
        """
        if self._consumer is not None:
            self._consumer._coordinator._group_instance_id = None
        await super().on_thread_stop()

    async def join_again(self) -> None:
        """Have the group's partitions dealt anew, by what topics there are now."""
        await self.call_thread(self._join_again)

    async def _join_again(self) -> None:
        if self._consumer is not None:
            self._consumer._client.force_metadata_update()
            self._consumer._coordinator.request_rejoin()

    def reader_ended(self) -> str | None:
        """Why aiokafka reads no more, though nobody told it to stop: it would say nothing itself, for ever."""
        fetcher = getattr(self._consumer, "_fetcher", None)
        task = None if fetcher is None else fetcher._fetch_task
        if task is None or not task.done() or task.cancelled() or task.exception() is None:
            return None
        return repr(task.exception().__cause__ or task.exception())

    def last_answer(self) -> tuple[int, dict[TopicPartition, int]]:
        """When the broker last answered a fetch (Unix time in ms; 0 before any answer), and the ends it told.

        Who was given no partition fetches nothing: that its group's coordinator knows it is the answer.
        """
        consumer = self._consumer
        if consumer is None:
            return 0, {}
        try:
            mine = consumer.assignment()
            if not mine and self._is_member(consumer):
                return round(time.time() * 1000), {}
            answered = [consumer.last_poll_timestamp(tp) or 0 for tp in mine]
            ends = {(tp.topic, tp.partition): end for tp in mine if (end := consumer.highwater(tp)) is not None}
        except IllegalStateError:
            return 0, {}  # a rebalance came between
        return max(answered, default=0), ends

    @staticmethod
    def _is_member(consumer: Any) -> bool:
        coordinator = consumer._coordinator
        return coordinator is not None and coordinator.coordinator_id is not None and coordinator.generation > 0
