"""The keys of a log's payloads, as they are made in the transaction of an append (docs/audit.md, "Scheme 2").

Whether a log is encrypted is said by its first record and never changes. Wrapping keys are read anew in each
transaction: one that was destroyed is not used again.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit import encryption, kinds
from monitor.audit.encryption import WrappingKey
from monitor.audit.hashing import SCHEME_ENCRYPTED
from monitor.audit.records import NewRecord
from monitor.audit.rows import Fields
from monitor.audit.tables import audit_log, payload_keys, wrapping_keys
from monitor.errors import UsageError

DEDUPE: Final = "dedupe"
"""Owner of the secret under which dedupe keys are shown. It is never destroyed: what was redacted stays out."""

_KEY_ID_BYTES: Final = 8
_CHUNK: Final = 500


class Encryption:
    """Whether the log is encrypted: asked of its first record, else of the settings (None: yes)."""

    def __init__(self, wanted: bool | None = None) -> None:
        self._wanted = wanted
        self._settled: bool | None = None

    async def check(self, connection: AsyncConnection) -> None:
        """Raises UsageError for a setting that contradicts what the log began with."""
        begun = await self._begun(connection)
        if begun is None or self._wanted in (None, begun):
            return
        how = "with encrypted payloads" if begun else "without encryption"
        raise UsageError(
            f"the log was begun {how} and goes on so: SAFETY_MONITOR_ENCRYPT_PAYLOADS={str(self._wanted).lower()} is"
            " for a new log alone; take the setting away"
        )

    async def begin(self, connection: AsyncConnection, records: Sequence[NewRecord]) -> "Encryptor | None":
        """What encrypts these records within this transaction; None for a log in the clear.

        Raises UsageError where an encrypted log has lost the secret of its dedupe keys: under another one nothing that
        comes again would be known again, and what was redacted would come back.
        """
        begun = await self._begun(connection)
        if not (self._wanted is not False if begun is None else begun):
            return None
        if begun:
            await _secret(connection)
        owners = {owner_of(record) for record in records} | {DEDUPE}
        return Encryptor(await wrapping(connection, owners))

    async def tokens(self, connection: AsyncConnection, dedupe_keys: Collection[str]) -> dict[str, str]:
        """The dedupe keys by how the log shows them. Raises UsageError as `begin` does."""
        if not await self._begun(connection):
            return {key: key for key in dedupe_keys}
        secret = await _secret(connection)
        return {encryption.keyed(secret, key): key for key in dedupe_keys}

    async def _begun(self, connection: AsyncConnection) -> bool | None:
        if self._settled is None:
            scheme = (
                await connection.execute(select(audit_log.c.scheme).order_by(audit_log.c.sequence).limit(1))
            ).scalar()
            self._settled = None if scheme is None else scheme == SCHEME_ENCRYPTED
        return self._settled


class Encryptor:
    """Encrypts the records of one transaction, and collects the keys that go with them."""

    def __init__(self, keys: dict[str, tuple[str, bytes]]) -> None:
        self._secret = keys[DEDUPE][1]
        self._wrapping = {owner: WrappingKey(*found) for owner, found in keys.items() if owner != DEDUPE}
        self.wrapped: list[Fields] = []

    def shown(self, records: Iterable[NewRecord]) -> list[NewRecord]:
        """The records with their dedupe keys as the log shows them."""
        return [
            record
            if record.dedupe_key is None
            else replace(record, dedupe_key=encryption.keyed(self._secret, record.dedupe_key))
            for record in records
        ]

    def encrypt(self, record: NewRecord, sequence: int, version: int) -> tuple[str, str]:
        """The stored payload of a record and its `key_id`."""
        wrapping_key = self._wrapping[owner_of(record)]
        key = encryption.new_key()
        self.wrapped.append({"sequence": sequence, "wrapped": wrapping_key.wrap(key, sequence)})
        of = encryption.identity(sequence, version, record.stream)
        return encryption.encrypt(key, of, record.payload), wrapping_key.key_id

    async def keep(self, connection: AsyncConnection) -> None:
        """Write the keys in the transaction of their records."""
        if self.wrapped:
            await connection.execute(payload_keys.insert(), self.wrapped)


def owner_of(record: NewRecord) -> str:
    """Whose key wraps that of a record's payload."""
    return record.keyed_by or kinds.owner_of(record.stream)


async def wrapping(connection: AsyncConnection, owners: Collection[str]) -> dict[str, tuple[str, bytes]]:
    """The wrapping keys of these owners, by owner: id and key. Those that are missing are made."""
    found = await _find(connection, owners)
    made = {
        owner: (secrets.token_hex(_KEY_ID_BYTES), encryption.new_key()) for owner in sorted(set(owners) - found.keys())
    }
    if made:
        rows = [{"owner": owner, "key_id": key_id, "key": key} for owner, (key_id, key) in made.items()]
        await connection.execute(wrapping_keys.insert(), rows)
    return found | made


async def _secret(connection: AsyncConnection) -> bytes:
    """The secret of a log that was begun. Raises UsageError."""
    found = await _find(connection, [DEDUPE])
    if DEDUPE not in found:
        raise UsageError(
            "the log has lost the key by which it knows what comes again: restore its keys (docs/operations.md) first"
        )
    return found[DEDUPE][1]


async def _find(connection: AsyncConnection, owners: Collection[str]) -> dict[str, tuple[str, bytes]]:
    named = sorted(owners)
    found: dict[str, tuple[str, bytes]] = {}
    for start in range(0, len(named), _CHUNK):
        chosen = wrapping_keys.c.owner.in_(named[start : start + _CHUNK])
        for row in await connection.execute(select(wrapping_keys).where(chosen)):
            found[row.owner] = (row.key_id, row.key)
    return found
