"""How far the clock has come, as the log knows it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from monitor.audit import kinds
from monitor.audit.batch import Position, TopicPartition
from monitor.audit.records import Record
from monitor.events.catalogue import TOPICS

BEGINNING: Final = datetime(1, 1, 2, tzinfo=UTC)
"""The clock of a log that nothing has reached yet."""


def clocks(positions: Mapping[TopicPartition, Position]) -> dict[int, datetime]:
    """The events clock of each partition number: the lowest of what its topics told. Empty under the system's clock."""
    told: dict[int, list[datetime]] = {}
    for (topic, partition), position in positions.items():
        if topic in TOPICS and position.watermark is not None:
            told.setdefault(partition, []).append(position.watermark)
    return {partition: min(times) for partition, times in told.items() if len(times) == len(TOPICS)}


def told_by(record: Record) -> datetime | None:
    """The time that the clock had certainly reached when this record was made; None where it does not tell.

    A fact that was to wait does not, nor what is done by the wall clock: sending, redacting, and the daemon's looking
    after itself.
    """
    if record.kind == kinds.RECORD_REDACTED:
        return None
    if record.waited and record.kind != kinds.CLOCK_TICKED:
        return None
    if kinds.by_wall_clock(record.stream):
        return None
    return record.known_at
