"""Working time: the hours of a person's week on the wall clock where they are, public holidays, and days away.

Without hours of their own people work Monday to Friday, 09:00 to 17:00 (`OFFICE`).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

_DAY, _NOTHING = timedelta(days=1), timedelta()
_MIDNIGHT = 24 * 60
_NONE, _WHOLE = Decimal(0), Decimal(1)
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)

Spans = tuple[tuple[int, int], ...]
"""Stretches of one day, from and to which minute, in order and apart."""


def parse_spans(text: str) -> Spans:
    """``09:00-12:30 13:00-17:00``; nothing for a free day. ``24:00`` ends a day. Raises ValueError, which says what is wrong."""
    spans = sorted(_span(word) for word in re.split(r"[\s;,]+", text.strip()) if word)
    if any(after[0] < before[1] for before, after in pairwise(spans)):
        raise ValueError(f"hours overlap: {text!r}")
    return tuple(spans)


def _span(word: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(word)
    if found is None:
        raise ValueError(f"hours are written like 09:00-17:00, not {word!r}")
    hour, minute, until_hour, until_minute = map(int, found.groups())
    begin, end = 60 * hour + minute, 60 * until_hour + until_minute
    if max(minute, until_minute) > 59 or end > _MIDNIGHT:
        raise ValueError(f"there is no such time of day: {word!r}")
    if end <= begin:
        raise ValueError(f"hours end after they begin, on the same day: {word!r}")
    return begin, end


@dataclass(frozen=True, slots=True)
class Week:
    """The hours of the seven days from Monday on."""

    days: tuple[Spans, ...]

    def __str__(self) -> str:
        return ";".join(" ".join(map(_written, spans)) for spans in self.days)

    @classmethod
    def parse(cls, text: str) -> Week:
        """What `str` made of a week."""
        return cls(tuple(map(parse_spans, text.split(";"))))


def _written(span: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in span)


OFFICE = Week((((9 * 60, 17 * 60),),) * 5 + ((),) * 2)


@dataclass(frozen=True, slots=True)
class Hours:
    """The week that is worked from `since` on, and the days of it that are free."""

    since: date
    week: Week = OFFICE
    holidays: Container[date] = ()

    def of(self, day: date) -> Spans:
        return () if day in self.holidays else self.week.days[day.weekday()]


USUAL = (Hours(date.min),)


@dataclass(frozen=True, slots=True)
class Away:
    """The days from `first` to `last`, of each of which so much is not worked."""

    first: date
    last: date
    share: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When one person works. `hours` are in order of time, the first from the beginning of time on."""

    zone: str = "UTC"
    hours: tuple[Hours, ...] = USUAL
    away: tuple[Away, ...] = ()

    def hours_on(self, day: date) -> Spans:
        return _in_force(self.hours, day).of(day)

    def working_days(self, first: date, last: date) -> int:
        """Days with any hours from `first` to `last`, both included; 0 when `last` lies before `first`."""
        return _working_days(self.hours, first, last)

    def available_days(self, first: date, last: date) -> Decimal:
        """The working days of which nothing, or a part, is spent away."""
        missed: dict[date, Decimal] = {}
        for absence in self.away:
            for day in _days(max(first, absence.first), min(last, absence.last)):
                if self.hours_on(day):
                    missed[day] = min(_WHOLE, missed.get(day, _NONE) + absence.share)
        return self.working_days(first, last) - sum(missed.values(), _NONE)

    def seconds(self, begun: datetime, ended: datetime) -> int:
        """Working seconds between two aware instants; 0 when they are in the wrong order. Days away count: a wait goes on."""
        there = ZoneInfo(self.zone)
        total = timedelta()
        for day in _days(begun.astimezone(there).date(), ended.astimezone(there).date()):
            for opens, closes in _instants(day, self.hours_on(day), self.zone):
                total += max(_NOTHING, min(closes, ended) - max(opens, begun))
        return int(total.total_seconds())


def _in_force(hours: tuple[Hours, ...], day: date) -> Hours:
    return next(each for each in reversed(hours) if each.since <= day)


@lru_cache(maxsize=65_536)
def _working_days(hours: tuple[Hours, ...], first: date, last: date) -> int:
    return sum(1 for day in _days(first, last) if _in_force(hours, day).of(day))


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


@lru_cache(maxsize=65_536)
def _instants(day: date, spans: Spans, zone: str) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((_instant(day, begin, zone), _instant(day, end, zone)) for begin, end in spans)


def _instant(day: date, minute: int, zone: str) -> datetime:
    days, minutes = divmod(minute, _MIDNIGHT)
    at = time(minutes // 60, minutes % 60)
    return datetime.combine(day + days * _DAY, at, ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True, eq=False)
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


@lru_cache(maxsize=256)
def holidays_in(place: str) -> Container[date]:
    """The public holidays of a country or a part of it by ISO 3166: ``NL``, ``DE-BY``. Raises ValueError where none are known."""
    country, _, part = place.partition("-")
    from holidays import country_holidays

    try:
        return _Remembered(country_holidays(country, subdiv=part or None))
    except NotImplementedError:
        raise ValueError(f"no public holidays are known of {place!r}") from None


@lru_cache(maxsize=256)
def holidays_of(locale: str) -> Container[date]:
    """The public holidays of a locale's country (``nl-NL``, ``sv_SE``); none where it names no country, or an unknown one."""
    country = country_of(locale)
    try:
        return holidays_in(country) if country else ()
    except ValueError:
        return ()


def country_of(locale: str) -> str | None:
    """``NL`` of ``nl-NL``; None where a locale names no country."""
    country = locale.replace("_", "-").rpartition("-")[2]
    return country if len(country) == 2 and country != locale and country.isupper() else None
