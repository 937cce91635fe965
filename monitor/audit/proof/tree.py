"""Roots of parts of the log's tree, made from cached tiles where there are any and from leaf hashes where not."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, Protocol

from monitor.audit.proof.compact import CompactRange
from monitor.audit.proof.merkle import Span
from monitor.audit.proof.store import Tile

TILE_HEIGHT: Final = 8
TILE: Final = 1 << TILE_HEIGHT
"""Leaves of a tile: a proof reads some hundreds of hashes, and ten million records have 40,000 tiles."""


class Leaves(Protocol):
    """Where the hashes come from (ProofStore)."""

    def leaves(self, first: int, last: int) -> AsyncIterator[Sequence[bytes]]: ...

    async def tiles(self, first: int, last: int) -> Sequence[Tile]: ...


class GrowingTree:
    """The tree over the leaves from `first` on, as complete tiles and the leaves behind them."""

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self._tiles = CompactRange()
        self._tail: list[bytes] = []

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return self._tiles.size + len(self._tail)

    def add_tiles(self, tiles: Iterable[Tile]) -> None:
        """Take cached tiles, as long as each is the next."""
        for tile in tiles:
            if tile.number != (self._first + self.size) // TILE:
                return  # the cache has a gap: the leaves tell the rest
            self._tiles.append_subtree(tile.root, TILE_HEIGHT)

    def add(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Take the next leaves; the tiles that they completed."""
        self._tail += leaves
        completed = []
        while len(self._tail) >= TILE:
            completed.append(Tile((self._first + self._tiles.size) // TILE, _root(self._tail[:TILE])))
            self._tiles.append_subtree(completed[-1].root, TILE_HEIGHT)
            del self._tail[:TILE]
        return completed

    def root(self) -> bytes:
        """The root over all its leaves."""
        whole = self._tiles.copy()
        for leaf in self._tail:
            whole.append(leaf)
        return whole.root()


class TreeReader:
    """Roots of perfect subtrees and of beginnings of the log. `cached=False` reads leaves alone."""

    def __init__(self, source: Leaves, *, cached: bool = True) -> None:
        self._source = source
        self._cached = cached

    async def path(self, spans: Sequence[Span]) -> list[bytes]:
        """The roots over the leaves of several spans, each of which begins where a subtree of its size can.

        Raises ProofInvalid where leaves are missing.
        """
        return [await self.root(span) for span in spans]

    async def root(self, span: Span) -> bytes:
        """The root over the leaves of one span."""
        first, last = span
        tree = GrowingTree(first)
        if self._cached and last - first >= TILE:
            tree.add_tiles(await self._source.tiles(first // TILE, last // TILE))
        async for page in self._source.leaves(first + tree.size, last):
            tree.add(page)
        return tree.root()


def _root(leaves: Sequence[bytes]) -> bytes:
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()
