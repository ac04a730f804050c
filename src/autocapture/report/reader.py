"""How one reader sees numbers, dates and money: Babel's CLDR formats for a locale and a time zone.

The sentences around them are English, and so are the names of days, months and units; figures and money are written as the
reader's locale writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_interval, format_skeleton, format_time
from babel.numbers import (
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
)
from babel.units import format_unit

from autocapture.measure.fiscal_calendar import CALENDAR_YEAR, FiscalCalendar
from autocapture.report.numbers import COUNT, WORKING_SECONDS, Number

NO_VALUE = "–"
_COMPACT_FROM = 10_000
_SCALES = ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(1000), "K"))
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Reader:
    """`locale` is a Babel identifier (``nl``, ``sv_SE``), `time_zone` an IANA name; unknown ones fall back to en and UTC.
    `calendar` tells what the organisation calls its periods."""

    locale: str = "en"
    time_zone: str = "UTC"
    calendar: FiscalCalendar = CALENDAR_YEAR

    @property
    def language(self) -> Locale:
        try:
            return Locale.parse(self.locale.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            return Locale("en")

    @property
    def words(self) -> Locale:
        """The English of dates and units: the reader's own, British for readers of another language."""
        language = self.language
        return language if language.language == "en" else Locale("en", "GB")

    @property
    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def number(self, number: Number, *, compact: bool = False) -> str:
        """The value in its unit; a dash where there is none. `compact` shortens large money (€1.2M)."""
        if number.value is None:
            return NO_VALUE
        return self.amount(number.value, number.told_in, number.currency, compact=compact)

    def amount(
        self,
        value: Decimal,
        unit: str,
        currency: str | None = None,
        *,
        compact: bool = False,
        signed: bool = False,
    ) -> str:
        """`value` in `unit` (count, money, rate, seconds, working seconds). `signed` writes a plus or a minus in front."""
        text = self._unsigned(abs(value) if signed else value, unit, currency, compact)
        if not signed or value == 0:
            return text
        return f"{'+' if value > 0 else _MINUS}{text}"

    def count(self, number: int) -> str:
        return self.amount(Decimal(number), COUNT)

    def hundredths(self, share: Decimal | float) -> str:
        """A share from 0 to 1 with two decimals: ``0.98``."""
        return str(format_decimal(share, "0.00", locale=self.language))

    def share(self, part: int, whole: int) -> str:
        """In per cent with two decimals, rounded down: less than all is never told as all."""
        pattern = self.language.percent_formats[None].pattern.replace("##0", "##0.##")
        shown = (Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_DOWN)
        return str(format_percent(shown, pattern, locale=self.language))

    def _unsigned(self, value: Decimal, unit: str, currency: str | None, compact: bool) -> str:
        if unit == "money":
            return self.money(value, currency, compact=compact)
        if unit == "rate":
            return str(format_percent(value, locale=self.language))
        if unit == "seconds":
            return self.duration(value)
        if unit == WORKING_SECONDS:
            return self.duration(value, working=True)
        return str(format_decimal(value, locale=self.language))

    def money(self, value: Decimal, currency: str | None, *, compact: bool = False) -> str:
        if currency is None:
            return str(format_decimal(value, locale=self.language))
        if compact and abs(value) >= _COMPACT_FROM:
            return self._compact_money(value, currency)
        if compact:
            value = value.to_integral_value(ROUND_HALF_EVEN)
        whole = value == value.to_integral_value()
        shown = value if whole else round(value, get_currency_precision(currency))
        pattern = self.language.currency_formats["standard"].pattern
        if whole:
            pattern = pattern.replace("0.00", "0")
        return str(format_currency(shown, currency, pattern, locale=self.language, currency_digits=not whole))

    def _compact_money(self, value: Decimal, currency: str) -> str:
        """In thousands, millions or billions with one decimal: ``€1.2M``."""
        size, letter = next((scale for scale in _SCALES if round(abs(value) / scale[0], 1) >= 1), _SCALES[-1])
        pattern = self.language.currency_formats["standard"].pattern.replace("0.00", f"0.#'{letter}'")
        return str(
            format_currency(value / size, currency, pattern, locale=self.language, currency_digits=False)
        )

    def duration(self, seconds: Decimal, *, working: bool = False) -> str:
        """The two largest units: days and hours, hours and minutes, or minutes. `working` time stays in hours."""
        minutes = int((seconds / 60).to_integral_value(ROUND_HALF_EVEN))
        days, rest = (0, minutes) if working else divmod(minutes, 24 * 60)
        hours, left = divmod(rest, 60)
        if days:
            parts = [(days, "duration-day"), (hours, "duration-hour")]
        elif hours:
            parts = [(hours, "duration-hour"), (left, "duration-minute")]
        else:
            parts = [(left, "duration-minute")]
        shown = [part for part in parts if part[0]] or parts[-1:]
        return " ".join(format_unit(count, unit, "short", locale=self.words) for count, unit in shown)

    def day(self, day: date) -> str:
        return str(format_date(day, "medium", locale=self.words))

    def days(self, start: date, end: date) -> str:
        return str(format_interval(start, end, "yMMMd", locale=self.words))

    def moment(self, at: datetime) -> str:
        """The day of the week, the day and the time, with the name of the zone: ``Mon, Nov 9, 8:30 AM CET``."""
        day = format_skeleton("MMMEd", at, tzinfo=self.zone, locale=self.words)
        return f"{day}, {format_time(at, 'short', tzinfo=self.zone, locale=self.words)} {self._zone_name(at)}"

    def moment_full(self, at: datetime) -> str:
        """The date with its year and the time to the second, with the name of the zone."""
        return f"{format_datetime(at, 'medium', tzinfo=self.zone, locale=self.words)} {self._zone_name(at)}"

    def _zone_name(self, at: datetime) -> str:
        """``CET``; ``UTC+03`` where the zone has no letters of its own."""
        name = at.astimezone(self.zone).tzname() or "UTC"
        return f"UTC{name}" if name[0] in "+-" else name
