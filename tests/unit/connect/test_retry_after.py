"""Retry-After in all its forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocapture.connect.retry_after import LONGEST, SHORTEST, retry_after

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("+7", 7), ("1.5", 1.5), ("0", 1), ("-30", 1), ("1000000000", 3600),
        ("999999999999999999", 3600), ("Sun, 22 Nov 2026 12:02:00 GMT", 120), ("Sun, 22 Nov 2026 13:02:00 +0100", 120),
        ("Sunday, 22-Nov-26 12:02:00 GMT", 120), ("Sun Nov 22 12:02:00 2026", 120), ("Sun, 22 Nov 2026 11:00:00 GMT", 1),
        ("Sun, 22 Nov 2099 11:00:00 GMT", 3600),
    ],
)  # fmt: skip
def test_a_wait_that_is_named_is_kept_within_bounds(value: str, seconds: float) -> None:
    assert retry_after(value, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [None, "", " ", "soon", "1e9", "0x10", "nan", "inf", "5, 10", "٣", "9" * 400, "Sun, 99 Nov 2026 12:00:00 GMT", "-", "\0"],
)  # fmt: skip
def test_what_names_no_wait_counts_as_missing(value: str | None) -> None:
    assert retry_after(value, NOW) is None


@given(
    value=st.text()
    | st.integers().map(str)
    | st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %X GMT"))
)
def test_no_text_breaks_the_bounds(value: str) -> None:
    wait = retry_after(value, NOW)
    assert wait is None or SHORTEST <= wait <= LONGEST
