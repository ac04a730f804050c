"""Google's events (resource `events`) to `EventRecord`: masters, exceptions and single events, each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from autocapture.errors import RecordUnusable
from autocapture.formats.charsets import one_line
from autocapture.formats.content_lines import parse_component
from autocapture.formats.keys import ADDRESS_LENGTH, bounded
from autocapture.formats.recurrence import refuse_crowd
from autocapture.formats.time_zones import Zones
from autocapture.formats.vevent import WANTED, read_event
from autocapture.records import Attendee, EventRecord, Response

Json = dict[str, Any]
Purpose = Literal["default", "out_of_office", "focus", "working_location", "birthday"]

_TITLE_LIMIT = 1_000
_NAME_LIMIT = 998
_ATTENDEES_LIMIT = 5_000
_RULES_LIMIT = 100
_SEQUENCE_LIMIT = 2**31 - 1

_PURPOSES: Mapping[str, Purpose] = {
    "outOfOffice": "out_of_office",
    "focusTime": "focus",
    "workingLocation": "working_location",
    "birthday": "birthday",
}
_RESPONSES: Mapping[str, Response] = {
    "needsAction": "needs_action",
    "declined": "declined",
    "tentative": "tentative",
    "accepted": "accepted",
}
_STATUSES: Mapping[str, Literal["confirmed", "tentative", "cancelled"]] = {
    "tentative": "tentative",
    "cancelled": "cancelled",
}
_NOBODY = "@group.calendar.google.com"
"""Addresses of calendars, which organise what is entered into them."""
_ROOM = "@resource.calendar.google.com"
_UNKNOWN_ORGANIZER = "unknownorganizer@calendar.google.com"


def is_exception(event: Json) -> bool:
    return isinstance(event.get("recurringEventId"), str) and isinstance(event.get("originalStartTime"), dict)


def is_tombstone(event: Json) -> bool:
    """A deleted event or series; of it nothing but the id is sure to be told. A deleted instance is an exception."""
    return event.get("status") == "cancelled" and not is_exception(event)


def event_record(event: Json, uid: str, zones: Zones) -> EventRecord:
    """The record of an event that is no tombstone. `zones` knows the calendar's own. Raises RecordUnusable.

    Its times and rules go through the parser of iCalendar, whose words they are written in, and whose limits they obey.
    """
    original = event.get("originalStartTime") if is_exception(event) else None
    start = event.get("start") or original
    if not isinstance(start, dict):
        raise RecordUnusable("the event has no start")
    end = event.get("end") if event.get("start") else None
    lines = ["BEGIN:VEVENT", _line("DTSTART", start, zones)]
    if isinstance(end, dict):
        lines.append(_line("DTEND", end, zones))
    if original is not None:
        lines.append(_line("RECURRENCE-ID", original, zones))
    lines += _rules(event)
    component = parse_component("\r\n".join(lines).encode("utf-8", "replace"), WANTED)
    record = replace(
        read_event(component, bounded(one_line(uid)), zones, cancelled=event.get("status") == "cancelled"),
        title=one_line(_text(event.get("summary"))[: 4 * _TITLE_LIMIT])[:_TITLE_LIMIT],
        status=_STATUSES.get(_text(event.get("status")), "confirmed"),
        sequence=_sequence(event.get("sequence")),
        organizer=_organizer(event),
        attendees=_attendees(event),
        private=_text(event.get("visibility")) in ("private", "confidential"),
        transparent=_text(event.get("transparency")) == "transparent",
        purpose=_PURPOSES.get(_text(event.get("eventType")), "default"),
        created_at=_moment(event.get("created")),
        modified_at=_moment(event.get("updated")),
    )
    refuse_crowd(record)
    return record


def ends_before(record: EventRecord, since: date, zones: Zones) -> bool:
    """Whether it was over before that day; a series is not, for its rule may go on, nor is an instance that was moved to before
    that day: on its own day the series would say what is not so."""
    if record.recurrence is not None:
        return False
    moments = filter(None, (record.ends_at, record.recurrence_id))
    return all(
        (moment.astimezone(zones.default[0]).date() if isinstance(moment, datetime) else moment) < since
        for moment in moments
    )


def _line(name: str, when: Json, zones: Zones) -> str:
    """`start`, `end` or `originalStartTime` as a content line: a day, or a time in the event's own zone."""
    day, moment = when.get("date"), when.get("dateTime")
    if isinstance(day, str):
        return f"{name};VALUE=DATE:{_day(day):%Y%m%d}"
    if not isinstance(moment, str):
        raise RecordUnusable("the event has a time that says nothing")
    named = when.get("timeZone")
    zone, iana = zones.named(named) if isinstance(named, str) and named else zones.default
    try:
        told = datetime.fromisoformat(moment)
        local = told.astimezone(zone) if told.tzinfo else told
    except (ValueError, OverflowError):
        raise RecordUnusable("the event has an unreadable date") from None
    if iana is None or iana == "UTC":
        aware = local if local.tzinfo else local.replace(tzinfo=UTC)
        return f"{name}:{_digits(aware.astimezone(UTC))}Z"
    return f"{name};TZID={iana}:{_digits(local)}"


def _digits(moment: datetime) -> str:
    return f"{moment.year:04}{moment:%m%dT%H%M%S}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RecordUnusable("the event has an unreadable date") from None


def _rules(event: Json) -> list[str]:
    """RRULE, RDATE and EXDATE, as Google gives them: content lines of iCalendar."""
    lines = event.get("recurrence")
    if not isinstance(lines, list):
        return []
    if len(lines) > _RULES_LIMIT:
        raise RecordUnusable(f"the event has more than {_RULES_LIMIT} recurrence lines")
    return [
        one_line(line)
        for line in lines
        if isinstance(line, str) and line.upper().startswith(("RRULE", "RDATE", "EXDATE"))
    ]


def _organizer(event: Json) -> Attendee | None:
    """Who organises it, and whether they come. Of an event in a shared calendar whoever entered it does."""
    organizer = event.get("organizer")
    if isinstance(organizer, dict) and _address(organizer).lower().endswith(_NOBODY):
        organizer = event.get("creator")
    if not isinstance(organizer, dict):
        return None
    email = _address(organizer)
    if not email or email.lower().endswith(_NOBODY) or email.lower() == _UNKNOWN_ORGANIZER:
        return None
    answers = (each for each in _people(event) if _address(each).lower() == email.lower())
    response = _response(next(answers, {}), absent="accepted")
    return Attendee(email, _name(organizer), response)


def _attendees(event: Json) -> tuple[Attendee, ...]:
    """Those with an address; a profile without one names nobody."""
    found = []
    for person in _people(event):
        email = _address(person)
        if email:
            found.append(
                Attendee(
                    email,
                    _name(person),
                    _response(person, absent="needs_action"),
                    optional=person.get("optional") is True,
                    resource=person.get("resource") is True or email.lower().endswith((_ROOM, _NOBODY)),
                )
            )
    return tuple(found)


def _people(event: Json) -> list[Json]:
    people = event.get("attendees")
    listed = people[:_ATTENDEES_LIMIT] if isinstance(people, list) else []
    return [person for person in listed if isinstance(person, dict)]


def _response(person: Json, *, absent: Response) -> Response:
    status = person.get("responseStatus")
    return _RESPONSES.get(_text(status), "unknown") if status else absent


def _address(person: Json) -> str:
    email = one_line(_text(person.get("email")))
    return email if "@" in email and len(email) <= ADDRESS_LENGTH else ""


def _name(person: Json) -> str:
    return one_line(_text(person.get("displayName")))[:_NAME_LIMIT]


def _sequence(value: Any) -> int:
    return min(value, _SEQUENCE_LIMIT) if isinstance(value, int) and value > 0 else 0


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
