"""Amounts as exports write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocapture.crm.cells import Unreadable
from autocapture.crm.money import parse_amount


@pytest.mark.parametrize(
    ("text", "decimal", "minor", "currency"),
    [
        ("1234.5", ".", 123_450, "EUR"),
        ("1,234.50", ".", 123_450, "EUR"),
        ("1.234,50", ",", 123_450, "EUR"),
        ("€ 1.234,50", ",", 123_450, "EUR"),
        ("1 234,50 €", ",", 123_450, "EUR"),
        ("1\u202f234,50", ",", 123_450, "EUR"),
        ("CHF 1'234.50", ".", 123_450, "CHF"),
        ("12,34,567.00", ".", 123_456_700, "EUR"),
        ("JPY 1,234", ".", 1_234, "JPY"),
        ("1.234 KWD", ".", 1_234, "KWD"),
        ("£7", ".", 700, "GBP"),
        ("0", ".", 0, "EUR"),
        ("5.", ".", 500, "EUR"),
        ("12.5000", ".", 1_250, "EUR"),
    ],
)
def test_an_amount_becomes_minor_units(text: str, decimal: str, minor: int, currency: str) -> None:
    assert parse_amount(text, decimal, None, "EUR") == (minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [
        ("lots", None, "bad amount"),
        ("1,2,3", None, "bad amount"),
        ("1.234,50", None, "bad amount"),
        ("12,34", None, "bad amount"),
        ("1e5", None, "bad amount"),
        ("(100)", None, "bad amount"),
        ("-5", None, "negative amount"),
        ("−5", None, "negative amount"),
        ("0.005", None, "more decimals than EUR has"),
        ("9" * 30, None, "too large"),
        ("$5", None, "does not say which"),
        ("€5", "USD", "not in the row's currency USD"),
        ("5 ABC", None, "unknown currency"),
    ],
)
def test_what_is_no_clear_amount_is_refused(text: str, currency: str | None, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse_amount(text, ".", currency, "EUR")


def test_an_amount_without_any_currency_is_refused() -> None:
    with pytest.raises(Unreadable, match="has no currency"):
        parse_amount("5", ".", None, None)


@given(st.integers(0, 10**15), st.sampled_from([".", ","]), st.booleans())
def test_every_amount_of_cents_reads_back(minor: int, decimal: str, grouped: bool) -> None:
    text = f"{Decimal(minor).scaleb(-2):{',' if grouped else ''}.2f}"
    if decimal == ",":
        text = text.translate(str.maketrans(".,", ",."))
    assert parse_amount(text, decimal, None, "EUR") == (minor, "EUR")


@given(st.text(max_size=50))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        minor, _ = parse_amount(text, ".", None, "EUR")
    except Unreadable:
        return
    assert minor >= 0
