"""The tree: held to the vectors of RFC 6962 and 9162's authors, to an independent implementation, and to its laws."""

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from monitor.audit.hashing import leaf_hash
from monitor.audit.proof.compact import EMPTY_ROOT, CompactRange
from monitor.audit.proof.merkle import Span, consistency_spans, consistent, includes, inclusion_spans

# Certificate transparency's own test tree (merkletree/testonly of its reference implementation).
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
LEAVES = [leaf_hash(entry) for entry in INPUTS]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
NODES = {
    "1": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "23": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "4567": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "4": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "67": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "45": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
}


def root_of(leaves: list[bytes]) -> bytes:
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def path_of(spans: list[Span], leaves: list[bytes]) -> list[bytes]:
    return [root_of(leaves[first:last]) for first, last in spans]


def numbered(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_published_vectors(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("leaf", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [NODES["1"], NODES["23"], NODES["4567"]]),
        (5, 8, [NODES["4"], NODES["67"], ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], NODES["23"], NODES["4"]]),
    ],
)
def test_inclusion_paths_are_those_of_the_published_vectors(leaf: int, size: int, path: list[str]) -> None:
    found = path_of(inclusion_spans(leaf, size), LEAVES[:size])

    assert [step.hex() for step in found] == path
    assert includes(LEAVES[leaf], leaf, size, found, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (1, 1, []),
        (1, 8, [NODES["1"], NODES["23"], NODES["4567"]]),
        (6, 8, [NODES["45"], NODES["67"], ROOTS[4]]),
        (2, 5, [NODES["23"], NODES["4"]]),
    ],
)
def test_consistency_paths_are_those_of_the_published_vectors(old: int, new: int, path: list[str]) -> None:
    found = path_of(consistency_spans(old, new), LEAVES[:new])

    assert [step.hex() for step in found] == path
    assert consistent(old, new, found, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]))


def test_every_root_and_path_is_that_of_an_independent_implementation() -> None:
    """The oracle begins an inclusion path with the leaf itself."""
    oracle = InmemoryTree(algorithm="sha256")
    leaves = []
    for number in range(70):
        entry = str(number).encode()
        oracle.append_entry(entry)
        leaves.append(leaf_hash(entry))
        assert root_of(leaves) == oracle.get_root()
    for size in range(1, 71):
        for leaf in range(size):
            theirs = oracle.prove_inclusion(leaf + 1, size).path
            assert path_of(inclusion_spans(leaf, size), leaves) == theirs[1:]
        for old in range(1, size):
            ours = path_of(consistency_spans(old, size), leaves)
            assert consistent(old, size, ours, oracle.get_root(old), oracle.get_root(size))


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_every_leaf_is_shown_to_be_in_its_tree_and_in_no_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    leaf = data.draw(st.integers(0, size - 1))
    leaves = numbered(size)
    root = root_of(leaves)
    path = path_of(inclusion_spans(leaf, size), leaves)

    assert includes(leaves[leaf], leaf, size, path, root)
    assert not includes(sha256(b"another").digest(), leaf, size, path, root)
    assert not includes(leaves[leaf], leaf, size, path, sha256(root).digest())
    assert not includes(leaves[leaf], leaf, size, [*path, root], root)
    assert not includes(leaves[leaf], leaf, leaf, path, root)
    if path:
        assert not includes(leaves[leaf], leaf, size, path[:-1], root)
        assert not includes(leaves[leaf], (leaf + 1) % size, size, path, root)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_grown_tree_is_shown_to_begin_with_the_old_one_and_a_rewritten_one_is_not(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 300))
    old = data.draw(st.integers(1, new))
    changed = data.draw(st.integers(0, old - 1))
    leaves = numbered(new)
    path = path_of(consistency_spans(old, new), leaves)
    before, after = root_of(leaves[:old]), root_of(leaves)
    rewritten = [*leaves[:changed], leaf_hash(b"another"), *leaves[changed + 1 :]]

    assert consistent(old, new, path, before, after)
    assert not consistent(old, new, path_of(consistency_spans(old, new), rewritten), before, root_of(rewritten))
    assert not consistent(old, new, [*path, after], before, after)
    assert not consistent(new + 1, new, path, before, after)
    if path:
        assert not consistent(old, new, path[:-1], before, after)


@given(st.lists(st.integers(0, 5), max_size=40))
def test_subtrees_can_stand_for_their_leaves(heights: list[int]) -> None:
    leaves = numbered(sum(1 << height for height in heights))
    tree = CompactRange()
    for height in sorted(heights, reverse=True):
        tree.append_subtree(root_of(leaves[tree.size : tree.size + (1 << height)]), height)

    assert tree.size == len(leaves)
    assert tree.root() == root_of(leaves)


@given(st.lists(st.integers(0, 70), max_size=8))
def test_leaves_make_one_tree_however_many_come_at_once(portions: list[int]) -> None:
    leaves = numbered(sum(portions))
    tree = CompactRange()
    for portion in portions:
        tree.extend(leaves[tree.size : tree.size + portion])
        assert tree.root() == root_of(leaves[: tree.size])

    assert tree.size == len(leaves)


def test_a_subtree_is_refused_where_it_would_hide_leaves() -> None:
    tree = CompactRange()
    tree.append(LEAVES[0])
    with pytest.raises(ValueError, match="cannot begin"):
        tree.append_subtree(LEAVES[1], 1)


def test_the_empty_log_is_the_beginning_of_every_log() -> None:
    assert consistency_spans(0, 5) == []
    assert consistent(0, 5, [], EMPTY_ROOT, root_of(numbered(5)))
    assert not consistent(0, 5, [EMPTY_ROOT], EMPTY_ROOT, root_of(numbered(5)))


@pytest.mark.parametrize(("leaf", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_outside_the_tree_has_no_path(leaf: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_spans(leaf, size)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_a_tree_has_no_later_beginning(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="not the beginning"):
        consistency_spans(old, new)


def test_all_roots_of_a_growing_log_differ() -> None:
    roots = [root_of(numbered(size)) for size in range(40)]
    assert all(one != other for one, other in pairwise(roots))
    assert len(set(roots)) == 40
