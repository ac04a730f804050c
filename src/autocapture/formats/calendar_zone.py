"""The time zone of a whole calendar, as CalDAV servers tell it (RFC 4791, 5.2.2; RFC 7809, 5.2)."""

from __future__ import annotations

from contextlib import suppress

from autocapture.errors import RecordUnusable
from autocapture.formats.content_lines import cut, parse_component
from autocapture.formats.time_zones import Zones, known_zone

_LIMIT = 256 << 10
_WANTED = frozenset({"TZID", "X-LIC-LOCATION", "TZOFFSETFROM", "TZOFFSETTO", "DTSTART", "RRULE", "RDATE"})


def zone_of_calendar(named: str, written: str) -> str | None:
    """The IANA name of the zone called `named`, else of the one that the iCalendar stream `written` spells out; None where
    neither says anything that is known. Never raises.
    """
    if (known := known_zone(named.strip())) is not None:
        return known
    raw = written.encode("utf-8", "replace")
    if not raw or len(raw) > _LIMIT:
        return None
    with suppress(RecordUnusable):
        _, spans = cut(raw)
        for span in spans[:1]:
            zone = parse_component(raw[span.begins : span.ends], _WANTED)
            return Zones([zone], "UTC").named(zone.value("TZID"))[1]
    return None
