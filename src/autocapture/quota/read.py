"""Quotas from a CSV file: every line is read, and every line that cannot be is told with its number and reason."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from babel.numbers import get_currency_precision, list_currencies

from autocapture.errors import InputError
from autocapture.measure.declare import Duration, Metric
from autocapture.measure.fiscal_calendar import CALENDAR_YEAR, FiscalCalendar
from autocapture.measure.period import Period, day_within_bounds
from autocapture.model.measures import Quota

COLUMNS = ("metric", "scope_type", "scope", "period_start", "period_end", "value", "currency")
PERIOD = "period"
"""A column that names the period, in place of the two that give its days."""
_DAYS = ("period_start", "period_end")
SCOPE_TYPES = ("user", "team", "company")

T = TypeVar("T")

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])", re.ASCII)
_LARGEST = Decimal(10**15)  # whatever is counted; more is a slip, and beyond what numbers are printed with
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that cannot be imported (the header is line 1), and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


def read_quotas(
    text: str,
    known_metrics: Mapping[str, Metric],
    users: Collection[str],
    teams: Collection[str],
    *,
    file: str = "the file",
    calendar: FiscalCalendar = CALENDAR_YEAR,
) -> tuple[list[Quota], list[Problem]]:
    """The quotas of a CSV file with the columns `COLUMNS`, in any order, and what is wrong with the other lines. In place of the
    days of a period a column `PERIOD` may name it, as `calendar` reads it.

    `users` are the emails and `teams` the names that exist. Money takes a currency, other units take none; rates are between
    0 and 1; durations name their unit (``90d``, ``4h``, ``30m``, ``45s``) and are held in seconds. Raises InputError, naming
    `file`, when the header lacks a column.
    """
    text = text.removeprefix("\ufeff")
    header = text.partition("\n")[0]
    semicolons = "," not in header and ";" in header  # as spreadsheets of half of Europe write it
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if semicolons else ",", strict=True)
    present = {PERIOD, *COLUMNS}.intersection(reader.fieldnames or ())
    missing = [name for name in COLUMNS if name not in present and not (PERIOD in present and name in _DAYS)]
    if missing:
        takes = f"{','.join(COLUMNS)}, or {PERIOD} in place of {' and '.join(_DAYS)}"
        raise InputError(f"{file} lacks the column {', '.join(missing)}; it takes {takes}")
    rows: list[Quota] = []
    problems: list[Problem] = []
    seen: dict[tuple[object, ...], int] = {}
    try:
        for record in reader:
            cells = {name: (record.get(name) or "").strip() for name in (*COLUMNS, PERIOD)}
            try:
                quota = _quota(cells, known_metrics, users, teams, calendar)
                first = seen.setdefault(_key(quota), reader.line_num)
                if first != reader.line_num:
                    raise InputError(f"the same metric, scope and dates as line {first}")
                rows.append(quota)
            except InputError as problem:
                problems.append(Problem(reader.line_num, str(problem)))
    except csv.Error as problem:
        problems.append(Problem(reader.line_num, f"not CSV: {problem}"))
    return rows, problems


def _key(quota: Quota) -> tuple[object, ...]:
    return quota.metric, quota.scope_type, quota.scope, quota.period_start, quota.period_end


def _quota(
    cells: Mapping[str, str],
    known_metrics: Mapping[str, Metric],
    users: Collection[str],
    teams: Collection[str],
    calendar: FiscalCalendar,
) -> Quota:
    metric = known_metrics.get(cells["metric"])
    if metric is None:
        raise InputError(f"there is no metric {cells['metric']!r}")
    period = _period(cells, calendar)
    value, currency = _value(cells["value"], metric), _currency(cells["currency"], metric)
    if currency is not None and value != round(value, get_currency_precision(currency)):
        raise InputError(f"{cells['value']!r} has more decimals than {currency}")
    return Quota(
        metric=metric.name,
        scope_type=cells["scope_type"],
        scope=_scope(cells, users, teams),
        period_start=period.start,
        period_end=period.end,
        value=value,
        currency=currency,
    )


def _scope(cells: Mapping[str, str], users: Collection[str], teams: Collection[str]) -> str:
    name = cells["scope"]
    match cells["scope_type"]:
        case "company":
            if name:
                raise InputError(f"a company quota has no scope, not {name!r}")
            return ""
        case "team":
            return _one_of(name, teams, "team")
        case "user":
            return _one_of(name.lower(), users, "user")
        case other:
            raise InputError(f"scope_type is {', '.join(SCOPE_TYPES)}, not {other!r}")


def _one_of(name: str, known: Collection[str], what: str) -> str:
    if name not in known:
        raise InputError(f"there is no {what} {name!r}")
    return name


def _period(cells: Mapping[str, str], calendar: FiscalCalendar) -> Period:
    if not cells[PERIOD]:
        return Period(_date(cells, "period_start"), _date(cells, "period_end"))
    named = calendar.parse(cells[PERIOD])
    if any(cells[name] for name in _DAYS) and named != _period({**cells, PERIOD: ""}, calendar):
        raise InputError(f"{cells[PERIOD]} is {named}, not what period_start and period_end say")
    return named


def _date(cells: Mapping[str, str], column: str) -> date:
    day = _parsed(cells[column], date.fromisoformat, f"{column} is a date such as 2026-11-30")
    return day_within_bounds(day)


def _value(text: str, metric: Metric) -> Decimal:
    if metric.unit == "seconds":
        value = _span(text, metric)
    else:
        value = _parsed(text, Decimal, "value is a number with a decimal point")
    if not value.is_finite() or value < 0:
        raise InputError(f"value is a number of at least 0, not {text!r}")
    if metric.unit == "rate" and value > 1:
        raise InputError(f"{metric.name} is a rate between 0 and 1, not {text!r}")
    if value > _LARGEST:
        raise InputError(f"value is too large: {text!r}")
    return value


def _span(text: str, metric: Metric) -> Decimal:
    """Seconds. A bare number is refused, since nobody can tell of what, and so are days of working time, which have no length."""
    working = isinstance(metric, Duration) and metric.clock == "business"
    found = _SPAN.fullmatch(text)
    if found is None:
        wanted = "4h or 30m" if working else "90d, 4h or 30m"
        raise InputError(f"{metric.name} is a duration: write its unit, such as {wanted}, not {text!r}")
    number, unit = found.groups()
    if working and unit == "d":
        raise InputError(f"{metric.name} is working time: write it in hours, such as 16h, not {text!r}")
    return Decimal(number) * _SECONDS[unit]


def _currency(text: str, metric: Metric) -> str | None:
    if metric.unit != "money":
        if text:
            raise InputError(f"{metric.name} is no amount of money: leave the currency empty, not {text!r}")
        return None
    if text not in list_currencies():
        raise InputError(f"{metric.name} takes a currency such as EUR, not {text!r}")
    return text


def _parsed(text: str, parse: Callable[[str], T], wanted: str) -> T:
    try:
        return parse(text)
    except (ValueError, InvalidOperation):
        raise InputError(f"{wanted}, not {text!r}") from None
