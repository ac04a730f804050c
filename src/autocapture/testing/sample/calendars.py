"""The calendars as iCalendar (RFC 5545), and the calendar part of invitation mail (RFC 6047)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from icalendar import Calendar, Timezone, vCalAddress, vRecur
from icalendar import Event as Component

from autocapture.testing.world.model import Event, Guest, Invitation, Occurrence, User

_PRODUCT = "-//Halvorin Systems//Calendar//EN"


def write_calendars(events: Sequence[Event], users: Iterable[User], directory: Path) -> dict[str, Path]:
    """Writes `directory`/<user>.ics for every user and returns the file of each user's address."""
    directory.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    for user in users:
        path = directory / f"{user.email.split('@')[0]}.ics"
        path.write_bytes(calendar_bytes([event for event in events if user.email in event.calendars], user))
        written[user.email] = path
    return written


def calendar_bytes(events: Sequence[Event], user: User) -> bytes:
    """One user's calendar with the time zones it uses."""
    calendar = _calendar()
    calendar.add("x-wr-calname", user.name)
    for zone in sorted({event.time_zone for event in events if isinstance(event.starts_at, datetime)}):
        calendar.add_component(_time_zone(zone))
    for event in events:
        for component in _components(event):
            calendar.add_component(component)
    return bytes(calendar.to_ical())


def _calendar(method: str | None = None) -> Calendar:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", _PRODUCT)
    if method:
        calendar.add("method", method)
    return calendar


@cache
def _time_zone(name: str) -> Timezone:
    return Timezone.from_tzid(name, first_date=date(2020, 1, 1), last_date=date(2038, 1, 1))


def _components(event: Event) -> list[Component]:
    """The event, or the master of the series and one component for each date that differs from it."""
    if event.rule is None:
        component = _component(event, event.starts_at, event.ends_at, cancelled=event.cancelled)
        return [component]
    master = _component(event, event.starts_at, event.ends_at, cancelled=False)
    master.add("rrule", vRecur.from_ical(event.rule))
    for start in event.excluded:
        master.add("exdate", start)
    exceptions = [_exception(event, item) for item in event.occurrences if item.moved or item.cancelled]
    return [master, *exceptions]


def _exception(event: Event, occurrence: Occurrence) -> Component:
    component = _component(event, occurrence.starts_at, occurrence.ends_at, cancelled=occurrence.cancelled)
    component.add("recurrence-id", occurrence.original_start)
    return component


def _component(event: Event, start: datetime | date, end: datetime | date, *, cancelled: bool) -> Component:
    component = Component()
    component.add("uid", event.uid)
    component.add("dtstamp", event.modified_at.astimezone(UTC))
    component.add("created", event.created_at.astimezone(UTC))
    component.add("last-modified", event.modified_at.astimezone(UTC))
    component.add("sequence", event.sequence)
    component.add("dtstart", start)
    component.add("dtend", end)
    component.add("summary", event.title)
    component.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    component.add("transp", "TRANSPARENT" if event.transparent else "OPAQUE")
    if event.private:
        component.add("class", "PRIVATE")
    if event.description:
        component.add("description", event.description)
    if event.location:
        component.add("location", event.location)
    if event.organizer:
        component.add("organizer", _address(event.organizer.email, event.organizer.name))
    for guest in event.guests:
        component.add("attendee", _attendee(guest))
    return component


def _address(email: str, name: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    if name:
        address.params["CN"] = name
    return address


def _attendee(guest: Guest) -> vCalAddress:
    address = _address(guest.email, guest.name)
    address.params["PARTSTAT"] = guest.response
    address.params["CUTYPE"] = "ROOM" if guest.room else "INDIVIDUAL"
    address.params["ROLE"] = (
        "NON-PARTICIPANT" if guest.room else "OPT-PARTICIPANT" if guest.optional else "REQ-PARTICIPANT"
    )
    return address


def invitation_text(invitation: Invitation, sent_at: datetime) -> str:
    """The calendar object that an invitation, an answer or a cancellation carries."""
    calendar = _calendar(invitation.method)
    component = Component()
    component.add("uid", invitation.uid)
    component.add("dtstamp", sent_at.astimezone(UTC))
    component.add("dtstart", invitation.starts_at.astimezone(UTC))
    component.add("dtend", invitation.ends_at.astimezone(UTC))
    component.add("summary", invitation.title)
    component.add("sequence", 1 if invitation.method == "CANCEL" else 0)
    if invitation.method == "CANCEL":
        component.add("status", "CANCELLED")
    component.add("organizer", _address(invitation.organizer.email, invitation.organizer.name))
    attendee = _address(invitation.attendee.email, invitation.attendee.name)
    attendee.params["PARTSTAT"] = invitation.response
    component.add("attendee", attendee)
    calendar.add_component(component)
    return bytes(calendar.to_ical()).decode().replace("\r\n", "\n")
