"""Graph's events to `EventRecord`. Text and attachments of an event are dropped here, whether or not they were sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from autocapture.connector import Broken, Record
from autocapture.errors import RecordUnusable
from autocapture.formats.time_zones import known_zone
from autocapture.records import Attendee, EventRecord, Recurrence, Response
from autocapture_microsoft.event_uid import series_uid
from autocapture_microsoft.shape import Item, flag, instant, member, members, text, version_of

FIELDS = (
    *(
        "id",
        "iCalUId",
        "type",
        "seriesMasterId",
        "subject",
        "start",
        "end",
        "originalStart",
        "originalStartTimeZone",
    ),
    *(
        "isAllDay",
        "isCancelled",
        "isDraft",
        "organizer",
        "attendees",
        "responseStatus",
        "sensitivity",
        "showAs",
    ),
    *("createdDateTime", "lastModifiedDateTime", "changeKey"),
)

_RESPONSES: Mapping[str, Response] = {
    "none": "needs_action",
    "notresponded": "needs_action",
    "organizer": "accepted",
    "accepted": "accepted",
    "tentativelyaccepted": "tentative",
    "declined": "declined",
}

_HALF_A_DAY = timedelta(hours=12)

Purpose = Literal["default", "out_of_office", "working_location"]
_ALONE: Mapping[str, Purpose] = {"oof": "out_of_office", "workingelsewhere": "working_location"}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whose calendar it is, and the zone of days that come without one."""

    owner: str
    time_zone: str


def read_event(id_: str, item: Item, calendar: Calendar) -> Record | Broken:
    """A single event, or one instance of a series that its owner was invited to alone."""
    try:
        data = event_record(item, calendar)
    except RecordUnusable as unusable:
        return Broken(id_, str(unusable), change_of(item))
    return Record(id_, data, version_of(data))


def read_series(id_: str, master: Item, instances: Sequence[Item], calendar: Calendar) -> Record | Broken:
    """A series, with the dates on which the provider says it takes place, and its exceptions.

    The provider's dates are kept rather than its rule: they know cancelled instances, and zones that exist nowhere else.
    """
    try:
        data = series_record(master, instances, calendar)
    except RecordUnusable as unusable:
        return Broken(id_, str(unusable), change_of(master))
    return Record(id_, data, version_of(data))


def change_of(item: Item) -> str:
    """A version for what cannot be read."""
    key = item.get("changeKey") or item.get("@odata.etag")
    return key if isinstance(key, str) else "?"


def event_record(item: Item, calendar: Calendar) -> EventRecord:
    """Raises RecordUnusable for a value of unknown form, or without identity or time."""
    uid, instance = series_uid(text(item, "iCalUId"))
    if not uid:
        raise RecordUnusable("it has no iCalUId")
    starts_at, ends_at = _boundary(item, "start", calendar), _boundary(item, "end", calendar)
    if isinstance(starts_at, datetime) != isinstance(ends_at, datetime):
        raise RecordUnusable("it begins by the day and ends by the hour")
    if _order(ends_at) < _order(starts_at):
        starts_at, ends_at = ends_at, starts_at
    attendees = _attendees(item, calendar)
    organizer = _person(member(item, "organizer"), "accepted")
    shown = text(item, "showAs").casefold()
    return EventRecord(
        uid=uid,
        starts_at=starts_at,
        ends_at=ends_at,
        title=text(item, "subject"),
        recurrence_id=None if instance is None else _original_start(item, starts_at),
        status="cancelled" if flag(item, "isCancelled") else "confirmed",
        organizer=organizer,
        attendees=attendees,
        time_zone=_zone_name(item),
        private=text(item, "sensitivity").casefold() not in ("", "normal"),
        transparent=shown == "free",
        purpose="default" if attendees else _ALONE.get(shown, "default"),
        created_at=instant(item, "createdDateTime"),
        modified_at=instant(item, "lastModifiedDateTime"),
    )


def series_record(master: Item, instances: Sequence[Item], calendar: Calendar) -> EventRecord:
    """The master's first start counts as an instance whatever its rule says (RFC 5545, 3.8.2.4), so it is excluded where the
    provider has none there."""
    series = event_record({**master, "originalStart": None}, calendar)
    starts: set[datetime | date] = set()
    overrides = []
    for item in instances:
        if text(item, "type").casefold() == "exception":
            overrides.append(_exception(item, master, series.uid, calendar))
        else:
            starts.add(_boundary({**master, **_bare(item)}, "start", calendar))
    excluded = () if series.starts_at in starts else (series.starts_at,)
    starts.add(series.starts_at)  # without any date it would be read as an event that does not recur
    recurrence = Recurrence(dates=tuple(sorted(starts, key=_order)), excluded=excluded)
    overrides.sort(key=lambda each: _order(each.recurrence_id or each.starts_at))
    return EventRecord(
        **{name: getattr(series, name) for name in _OF_MASTER},
        recurrence=recurrence,
        overrides=tuple(overrides),
    )


_OF_MASTER = (
    *("uid", "starts_at", "ends_at", "title", "sequence", "status", "organizer", "attendees", "time_zone"),
    *("private", "transparent", "purpose", "created_at", "modified_at"),
)


def _bare(item: Item) -> Item:
    return {name: item[name] for name in ("start", "end") if name in item}


def _exception(item: Item, master: Item, uid: str, calendar: Calendar) -> EventRecord:
    """What an exception says itself, and where it says nothing, what its series does."""
    told = {name: value for name, value in item.items() if value is not None}
    event = event_record({**master, **told, "iCalUId": uid}, calendar)
    original = _original_start({**master, **told}, event.starts_at)
    return EventRecord(
        **{name: getattr(event, name) for name in _OF_MASTER if name != "uid"},
        uid=uid,
        recurrence_id=original,
    )


def _boundary(item: Item, name: str, calendar: Calendar) -> datetime | date:
    """Start or end: in the event's own zone, or a date for an event of whole days."""
    boundary = member(item, name)
    wall, zone = _wall(text(boundary, "dateTime"), name), _zone(text(boundary, "timeZone")) or UTC
    if not flag(item, "isAllDay"):
        return wall.replace(tzinfo=zone).astimezone(_zone(_zone_name(item) or "") or UTC)
    if wall.time() == time():
        return wall.date()
    return _nearest_day(wall.replace(tzinfo=zone), item, calendar)


def _nearest_day(moment: datetime, item: Item, calendar: Calendar) -> date:
    """The day whose midnight lies nearest, where it was made: a day that was told in another zone than its own is no
    midnight there."""
    zone = _zone(_zone_name(item) or "") or ZoneInfo(calendar.time_zone)
    return (moment.astimezone(zone).replace(tzinfo=None) + _HALF_A_DAY).date()


def _original_start(item: Item, starts_at: datetime | date) -> datetime | date:
    """When the series has this instance; where Graph does not say, when it takes place."""
    original = instant(item, "originalStart")
    if original is None:
        return starts_at
    if isinstance(starts_at, datetime):
        return original.astimezone(starts_at.tzinfo)
    if original.time() == time():
        return original.date()
    return (
        original.astimezone(_zone(_zone_name(item) or "") or UTC).replace(tzinfo=None) + _HALF_A_DAY
    ).date()


def _wall(value: str, name: str) -> datetime:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        raise RecordUnusable(f"its {name} is no time") from None


def _zone(name: str) -> tzinfo | None:
    known = known_zone(name)
    return None if known is None else UTC if known == "UTC" else ZoneInfo(known)


def _zone_name(item: Item) -> str | None:
    """The IANA name of the zone in which the event was made. None for a custom one: its times are right in UTC all the
    same."""
    return known_zone(text(item, "originalStartTimeZone"))


def _attendees(item: Item, calendar: Calendar) -> tuple[Attendee, ...]:
    """In an attendee's own copy only their own answer is sure, and it stands apart from the list."""
    own = _RESPONSES.get(text(member(item, "responseStatus"), "response").casefold())
    found = []
    for each in members(item, "attendees"):
        told = text(member(each, "status"), "response").casefold()
        kind = text(each, "type").casefold()
        response = _RESPONSES.get(told, "unknown") if told else "needs_action"
        person = _person(each, response, optional=kind == "optional", resource=kind == "resource")
        if person is None:
            continue
        if own not in (None, "needs_action") and person.email.casefold() == calendar.owner.casefold():
            person = Attendee(person.email, person.name, own or "unknown", person.optional, person.resource)
        found.append(person)
    return tuple(found)


def _person(
    item: Item, response: Response, *, optional: bool = False, resource: bool = False
) -> Attendee | None:
    mailbox = member(item, "emailAddress")
    address = text(mailbox, "address")
    return Attendee(address, text(mailbox, "name"), response, optional, resource) if address else None


def _order(moment: datetime | date) -> datetime:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else datetime.combine(moment, time(), UTC)
