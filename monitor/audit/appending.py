"""The one transaction that writes to the log: lock the head, check, drop duplicates, number, chain, insert."""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, Text, column, delete, func, select, update, values
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit import rows
from monitor.audit.batch import AlertRow, Batch, Owner, PatientRow, Position, SourceRow, TopicPartition
from monitor.audit.hashing import SALT_BYTES
from monitor.audit.payload_keys import Encryption
from monitor.audit.positions import advanced, check_owner
from monitor.audit.records import Head, Record, StreamHead
from monitor.audit.seal import check_still_at, check_versions, seal, without_duplicates
from monitor.audit.sources import after
from monitor.audit.stored import record_of
from monitor.audit.tables import alerts, audit_head, audit_log, instances, outbox, owners, patients, positions, sources
from monitor.errors import SchemaMissing

CHUNK: Final = 500
"""Values in one question: far below the drivers' limits of 32,766, and few different statements to prepare."""


async def write(connection: AsyncConnection, batch: Batch, encryption: Encryption) -> list[Record]:
    """Append a batch within the caller's transaction. Raises VersionConflict, Fenced."""
    head = await locked_head(connection)
    await _check_owner(connection, batch)
    names = {record.stream for record in batch.records} | set(batch.expected)
    streams = await stream_heads(connection, names)
    check_versions(batch.expected, streams)
    encryptor = await encryption.begin(connection, batch.records) if batch.records else None
    records = batch.records if encryptor is None else encryptor.shown(batch.records)
    keys = {record.dedupe_key for record in records if record.dedupe_key is not None}
    new = without_duplicates(records, await known_keys(connection, keys))
    salts = secrets.token_bytes(SALT_BYTES * len(new))
    encrypt = None if encryptor is None else encryptor.encrypt
    sealed = seal(new, recorded_at=batch.recorded_at, head=head, streams=streams, salts=salts, encrypt=encrypt)
    if sealed.stored:
        await connection.execute(audit_log.insert(), [stored._asdict() for stored in sealed.stored])
        if encryptor is not None:
            await encryptor.keep(connection)
        moved = {"sequence": sealed.head.sequence, "running_hash": sealed.head.running_hash}
        await connection.execute(update(audit_head).values(moved))
    await _move_positions(connection, batch)
    await upsert(connection, outbox, [rows.fields(row) for row in batch.outbox], keep=True)
    await upsert(connection, patients, [rows.fields(row) for row in batch.patients])
    await upsert(connection, alerts, [rows.fields(row) for row in batch.alerts])
    await _hear(connection, batch)
    return [record_of(stored, record.payload) for stored, record in zip(sealed.stored, new, strict=True)]


async def locked_head(connection: AsyncConnection) -> Head:
    """The head of the log; no other can append until this transaction ends. (SQLite: BEGIN IMMEDIATE locked it.)"""
    found = (await connection.execute(select(audit_head).with_for_update())).one_or_none()
    if found is None:
        raise SchemaMissing("the log has lost its head row: restore it from a backup, then run `verify`")
    return Head(found.sequence, found.running_hash)


async def stream_heads(connection: AsyncConnection, names: Iterable[str]) -> dict[str, StreamHead]:
    """The ends of these streams; a stream without records is left out."""
    ends: dict[str, StreamHead] = {}
    for chunk in _chunks(sorted(names)):
        asked = values(column("stream", Text), name="asked").data([(name,) for name in chunk]).cte("asked")
        newest = select(func.max(audit_log.c.version)).where(audit_log.c.stream == asked.c.stream).scalar_subquery()
        last = audit_log.alias("last")
        found = await connection.execute(
            select(last.c.stream, last.c.version, last.c.record_hash).join_from(
                asked, last, (last.c.stream == asked.c.stream) & (last.c.version == newest)
            )
        )
        ends |= {row.stream: StreamHead(row.version, row.record_hash) for row in found}
    return ends


async def known_keys(connection: AsyncConnection, keys: Collection[str]) -> set[str]:
    """Those of the dedupe keys that are on the log."""
    known: set[str] = set()
    for chunk in _chunks(sorted(keys)):
        found = await connection.execute(select(audit_log.c.dedupe_key).where(audit_log.c.dedupe_key.in_(chunk)))
        known.update(found.scalars())
    return known


async def upsert(
    connection: AsyncConnection, table: Table, found: Sequence[rows.Fields], *, keep: bool = False
) -> None:
    """Insert rows; one that is there already is overwritten, or with `keep` left as it is."""
    if not found:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    insert: Any = make(table)
    key = {column.name for column in table.primary_key}
    if keep:
        insert = insert.on_conflict_do_nothing(index_elements=sorted(key))
    else:
        changed = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in key}
        insert = insert.on_conflict_do_update(index_elements=sorted(key), set_=changed)
    await connection.execute(insert, list(found))


async def _check_owner(connection: AsyncConnection, batch: Batch) -> None:
    if batch.owner is None and not batch.positions:
        return
    starts = await instance_starts(connection, batch.owner)
    topics = {topic for topic, _ in batch.positions}
    found = await connection.execute(select(owners).where(owners.c.topic.in_(topics))) if topics else ()
    held = {(row.topic, row.partition): Owner(row.instance, row.epoch) for row in found}
    check_owner(batch.owner, batch.positions, held, starts)


async def instance_starts(connection: AsyncConnection, owner: Owner | None) -> dict[str, int]:
    """The newest epoch of the owner's instance, by its name."""
    if owner is None:
        return {}
    found = await connection.execute(select(instances).where(instances.c.instance == owner.instance))
    return {row.instance: row.epoch for row in found}


async def _move_positions(connection: AsyncConnection, batch: Batch) -> None:
    if not batch.positions:
        return
    topics = {topic for topic, _ in batch.positions}
    found = await connection.execute(select(positions).where(positions.c.topic.in_(topics)))
    current = {(row.topic, row.partition): rows.position_of(row) for row in found}
    moved = {place: advanced(current.get(place), position) for place, position in batch.positions.items()}
    await put_positions(connection, moved)


async def _hear(connection: AsyncConnection, batch: Batch) -> None:
    """Count what the sources of a batch sent. The head is locked, so no other counts meanwhile."""
    known: dict[tuple[str, str], SourceRow] = {}
    for names in _chunks(sorted({heard.source for heard in batch.heard})):
        topics = {heard.topic for heard in batch.heard}
        asked = select(sources).where(sources.c.topic.in_(topics), sources.c.source.in_(names))
        found = map(rows.source_of, (await connection.execute(asked)).mappings())
        known |= {(row.topic, row.source): row for row in found}
    await upsert(connection, sources, [rows.fields(row) for row in after(known, batch.heard, batch.recorded_at)])


async def put_positions(connection: AsyncConnection, places: Mapping[TopicPartition, Position]) -> None:
    """Write positions as they are given."""
    found = [{"topic": topic, "partition": partition} | rows.fields(at) for (topic, partition), at in places.items()]
    await upsert(connection, positions, found)


async def refill(
    connection: AsyncConnection,
    patient_rows: Sequence[PatientRow],
    alert_rows: Sequence[AlertRow],
    source_rows: Sequence[SourceRow],
    at: int | None,
) -> None:
    """Put these rows in the place of all rows of the read models. Raises VersionConflict if the log is not at `at`."""
    check_still_at(at, await locked_head(connection))
    for table, found in ((patients, patient_rows), (alerts, alert_rows), (sources, source_rows)):
        await connection.execute(delete(table))
        await upsert(connection, table, [rows.fields(row) for row in found])


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
