"""Inclusion and consistency proofs of RFC 9162: which subtrees a proof names, and how it is checked.

Leaves count from 0 here: the record with sequence n is leaf n - 1. Pure; the hashes of subtrees come from `tree`.
"""

from collections.abc import Sequence

from monitor.audit.proof.compact import node_hash

Span = tuple[int, int]
"""The leaves from the first up to, but not with, the second."""


def inclusion_spans(leaf: int, size: int) -> list[Span]:
    """The subtrees whose roots make the path of a leaf, the nearest first (RFC 9162, 2.1.3.1).

    Raises ValueError for a leaf that is not in the tree.
    """
    if not 0 <= leaf < size:
        raise ValueError(f"leaf {leaf} is not in a tree of {size}")
    spans: list[Span] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if leaf < middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """The subtrees that show a tree of `old` leaves to be the beginning of one of `new` (RFC 9162, 2.1.4.1).

    Raises ValueError unless 0 <= old <= new. An empty tree is the beginning of every tree: nothing needs to be shown.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} is not the beginning of one of {new}")
    if old in {0, new}:
        return []
    spans: list[Span] = []
    low, high = 0, new
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low = middle
    if low:  # with low at 0 the old tree is that subtree itself, and its root is known
        spans.append((low, high))
    return spans[::-1]


def includes(leaf_hash: bytes, leaf: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Does the path lead from this leaf to this root? (RFC 9162, 2.1.3.2)"""
    if not 0 <= leaf < size:
        return False
    here, last, found = leaf, size - 1, leaf_hash
    for step in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(step, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, step)
        here, last = here >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Is the tree of `old` leaves with its root the beginning of that of `new`? (RFC 9162, 2.1.4.2)"""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not path and (old == 0 or old_root == new_root)
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not steps:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, step)
        here, last = here >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """The largest power of two below `count` (which is at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)
