"""The years in which a calendar's events begin, asked for without their texts (RFC 4791, 9.6: partial retrieval)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

from autocapture.connect.transport import TooLarge
from autocapture.errors import RateLimited, Unreachable
from autocapture_caldav.addresses import item_path
from autocapture_caldav.bodies import multiget_beginnings
from autocapture_caldav.calendars import Calendar
from autocapture_caldav.multistatus import CALDAV, read_multistatus
from autocapture_caldav.reading import parts
from autocapture_caldav.session import Dav
from autocapture_caldav.xml_reading import Unintelligible

_AT_ONCE = 200
_MOST = 10_000
"""What a larger calendar holds is told without years: whoever connects it is waiting."""

_FOLD = re.compile(r"\r?\n[ \t]")
_EVENT = re.compile(r"^BEGIN:VEVENT\r?$(.*?)^END:VEVENT\r?$", re.MULTILINE | re.DOTALL)
_BEGINS = re.compile(r"^DTSTART(?:;[^\r\n]*?)?:(\d{4})\d{4}", re.MULTILINE)


def years(dav: Dav, calendar: Calendar, names: Collection[str]) -> Mapping[int, int]:
    """How many of `names` begin in each year, a series in that of its first occurrence; what tells no beginning is in none.

    Empty where the server does not answer such questions, or the calendar is too large to wait for. A server that does not know
    partial retrieval gives whole texts, of which nothing else is read.
    """
    if len(names) > _MOST:
        return {}
    paths = [path for name in names if (path := item_path(calendar.path, name)) is not None]
    found: Counter[int] = Counter()
    for some in parts(paths, _AT_ONCE):
        texts = _texts(dav, calendar, some)
        if texts is None:
            return {}
        found.update(year for text in texts if (year := first_year(text)) is not None)
    return dict(sorted(found.items()))


def first_year(text: str) -> int | None:
    """The year in which the first event of an iCalendar text begins; None where none tells."""
    unfolded = _FOLD.sub("", text)
    begins = (_BEGINS.search(event) for event in _EVENT.findall(unfolded))
    return min((int(each[1]) for each in begins if each is not None), default=None)


def _texts(dav: Dav, calendar: Calendar, paths: Collection[str]) -> list[str] | None:
    try:
        answer = dav.ask("REPORT", calendar.url, multiget_beginnings(paths))
        if answer.status != 207:
            return None
        found = read_multistatus(answer.body)
    except (TooLarge, RateLimited, Unreachable, Unintelligible):
        return None
    return [each.text(f"{CALDAV}calendar-data") for each in found.responses]
