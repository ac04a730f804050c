"""The files of working hours and of absences, read and judged. Pure.

``user,valid_from,monday,...,sunday,holidays`` and ``user,starts_on,ends_on,share``. `user` is an e-mail address; hours without a
user are the organisation's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from autocapture.crm.cells import Unreadable, parse_email
from autocapture.crm.read import csv_records, decode, trouble_of
from autocapture.crm.rows import Key, Place, Remark, Value
from autocapture.errors import InputError
from autocapture.measure.fiscal_calendar import WEEKDAYS
from autocapture.measure.schedules import NO_HOLIDAYS
from autocapture.measure.worktime import Week, holidays_in, parse_spans

HOURS_COLUMNS = ("user", "valid_from", *WEEKDAYS, "holidays")
ABSENCE_COLUMNS = ("user", "starts_on", "ends_on", "share")
EVERYBODY = "everybody"
"""Whose hours are the organisation's."""
NOT_AWAY = "0"
"""The share that takes an absence back."""
FIRST_DAY = date(1970, 1, 1)
"""From here on hours hold that have no first day."""
FIRST_YEAR, LAST_YEAR = 1970, 2200

Cells = Mapping[str, str]


@dataclass(slots=True)
class TimeFile:
    """The rows that can be taken, by user and first day (ISO 8601), and what is wrong with the others."""

    rows: dict[Key, Mapping[str, Value]] = field(default_factory=dict)
    refused: list[Remark] = field(default_factory=list)


def read_hours(content: bytes, file: str, users: Collection[str]) -> TimeFile:
    """Rows of `valid_from`, `week` (as `Week` writes it) and `holidays`. `users` are the addresses that exist. Raises InputError
    where the file itself does not fit."""

    def read(cells: Cells) -> tuple[Key, Mapping[str, Value]]:
        whose = _user(cells["user"], users) if cells["user"] else EVERYBODY
        since = _day(cells, "valid_from") or FIRST_DAY
        week = Week(tuple(_spans(cells, name) for name in WEEKDAYS))
        return (whose, since.isoformat()), {"week": str(week), "holidays": _place(cells.get("holidays", ""))}

    return _read(content, file, HOURS_COLUMNS, ("user",), read)


def read_absences(content: bytes, file: str, users: Collection[str]) -> TimeFile:
    """Rows of `ends_on` and `share`, the part of each day, from 0 (not away after all) to 1. A file without `share` is of whole
    days, a row without `ends_on` of one. Raises InputError where the file itself does not fit."""

    def read(cells: Cells) -> tuple[Key, Mapping[str, Value]]:
        whose, first = _user(cells["user"], users), _day(cells, "starts_on")
        if first is None:
            raise Unreadable("starts_on is missing")
        last = _day(cells, "ends_on") or first
        if last < first:
            raise Unreadable(f"it ends ({last}) before it begins ({first})")
        return (whose, first.isoformat()), {"ends_on": last, "share": _share(cells.get("share", ""))}

    return _read(content, file, ABSENCE_COLUMNS, ("user", "starts_on"), read)


def _read(
    content: bytes,
    file: str,
    columns: tuple[str, ...],
    required: tuple[str, ...],
    read: Callable[[Cells], tuple[Key, Mapping[str, Value]]],
) -> TimeFile:
    found = TimeFile()
    lines: dict[Key, int] = {}
    for place, cells in _records(content, file, columns, required, found):
        try:
            key, values = read(cells)
            earlier = lines.setdefault(key, place.line)
            if earlier != place.line:
                raise Unreadable(f"the same person and first day as line {earlier}")
            found.rows[key] = values
        except Unreadable as problem:
            found.refused.append(Remark(place, str(problem)))
    return found


def _records(
    content: bytes, file: str, columns: tuple[str, ...], required: tuple[str, ...], found: TimeFile
) -> Iterator[tuple[Place, Cells]]:
    text = decode(content, "utf-8", file, "save it as CSV in UTF-8")
    first = text.partition("\n")[0]
    records = csv_records(text, ";" if "," not in first and ";" in first else ",", file)
    names = [name.strip().lower() for name in next(records, (1, []))[1]]
    for name in names:
        if name not in columns or names.count(name) > 1:
            wrong = "twice the column" if name in columns else "the unknown column"
            raise InputError(f"{file} has {wrong} {name!r}; the columns are: {','.join(columns)}")
    for name in required:
        if name not in names:
            raise InputError(f"{file} has no column {name!r}; the columns are: {','.join(columns)}")
    if columns is HOURS_COLUMNS and not set(WEEKDAYS) & set(names):
        raise InputError(f"{file} has no day of the week; the columns are: {','.join(columns)}")
    for line, cells in records:
        place = Place(file, line)
        trouble = trouble_of(cells, len(names))
        if trouble is not None:
            found.refused.append(Remark(place, trouble))
        else:
            yield place, dict(zip(names, (cell.strip() for cell in cells), strict=True))


def _user(text: str, users: Collection[str]) -> str:
    address = parse_email(text) if text else ""
    if address not in users:
        raise Unreadable(f"there is no user {text!r}")
    return address


def _day(cells: Cells, name: str) -> date | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"{name} is a date such as 2026-11-30, not {text!r}") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unreadable(f"{name} {text!r}: the year {day.year} cannot be meant")
    return day


def _spans(cells: Cells, name: str) -> tuple[tuple[int, int], ...]:
    try:
        return parse_spans(cells.get(name, ""))
    except ValueError as problem:
        raise Unreadable(f"{name}: {problem}") from None


def _place(text: str) -> str | None:
    if text.lower() == NO_HOLIDAYS:
        return NO_HOLIDAYS
    if not text:
        return None
    try:
        holidays_in(text.upper())
    except ValueError:
        wanted = f"a country such as NL, a part of one such as DE-BY, or {NO_HOLIDAYS}"
        raise Unreadable(f"no public holidays are known of {text!r}; holidays is {wanted}") from None
    return text.upper()


def _share(text: str) -> str:
    """As it is stored: without zeros at its end, so that the same share is the same text."""
    try:
        share = Decimal(text or "1")
    except InvalidOperation:
        share = Decimal(-1)
    if not share.is_finite() or not 0 <= share <= 1:
        raise Unreadable(f"share is a number from 0 to 1, not {text!r}")
    return format(share.normalize(), "f")
