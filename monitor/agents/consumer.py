"""Faust's Kafka consumer, made to begin where the log ends and to answer soon.

Kafka's committed offset is a hint; the log is right. Where Kafka is ahead of it, the consumer seeks back. The seek is
made in `perform_seek`, since recovery undoes a seek made anywhere else.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from faust.types.transports import ConsumerT
from mode import Service

from monitor.agents.consumer_thread import PromptThread
from monitor.agents.held import Look, check
from monitor.agents.leave import exit_code
from monitor.agents.ports import TEMPORARY, Keeper, Leave
from monitor.broker import BrokerUnavailable
from monitor.errors import MonitorError, PositionMismatch, TopicsMissing
from monitor.events.catalogue import TOPICS

logger = logging.getLogger(__name__)

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dealt = False  # whether what `assignment` tells is ours now
        self._claiming = asyncio.Lock()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Claim nothing from here on; a claim on its way is waited for.

        Once this returns the group may deal the partitions to others. faust seeks between two deals as well, and
        `assignment` tells the old one until the next: a claim of it would go over the new owner's.
        """
        self._dealt = False
        await super().on_partitions_revoked(revoked)
        async with self._claiming:
            pass

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """What `assignment` tells is ours, until it is revoked."""
        self._dealt = True
        await super().on_partitions_assigned(assigned, generation_id)

    def _new_consumer_thread(self) -> PromptThread:
        return PromptThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def _reader(self) -> PromptThread:
        return cast(PromptThread, self._thread)

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
        async with self._claiming:
            if not self._dealt:
                return  # the next deal seeks
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

    async def fetched(self, records: Mapping[TP, Sequence[Any]]) -> None:
        """What comes from behind, unasked, means that the broker no longer knew our offset: faust drops it."""
        if any(found and found[0].offset < (self._read_offset[tp] or 0) for tp, found in records.items()):
            await self.look_again()

    @Service.task
    async def _watch_fetches(self) -> None:
        """Tell whether the broker still answers fetches: the measure of readiness while nothing comes."""
        before = 0
        looked_at = time.monotonic()
        while not self.should_stop:
            answered, ends = self._reader.last_answer()
            if answered > before:
                self.keeper.fetched(ends)
            before = answered
            if (why := self._reader.reader_ended()) is not None:
                self.leave(TEMPORARY, f"the reader of the broker ended by itself: {why}")
            if self.ends_are_told and time.monotonic() - looked_at > LOOK_EVERY:
                await self.look_again()
                looked_at = time.monotonic()
            if self.incomplete:
                logger.warning("the group has forgotten a topic: joining it again")
                await self._reader.join_again()
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
