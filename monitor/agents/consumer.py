"""Faust's Kafka consumer, made to begin where the log ends and to answer soon.

Kafka's committed offset is a hint; the log is right. Where Kafka is ahead of it, the consumer seeks back. The seek is
made in `perform_seek`, since recovery undoes a seek made anywhere else.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from faust.types import TP
from faust.types.transports import ConsumerT
from mode import Service

from monitor.agents.ports import POSITIONS, SOFTWARE, TEMPORARY, Keeper, Leave, TopicPartition
from monitor.errors import DatabaseUnavailable, Fenced, MonitorError, PositionMismatch

FETCH_WAIT_MS = 50  # faust's own 1,500 makes a lone event wait for most of a second on Tansu
PULSE = 1.0  # seconds between two looks at the last answer


class LogConsumer(Consumer):
    """Begins where the log ends. The class variables are bound by `consumer_class`."""

    keeper: ClassVar[Keeper]
    leave: ClassVar[Leave]
    ends_are_told: ClassVar[bool]

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
        except PositionMismatch as error:
            self.leave(POSITIONS, str(error))
        except (DatabaseUnavailable, Fenced, KafkaError, TimeoutError) as error:
            self.leave(TEMPORARY, f"cannot take up the log's positions: {type(error).__name__}: {error}")
        except MonitorError as error:
            self.leave(SOFTWARE, str(error))

    async def _seek_to_log(self) -> None:
        tps = self.assignment()
        recorded = await self.keeper.assigned([(tp.topic, tp.partition) for tp in tps])
        offsets = {tp: recorded[tp.topic, tp.partition] for tp in tps if (tp.topic, tp.partition) in recorded}
        if not offsets:
            return
        await self._check_beginnings(offsets)
        if self.ends_are_told:
            await self._check_ends(offsets)
        for tp, offset in offsets.items():
            if offset < (self._committed_offset.get(tp) or 0):
                await self.seek(tp, offset)
                self._committed_offset[tp] = offset or None

    async def _check_beginnings(self, offsets: Mapping[TP, int]) -> None:
        """The broker must still hold the message that comes next: what it dropped unread is lost to us."""
        earliest = await self.earliest_offsets(*offsets)
        for tp, offset in offsets.items():
            if earliest.get(tp, 0) > offset:
                raise PositionMismatch(
                    f"{tp.topic}/{tp.partition}: the log recorded up to offset {offset}, but the broker begins at "
                    f"{earliest[tp]}: messages between were lost, or the topic was made anew"
                )

    async def _check_ends(self, offsets: Mapping[TP, int]) -> None:
        """What the log recorded must exist: a seek past the end delivers nothing and warns of nothing."""
        ends = await self.highwaters(*offsets)
        for tp, offset in offsets.items():
            if (ends.get(tp) or 0) < offset:
                raise PositionMismatch(
                    f"{tp.topic}/{tp.partition}: the log recorded up to offset {offset}, but the broker ends at "
                    f"{ends.get(tp)}: the topic was truncated or made anew"
                )

    @Service.task
    async def _watch_fetches(self) -> None:
        """Tell whether the broker still answers fetches: the measure of readiness while nothing comes."""
        before = 0
        while not self.should_stop:
            answered, ends = cast(_PromptThread, self._thread).last_answer()
            if answered > before:
                self.keeper.fetched(ends)
            before = answered
            await self.sleep(PULSE)


def consumer_class(keeper: Keeper, leave: Leave, *, ends_are_told: bool) -> type[ConsumerT]:
    """The consumer of one app: it asks `keeper` where the log ends.

    ends_are_told: whether the broker's word on the end of a topic can be relied on (Tansu's lags by a minute and more).
    """
    bound = {"keeper": keeper, "leave": staticmethod(leave), "ends_are_told": ends_are_told}
    return type("BoundLogConsumer", (LogConsumer,), bound)


class _PromptThread(AIOKafkaConsumerThread):
    """The thread that talks to the broker, with a short wait for company."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

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
