"""How positions move, and who may move them. Pure: both adapters of the log use these rules."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from monitor.audit.batch import Owner, Position, TopicPartition
from monitor.errors import Fenced, Superseded


def check_owner(
    owner: Owner | None,
    partitions: Iterable[TopicPartition],
    owners: Mapping[TopicPartition, Owner],
    starts: Mapping[str, int],
) -> None:
    """Raises Superseded unless `owner` is its instance's newest start, Fenced unless it holds each of the partitions.

    Without an owner only partitions that nobody ever claimed may be written.
    """
    if owner is not None and starts.get(owner.instance) != owner.epoch:
        raise Superseded(
            f"a newer start of instance {owner.instance} is at work: this one (epoch {owner.epoch}) must end. "
            "Two workers need two names (SAFETY_MONITOR_INSTANCE)"
        )
    for place in partitions:
        holder = owners.get(place)
        if holder != owner:
            held = f"is held by {holder.instance} (epoch {holder.epoch})" if holder else "was never claimed"
            raise Fenced(f"partition {place[1]} of {place[0]} {held}")


def advanced(current: Position | None, new: Position) -> Position:
    """The position after a batch: never an earlier offset or watermark, for a redelivery comes from behind."""
    if current is None:
        return new
    watermark = max((at for at in (current.watermark, new.watermark) if at is not None), default=None)
    if new.next_offset <= current.next_offset:
        return replace(current, watermark=watermark)
    return Position(
        next_offset=new.next_offset, watermark=watermark, last_digest=new.last_digest or current.last_digest
    )
