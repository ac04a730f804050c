"""How single values are told in tables: numbers and money in English, periods as they are typed, instants to the minute."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_interval
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from autocapture.measure.declare import Duration, Metric
from autocapture.measure.fiscal_calendar import CALENDAR_YEAR, FiscalCalendar
from autocapture.measure.period import Period
from autocapture.measure.query import Number

NO_VALUE = "–"
NONE = "none"
_ENGLISH = "en"


def amount(value: Number | None, metric: Metric, currency: str | None = None) -> str:
    """`value` in the unit of `metric`: ``1,234``, ``39.6%``, ``€166,200.00``, ``9 hr 5 min``; a dash where there is none."""
    if value is None:
        return NO_VALUE
    if metric.unit == "rate":
        return percent(value)
    if metric.unit == "seconds":
        return duration(value, working=isinstance(metric, Duration) and metric.clock == "business")
    if metric.unit == "money" and currency is not None:
        return str(format_currency(value, currency, locale=_ENGLISH))
    return count(value)


def count(value: Number) -> str:
    return str(format_decimal(value, locale=_ENGLISH))


def percent(value: Number | None) -> str:
    return NO_VALUE if value is None else str(format_percent(value, "#,##0.0%", locale=_ENGLISH))


def duration(seconds: Number, *, working: bool = False) -> str:
    """The two largest units. Working time stays in hours: its days are not of 24."""
    minutes = int((Decimal(seconds) / 60).to_integral_value(ROUND_HALF_EVEN))
    hours, left = divmod(minutes, 60)
    parts = [(hours, "duration-hour"), (left, "duration-minute")]
    if hours >= 24 and not working:
        days, hours = divmod(hours, 24)
        parts = [(days, "duration-day"), (hours, "duration-hour")]
    told = [part for part in parts if part[0]] or parts[-1:]
    return " ".join(format_unit(number, unit, "short", locale=_ENGLISH) for number, unit in told)


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def period_title(period: Period, calendar: FiscalCalendar = CALENDAR_YEAR) -> str:
    """``2026-W46 (Nov 9 – 15, 2026)``."""
    name, days = calendar.name(period), _days(period.start, period.end)
    return days if ".." in name or period.days == 1 else f"{name} ({days})"


def as_of(at: datetime, zone: ZoneInfo) -> str:
    return f"as of {moment(at, zone)} {zone.key}"


def _days(first: date, last: date) -> str:
    if last - first < timedelta(days=1):
        return f"{first}"
    text = str(format_interval(first, last, "yMMMd", locale=_ENGLISH))
    return "".join(" " if letter.isspace() else letter for letter in text)
