"""Questions to the database, each within the caller's transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit import rows
from monitor.audit.batch import AlertRow, PatientRow, Position, SourceRow, TopicPartition, Unanswered
from monitor.audit.opening import opened, opened_query
from monitor.audit.records import Head, Record
from monitor.audit.stored import Row, Stored
from monitor.audit.tables import alerts, audit_head, audit_log, patients, positions, sources
from monitor.audit.times import utc_text, utc_time
from monitor.core.alert import LIVE
from monitor.errors import SchemaMissing

_NO_END: Final = 2**62
_STORED: Final = text(
    f"SELECT {', '.join(Stored._fields)} FROM audit_log"  # noqa: S608 - the names of our own columns
    " WHERE sequence > :after AND sequence <= :until ORDER BY sequence LIMIT :size"
)


async def head(connection: AsyncConnection) -> Head:
    """The end of the log. Raises SchemaMissing if its row is gone."""
    found = (await connection.execute(select(audit_head))).one_or_none()
    if found is None:
        raise SchemaMissing("the log has lost its head row: restore it from a backup, then run `safety-monitor verify`")
    return Head(found.sequence, found.running_hash)


async def page(connection: AsyncConnection, *, after: int, size: int, stream: str | None = None) -> Sequence[Record]:
    """At most `size` records past `after`, in order."""
    query = opened_query().where(audit_log.c.sequence > after).order_by(audit_log.c.sequence).limit(size)
    if stream is not None:
        query = query.where(audit_log.c.stream == stream)
    return await opened(connection, query)


async def stored_page(connection: AsyncConnection, *, after: int, until: int | None, size: int) -> Sequence[Row]:
    """Records as stored, by the driver's own rows: a verifier reads millions, and their types need no conversion."""
    asked = {"after": after, "until": _NO_END if until is None else until, "size": size}
    result = await connection.execute(_STORED, asked)
    cursor = result.cursor
    return [] if cursor is None else cursor.fetchall()


async def stream(connection: AsyncConnection, *, name: str, after: int = 0) -> list[Record]:
    """All records of a stream past a version, in order."""
    query = opened_query().where(audit_log.c.stream == name, audit_log.c.version > after)
    return await opened(connection, query.order_by(audit_log.c.version))


async def all_positions(connection: AsyncConnection) -> dict[TopicPartition, Position]:
    """How far each (topic, partition) is."""
    found = await connection.execute(select(positions))
    return {(row.topic, row.partition): rows.position_of(row) for row in found}


async def due_patients(
    connection: AsyncConnection, *, now: datetime, partitions: Collection[int] | None, limit: int
) -> list[PatientRow]:
    """Patients with something to do by `now`, the longest due first."""
    due = select(patients).where(patients.c.due_at <= utc_text(now))
    if partitions is not None:
        due = due.where(patients.c.partition.in_(partitions))
    found = await connection.execute(due.order_by(patients.c.due_at, patients.c.patient).limit(limit))
    return [rows.patient_of(row) for row in found.mappings()]


async def all_patients(connection: AsyncConnection) -> list[PatientRow]:
    """All patients. Sorted here: the databases' own orders of text differ."""
    found = await connection.execute(select(patients))
    return sorted((rows.patient_of(row) for row in found.mappings()), key=lambda row: row.patient)


async def patients_past(connection: AsyncConnection, *, version: int) -> int:
    """How many patients' streams hold more than so many records."""
    asked = select(func.count()).select_from(patients).where(patients.c.version > version)
    return int((await connection.execute(asked)).scalar_one())


async def alerts_of(
    connection: AsyncConnection, *, patient: str | None, statuses: Collection[str] | None
) -> list[AlertRow]:
    """Alerts of a patient or of all, of some statuses or of any."""
    query = select(alerts)
    if patient is not None:
        query = query.where(alerts.c.patient == patient)
    if statuses is not None:
        query = query.where(alerts.c.status.in_(statuses))
    found = [rows.alert_of(row) for row in (await connection.execute(query)).mappings()]
    return sorted(found, key=lambda row: (row.effective_at, row.rule, row.alert_id))


async def unanswered(connection: AsyncConnection) -> list[Unanswered]:
    """The firing alerts, counted by priority."""
    oldest = func.min(alerts.c.changed_at).label("oldest_at")
    firing = select(alerts.c.priority, func.count().label("count"), oldest).where(alerts.c.status == "firing")
    found = await connection.execute(firing.group_by(alerts.c.priority).order_by(alerts.c.priority))
    return [Unanswered(priority=row[0], count=row[1], oldest_at=utc_time(row[2])) for row in found]


async def open_by_rule(connection: AsyncConnection) -> dict[str, int]:
    """The alerts that are not over, counted by rule."""
    live = select(alerts.c.rule, func.count()).where(alerts.c.status.in_(LIVE)).group_by(alerts.c.rule)
    return {row[0]: row[1] for row in await connection.execute(live)}


async def sources_of(
    connection: AsyncConnection,
    *,
    heard_from: datetime | None,
    heard_until: datetime | None,
    read_ever: int,
    limit: int,
) -> list[SourceRow]:
    """Sources by when they last sent, those with most refused first."""
    refused = sources.c.refused + sources.c.refused_before
    query = select(sources).where(sources.c.read_ever >= read_ever)
    query = query.order_by(refused.desc(), sources.c.topic, sources.c.source).limit(limit)
    if heard_from is not None:
        query = query.where(sources.c.last_at >= utc_text(heard_from))
    if heard_until is not None:
        query = query.where(sources.c.last_at < utc_text(heard_until))
    return [rows.source_of(row) for row in (await connection.execute(query)).mappings()]
