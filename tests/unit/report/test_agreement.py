"""A number is published only where its rows give the same again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from autocapture.measure.query import TracedRow
from autocapture.report.measured import agree
from autocapture.report.numbers import Number


def _row(contribution: int | Decimal, numerator: int | Decimal = 1) -> TracedRow:
    return TracedRow(kind="lead", id=1, at=datetime(2026, 11, 9, tzinfo=UTC), on=date(2026, 11, 9), users=(),
                     with_whom=(), title=None, contribution=contribution, numerator=numerator, denominator=1, by={})  # fmt: skip


def _number(metric: str, value: int | str | None, n: int, **parts: Decimal) -> Number:
    return Number(metric, "x", "count", None if value is None else Decimal(value), n, **parts)


@pytest.mark.parametrize(("value", "agrees"), [(7_200, True), (7_201, False), (3_600, False), (None, False)])
def test_a_median_is_computed_anew_from_its_rows(value: int | None, agrees: bool) -> None:
    rows = [_row(3_600), _row(7_200), _row(90_000, numerator=0)]
    assert agree(_number("lead_response_time", value, 3), rows) is agrees


def test_a_median_that_is_not_reached_yet_has_no_value() -> None:
    rows = [_row(3_600), _row(9_000, numerator=0), _row(9_000, numerator=0)]
    assert agree(_number("lead_response_time", None, 3), rows)
    assert not agree(_number("lead_response_time", 3_600, 3), rows)


def test_sums_and_counts_of_rows_are_held_to_the_number() -> None:
    rows = [_row(1), _row(0, numerator=0)]
    assert agree(_number("emails_sent", 1, 2), rows)
    assert not agree(_number("emails_sent", 2, 2), rows)
    assert not agree(_number("emails_sent", 1, 1), rows)
    assert agree(_number("win_rate", "0.5", 2, numerator=Decimal(1), denominator=Decimal(2)), rows)
    assert not agree(_number("win_rate", "0.5", 2, numerator=Decimal(2), denominator=Decimal(2)), rows)
