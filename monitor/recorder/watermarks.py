"""The events clock: how far the topics have told that time has come. Pure.

Topics are read at different paces, so the clock of a partition number is the lowest of the last times that each topic
told for it; until all have told one, nothing has come yet and every fact waits.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.audit.batch import Position, TopicPartition

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The clock before any topic told the time: no fact of a trial is as old."""


@dataclass(frozen=True, slots=True)
class Watermarks:
    """The last time told by each (topic, partition), over a fixed set of topics."""

    topics: frozenset[str]
    told: Mapping[TopicPartition, datetime] = field(default_factory=dict)

    def now(self, partition: int) -> datetime:
        """The clock of a partition number."""
        times = [self.told.get((topic, partition), BEGINNING) for topic in self.topics]
        return min(times, default=BEGINNING)

    @classmethod
    def of(cls, topics: Collection[str], positions: Mapping[TopicPartition, Position]) -> "Watermarks":
        """As the log recorded them."""
        return cls(frozenset(topics), {tp: at.watermark for tp, at in positions.items() if at.watermark is not None})
