"""The one transaction in which payloads are erased: the record of it, the keys, the tombstones, the copies."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit.appending import CHUNK, upsert, write
from monitor.audit.batch import Batch, OutboxState
from monitor.audit.payload_keys import Encryption
from monitor.audit.records import Record
from monitor.audit.scrubbing import scrubbed
from monitor.audit.tables import alerts, audit_head, audit_log, outbox, payload_keys, tombstones, wrapping_keys

EMPTY = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What is to go.

    `batch` holds the record of the redaction and the read models after it. `sequences` lose their keys; with `owner`
    all that this owner's key has encrypted, the key itself, and the alerts and notices of `patient`. `texts` are
    replaced in the patient's notices, `copies` are beginnings of the ids of outbox rows whose content goes.
    """

    batch: Batch
    sequences: tuple[int, ...] = ()
    patient: str | None = None
    owner: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    copies: tuple[str, ...] = ()


async def erase(connection: AsyncConnection, erasure: Erasure, encryption: Encryption) -> list[Record]:
    """Record it and do it, or neither. Raises VersionConflict if a patient's history has gone on meanwhile."""
    [act] = await write(connection, erasure.batch, encryption)
    sequences = set(erasure.sequences)
    if erasure.owner is not None:
        sequences |= await _all_of(connection, erasure.owner)
    await erase_again(connection, dict.fromkeys(sequences, act.sequence))
    if erasure.owner is not None:
        await connection.execute(delete(wrapping_keys).where(wrapping_keys.c.owner == erasure.owner))
        await connection.execute(delete(alerts).where(alerts.c.patient == erasure.patient))
        await _empty(connection, outbox.c.patient == erasure.patient)
    elif erasure.patient is not None and erasure.texts:
        await _replace(connection, erasure.patient, erasure.texts)
    if erasure.copies:
        await _empty(connection, or_(*(outbox.c.row_id.startswith(copy, autoescape=True) for copy in erasure.copies)))
    return [act]


async def erase_again(connection: AsyncConnection, returned: Mapping[int, int]) -> None:
    """Destroy the keys that a backup brought back, of records that were redacted by those that `returned` names."""
    named = sorted(returned)
    for start in range(0, len(named), CHUNK):
        await connection.execute(delete(payload_keys).where(payload_keys.c.sequence.in_(named[start : start + CHUNK])))
    await upsert(connection, tombstones, [{"sequence": each, "act": returned[each]} for each in named])


async def take_back(connection: AsyncConnection, returned: Mapping[int, int]) -> int:
    """Destroy the keys that a backup brought back: of redacted records, see `erase_again`, and of those past the head.

    The latter were dumped after the log was. How many they were.
    """
    await erase_again(connection, returned)
    return await _forget_ahead(connection)


async def _forget_ahead(connection: AsyncConnection) -> int:
    head = select(audit_head.c.sequence).scalar_subquery()
    gone = await connection.execute(delete(payload_keys).where(payload_keys.c.sequence > head))
    return gone.rowcount


async def _all_of(connection: AsyncConnection, owner: str) -> set[int]:
    key_id = select(wrapping_keys.c.key_id).where(wrapping_keys.c.owner == owner).scalar_subquery()
    found = await connection.execute(select(audit_log.c.sequence).where(audit_log.c.key_id == key_id))
    return set(found.scalars())


async def _empty(connection: AsyncConnection, chosen: ColumnElement[bool]) -> None:
    """Take the content out of outbox rows. What was not sent yet is not sent any more."""
    waiting = outbox.c.state == OutboxState.PENDING.value
    await connection.execute(update(outbox).where(chosen, waiting).values(state=OutboxState.ABANDONED.value))
    await connection.execute(update(outbox).where(chosen).values(payload=EMPTY))


async def _replace(connection: AsyncConnection, patient: str, texts: Mapping[str, str]) -> None:
    """Notices of the patient's alerts go out all the same, with marks in the place of what was erased."""
    chosen = select(outbox).where(outbox.c.patient == patient, outbox.c.payload != EMPTY)
    for row in (await connection.execute(chosen)).all():
        payload = scrubbed(row.payload, texts)
        if payload != row.payload:
            await connection.execute(update(outbox).where(outbox.c.row_id == row.row_id).values(payload=payload))
