"""An insider with every right on the database: rewrites records, chains, keys and head so that they agree together."""

from collections import defaultdict
from collections.abc import Callable

from sqlalchemy import delete, select, text, update

from monitor.audit import encryption, hashing
from monitor.audit.database import Database
from monitor.audit.encryption import WrappingKey
from monitor.audit.opening import texts
from monitor.audit.stored import Stored, envelope
from monitor.audit.tables import audit_head, audit_log, payload_keys, wrapping_keys

GUARDS = {
    "sqlite": [f"DROP TRIGGER audit_log_no_{what}" for what in ("update", "delete", "replace")]
    + [f"DROP TRIGGER checkpoints_no_{what}" for what in ("update", "delete", "replace")],
    "postgresql": [
        f"DROP TRIGGER {table}_no_{what} ON {table}"
        for table in ("audit_log", "checkpoints")
        for what in ("change", "truncate")
    ],
}


async def rewrite(url: str, change: Callable[[list[Stored]], list[Stored]], *also: str) -> None:
    """Put other records in the place of all, sealed as if they had been appended so; then run more statements.

    `change` is given the records in the clear.
    """
    database = Database(url)
    async with database.writing() as connection:
        for statement in GUARDS[connection.dialect.name]:
            await connection.execute(text(statement))
        query = select(audit_log).order_by(audit_log.c.sequence)
        found = [Stored._make(row) for row in await connection.execute(query)]
        shown = await texts(connection, found)
        clear = [record._replace(payload=shown[record.sequence].clear or "") for record in found]
        wrapping = {
            each.key_id: WrappingKey(each.key_id, each.key) for each in await connection.execute(select(wrapping_keys))
        }
        own = {sequence: each.key or b"" for sequence, each in shown.items()}
        encrypted, keys = _encrypted(change(clear), own, wrapping)
        sealed, running = resealed(encrypted)
        for table in (audit_log, payload_keys):
            await connection.execute(delete(table))
        await connection.execute(audit_log.insert(), [record._asdict() for record in sealed])
        await connection.execute(payload_keys.insert(), keys)
        await connection.execute(update(audit_head).values(sequence=len(sealed), running_hash=running))
        for statement in also:
            await connection.execute(text(statement))
    await database.close()


def _encrypted(
    records: list[Stored], own: dict[int, bytes], wrapping: dict[str, WrappingKey]
) -> tuple[list[Stored], list[dict[str, object]]]:
    """Records in the clear, encrypted under their own keys for the places where they now stand; those keys, wrapped."""
    versions: dict[str, int] = defaultdict(int)
    encrypted, keys = [], list[dict[str, object]]()
    for sequence, record in enumerate(records, 1):
        versions[record.stream] += 1
        key, of = own[record.sequence], encryption.identity(sequence, versions[record.stream], record.stream)
        keys.append({"sequence": sequence, "wrapped": wrapping[record.key_id or ""].wrap(key, sequence)})
        encrypted.append(record._replace(payload=encryption.encrypt(key, of, record.payload)))
    return encrypted, keys


def resealed(records: list[Stored]) -> tuple[list[Stored], bytes]:
    ends: dict[str, tuple[int, bytes]] = {}
    running, sealed = hashing.GENESIS, []
    for sequence, record in enumerate(records, 1):
        version, previous = ends.get(record.stream, (0, hashing.GENESIS))
        content = hashing.payload_hash(record.salt, record.payload)
        placed = record._replace(sequence=sequence, version=version + 1, previous_hash=previous, payload_hash=content)
        leaf = hashing.leaf_hash(envelope(placed))
        link = hashing.record_hash(previous, leaf)
        sealed.append(placed._replace(leaf_hash=leaf, record_hash=link))
        ends[record.stream] = (version + 1, link)
        running = hashing.running_hash(running, leaf)
    return sealed, running


def with_another_value(records: list[Stored]) -> list[Stored]:
    """The fourth record says something else."""
    return [*records[:3], records[3]._replace(payload='{"number":999}'), *records[4:]]


def without_one(records: list[Stored]) -> list[Stored]:
    """The fourth record never was."""
    return [*records[:3], *records[4:]]


def unchanged(records: list[Stored]) -> list[Stored]:
    return records
