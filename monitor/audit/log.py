"""The audit log in SQL: SQLite or PostgreSQL by one code path."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Self

from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit import appending, erasing, opening, ownership, reading, sending
from monitor.audit.batch import (
    AlertRow,
    Backlog,
    Batch,
    OutboxRow,
    Outcome,
    Owner,
    PatientRow,
    Position,
    SourceRow,
    TopicPartition,
    Unanswered,
)
from monitor.audit.database import Database
from monitor.audit.erasing import Erasure
from monitor.audit.failures import UndecodableTextError
from monitor.audit.opening import Text
from monitor.audit.payload_keys import Encryption
from monitor.audit.records import Erasures, Head, Record
from monitor.audit.schema import check_current
from monitor.audit.stored import Row, Stored
from monitor.errors import RecordUnreadable, UsageError

PAGE: Final = 1_000
"""Records read in one short transaction: a slow reader holds nothing open, and memory stays flat."""


class SqlAuditLog:
    """Adapter of AuditLog. Make it with `open`, end it with `close`."""

    def __init__(self, database: Database, encryption: Encryption | None = None) -> None:
        self._database = database
        self._encryption = encryption or Encryption()

    @classmethod
    async def open(cls, url: str, *, writing: bool = True, briefly: bool = False, encrypt: bool | None = None) -> Self:
        """The log at `url`; `writing=False` takes no lock and writes nothing on SQLite. `briefly`: see Database.

        `encrypt`: whether a log that is still empty is to be encrypted; None: yes, and whatever a begun log is.
        Raises UsageError, DatabaseUnavailable, SchemaMissing, and DatabaseInUse for a second writer of a SQLite file.
        """
        database = Database(url, writing=writing, briefly=briefly)
        encryption = Encryption(encrypt)
        try:
            await check_current(database)
            await database.read(encryption.check)
        except BaseException:
            await database.close()
            raise
        return cls(database, encryption)

    @property
    def database(self) -> Database:
        """For what is kept beside the log under its lock."""
        return self._database

    async def close(self) -> None:
        """See AuditLog.close."""
        await self._database.close()

    async def append(self, batch: Batch) -> list[Record]:
        """See AuditLog.append."""
        return await self._database.write(partial(appending.write, batch=batch, encryption=self._encryption))

    async def read(
        self, *, after: int = 0, limit: int | None = None, stream: str | None = None
    ) -> AsyncIterator[Record]:
        """See AuditLog.read. Pages are transactions of their own: nothing that is read can change."""
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = await self._database.read(partial(reading.page, after=after, size=size, stream=stream))
            for record in page:
                yield record
            if len(page) < size:
                return
            after = page[-1].sequence
            left = None if left is None else left - len(page)

    async def stored(
        self, *, after: int = 0, until: int | None = None, size: int | None = None
    ) -> AsyncIterator[Sequence[Row]]:
        """See AuditLog.stored."""
        while page := await self._stored_page(after, until, size or PAGE):
            yield page
            after = page[-1][0]

    async def _stored_page(self, after: int, until: int | None, size: int) -> Sequence[Row]:
        try:
            return await self._database.read(partial(reading.stored_page, after=after, until=until, size=size))
        except UndecodableTextError:
            if size == 1:
                raise RecordUnreadable(after + 1) from None
            # One record of the page is no text: those before it are handed out one by one, until it is met.
            return await self._stored_page(after, until, 1)

    async def texts(self, page: Sequence[Stored]) -> dict[int, Text]:
        """What can be shown of the encrypted payloads of a page, by sequence."""
        return await self._database.read(partial(opening.texts, page=page))

    async def stream(self, name: str, *, after: int = 0) -> list[Record]:
        """See AuditLog.stream."""
        return await self._database.read(partial(reading.stream, name=name, after=after))

    async def erase(self, erasure: Erasure) -> list[Record]:
        """Erase payloads in one transaction with the record of it.

        Raises VersionConflict, and UsageError for a database role that may not.
        """
        try:
            made = await self._database.write(partial(erasing.erase, erasure=erasure, encryption=self._encryption))
        except ProgrammingError as error:
            raise UsageError("this database role may not redact: use one of safety_redactor") from error
        await self._database.forget()
        return made

    async def erase_again(self) -> tuple[int, int]:
        """Destroy keys that a backup has brought back: of redacted records, and of records that are not on this log.

        How many of each. Over the latter nothing could be appended.
        """
        returned = (await self.erasures()).returned
        ahead = await self._database.write(partial(erasing.take_back, returned=returned))
        await self._database.forget()
        return len(returned), ahead

    async def erasures(self) -> Erasures:
        """See AuditLog.erasures."""
        return await self._database.read(opening.erasures)

    async def head(self) -> Head:
        """See AuditLog.head."""
        return await self._database.read(reading.head)

    async def known(self, dedupe_keys: Collection[str]) -> set[str]:
        """See AuditLog.known."""

        async def known(connection: AsyncConnection) -> set[str]:
            tokens = await self._encryption.tokens(connection, dedupe_keys)
            return {tokens[token] for token in await appending.known_keys(connection, tokens)}

        return await self._database.read(known)

    async def positions(self) -> dict[TopicPartition, Position]:
        """See AuditLog.positions."""
        return await self._database.read(reading.all_positions)

    async def adopt_positions(self, positions: Mapping[TopicPartition, Position], batch: Batch) -> list[Record]:
        """See AuditLog.adopt_positions."""

        async def adopt(connection: AsyncConnection) -> list[Record]:
            records = await appending.write(connection, batch, self._encryption)
            await appending.put_positions(connection, positions)
            return records

        return await self._database.write(adopt)

    async def start_instance(self, instance: str) -> Owner:
        """See AuditLog.start_instance."""
        return await self._database.write(lambda connection: ownership.start_instance(connection, instance))

    async def claim_ownership(self, partitions: Sequence[TopicPartition], owner: Owner) -> None:
        """See AuditLog.claim_ownership."""
        await self._database.write(lambda connection: ownership.claim_ownership(connection, partitions, owner))

    async def acquire_lease(self, name: str, holder: str, *, ttl: timedelta, now: datetime) -> int | None:
        """See AuditLog.acquire_lease."""
        return await self._database.write(partial(ownership.acquire_lease, name=name, holder=holder, ttl=ttl, now=now))

    async def release_lease(self, name: str, holder: str) -> None:
        """See AuditLog.release_lease."""
        await self._database.write(partial(ownership.release_lease, name=name, holder=holder))

    async def due_patients(
        self, now: datetime, *, partitions: Collection[int] | None = None, limit: int = 500
    ) -> list[PatientRow]:
        """See AuditLog.due_patients."""
        return await self._database.read(partial(reading.due_patients, now=now, partitions=partitions, limit=limit))

    async def patients(self) -> list[PatientRow]:
        """See AuditLog.patients."""
        return await self._database.read(reading.all_patients)

    async def patients_past(self, version: int) -> int:
        """See AuditLog.patients_past."""
        return await self._database.read(partial(reading.patients_past, version=version))

    async def alerts(self, *, patient: str | None = None, statuses: Collection[str] | None = None) -> list[AlertRow]:
        """See AuditLog.alerts."""
        return await self._database.read(partial(reading.alerts_of, patient=patient, statuses=statuses))

    async def unanswered(self) -> list[Unanswered]:
        """See AuditLog.unanswered."""
        return await self._database.read(reading.unanswered)

    async def open_by_rule(self) -> dict[str, int]:
        """See AuditLog.open_by_rule."""
        return await self._database.read(reading.open_by_rule)

    async def sources(
        self,
        *,
        heard_from: datetime | None = None,
        heard_until: datetime | None = None,
        read_ever: int = 0,
        limit: int = 1_000,
    ) -> list[SourceRow]:
        """See AuditLog.sources."""
        asked = partial(
            reading.sources_of, heard_from=heard_from, heard_until=heard_until, read_ever=read_ever, limit=limit
        )
        return await self._database.read(asked)

    async def replace_read_models(
        self,
        patients: Sequence[PatientRow],
        alerts: Sequence[AlertRow],
        sources: Sequence[SourceRow] = (),
        *,
        at: int | None = None,
    ) -> None:
        """See AuditLog.replace_read_models."""
        await self._database.write(lambda connection: appending.refill(connection, patients, alerts, sources, at))

    async def claim_outbox(
        self, *, limit: int, lease_for: timedelta, now: datetime, channels: Collection[str] | None = None
    ) -> list[OutboxRow]:
        """See AuditLog.claim_outbox."""
        return await self._database.write(
            partial(sending.claim, limit=limit, lease_for=lease_for, now=now, channels=channels)
        )

    async def settle_outbox(self, row_id: str, outcome: Outcome, batch: Batch) -> list[Record]:
        """See AuditLog.settle_outbox."""
        settle = partial(sending.settle, row_id=row_id, outcome=outcome, batch=batch, encryption=self._encryption)
        return await self._database.write(settle)

    async def outbox_backlog(self) -> list[Backlog]:
        """See AuditLog.outbox_backlog."""
        return await self._database.read(sending.backlog)
