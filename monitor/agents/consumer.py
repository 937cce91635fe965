"""Faust's Kafka consumer, made to begin where the log ends and to answer soon.

Kafka's committed offset is a hint; the log is right. Where Kafka is ahead of it, the consumer seeks back. The seek is
made in `perform_seek`, since recovery undoes a seek made anywhere else.
"""

import logging
import time
from collections.abc import Collection, Iterable
from typing import Any, ClassVar, cast

from aiokafka.errors import CorruptRecordException, IllegalStateError, KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from faust.types import TP
from faust.types.transports import ConsumerT
from mode import Service

from monitor.agents.held import Look, check
from monitor.agents.leave import exit_code
from monitor.agents.ports import TEMPORARY, Keeper, Leave, TopicPartition
from monitor.broker import BrokerUnavailable
from monitor.errors import MonitorError, PositionMismatch, TopicsMissing
from monitor.events.catalogue import TOPICS

logger = logging.getLogger(__name__)

FETCH_WAIT_MS = 50  # faust's own 1,500 makes a lone event wait for most of a second on Tansu
PULSE = 1.0  # seconds between two looks at the last answer
LOOK_EVERY = 60.0  # seconds between two looks at what the broker holds of the assigned partitions


class LogConsumer(Consumer):
    """Begins where the log ends. The class variables are bound by `consumer_class`."""

    keeper: ClassVar[Keeper]
    leave: ClassVar[Leave]
    look: ClassVar[Look]
    ends_are_told: ClassVar[bool]
    fetch_bytes: ClassVar[int]
    incomplete: bool = False  # the group has forgotten a topic

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _PromptThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Go to the committed offsets, then back to the log's where Kafka is ahead.

        Never raises: a failure ends the process, because faust would hang on it.
        """
        try:
            await super().perform_seek()
            await self._seek_to_log()
        except IllegalStateError:
            return  # a rebalance came between: it seeks again
        except (MonitorError, KafkaError, TimeoutError) as error:
            self.leave(exit_code(error), f"cannot take up the log's positions: {type(error).__name__}: {error}")

    async def _seek_to_log(self) -> None:
        tps = self.assignment()
        recorded = await self.keeper.assigned([(tp.topic, tp.partition) for tp in tps])
        await self._compare(tps)
        await self._begin([tp for tp in tps if not self._committed_offset.get(tp)])
        for tp in tps:
            position = recorded.get((tp.topic, tp.partition))
            if position is not None and position.next_offset < (self._committed_offset.get(tp) or 0):
                await self.seek(tp, position.next_offset)
                self._committed_offset[tp] = position.next_offset or None
        await self._demand(tps)

    async def _begin(self, tps: Collection[TP]) -> None:
        """Go to the beginning where Kafka has no committed offset.

        It would stay where it is, and that may be behind messages that were fetched while the partitions were dealt
        anew, and dropped: nobody would read them.
        """
        if tps:
            for tp, offset in (await self.earliest_offsets(*tps)).items():
                await self.seek(tp, offset)

    async def _demand(self, tps: Collection[TP]) -> None:
        """See that a partition number that is ours is so in every topic.

        When a topic is deleted the group goes on without it, and also when it is made again: nobody would read it.
        Raises TopicsMissing, PositionMismatch.
        """
        missing = sorted(set(TOPICS) - {tp.topic for tp in tps}) if tps else []
        self.incomplete = bool(missing)
        try:
            await self._compare([TP(topic, tp.partition) for topic in missing for tp in tps])
        except BrokerUnavailable as error:
            what = f"{', '.join(missing)} went from the broker while the worker read it"
            raise TopicsMissing(what) from error

    async def _compare(self, tps: Iterable[TP]) -> None:
        """The broker must hold what the log recorded. Raises PositionMismatch, BrokerUnavailable."""
        recorded = self.keeper.recorded([(tp.topic, tp.partition) for tp in tps])
        if not recorded:
            return
        try:
            found = await self.look(recorded)
        except (KafkaError, TimeoutError) as error:
            topics = ", ".join(sorted({topic for topic, _ in recorded}))
            raise BrokerUnavailable(f"the broker does not say what it holds of {topics}") from error
        for place, held in found.items():
            check(place, recorded[place], held, ends_are_told=self.ends_are_told)

    async def look_again(self) -> None:
        """Compare while at work. A broker that does not answer is no mismatch: it is asked again later."""
        try:
            await self._compare(self.assignment())
        except PositionMismatch as error:
            self.leave(exit_code(error), str(error))
        except BrokerUnavailable as error:
            logger.warning("asked again later: %s", error)

    @Service.task
    async def _watch_fetches(self) -> None:
        """Tell whether the broker still answers fetches: the measure of readiness while nothing comes."""
        before = 0
        looked_at = time.monotonic()
        while not self.should_stop:
            answered, ends = cast(_PromptThread, self._thread).last_answer()
            if answered > before:
                self.keeper.fetched(ends)
            before = answered
            if (why := cast(_PromptThread, self._thread).reader_ended()) is not None:
                self.leave(TEMPORARY, f"the reader of the broker ended by itself: {why}")
            if self.ends_are_told and time.monotonic() - looked_at > LOOK_EVERY:
                await self.look_again()
                looked_at = time.monotonic()
            if self.incomplete:
                logger.warning("the group has forgotten a topic: joining it again")
                await cast(_PromptThread, self._thread).join_again()
            await self.sleep(PULSE)


def consumer_class(
    keeper: Keeper, leave: Leave, look: Look, *, ends_are_told: bool, fetch_bytes: int
) -> type[ConsumerT]:
    """The consumer of one app: it asks `keeper` where the log ends, and `look` what the broker holds.

    ends_are_told: whether the broker's word on the end of a topic can be relied on (Tansu's lags by a minute and more).
    fetch_bytes: of one answer of a broker.
    """
    bound = {
        "keeper": keeper,
        "leave": staticmethod(leave),
        "look": staticmethod(look),
        "ends_are_told": ends_are_told,
        "fetch_bytes": fetch_bytes,
    }
    return type("BoundLogConsumer", (LogConsumer,), bound)


class _PromptThread(AIOKafkaConsumerThread):
    """The thread that talks to the broker, with a short wait for company."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._fetch_max_bytes = cast(LogConsumer, self.consumer).fetch_bytes
        return consumer

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - faust's
        """Fetch. What comes from behind, unasked, means that the broker no longer knew our offset: faust drops it."""
        mine = cast(LogConsumer, self.consumer)
        try:
            records = await super().getmany(active_partitions, timeout)
        except CorruptRecordException as error:  # on the way, or on the broker's disk: another start asks again
            mine.leave(TEMPORARY, f"what the broker sends does not match its own checksum: {error}")
        if any(found and found[0].offset < (mine._read_offset[tp] or 0) for tp, found in records.items()):
            await mine.look_again()
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
        """When the broker last answered a fetch (Unix time in ms; 0 before any answer), and the ends it told."""
        consumer = self._consumer
        if consumer is None:
            return 0, {}
        try:
            mine = consumer.assignment()
            answered = [consumer.last_poll_timestamp(tp) or 0 for tp in mine]
            ends = {(tp.topic, tp.partition): end for tp in mine if (end := consumer.highwater(tp)) is not None}
        except IllegalStateError:
            return 0, {}  # a rebalance came between
        return max(answered, default=0), ends
