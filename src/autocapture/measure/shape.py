"""Values and traced rows as the plain mappings that commands and pages write. Dates are inclusive, money is a decimal string."""

from __future__ import annotations

from decimal import Decimal

from autocapture.measure.query import Number, TracedRow, Value


def value_row(value: Value) -> dict[str, object]:
    """`currency` is there for amounts only; null where there is no value, never 0."""
    currency = {"currency": value.currency} if value.currency else {}
    return {
        "metric": value.metric,
        "period_start": value.period.start.isoformat(),
        "period_end": value.period.end.isoformat(),
        "by": dict(value.by),
        "value": _plain(value.value),
        **currency,
        "numerator": _plain(value.numerator),
        "denominator": _plain(value.denominator),
        "n": value.n,
        "unit": value.unit,
        "complete": value.complete,
        "as_of": value.as_of.isoformat(),
    }


def traced_row(row: TracedRow) -> dict[str, object]:
    return {
        "kind": row.kind,
        "id": row.id,
        "at": row.at.isoformat(),
        "on": row.on.isoformat(),
        "users": list(row.users),
        "with": list(row.with_whom),
        "title": row.title,
        "contribution": _plain(row.contribution),
        "currency": row.currency,
        "numerator": _plain(row.numerator),
        "denominator": _plain(row.denominator),
        "by": dict(row.by),
    }


def _plain(number: Number | None) -> int | float | str | None:
    return format(number, "f") if isinstance(number, Decimal) else number
