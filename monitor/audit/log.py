"""The audit log in SQL: SQLite or PostgreSQL by one code path."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit import appending, ownership, rows, sending
from monitor.audit.batch import (
    AlertRow,
    Backlog,
    Batch,
    OutboxRow,
    Outcome,
    Owner,
    PatientRow,
    Position,
    TopicPartition,
)
from monitor.audit.database import Database
from monitor.audit.failures import UndecodableTextError
from monitor.audit.records import Head, Record
from monitor.audit.schema import check_current
from monitor.audit.stored import Stored, record_of
from monitor.audit.tables import alerts, audit_head, audit_log, patients, positions
from monitor.audit.times import utc_text
from monitor.errors import RecordUnreadable

PAGE: Final = 1_000
"""Records read in one short transaction: a slow reader holds nothing open, and memory stays flat."""


class SqlAuditLog:
    """Adapter of AuditLog. Make it with `open`, end it with `close`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, url: str, *, writing: bool = True) -> Self:
        """The log at `url`; `writing=False` takes no lock and writes nothing on SQLite.

        Raises UsageError, DatabaseUnavailable, SchemaMissing, and DatabaseInUse for a second writer of a SQLite file.
        """
        database = Database(url, writing=writing)
        try:
            await check_current(database)
        except BaseException:
            await database.close()
            raise
        return cls(database)

    async def close(self) -> None:
        """See AuditLog.close."""
        await self._database.close()

    async def append(self, batch: Batch) -> list[Record]:
        """See AuditLog.append."""
        async with self._database.writing() as connection:
            return await appending.write(connection, batch)

    async def read(
        self, *, after: int = 0, limit: int | None = None, stream: str | None = None
    ) -> AsyncIterator[Record]:
        """See AuditLog.read. Pages are transactions of their own: nothing that is read can change."""
        left = limit
        while left is None or left > 0:
            page = await self._page(after, PAGE if left is None else min(PAGE, left), stream)
            for record in page:
                yield record
            if len(page) < PAGE:
                return
            after = page[-1].sequence
            left = None if left is None else left - len(page)

    async def _page(self, after: int, size: int, stream: str | None) -> list[Record]:
        query = select(audit_log).where(audit_log.c.sequence > after).order_by(audit_log.c.sequence).limit(size)
        if stream is not None:
            query = query.where(audit_log.c.stream == stream)
        async with self._database.reading() as connection:
            return [record_of(Stored._make(row)) for row in await connection.execute(query)]

    async def stored(self, *, after: int = 0, until: int | None = None) -> AsyncIterator[Sequence[Stored]]:
        """See AuditLog.stored."""
        while page := await self._stored_page(after, until, PAGE):
            yield page
            after = page[-1].sequence

    async def _stored_page(self, after: int, until: int | None, size: int) -> Sequence[Stored]:
        query = select(audit_log).where(audit_log.c.sequence > after).order_by(audit_log.c.sequence).limit(size)
        if until is not None:
            query = query.where(audit_log.c.sequence <= until)
        try:
            async with self._database.reading() as connection:
                return [Stored._make(row) for row in await connection.execute(query)]
        except UndecodableTextError:
            if size == 1:
                raise RecordUnreadable(after + 1) from None
            # One record of the page is no text: those before it are handed out one by one, until it is met.
            return await self._stored_page(after, until, 1)

    async def stream(self, name: str) -> list[Record]:
        """See AuditLog.stream."""
        query = select(audit_log).where(audit_log.c.stream == name).order_by(audit_log.c.version)
        async with self._database.reading() as connection:
            return [record_of(Stored._make(row)) for row in await connection.execute(query)]

    async def head(self) -> Head:
        """See AuditLog.head."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(audit_head))).one()
            return Head(row.sequence, row.running_hash)

    async def known(self, dedupe_keys: Collection[str]) -> set[str]:
        """See AuditLog.known."""
        async with self._database.reading() as connection:
            return await appending.known_keys(connection, dedupe_keys)

    async def positions(self) -> dict[TopicPartition, Position]:
        """See AuditLog.positions."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(positions))
            return {(row.topic, row.partition): rows.position_of(row) for row in found}

    async def adopt_positions(self, positions: Mapping[TopicPartition, Position], batch: Batch) -> list[Record]:
        """See AuditLog.adopt_positions."""
        async with self._database.writing() as connection:
            records = await appending.write(connection, batch)
            await appending.put_positions(connection, positions)
            return records

    async def start_instance(self, instance: str) -> Owner:
        """See AuditLog.start_instance."""
        async with self._database.writing() as connection:
            return await ownership.start_instance(connection, instance)

    async def claim_ownership(self, partitions: Sequence[TopicPartition], owner: Owner) -> None:
        """See AuditLog.claim_ownership."""
        async with self._database.writing() as connection:
            await ownership.claim_ownership(connection, partitions, owner)

    async def acquire_lease(self, name: str, holder: str, *, ttl: timedelta, now: datetime) -> int | None:
        """See AuditLog.acquire_lease."""
        async with self._database.writing() as connection:
            return await ownership.acquire_lease(connection, name, holder, ttl=ttl, now=now)

    async def release_lease(self, name: str, holder: str) -> None:
        """See AuditLog.release_lease."""
        async with self._database.writing() as connection:
            await ownership.release_lease(connection, name, holder)

    async def due_patients(
        self, now: datetime, *, partitions: Collection[int] | None = None, limit: int = 500
    ) -> list[PatientRow]:
        """See AuditLog.due_patients."""
        due = select(patients).where(patients.c.due_at <= utc_text(now))
        if partitions is not None:
            due = due.where(patients.c.partition.in_(partitions))
        async with self._database.reading() as connection:
            found = await connection.execute(due.order_by(patients.c.due_at, patients.c.patient).limit(limit))
            return [rows.patient_of(row) for row in found.mappings()]

    async def patients(self) -> list[PatientRow]:
        """See AuditLog.patients."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(patients))
            return sorted((rows.patient_of(row) for row in found.mappings()), key=lambda row: row.patient)

    async def alerts(self, *, patient: str | None = None, statuses: Collection[str] | None = None) -> list[AlertRow]:
        """See AuditLog.alerts."""
        query = select(alerts)
        if patient is not None:
            query = query.where(alerts.c.patient == patient)
        if statuses is not None:
            query = query.where(alerts.c.status.in_(statuses))
        async with self._database.reading() as connection:
            found = [rows.alert_of(row) for row in (await connection.execute(query)).mappings()]
            # Sorted here: the databases' own orders of text differ.
            return sorted(found, key=lambda row: (row.effective_at, row.rule, row.alert_id))

    async def replace_read_models(self, patients: Sequence[PatientRow], alerts: Sequence[AlertRow]) -> None:
        """See AuditLog.replace_read_models."""
        async with self._database.writing() as connection:
            await appending.locked_head(connection)
            await _refill(connection, patients, alerts)

    async def claim_outbox(
        self, *, limit: int, lease_for: timedelta, now: datetime, channels: Collection[str] | None = None
    ) -> list[OutboxRow]:
        """See AuditLog.claim_outbox."""
        async with self._database.writing() as connection:
            return await sending.claim(connection, limit=limit, lease_for=lease_for, now=now, channels=channels)

    async def settle_outbox(self, row_id: str, outcome: Outcome, batch: Batch) -> list[Record]:
        """See AuditLog.settle_outbox."""
        async with self._database.writing() as connection:
            return await sending.settle(connection, row_id, outcome, batch)

    async def outbox_backlog(self) -> list[Backlog]:
        """See AuditLog.outbox_backlog."""
        async with self._database.reading() as connection:
            return await sending.backlog(connection)


async def _refill(
    connection: AsyncConnection, patient_rows: Sequence[PatientRow], alert_rows: Sequence[AlertRow]
) -> None:
    await connection.execute(delete(patients))
    await connection.execute(delete(alerts))
    await appending.upsert(connection, patients, [rows.fields(row) for row in patient_rows])
    await appending.upsert(connection, alerts, [rows.fields(row) for row in alert_rows])
