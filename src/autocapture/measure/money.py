"""Money between the database's minor units and the decimal numbers that people read."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache


@lru_cache(maxsize=256)
def decimals(currency: str) -> int:
    """Digits after the decimal point in `currency` (ISO 4217 by CLDR): 2 for EUR, 0 for JPY; 2 for unknown codes."""
    from babel.numbers import get_currency_precision

    return int(get_currency_precision(currency))


def from_minor(minor: int, currency: str) -> Decimal:
    """123456 EUR cents are 1234.56."""
    return Decimal(minor).scaleb(-decimals(currency))


def mean_from_minor(total: int, count: int, currency: str) -> Decimal:
    """The average of `count` amounts, rounded half-even to the currency's own digits."""
    exact = from_minor(total, currency) / count
    return exact.quantize(Decimal(1).scaleb(-decimals(currency)), rounding=ROUND_HALF_EVEN)
