"""Amounts of money as an export writes them, to integer minor units."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from babel.numbers import get_currency_precision, list_currencies

from autocapture.crm.cells import Unreadable

_SYMBOLS = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₩": "KRW",
    "₺": "TRY",
    "₴": "UAH",
    "₫": "VND",
    "₪": "ILS",
    "zł": "PLN",
}
_SHARED_SYMBOLS = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "BRL", "ARS", "CLP", "COP"}),
    "¥": frozenset({"JPY", "CNY"}),
    "￥": frozenset({"JPY", "CNY"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "kr.": frozenset({"SEK", "NOK", "DKK", "ISK"}),
}
_PARTS = re.compile(
    r"(?P<before>[^\d+\-−.,()]*)(?P<number>[+\-−]?[\d.,'’\s]*\d(?:[.,]\d*)?)(?P<after>[^\d()]*)"
)
_LIMIT = 10**17  # minor units; a 64-bit column holds 92 times as much


def parse_amount(
    text: str, decimal: str, currency: str | None, default_currency: str | None
) -> tuple[int, str]:
    """Minor units by the currency's ISO 4217 exponent, and the currency.

    `currency` is the row's own; a code or symbol in the cell must agree with it. `default_currency` serves where neither
    names one. Raises Unreadable: no number, negative, more decimals than the currency has, no or two currencies.
    """
    parts = _PARTS.fullmatch(text.strip())
    if parts is None:
        raise Unreadable(f"bad amount {text!r}")
    number = _number(parts["number"], decimal, text)
    code = _currency(f"{parts['before'].strip()}{parts['after'].strip()}", text, currency, default_currency)
    minor = number.scaleb(get_currency_precision(code))
    if number < 0:
        raise Unreadable(f"negative amount {text!r}")
    if minor != minor.to_integral_value():
        raise Unreadable(f"bad amount {text!r}: more decimals than {code} has")
    if minor > _LIMIT:
        raise Unreadable(f"bad amount {text!r}: too large")
    return int(minor), code


def parse_currency(text: str) -> str:
    """An ISO 4217 code. Raises Unreadable."""
    code = _SYMBOLS.get(text.strip(), text.strip().upper())
    if code not in _codes():
        raise Unreadable(f"unknown currency {text!r}")
    return code


@cache
def _codes() -> frozenset[str]:
    return frozenset(list_currencies())


@cache
def _shape(decimal: str) -> re.Pattern[str]:
    groups = r".\s'’" if decimal == "," else r",\s'’"
    return re.compile(
        rf"[+-]?(?:\d+|\d{{1,3}}(?:(?P<sep>[{groups}])\d{{2,3}}(?:(?P=sep)\d{{2,3}})*(?<=\d\d\d)))(?:\{decimal}(?P<fraction>\d*))?"
    )


def _number(text: str, decimal: str, whole: str) -> Decimal:
    text = text.strip().replace("−", "-")
    if len(text) > 40 or _shape(decimal).fullmatch(text) is None:
        raise Unreadable(f"bad amount {whole!r}")
    integer, _, fraction = text.partition(decimal)
    return Decimal(re.sub(r"[^\d-]", "", integer) + "." + (fraction or "0"))


def _currency(mark: str, whole: str, currency: str | None, default: str | None) -> str:
    expected = currency or default
    if mark in _SHARED_SYMBOLS:
        if expected not in _SHARED_SYMBOLS[mark]:
            raise Unreadable(f"amount {whole!r} does not say which {mark} it is; map the currency")
        return expected
    named = parse_currency(mark) if mark else None
    if named and currency and named != currency:
        raise Unreadable(f"amount {whole!r} is not in the row's currency {currency}")
    code = named or expected
    if code is None:
        raise Unreadable(f"amount {whole!r} has no currency; map it or set it in [source]")
    return code
