"""Who reads a page: the formats that the browser asks for."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError, negotiate_locale

from autocapture.measure.fiscal_calendar import CALENDAR_YEAR, FiscalCalendar
from autocapture.report.reader import Reader

_KNOWN = (
    "en",
    "en_US",
    "en_GB",
    "nl",
    "sv",
    "de",
    "fr",
    "es",
    "it",
    "da",
    "nb",
    "fi",
    "pt",
    "pl",
    "zh_Hant",
    "zh_Hans",
)
_CHINESE = {"zh": "zh_Hans", "zh_CN": "zh_Hans", "zh_SG": "zh_Hans", "zh_TW": "zh_Hant", "zh_HK": "zh_Hant"}
_LONGEST = 200


def reader_of(accept_language: str, time_zone: str, calendar: FiscalCalendar = CALENDAR_YEAR) -> Reader:
    """The first language of an Accept-Language header (RFC 9110 section 12.5.4) whose formats are known; else English."""
    wanted = []
    for part in accept_language[:_LONGEST].split(","):
        tag, _, weight = part.strip().partition(";q=")
        wanted.append((_quality(weight), tag.replace("-", "_")))
    ranked = [
        _CHINESE.get(tag, tag) for quality, tag in sorted(wanted, key=lambda one: -one[0]) if quality > 0
    ]
    chosen = negotiate_locale(ranked, _KNOWN) or "en"
    try:
        return Reader(str(Locale.parse(chosen)), time_zone, calendar)
    except (UnknownLocaleError, ValueError):
        return Reader("en", time_zone, calendar)


def _quality(weight: str) -> float:
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0
