"""What stands in the tree for records that an export leaves out: the roots of the largest subtrees they fill.

With them the tree can be built again over the records that are left, and compared with every checkpoint: one inclusion
proof for all of them together. Of what was left out they tell how much it is and nothing else, for a leaf covers a
salted hash.
"""

from collections.abc import Iterator
from typing import NamedTuple

from monitor.audit.proof.compact import node_hash
from monitor.events.canonical import canonical


class Piece(NamedTuple):
    """2^height records from sequence `first` on, and the root of the tree over them."""

    first: int
    height: int
    root: bytes

    @property
    def records(self) -> int:
        """How many records it stands for."""
        return 1 << self.height

    @property
    def line(self) -> str:
        """As a line of the export."""
        return canonical({"first": self.first, "count": self.records, "root": self.root.hex()}) + "\n"


class LeftOut:
    """Collects a run of records that are left out; memory grows with the logarithm of its length."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []

    def add(self, sequence: int, leaf: bytes) -> None:
        """Leave out one more record, the next of the run."""
        piece = Piece(sequence, 0, leaf)
        while self._pieces and self._fits(self._pieces[-1], piece):
            left = self._pieces.pop()
            piece = Piece(left.first, left.height + 1, node_hash(left.root, piece.root))
        self._pieces.append(piece)

    def flush(self) -> Iterator[Piece]:
        """The pieces of the run, which ends here: at a record that is kept, at a checkpoint, at the end of the log."""
        found, self._pieces = self._pieces, []
        yield from found

    @staticmethod
    def _fits(left: Piece, right: Piece) -> bool:
        """Are they the two halves of a subtree? Leaves count from 0, sequences from 1."""
        return left.height == right.height and (left.first - 1) % (2 * left.records) == 0
