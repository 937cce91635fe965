"""Making checkpoints: the log's head, signed, and never two heads that contradict each other."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from monitor.audit.proof.checkpoint import SignedCheckpoint, read_checkpoint, sign_checkpoint
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.store import Kept, ProofStore, Tile
from monitor.audit.proof.tree import TILE, GrowingTree
from monitor.errors import ProofInvalid

LOOK: Final = "nothing is signed; run `safety-monitor verify`, and see whether a backup was restored"

Published = Callable[[], SignedCheckpoint | None]


class CheckpointMaker:
    """Signs the log's head. Keeps the tree between two checkpoints, so that only new leaves are read.

    `published` reads the newest checkpoint that went out of the house, where one can be read back: a log restored from
    a backup contradicts it, though its own tables agree with each other.
    """

    def __init__(self, store: ProofStore, keys: Sequence[SigningKey], published: Published = lambda: None) -> None:
        self._store = store
        self._keys = keys
        self._published = published
        self._tree: GrowingTree | None = None
        self._tiles: list[Tile] = []

    async def make(self, now: datetime) -> SignedCheckpoint | None:
        """Sign and keep the head of the log; None if there is nothing new to sign.

        Raises ProofInvalid, with nothing signed, if the log is not the continuation of what was signed before, and
        DatabaseUnavailable.
        """
        newest = await self._store.newest()
        size = await self._store.size()  # after the checkpoint, which it therefore contains
        try:
            tree = await self._consistent(newest, size)
            if size == (0 if newest is None else newest.size):
                return None
            await self._grow(tree, size)
            signed = sign_checkpoint(size, tree.root(), self._keys)
            kept = await self._store.keep(signed, now, self._tiles)
        except BaseException:
            self._tree = None  # what was read of a log that is in doubt is not gone on with
            raise
        self._tiles = []
        return signed if kept else None

    async def _consistent(self, newest: Kept | None, size: int) -> GrowingTree:
        """The tree grown to the newest checkpoint and found to be the one that was signed."""
        signed = [] if newest is None else [read_checkpoint(newest.note)]
        if self._tree is not None:
            await self._hold(self._tree, signed, size)
            return self._tree
        if (published := self._published()) is not None:
            signed.append(published)
        cached = await self._begun(newest)
        try:
            await self._hold(cached, signed, size)
        except ProofInvalid:
            cached = await self._begun(None)  # a spoiled cache is no spoiled log
            await self._hold(cached, signed, size)
        return cached

    async def _begun(self, newest: Kept | None) -> GrowingTree:
        self._tree, self._tiles = GrowingTree(), []
        if newest is not None:
            self._tree.add_tiles(await self._store.tiles(0, newest.size // TILE))
        return self._tree

    async def _hold(self, tree: GrowingTree, signed: Sequence[SignedCheckpoint], size: int) -> None:
        for each in sorted(signed, key=lambda one: one.size):
            if each.size > size:
                raise ProofInvalid(f"the log has {size} records where a checkpoint was signed over {each.size}: {LOOK}")
            if each.size < tree.size:
                continue  # it was held against the tree when that was smaller
            await self._grow(tree, each.size)
            if tree.root() != each.root:
                raise ProofInvalid(f"the first {each.size} records are not those a checkpoint was signed over: {LOOK}")

    async def _grow(self, tree: GrowingTree, size: int) -> None:
        async for page in self._store.leaves(tree.size, size):
            self._tiles += tree.add(page)
