"""Who may write: starts of instances, owners of partitions, and named leases."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit.appending import instance_starts, locked_head, upsert
from monitor.audit.batch import LONGEST_LEASE, Owner, TopicPartition
from monitor.audit.positions import check_owner
from monitor.audit.tables import audit_head, instances, leases, owners
from monitor.audit.times import utc_text


async def start_instance(connection: AsyncConnection, instance: str) -> Owner:
    """Draw the next epoch for a start of this instance."""
    await locked_head(connection)
    drawn = update(audit_head).values(epoch=audit_head.c.epoch + 1).returning(audit_head.c.epoch)
    owner = Owner(instance, (await connection.execute(drawn)).scalar_one())
    await upsert(connection, instances, [{"instance": instance, "epoch": owner.epoch}])
    return owner


async def claim_ownership(connection: AsyncConnection, partitions: Sequence[TopicPartition], owner: Owner) -> None:
    """Write the owner's name on the partitions. Raises Fenced if a newer start of its instance is about."""
    await locked_head(connection)
    check_owner(owner, (), {}, await instance_starts(connection, owner))
    claimed = {"instance": owner.instance, "epoch": owner.epoch}
    await upsert(
        connection, owners, [{"topic": topic, "partition": partition} | claimed for topic, partition in partitions]
    )


async def acquire_lease(
    connection: AsyncConnection, *, name: str, holder: str, ttl: timedelta, now: datetime
) -> int | None:
    """Take or renew a lease: its epoch, or None while another holds it."""
    # An expired row first: so that of several newcomers one inserts it and all wait for its lock.
    blank = {"name": name, "holder": "", "epoch": 0, "expires_at": utc_text(now)}
    await upsert(connection, leases, [blank], keep=True)
    lease = (await connection.execute(select(leases).where(leases.c.name == name).with_for_update())).one()
    held = utc_text(now) < lease.expires_at <= utc_text(now + LONGEST_LEASE * ttl)
    if lease.holder not in {holder, ""} and held:
        return None
    epoch: int = lease.epoch + (lease.holder != holder)
    taken = {"holder": holder, "epoch": epoch, "expires_at": utc_text(now + ttl)}
    await connection.execute(update(leases).where(leases.c.name == name).values(taken))
    return epoch


async def release_lease(connection: AsyncConnection, *, name: str, holder: str) -> None:
    """Give a lease up, if it is held."""
    held = (leases.c.name == name) & (leases.c.holder == holder)
    await connection.execute(update(leases).where(held).values(holder=""))
