"""A listing reduced to sums tells additions exactly and admits to everything else."""

from __future__ import annotations

import pytest

from autocapture_files.sums import Sums


def test_sums_name_what_was_added_and_nothing_where_anything_else_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("autocapture_files.sums.BUCKETS", 1)
    known = dict.fromkeys("abc")
    sums = Sums.decode(Sums.of(known).encode())
    assert sums.added(known) == []
    assert sums.added({**known, "d": None}) == ["d"]
    assert sums.plus([("d", None)]).added({**known, "d": None}) == []
    for present in (
        "ab",
        "abd",
        "abcde",
        "abde",
    ):  # one left, one changed places, two came, two came and one left
        assert sums.added(dict.fromkeys(present)) is None
    assert sums.added({**known, "a": "edited"}) is None
