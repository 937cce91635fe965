"""A new incarnation of positions, by a person's word: after a topic was made anew, truncated or rewritten on purpose.

What the broker holds of it is read from its beginning. Facts that are on the log already are known by their content and
are not recorded again, so nothing is lost and nothing is doubled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiokafka.errors import KafkaError

from monitor.agents.held import Held, Look, check
from monitor.agents.ports import TopicPartition
from monitor.audit import kinds
from monitor.audit.batch import Batch, Position
from monitor.audit.ports import AuditLog
from monitor.audit.records import NewRecord
from monitor.broker import BrokerUnavailable
from monitor.errors import PositionMismatch, UsageError
from monitor.events.canonical import canonical

INSTANCE: Final = "topics adopt"  # who holds the partitions until a worker claims them again


@dataclass(frozen=True, slots=True)
class Adopted:
    """One position that was moved, and why it did not hold."""

    place: TopicPartition
    before: int
    after: int
    mismatch: str


async def adopt(
    log: AuditLog, look: Look, *, approved_by: str, why: str, now: datetime, ends_are_told: bool
) -> list[Adopted]:
    """Move the positions that the broker contradicts to the beginnings of their partitions, and record it; which.

    A worker that still holds one of them is fenced. Raises UsageError, BrokerUnavailable, DatabaseUnavailable.
    """
    if not (approved_by.strip() and why.strip()):
        raise UsageError("an adoption needs the one who approves it and why")
    positions = await log.positions()
    if not positions:
        return []
    try:
        held = await look(positions)
    except (KafkaError, TimeoutError) as error:
        raise BrokerUnavailable(f"the broker did not say what it holds: {type(error).__name__}") from error
    moved = _moved(positions, held, ends_are_told=ends_are_told)
    if moved:
        owner = await log.start_instance(INSTANCE)
        await log.claim_ownership([each.place for each in moved], owner)
        await log.adopt_positions(
            {each.place: Position(next_offset=each.after, watermark=positions[each.place].watermark) for each in moved},
            Batch(recorded_at=now, records=(_record(moved, approved_by, why, now),), owner=owner),
        )
    return moved


def _moved(
    positions: Mapping[TopicPartition, Position], held: Mapping[TopicPartition, Held], *, ends_are_told: bool
) -> list[Adopted]:
    moved = []
    for place, position in sorted(positions.items()):
        try:
            check(place, position, held[place], ends_are_told=ends_are_told)
        except PositionMismatch as error:
            moved.append(Adopted(place, position.next_offset, held[place].beginning, str(error)))
    return moved


def _record(moved: list[Adopted], approved_by: str, why: str, now: datetime) -> NewRecord:
    payload = {
        "positions": [
            {
                "topic": each.place[0],
                "partition": each.place[1],
                "from": each.before,
                "to": each.after,
                "found": each.mismatch,
            }
            for each in moved
        ],
        "approved_by": approved_by,
        "why": why,
    }
    return NewRecord(
        stream=kinds.SYSTEM, kind=kinds.POSITIONS_ADOPTED, payload=canonical(payload), known_at=now, actor=approved_by
    )
