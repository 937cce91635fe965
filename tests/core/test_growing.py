"""A mapping that grows is a mapping."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.growing import RECENT, Growing

entries = st.lists(st.tuples(st.integers(0, 3 * RECENT), st.integers()), max_size=5 * RECENT)


@given(entries)
def test_it_holds_what_a_dictionary_would_hold(pairs: list[tuple[int, int]]) -> None:
    growing: Growing[int, int] = Growing()
    for key, value in pairs:
        growing = growing.with_entry(key, value)
    assert dict(growing) == dict(pairs)
    assert len(growing) == len(dict(pairs))


@given(entries, entries)
def test_what_grew_out_of_it_leaves_it_as_it_was(first: list[tuple[int, int]], then: list[tuple[int, int]]) -> None:
    growing: Growing[int, int] = Growing(dict(first))
    for key, value in then:
        growing.with_entry(key, value)
    assert dict(growing) == dict(first)
