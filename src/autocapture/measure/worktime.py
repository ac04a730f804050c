"""Working time: business days and the working seconds between two instants, in a person's own zone and country.

The working week is Monday to Friday, 09:00 to 17:00 on the wall clock there; public holidays are left out where the country is
known. Change `OFFICE` to change it everywhere.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Office:
    opens: time = time(9)
    closes: time = time(17)
    weekdays: frozenset[int] = frozenset(range(5))  # Monday is 0


OFFICE = Office()
_DAY, _NOTHING = timedelta(days=1), timedelta()


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Holidays that were looked up once: the calendar itself takes far longer to ask, and waits run over the same days."""

    calendar: Container[date]
    known: dict[date, bool] = field(default_factory=dict)

    def __contains__(self, day: object) -> bool:
        assert isinstance(day, date)  # noqa: S101  nothing else is asked for
        found = self.known.get(day)
        if found is None:
            found = self.known[day] = day in self.calendar
        return found


def business_days(start: date, end: date, holidays: Container[date] = ()) -> int:
    """Working days from `start` to `end`, both included; 0 when `end` lies before `start`."""
    days = (start + timedelta(days=n) for n in range((end - start).days + 1))
    return sum(1 for day in days if is_business_day(day, holidays))


def is_business_day(day: date, holidays: Container[date] = ()) -> bool:
    return day.weekday() in OFFICE.weekdays and day not in holidays


def business_seconds(begun: datetime, ended: datetime, zone: str, holidays: Container[date] = ()) -> int:
    """Working seconds between two aware instants, by the wall clock of `zone`; 0 when they are in the wrong order."""
    there = ZoneInfo(zone)
    day, last = begun.astimezone(there).date(), ended.astimezone(there).date()
    total = timedelta()
    while day <= last:
        if is_business_day(day, holidays):
            opens, closes = _hours(day, zone)
            total += max(_NOTHING, min(closes, ended) - max(opens, begun))
        day += _DAY
    return int(total.total_seconds())


@lru_cache(maxsize=65_536)
def _hours(day: date, zone: str) -> tuple[datetime, datetime]:
    there = ZoneInfo(zone)
    opens, closes = (datetime.combine(day, at, there).astimezone(UTC) for at in (OFFICE.opens, OFFICE.closes))
    return opens, closes


@lru_cache(maxsize=64)
def holidays_of(locale: str) -> Container[date]:
    """The public holidays of a locale's country (``nl-NL``, ``sv_SE``); none where it names no country, or an unknown one."""
    country = locale.replace("_", "-").rpartition("-")[2]
    if len(country) != 2 or country == locale or not country.isupper():
        return ()
    from holidays import country_holidays

    try:
        return _Remembered(country_holidays(country))
    except NotImplementedError:
        return ()
