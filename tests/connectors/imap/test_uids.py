"""Sets of UIDs, held to Python's own sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocapture_imap.uids import (
    SET_LIMIT,
    difference,
    format_ranges,
    item_id,
    members,
    parse_item_id,
    parse_ranges,
    pieces,
    ranges_of,
    union,
)

some_uids = st.frozensets(st.integers(1, 60))


@given(some_uids)
def test_ranges_hold_exactly_their_members_and_survive_being_written(uids: frozenset[int]) -> None:
    ranges = ranges_of(uids)
    assert list(members(ranges)) == sorted(uids)
    assert parse_ranges(format_ranges(ranges)) == ranges


@given(some_uids, some_uids)
def test_union_and_difference_are_those_of_sets(left: frozenset[int], right: frozenset[int]) -> None:
    assert union(ranges_of(left), ranges_of(right)) == ranges_of(left | right)
    assert difference(ranges_of(left), ranges_of(right)) == ranges_of(left - right)


@given(some_uids, st.integers(1, 10))
def test_pieces_are_small_and_lose_nothing(uids: frozenset[int], count: int) -> None:
    parts = list(pieces(ranges_of(uids), count))
    assert [uid for part in parts for uid in members(part)] == sorted(uids)
    assert all(1 <= len(list(members(part))) <= count for part in parts)


def test_a_piece_fits_into_one_command() -> None:
    scattered = ranges_of(range(1_000_000, 1_100_000, 3))
    parts = list(pieces(scattered, 100_000))
    assert sum(len(part) for part in parts) == len(scattered)
    assert all(len(format_ranges(part)) <= SET_LIMIT + 32 for part in parts)


@pytest.mark.parametrize("text", ["x", "1:", "2:1", "3,1", "1,2", "1:3,2:5", "-1", "1,,2", " 1"])
def test_text_that_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_ranges(text)


def test_an_id_is_read_back_and_foreign_ones_are_not() -> None:
    assert parse_item_id(item_id(7, 12)) == (7, 12)
    for text in ("", "7", "7/", "/12", "07/12", "7/12/3", "a/b", "7/-1", "٧/١"):
        assert parse_item_id(text) is None
