"""Periods from text, and their pieces."""

from __future__ import annotations

from datetime import date

import pytest

from autocapture.errors import InputError
from autocapture.measure.period import Period, parse_grain, parse_period


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-W46", date(2026, 11, 9), date(2026, 11, 15)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2027-W01", date(2027, 1, 4), date(2027, 1, 10)),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-11-01..2026-11-15", date(2026, 11, 1), date(2026, 11, 15)),
    ],
)
def test_a_period_is_read_with_both_of_its_days(text: str, start: date, end: date) -> None:
    assert parse_period(text) == Period(start, end)


@pytest.mark.parametrize(
    "text",
    "nothing yesterday 2026-W54 2025-W53 2026-13 2026-00 0000 0001 9999 9999-12 1900-W00 2026-Q5 2026-11-15..2026-11-01 "
    "2026-02-30..2026-03-01 2026-11-01 ２０２６ 2026-W46x".split(),
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_period(text)


def test_an_unknown_grain_is_refused() -> None:
    with pytest.raises(InputError, match="there are day, week, month, quarter, year"):
        parse_grain("decade")
