"""The outbox: rows are claimed, sent outside any transaction, and settled with their receipt."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit import rows
from monitor.audit.appending import write
from monitor.audit.batch import LONGEST_WAIT, Backlog, Batch, OutboxRow, OutboxState, Outcome
from monitor.audit.payload_keys import Encryption
from monitor.audit.records import Record
from monitor.audit.tables import outbox
from monitor.audit.times import utc_text, utc_time


async def claim(
    connection: AsyncConnection,
    *,
    limit: int,
    lease_for: timedelta,
    now: datetime,
    channels: Collection[str] | None,
) -> list[OutboxRow]:
    """Take rows that may be sent now; rows another relay is taking at this moment are passed over."""
    free = (
        select(outbox)
        .where(outbox.c.state == OutboxState.PENDING.value, _over(outbox.c.not_before, now))
        .where(or_(outbox.c.claimed_until.is_(None), _over(outbox.c.claimed_until, now)))
        .order_by(outbox.c.not_before, outbox.c.row_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if channels is not None:
        free = free.where(outbox.c.channel.in_(channels))
    found = (await connection.execute(free)).mappings().all()
    taken = {"attempts": outbox.c.attempts + 1, "claimed_until": utc_text(now + lease_for)}
    ids = [row["row_id"] for row in found]
    await connection.execute(update(outbox).where(outbox.c.row_id.in_(ids)).values(taken))
    return [rows.outbox_of(row, attempts=row["attempts"] + 1) for row in found]


def _over(until: ColumnElement[str], now: datetime) -> ColumnElement[bool]:
    return or_(until <= utc_text(now), until > utc_text(now + LONGEST_WAIT))


async def settle(
    connection: AsyncConnection, *, row_id: str, outcome: Outcome, batch: Batch, encryption: Encryption
) -> list[Record]:
    """Write the receipt and let the row follow it. Raises KeyError for a row that never was."""
    records = await write(connection, batch, encryption)
    row = (await connection.execute(select(outbox).where(outbox.c.row_id == row_id).with_for_update())).one_or_none()
    if row is None:
        raise KeyError(f"no such outbox row: {row_id}")
    change: rows.Fields
    if outcome.state is OutboxState.DELIVERED:
        change = {"state": outcome.state.value}
    elif row.state == OutboxState.PENDING.value and row.attempts == outcome.attempt:
        retry_at = utc_text(outcome.retry_at) if outcome.retry_at else row.not_before
        change = {"state": outcome.state.value, "not_before": retry_at, "claimed_until": None}
    else:
        return records
    await connection.execute(update(outbox).where(outbox.c.row_id == row_id).values(change))
    return records


async def backlog(connection: AsyncConnection) -> list[Backlog]:
    """What waits, by channel."""
    urgent = func.min(case((outbox.c.priority == "high", outbox.c.created_at)))
    oldest = func.min(outbox.c.created_at)
    waiting = (
        select(outbox.c.channel, func.count().label("pending"), oldest.label("oldest_at"), urgent.label("urgent_at"))
        .where(outbox.c.state == OutboxState.PENDING.value)
        .group_by(outbox.c.channel)
        .order_by(outbox.c.channel)
    )
    return [
        Backlog(
            channel=row.channel,
            pending=row.pending,
            oldest_at=utc_time(row.oldest_at),
            urgent_at=None if row.urgent_at is None else utc_time(row.urgent_at),
        )
        for row in await connection.execute(waiting)
    ]
