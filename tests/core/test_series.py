"""A series that grows is a sequence, and walking along it is folding over it."""

from __future__ import annotations

import functools

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.series import Series
from monitor.core.walking import Memo, chosen, merged, walk

numbers = st.lists(st.integers(-5, 5), max_size=20)


@given(numbers, numbers, numbers)
def test_what_grew_out_of_it_leaves_it_and_each_other_as_they_were(
    first: list[int], one: list[int], other: list[int]
) -> None:
    start: Series[int] = Series(first)
    left = functools.reduce(Series.with_item, one, start)
    right = functools.reduce(Series.with_item, other, start)
    assert (list(start), list(left), list(right)) == (first, first + one, first + other)
    assert (left == right) == (one == other)
    assert left.continues(start)
    assert left[-1:] == tuple((first + one)[-1:])


@given(numbers)
def test_kept_in_order_it_is_what_sorting_gives(items: list[int]) -> None:
    known: Series[int] = Series()
    for item in items:
        known = known.with_sorted(item, int)
    assert list(known) == sorted(items)


@given(st.lists(numbers, max_size=5), numbers)
def test_a_walk_that_goes_on_or_begins_again_ends_where_a_fold_ends(grown: list[list[int]], other: list[int]) -> None:
    memo: Memo = {}
    known: Series[int] = Series()
    for more in grown:
        known = functools.reduce(Series.with_item, more, known)
        for series in (known, Series(other), known):
            assert walk(memo, ("sum",), series, 0, int.__add__) == sum(series)
            assert list(chosen(memo, ("even",), series, lambda n: n % 2 == 0)) == [n for n in series if n % 2 == 0]
            assert list(merged(memo, ("both",), (series, known), int)) == sorted([*series, *known])
