"""One VEVENT (RFC 5545, 3.6.1) to an `EventRecord`."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from autocapture.errors import RecordUnusable
from autocapture.formats.charsets import one_line
from autocapture.formats.content_lines import Component, Property
from autocapture.formats.keys import ADDRESS_LENGTH, bounded
from autocapture.formats.rules import COUNTED_SINCE, parse_rule
from autocapture.formats.time_zones import Named, Zones
from autocapture.records import Attendee, EventRecord, Recurrence, Response

WANTED = frozenset(
    (
        *("UID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "STATUS", "CLASS", "TRANSP", "CATEGORIES"),
        *("SEQUENCE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "ORGANIZER", "ATTENDEE"),
        *("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "X-MICROSOFT-CDO-BUSYSTATUS"),
    )
)
_TITLE_LIMIT = 1_000
_ATTENDEES_LIMIT = 5_000
_DATES_LIMIT = 20_000
_RULES_LIMIT = 10  # the standard advises one
_SEQUENCE_LIMIT = 2**31 - 1
_FIRST_YEAR, _LAST_YEAR = 1600, 2200  # some address books write a birthday of unknown year as 1604

_WHEN = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z?))?")
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?"
)

_RESPONSES: dict[str, Response] = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
    "NEEDS-ACTION": "needs_action",
    "DELEGATED": "delegated",
}
_STATUSES: dict[str, Literal["confirmed", "tentative", "cancelled"]] = {
    "TENTATIVE": "tentative",
    "CANCELLED": "cancelled",
    "CANCELED": "cancelled",
}


def read_event(component: Component, uid: str, zones: Zones, *, cancelled: bool) -> EventRecord:
    """The event of a component that was read with `WANTED`. Raises RecordUnusable, why in plain words."""
    start = component.first("DTSTART")
    if start is None:
        raise RecordUnusable("the event has no start")
    starts_at, zone_name = _when(start, start.value, zones)
    exception = component.first("RECURRENCE-ID")
    busy = component.value("X-MICROSOFT-CDO-BUSYSTATUS").upper()
    status = "cancelled" if cancelled else _STATUSES.get(component.value("STATUS").upper(), "confirmed")
    organizer = component.first("ORGANIZER")
    starts_at, ends_at = _in_order(starts_at, _end(component, starts_at, zones))
    return EventRecord(
        uid=uid,
        starts_at=starts_at,
        ends_at=ends_at,
        title=_title(component),
        recurrence_id=_when(exception, exception.value, zones)[0] if exception else None,
        sequence=_sequence(component.value("SEQUENCE")),
        status=status,
        organizer=_party(organizer, absent="accepted") if organizer else None,
        attendees=_attendees(component),
        time_zone=zone_name,
        # RFC 5545, 3.8.1.3: an unknown classification is treated as PRIVATE.
        private=component.value("CLASS").upper() not in ("", "PUBLIC"),
        transparent=component.value("TRANSP").upper() == "TRANSPARENT" or busy == "FREE",
        purpose=_purpose(component, busy),
        recurrence=_recurrence(component, zones, starts_at.year),
        created_at=moment_of(component.first("CREATED"), zones),
        modified_at=moment_of(component.first("LAST-MODIFIED"), zones),
    )


def uid_of(component: Component) -> str:
    """The UID; for an event without one, against the standard, a name made of its content."""
    return bounded(one_line(component.value("UID"))) or unnamed(digest_of(component))


def unnamed(digest: str) -> str:
    """The UID of an event without one."""
    return f"no-uid-{digest}"


def digest_of(component: Component) -> str:
    """What tells the content of an event from another's; when it was sent (DTSTAMP) tells nothing."""
    lines = sorted(
        f"{name}:{prop.value}"
        for name, props in component.properties.items()
        if name != "DTSTAMP"
        for prop in props
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _title(component: Component) -> str:
    summary = component.first("SUMMARY")
    return one_line(summary.text(4 * _TITLE_LIMIT))[:_TITLE_LIMIT] if summary else ""


def _sequence(text: str) -> int:
    return min(int(text), _SEQUENCE_LIMIT) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _purpose(
    component: Component, busy: str
) -> Literal["default", "out_of_office", "focus", "working_location", "birthday"]:
    if busy == "OOF":
        return "out_of_office"
    if busy == "WORKINGELSEWHERE":
        return "working_location"
    if "BIRTHDAY" in component.value("CATEGORIES").upper().split(","):
        return "birthday"
    return "default"


def _attendees(component: Component) -> tuple[Attendee, ...]:
    invited = component.properties.get("ATTENDEE", [])[:_ATTENDEES_LIMIT]
    parties = (_party(prop, absent="needs_action") for prop in invited)
    return tuple(party for party in parties if party is not None)


def _party(prop: Property, *, absent: Response) -> Attendee | None:
    """One attendee or organizer; None where there is no address. An unknown PARTSTAT is `unknown`."""
    value = prop.value.strip()
    given = prop.parameters.get
    scheme = value.lower().rfind("mailto:")
    address = one_line(value[scheme + 7 :] if scheme >= 0 else given("EMAIL", value).removeprefix("mailto:"))
    if "@" not in address or len(address) > ADDRESS_LENGTH:
        return None
    partstat = given("PARTSTAT", "").upper()
    return Attendee(
        email=address,
        name=one_line(given("CN", ""))[:998],
        response=_RESPONSES.get(partstat, "unknown") if partstat else absent,
        optional=given("ROLE", "").upper() in ("OPT-PARTICIPANT", "NON-PARTICIPANT"),
        resource=given("CUTYPE", "").upper() in ("ROOM", "RESOURCE"),
    )


def _recurrence(component: Component, zones: Zones, start_year: int) -> Recurrence | None:
    written = (prop.value.strip() for prop in component.properties.get("RRULE", ()))
    rules = tuple(dict.fromkeys(filter(None, written)))
    if len(rules) > _RULES_LIMIT:
        raise RecordUnusable(f"the event has more than {_RULES_LIMIT} recurrence rules")
    for rule in rules:
        if parse_rule(rule).count is not None and start_year < COUNTED_SINCE:
            raise RecordUnusable(f"its counted recurrence begins before {COUNTED_SINCE}")
    dates, excluded = _dates(component, "RDATE", zones), _dates(component, "EXDATE", zones)
    return Recurrence(rules, dates, excluded) if rules or dates or excluded else None


def _dates(component: Component, name: str, zones: Zones) -> tuple[datetime | date, ...]:
    """The values of RDATE or EXDATE; of a period its start."""
    found: list[datetime | date] = []
    for prop in component.properties.get(name, ()):
        for value in filter(None, prop.value.split(",")):
            if len(found) == _DATES_LIMIT:
                raise RecordUnusable(f"the event lists more than {_DATES_LIMIT} dates")
            found.append(_when(prop, value.partition("/")[0], zones)[0])
    return tuple(found)


def _end(component: Component, starts_at: datetime | date, zones: Zones) -> datetime | date:
    """DTEND, else the start plus DURATION, else the default of RFC 5545, 3.6.1: one day for a date, nothing
    for a time.
    """
    end, duration = component.first("DTEND"), component.first("DURATION")
    timed = isinstance(starts_at, datetime)
    if end is not None and end.value.strip():
        ends_at, _ = _when(end, end.value, zones)
        if isinstance(ends_at, datetime) == timed:
            return ends_at
        if isinstance(ends_at, datetime):  # a timed end of an all-day event: the day it falls on counts
            return ends_at.date() + timedelta(days=1 if ends_at.time() != datetime.min.time() else 0)
    elif duration is not None:
        return _later(starts_at, *_duration(duration.value.strip()))
    return starts_at if timed else starts_at + timedelta(days=1)


def _in_order(
    starts_at: datetime | date, ends_at: datetime | date
) -> tuple[datetime | date, datetime | date]:
    """Both, swapped where they are reversed; an all-day event lasts at least its first day."""
    if ends_at < starts_at:
        starts_at, ends_at = ends_at, starts_at
    if not isinstance(starts_at, datetime) and ends_at == starts_at:
        ends_at = starts_at + timedelta(days=1)
    return starts_at, ends_at


def _duration(text: str) -> tuple[timedelta, timedelta]:
    """(days and weeks, the rest): the first are nominal, the second exact (RFC 5545, 3.3.6)."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise RecordUnusable("the event has an unreadable duration")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    sign = -1 if match[1] == "-" else 1
    return sign * timedelta(weeks=weeks, days=days), sign * timedelta(
        hours=hours, minutes=minutes, seconds=seconds
    )


def _later(starts_at: datetime | date, nominal: timedelta, exact: timedelta) -> datetime | date:
    try:
        if not isinstance(starts_at, datetime):
            return starts_at + nominal + timedelta(days=exact.days)
        return ((starts_at + nominal).astimezone(UTC) + exact).astimezone(starts_at.tzinfo)
    except OverflowError:
        raise RecordUnusable("the event ends beyond all calendars") from None


def _when(prop: Property, value: str, zones: Zones) -> tuple[datetime | date, str | None]:
    """A DATE or DATE-TIME value, aware in its own zone, and the IANA name of that zone."""
    match = _WHEN.fullmatch(value.strip())
    if match is None:
        raise RecordUnusable("the event has an unreadable date")
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise RecordUnusable("the event lies in an absurd year")
    try:
        if match[4] is None:
            return date(year, month, day), None
        zone, name = _zone(prop, utc=match[7] == "Z", zones=zones)
        second = min(int(match[6] or 0), 59)
        return datetime(year, month, day, int(match[4]), int(match[5]), second, tzinfo=zone), name
    except ValueError:
        raise RecordUnusable("the event has a date that does not exist") from None


def _zone(prop: Property, *, utc: bool, zones: Zones) -> Named:
    if utc:
        return UTC, "UTC"
    name = prop.parameters.get("TZID", "")
    return zones.named(name) if name else zones.default


def moment_of(prop: Property | None, zones: Zones) -> datetime | None:
    """An instant in UTC where one is readable."""
    if prop is None:
        return None
    try:
        moment, _ = _when(prop, prop.value, zones)
    except RecordUnusable:
        return None
    return moment.astimezone(UTC) if isinstance(moment, datetime) else None
