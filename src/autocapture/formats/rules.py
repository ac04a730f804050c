"""Recurrence rules (RFC 5545, 3.3.10) of FREQ DAILY and above, expanded in local wall-clock time under fixed
bounds.

Written here rather than taken from a library because the usual ones search without end for an instance that
a rule can never have. This expansion visits the days between the start and the end of a window and no others.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, datetime, time, timedelta
from functools import lru_cache

from autocapture.errors import RecordUnusable

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_TIMES_LIMIT = 24
COUNTED_SINCE = 1970
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?")
_RULE_LIMIT = 2_000
_COUNT_LIMIT = 50_000

TWO_YEARS = timedelta(days=732)
"""From one leap year's February to the next but one: as long as any window of two years."""


@dataclass(frozen=True, slots=True)
class Until:
    """The last moment of a rule: a date, a local wall-clock time, or (`utc`) an instant as naive UTC."""

    moment: datetime
    is_date: bool
    utc: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE. Sets that were not given are empty; `weekdays` are (ordinal or 0, 0 for Monday)."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: Until | None = None
    months: frozenset[int] = frozenset()
    week_numbers: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    weekdays: frozenset[tuple[int, int]] = frozenset()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: frozenset[int] = frozenset()
    week_start: int = 0


def parse_rule(value: str) -> Rule:
    """The rule written as `value` (without ``RRULE:``).

    Raises RecordUnusable for a frequency below DAILY, an unreadable or unbounded part, and days that no
    month has.
    """
    if len(value) > _RULE_LIMIT:
        raise RecordUnusable("its recurrence rule is too long")
    pairs = (part.partition("=") for part in value.upper().replace(" ", "").split(";") if part)
    parts = {name: given for name, _, given in pairs}
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise RecordUnusable("its recurrence is not daily, weekly, monthly or yearly")
    if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        raise RecordUnusable("its recurrence is in another calendar system")
    rule = Rule(
        frequency=frequency,
        interval=_number(parts.get("INTERVAL", "1"), 1, 10_000),
        count=_number(parts["COUNT"], 1, _COUNT_LIMIT) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        months=frozenset(_numbers(parts, "BYMONTH", 1, 12)),
        week_numbers=frozenset(_numbers(parts, "BYWEEKNO", 1, 53, signed=True)),
        year_days=frozenset(_numbers(parts, "BYYEARDAY", 1, 366, signed=True)),
        month_days=frozenset(_numbers(parts, "BYMONTHDAY", 1, 31, signed=True)),
        weekdays=_weekdays(parts.get("BYDAY", "")),
        hours=_numbers(parts, "BYHOUR", 0, 23),
        minutes=_numbers(parts, "BYMINUTE", 0, 59),
        seconds=_numbers(parts, "BYSECOND", 0, 59),
        positions=frozenset(_numbers(parts, "BYSETPOS", 1, 366, signed=True)),
        week_start=_WEEKDAYS.index(parts["WKST"]) if parts.get("WKST") in _WEEKDAYS else 0,
    )
    _refuse_costly(rule)
    return rule


def _refuse_costly(rule: Rule) -> None:
    times = max(1, len(rule.hours)) * max(1, len(rule.minutes)) * max(1, len(rule.seconds))
    if times > _TIMES_LIMIT:
        raise RecordUnusable(f"its recurrence has more than {_TIMES_LIMIT} times a day")
    if rule.months and rule.month_days:
        longest = max(calendar.monthrange(2024, month)[1] for month in rule.months)
        if all(abs(day) > longest for day in rule.month_days):
            raise RecordUnusable("its recurrence asks for a day that no month has")


def _number(text: str, least: int, most: int, *, signed: bool = False) -> int:
    try:
        number = int(text) if len(text) <= 10 else most + 1
    except ValueError:
        raise RecordUnusable("its recurrence rule holds something that is not a number") from None
    if not least <= (abs(number) if signed else number) <= most:
        raise RecordUnusable("its recurrence rule holds a number out of range")
    return number


def _numbers(
    parts: dict[str, str], name: str, least: int, most: int, *, signed: bool = False
) -> tuple[int, ...]:
    given = filter(None, parts.get(name, "").split(","))
    return tuple(sorted({_number(text, least, most, signed=signed) for text in given}))


def _weekdays(text: str) -> frozenset[tuple[int, int]]:
    found = set()
    for part in filter(None, text.split(",")):
        match = _BYDAY.fullmatch(part)
        if match is None:
            raise RecordUnusable("its recurrence rule names an unknown weekday")
        found.add((int(match[1] or 0), _WEEKDAYS.index(match[2])))
    return frozenset(found)


def _until(text: str) -> Until:
    match = _UNTIL.fullmatch(text)
    if match is None:
        raise RecordUnusable("its recurrence ends at an unreadable date")
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - naive, see Until
    except ValueError:
        raise RecordUnusable("its recurrence ends at a date that does not exist") from None
    return Until(moment, is_date=match[4] is None, utc=match[7] == "Z")


def expand(rule: Rule, start: datetime, *, first: datetime, last: datetime) -> Iterator[datetime]:
    """The naive local starts of `rule` from `start` on, ascending, up to `last`; those before `first` may be
    left out.

    `start` itself is given only where the rule produces it. UNTIL is not applied here: it may be an instant,
    which only the event's zone can tell. Raises RecordUnusable for a counted rule that begins before 1970.
    """
    if rule.count is not None and start.year < COUNTED_SINCE:
        raise RecordUnusable(f"its counted recurrence begins before {COUNTED_SINCE}")
    rule = _with_defaults(rule, start)
    times = [
        time(hour, minute, second)
        for hour in rule.hours or (start.hour,)
        for minute in rule.minutes or (start.minute,)
        for second in rule.seconds or (start.second,)
    ]
    given = 0
    skip_to = start if rule.count is not None else max(start, first)
    for days in _periods(rule, start.date(), skip_to.date(), last.date()):
        candidates = [datetime.combine(day, each) for day in days if _matches(rule, day) for each in times]
        for candidate in _at_positions(candidates, rule.positions):
            if candidate < start:
                continue
            given += 1
            if candidate > last or (rule.count is not None and given > rule.count):
                return
            yield candidate


def most_in_two_years(rule: Rule, start: datetime) -> int:
    """How many starts `rule` gives in the two years in which it gives most, a few days more or less.

    Counted are the two years from the beginning of the first period on, which a rule that skips years and begins on the
    last day of one cannot hide behind; of a rule that ends sooner, all. Raises RecordUnusable as `expand` does.
    """
    last = start + TWO_YEARS
    if rule.until is not None and rule.until.moment < last:
        found = expand(rule, start, first=start, last=rule.until.moment + timedelta(days=1))
        return sum(1 for _ in found)
    spread = replace(_with_defaults(rule, start), count=None)
    if rule.frequency == "MONTHLY":
        start = start.replace(day=1)
    elif rule.frequency == "YEARLY":
        start = start.replace(month=1, day=1)
    found = expand(spread, start, first=start, last=start + TWO_YEARS)
    return min(sum(1 for _ in found), rule.count or _COUNT_LIMIT)


def _with_defaults(rule: Rule, start: datetime) -> Rule:
    """What DTSTART says where the rule is silent (RFC 5545, 3.3.10)."""
    if rule.week_numbers and not (rule.year_days or rule.month_days or rule.weekdays):
        return replace(rule, weekdays=frozenset({(0, start.weekday())}))
    if rule.week_numbers or rule.year_days or rule.month_days or rule.weekdays or rule.frequency == "DAILY":
        return rule
    if rule.frequency == "WEEKLY":
        return replace(rule, weekdays=frozenset({(0, start.weekday())}))
    months = frozenset({start.month}) if rule.frequency == "YEARLY" and not rule.months else rule.months
    return replace(rule, month_days=frozenset({start.day}), months=months)


def _periods(rule: Rule, start: date, skip_to: date, last: date) -> Iterator[list[date]]:
    """The days of each period of the rule, from the last one that begins before `skip_to` up to `last`."""
    step = rule.interval
    if rule.frequency in ("DAILY", "WEEKLY"):
        length = 1 if rule.frequency == "DAILY" else 7
        step *= length
        origin = start.toordinal() - (0 if length == 1 else (start.weekday() - rule.week_start) % 7)
        begin = origin + (skip_to.toordinal() - origin) // step * step
        for ordinal in range(max(begin, 1), last.toordinal() + 1, step):
            yield [
                date.fromordinal(each)
                for each in range(ordinal, min(ordinal + length, date.max.toordinal() + 1))
            ]
        return
    months = 1 if rule.frequency == "MONTHLY" else 12
    step *= months
    origin = start.year * 12 + (start.month - 1 if months == 1 else 0)
    begin = origin + (skip_to.year * 12 + skip_to.month - 1 - origin) // step * step
    for index in range(begin, min(last.year, MAXYEAR) * 12 + last.month, step):
        year, month = divmod(index, 12)
        yield _month(year, month + 1) if months == 1 else _year(year, rule.months)


def _month(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]


def _year(year: int, months: frozenset[int]) -> list[date]:
    return [day for month in sorted(months) or range(1, 13) for day in _month(year, month)]


def _matches(rule: Rule, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days and not _counted_in(
        rule.month_days, day.day, calendar.monthrange(day.year, day.month)[1]
    ):
        return False
    if rule.weekdays and not any(_is_weekday(rule, day, *each) for each in rule.weekdays):
        return False
    if rule.year_days:
        length = 366 if calendar.isleap(day.year) else 365
        if not _counted_in(rule.year_days, day.timetuple().tm_yday, length):
            return False
    return not rule.week_numbers or _counted_in(rule.week_numbers, *_week(day, rule.week_start))


def _counted_in(wanted: frozenset[int], number: int, length: int) -> bool:
    """Whether `number` of `length` is wanted, counted from the front or (negative) from the back."""
    return number in wanted or number - length - 1 in wanted


def _is_weekday(rule: Rule, day: date, ordinal: int, weekday: int) -> bool:
    if day.weekday() != weekday:
        return False
    if ordinal == 0 or rule.frequency in ("DAILY", "WEEKLY"):
        return True
    if rule.frequency == "MONTHLY" or rule.months:
        number, length = day.day, calendar.monthrange(day.year, day.month)[1]
    else:
        number, length = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
    return ordinal == (number - 1) // 7 + 1 if ordinal > 0 else -ordinal == (length - number) // 7 + 1


def _week(day: date, week_start: int) -> tuple[int, int]:
    """Number of the day's week and how many weeks that week's year has; week 1 is the first with four days
    in it.
    """
    if not 1 < day.year < MAXYEAR:
        return 1, 52
    for year in (day.year + 1, day.year, day.year - 1):
        begin = _first_week(year, week_start)
        if day >= begin:
            return (day - begin).days // 7 + 1, (_first_week(year + 1, week_start) - begin).days // 7
    raise AssertionError("every day lies in a week of its own year or of a neighbour")


@lru_cache(maxsize=512)
def _first_week(year: int, week_start: int) -> date:
    fourth = date(year, 1, 4) if year <= MAXYEAR else date.max
    return fourth - timedelta(days=(fourth.weekday() - week_start) % 7)


def _at_positions(candidates: list[datetime], positions: frozenset[int]) -> list[datetime]:
    if not positions:
        return candidates
    length = len(candidates)
    return [each for index, each in enumerate(candidates) if _counted_in(positions, index + 1, length)]
