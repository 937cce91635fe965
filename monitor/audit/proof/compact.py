"""A Merkle tree that is only ever appended to, in memory that grows with the logarithm of its size (RFC 9162, 2.1)."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves."""

NODE: Final = b"\x01"
"""Marks an inner node; 0x00 marks a leaf (monitor.audit.hashing)."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """An inner node: SHA-256(0x01 || left || right)."""
    return sha256(NODE + left + right).digest()


class CompactRange:
    """Leaves in their order, kept as the roots of the perfect subtrees they fill: one for each 1-bit of `size`."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # the largest first

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.append_subtree(leaf, 0)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add many leaf hashes, a level of the tree at a time: `verify` adds all of the log's."""
        level, height, sha = list(leaves), 0, sha256
        left_over = []  # a root without a neighbour on its level, the smallest first
        while level:
            if self.size >> height & 1:
                level.insert(0, self._peaks.pop())
            if len(level) & 1:
                left_over.append(level.pop())
            pairs = iter(level)
            level = [sha(NODE + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            height += 1
        self._peaks += reversed(left_over)
        self.size += len(leaves)

    def append_subtree(self, root: bytes, height: int) -> None:
        """Add the root of a perfect subtree of 2^height leaves. Raises ValueError where it does not fit."""
        if self.size & ((1 << height) - 1):
            raise ValueError(f"a subtree of height {height} cannot begin at leaf {self.size}")
        carry = self.size >> height
        while carry & 1:
            root = node_hash(self._peaks.pop(), root)
            carry >>= 1
        self._peaks.append(root)
        self.size += 1 << height

    def copy(self) -> "CompactRange":
        """The same leaves, to be gone on with elsewhere."""
        other = CompactRange()
        other.size, other._peaks = self.size, self._peaks.copy()
        return other

    def root(self) -> bytes:
        """The tree's root (MTH of RFC 9162)."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            root = node_hash(left, root)
        return root
