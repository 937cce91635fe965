"""What the proofs read and write in the log's database: leaf hashes, tiles of the tree, signed checkpoints."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit.appending import upsert
from monitor.audit.database import Database
from monitor.audit.log import SqlAuditLog
from monitor.audit.opening import Text, texts
from monitor.audit.proof.checkpoint import SignedCheckpoint
from monitor.audit.reading import head, stored_page
from monitor.audit.stored import Stored
from monitor.audit.tables import audit_log, checkpoints, tree_tiles
from monitor.audit.times import utc_text, utc_time
from monitor.errors import ProofInvalid

PAGE: Final = 8_192
"""Leaf hashes read in one short transaction: 32 bytes each."""

TILES_AT_ONCE: Final = 10_000


class Kept(NamedTuple):
    """A checkpoint as the database holds it; `note` is what was signed, `root` is not to be trusted alone."""

    size: int
    root: bytes
    note: str
    made_at: datetime


class Tile(NamedTuple):
    """The root of the complete run of 256 leaves with this number, from 0."""

    number: int
    root: bytes


class ProofStore:
    """Beside the log, in its database and under its lock. Every method raises DatabaseUnavailable, SchemaMissing."""

    def __init__(self, log: SqlAuditLog) -> None:
        self._database: Database = log.database

    async def size(self) -> int:
        """How many records the log's head counts."""
        return (await self._database.read(head)).sequence

    async def leaves(self, first: int, last: int) -> AsyncIterator[Sequence[bytes]]:
        """The leaf hashes `first` up to, not with, `last` (from 0), in pages. Raises ProofInvalid where one is missing.

        They are as stored, whether or not their records still have these hashes: `verify` looks at those.
        """
        while first < last:
            until = min(last, first + PAGE)
            found = await self._database.read(partial(_leaves, first=first, last=until))
            if len(found) != until - first:
                raise ProofInvalid(f"records are missing between {first + 1} and {until}: run `safety-monitor verify`")
            yield found
            first = until

    async def record(self, sequence: int) -> Stored | None:
        """One record as it is stored."""
        found = await self._database.read(partial(stored_page, after=sequence - 1, until=sequence, size=1))
        return Stored._make(found[0]) if found else None

    async def text(self, stored: Stored) -> Text | None:
        """What an encrypted payload says, and its key; None for one that is not encrypted."""
        return (await self._database.read(partial(texts, page=[stored]))).get(stored.sequence)

    async def tiles(self, first: int, last: int) -> Sequence[Tile]:
        """The tiles there are among `first` up to, not with, `last`, in order."""
        return await self._database.read(partial(_tiles, first=first, last=last))

    async def newest(self) -> Kept | None:
        """The checkpoint of the most records."""
        return await self._database.read(_newest)

    async def checkpoint(self, size: int) -> Kept | None:
        """The checkpoint of just so many records."""
        found = await self.checkpoints(size - 1, size)
        return found[0] if found else None

    async def checkpoints(self, above: int, until: int) -> Sequence[Kept]:
        """The checkpoints of more than `above` records, up to `until`, in order."""
        return await self._database.read(partial(_checkpoints, above=above, until=until))

    async def covering(self, sequence: int) -> Kept | None:
        """The newest checkpoint, if it counts this record."""
        found = await self.newest()
        return found if found is not None and found.size >= sequence else None

    async def keep(self, signed: SignedCheckpoint, made_at: datetime, tiles: Sequence[Tile]) -> bool:
        """Write a checkpoint with the tiles completed since the last; False if there is one of its size already."""
        return await self._database.write(partial(_keep, signed=signed, made_at=made_at, tiles=tiles))


async def _leaves(connection: AsyncConnection, *, first: int, last: int) -> list[bytes]:
    sequence = audit_log.c.sequence
    query = select(audit_log.c.leaf_hash).where(sequence > first, sequence <= last).order_by(sequence)
    return list((await connection.execute(query)).scalars())


async def _tiles(connection: AsyncConnection, *, first: int, last: int) -> list[Tile]:
    number = tree_tiles.c.number
    query = select(tree_tiles).where(number >= first, number < last).order_by(number)
    return [Tile(row.number, row.root) for row in await connection.execute(query)]


async def _newest(connection: AsyncConnection) -> Kept | None:
    largest = select(func.max(checkpoints.c.size)).scalar_subquery()
    row = (await connection.execute(select(checkpoints).where(checkpoints.c.size == largest))).one_or_none()
    return None if row is None else Kept(row.size, row.root, row.note, utc_time(row.made_at))


async def _checkpoints(connection: AsyncConnection, *, above: int, until: int) -> list[Kept]:
    size = checkpoints.c.size
    query = select(checkpoints).where(size > above, size <= until).order_by(size)
    return [Kept(row.size, row.root, row.note, utc_time(row.made_at)) for row in await connection.execute(query)]


async def _keep(
    connection: AsyncConnection, *, signed: SignedCheckpoint, made_at: datetime, tiles: Sequence[Tile]
) -> bool:
    there = select(checkpoints.c.size).where(checkpoints.c.size == signed.size)
    if (await connection.execute(there)).one_or_none() is not None:
        return False
    row = {"size": signed.size, "root": signed.root, "note": str(signed.note), "made_at": utc_text(made_at)}
    await upsert(connection, checkpoints, [row], keep=True)
    for start in range(0, len(tiles), TILES_AT_ONCE):
        some = [tile._asdict() for tile in tiles[start : start + TILES_AT_ONCE]]
        await upsert(connection, tree_tiles, some, keep=True)
    return True
