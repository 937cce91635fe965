"""Records read with their clear text. A redacted record reads as what its redaction left of it, whoever reads it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit import kinds
from monitor.audit.encryption import WrappingKey, WrongKey, decrypt, identity
from monitor.audit.hashing import SCHEME_ENCRYPTED
from monitor.audit.records import Erasures, Lost, Record, Redacted
from monitor.audit.stored import Stored, record_of
from monitor.audit.tables import audit_log, payload_keys, tombstones, wrapping_keys

UNREADABLE: Final = ""
"""The payload of a record whose key is lost or false: none is empty. Whoever needs it fails, and `verify` names it."""

_COLUMNS = len(Stored._fields)


def opened_query() -> Select[Any]:
    """The columns of the log, and the keys of each payload where they are there."""
    own = audit_log.outerjoin(payload_keys, payload_keys.c.sequence == audit_log.c.sequence)
    joined = own.outerjoin(wrapping_keys, wrapping_keys.c.key_id == audit_log.c.key_id)
    return select(audit_log, payload_keys.c.wrapped, wrapping_keys.c.key).select_from(joined)


async def opened(connection: AsyncConnection, query: Select[Any]) -> list[Record]:
    """The records of an `opened_query`; without a payload where its key is lost or false and nobody redacted it."""
    rows = (await connection.execute(query)).all()
    lost = [row.sequence for row in rows if row.scheme == SCHEME_ENCRYPTED and row.wrapped is None]
    left = await _left(connection, lost)
    keys: dict[str, WrappingKey] = {}
    return [_record(row, keys, left) for row in rows]


def _record(row: Row[Any], keys: dict[str, WrappingKey], left: Mapping[int, tuple[str, Redacted]]) -> Record:
    stored = Stored._make(row[:_COLUMNS])
    if stored.scheme != SCHEME_ENCRYPTED:
        return record_of(stored, stored.payload)
    if row.wrapped is None or row.key is None:
        return record_of(stored, *left.get(stored.sequence, (UNREADABLE,)))
    wrapping = keys.get(stored.key_id or "") or WrappingKey(stored.key_id or "", row.key)
    keys[wrapping.key_id] = wrapping
    return record_of(stored, _text(stored, wrapping, row.wrapped).clear or UNREADABLE)


class Text(NamedTuple):
    """What an export shows of an encrypted payload: its text and its key, or the record that redacted it.

    All None: its key is gone and nobody says why, or does not open it.
    """

    clear: str | None
    key: bytes | None = None
    redacted: int | None = None


async def texts(connection: AsyncConnection, page: Sequence[Stored]) -> dict[int, Text]:
    """What can be shown of the encrypted records of a page, by their sequence. Raises nothing for what is broken."""
    asked = {stored.sequence: stored for stored in page if stored.scheme == SCHEME_ENCRYPTED}
    if not asked:
        return {}
    within = payload_keys.c.sequence.between(page[0].sequence, page[-1].sequence)
    found = await connection.execute(select(payload_keys).where(within))
    wrapped = {row.sequence: row.wrapped for row in found}
    named = {stored.key_id for stored in asked.values() if stored.key_id is not None}
    known = await connection.execute(select(wrapping_keys).where(wrapping_keys.c.key_id.in_(named)))
    keys = {row.key_id: WrappingKey(row.key_id, row.key) for row in known}
    left = await _left(connection, sorted(asked.keys() - wrapped.keys()))
    shown = {}
    for sequence, stored in asked.items():
        if sequence in left:
            residue, redacted = left[sequence]
            shown[sequence] = Text(None if redacted.whole else residue, None, redacted.act)
        elif sequence in wrapped and stored.key_id in keys:
            shown[sequence] = _text(stored, keys[stored.key_id], wrapped[sequence])
        else:
            shown[sequence] = Text(None)
    return shown


def _text(stored: Stored, wrapping: WrappingKey, wrapped: bytes) -> Text:
    try:
        key = wrapping.unwrap(wrapped, stored.sequence)
        return Text(decrypt(key, identity(stored.sequence, stored.version, stored.stream), stored.payload), key)
    except WrongKey:
        return Text(None)


async def _left(connection: AsyncConnection, sequences: Sequence[int]) -> dict[int, tuple[str, Redacted]]:
    """What is left of redacted records, by their sequence."""
    if not sequences:
        return {}
    found = await connection.execute(select(tombstones).where(tombstones.c.sequence.in_(sequences)))
    acts = {row.sequence: row.act for row in found}
    if not acts:
        return {}
    read = await opened(connection, opened_query().where(audit_log.c.sequence.in_(set(acts.values()))))
    by_sequence = {record.sequence: record for record in read if record.payload != UNREADABLE}
    return {sequence: left_by(by_sequence[act], sequence) for sequence, act in acts.items() if act in by_sequence}


async def erasures(connection: AsyncConnection) -> Erasures:
    """The records whose keys are not there, and the records of redactions."""
    keyed = select(payload_keys.c.sequence).where(payload_keys.c.sequence == audit_log.c.sequence).exists()
    columns = (audit_log.c.sequence, audit_log.c.stream, audit_log.c.key_id)
    without = select(*columns).where(audit_log.c.scheme == SCHEME_ENCRYPTED, ~keyed).order_by(audit_log.c.sequence)
    lost = [Lost(*row) for row in await connection.execute(without)]
    query = opened_query().where(audit_log.c.kind == kinds.RECORD_REDACTED).order_by(audit_log.c.sequence)
    acts = await opened(connection, query)
    return Erasures(tuple(lost), tuple(acts), await _returned(connection, acts))


async def _returned(connection: AsyncConnection, acts: Sequence[Record]) -> dict[int, int]:
    marked = tombstones.join(payload_keys, payload_keys.c.sequence == tombstones.c.sequence)
    told = await connection.execute(select(tombstones.c.sequence, tombstones.c.act).select_from(marked))
    # Nobody trusts a tombstone, but where the record of its redaction cannot be read there is no other word.
    unread = {act.sequence for act in acts if act.payload == UNREADABLE}
    returned = {row.sequence: row.act for row in told if row.act in unread and row.act > row.sequence}
    for act in (each for each in acts if each.payload != UNREADABLE):
        payload = json.loads(act.payload)
        named = audit_log.c.sequence.in_([int(sequence) for sequence in payload["left"] or ()])
        erased = named if payload["left"] is not None else audit_log.c.key_id.in_(payload["keys"])
        keyed = audit_log.join(payload_keys, payload_keys.c.sequence == audit_log.c.sequence)
        found = await connection.execute(select(audit_log.c.sequence).select_from(keyed).where(erased))
        returned |= dict.fromkeys(found.scalars(), act.sequence)
    return returned


def left_by(act: Record, sequence: int) -> tuple[str, Redacted]:
    """What the record of a redaction says is left of a record, and who erased the rest when and why."""
    payload = json.loads(act.payload)
    residue: str | None = (payload["left"] or {}).get(str(sequence))
    redacted = Redacted(act.sequence, act.recorded_at, act.actor, payload["why"], whole=residue is None)
    return residue or "", redacted
