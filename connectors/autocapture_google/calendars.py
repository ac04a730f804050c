"""The calendars of one login as channels, each read with a sync token of its own.

Captured are the calendars that the login owns, hidden ones too: what is in somebody else's is captured from them. Series are
asked for as masters and exceptions, never expanded by the server. A listing asks for the whole calendar, since what a bound
would do to the tokens that follow is not documented; events that were over before it are left out here, always by one rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from autocapture.connector import Broken, Channel, Count, Cursor, Gone, Page, Record, Tools
from autocapture.errors import AutocaptureError, ChannelGone, CursorExpired, RecordUnusable, Unreachable
from autocapture.formats.time_zones import Zones, known_zone
from autocapture_google.api import Api, Json
from autocapture_google.budget import GET_EVENT, LIST_CALENDARS, LIST_EVENTS, Budget
from autocapture_google.event_cursor import Place, decode
from autocapture_google.events import ends_before, event_record, is_exception, is_tombstone
from autocapture_google.refusals import Refused, fault

PRIMARY = "primary"
"""Google's word for the login's own calendar, which stays when its address changes."""

_MOST_LISTED = 2_500
_BATCH = 20
_PAGES_COUNTED = 20
_TIMES = "start,end,originalStartTime,recurrence,recurringEventId,created,updated"
_PEOPLE = "attendees(email,displayName,responseStatus,optional,resource),organizer(email,displayName),creator(email,displayName)"
_FIELDS = f"id,etag,status,iCalUID,sequence,eventType,visibility,transparency,{_TIMES},{_PEOPLE}"

Answer = Record | Gone | Broken


@dataclass(frozen=True, slots=True)
class Listed:
    """A calendar of the login's list. `reason` says why it is left out; "" where it is captured."""

    id: str
    name: str
    reason: str = ""


class Calendars:
    def __init__(self, api: Api, tools: Tools, *, may_list: bool) -> None:
        self._api = api
        self._tools = tools
        self._budget = Budget(tools.meter)
        self._events = api.resource("events")
        self._may_list = may_list
        self._since = date.min if tools.since is None else max(tools.since, date(1, 1, 2)) - timedelta(days=1)
        titles = "" if tools.level == "metadata" else ",summary"
        self._fields = _FIELDS + titles

    def listed(self) -> list[Listed]:
        """Every calendar of the login, its own first; that one alone where the list may not be asked for."""
        if not self._may_list:
            return [Listed(PRIMARY, "Calendar")]
        found: list[Listed] = []
        token: str | None = None
        while True:
            self._budget.take(LIST_CALENDARS)
            answer = self._ask(
                self._api.resource("calendarList").list(
                    showHidden=True,
                    maxResults=250,
                    pageToken=token,
                    fields="items(id,summary,summaryOverride,primary,accessRole,deleted),nextPageToken",
                )
            )
            found += filter(None, map(_listed, _items(answer)))
            token = answer.get("nextPageToken")
            if not token:
                return sorted(found, key=lambda each: (each.id != PRIMARY, bool(each.reason), each.id))

    def pull(self, channel: Channel, cursor: Cursor | None, limit: int) -> Page:
        place = Place(None, None, max(1, min(limit, _MOST_LISTED))) if cursor is None else decode(cursor)
        answer = self._page(channel, place)
        zones = self._zones(answer.get("timeZone"))
        items = self._converted(channel, _items(answer), zones)
        if token := answer.get("nextPageToken"):
            return Page(items, Place(place.sync, str(token), place.size).encode(), more=True)
        sync = answer.get("nextSyncToken")
        if not sync:
            raise Unreachable("Google Calendar gave no token to go on with")
        after = Place(str(sync), None, place.size)
        return Page(items, after.encode(), complete=place.sync is None)

    def get(self, channel: Channel, ids: Sequence[str]) -> list[Answer]:
        wanted = list(dict.fromkeys(ids))
        read = self._read(channel, wanted, self._fields)
        events = [{**event, "id": id_} for id_, event in read.items() if isinstance(event, dict)]
        found = {item.id: item for item in self._converted(channel, events, self._zones(None))}
        for id_ in wanted:
            answer = read[id_]
            if isinstance(answer, Refused):
                refused = f"Google Calendar does not give it ({answer})"
                found[id_] = Gone(id_) if answer.gone else Broken(id_, refused)
        return [found[id_] for id_ in wanted]

    def count(self, channel: Channel) -> Count:
        """By the year in which an event, or a series, begins. A calendar of many thousands is not counted to its end."""
        years: Counter[int] = Counter()
        token: str | None = None
        for _ in range(_PAGES_COUNTED):
            self._budget.take(LIST_EVENTS)
            answer = self._ask(
                self._events.list(
                    calendarId=channel.id,
                    singleEvents=False,
                    maxResults=_MOST_LISTED,
                    pageToken=token,
                    fields="items(status,start,recurringEventId),nextPageToken",
                )
            )
            years.update(filter(None, map(_year, _items(answer))))
            token = answer.get("nextPageToken")
            if not token:
                return Count(channel, sum(years.values()), dict(sorted(years.items())))
        return Count(channel, None)

    def newest(self, channel: Channel) -> datetime | None:
        """When the calendar was last changed: Google tells no more of it in one request."""
        self._budget.take(LIST_EVENTS)
        answer = self._ask(self._events.list(calendarId=channel.id, maxResults=1, fields="updated"))
        try:
            return datetime.fromisoformat(str(answer.get("updated", "")))
        except ValueError:
            return None

    def _page(self, channel: Channel, place: Place) -> Json:
        self._budget.take(LIST_EVENTS)
        try:
            return self._api.ask(
                self._events.list(
                    calendarId=channel.id,
                    singleEvents=False,
                    showDeleted=True,
                    maxResults=place.size,
                    syncToken=place.sync,
                    pageToken=place.page,
                    fields=f"items({self._fields}),nextPageToken,nextSyncToken,timeZone",
                )
            )
        except Refused as refused:
            if refused.status == 410 or (refused.status == 400 and (place.sync or place.page)):
                raise CursorExpired(f"Google Calendar no longer knows the token ({refused.says})") from None
            raise self._fault(refused) from None

    def _converted(self, channel: Channel, events: Sequence[Json], zones: Zones) -> list[Answer]:
        uids = {event["id"]: event["iCalUID"] for event in events if _names_uid(event)}
        orphans = {
            str(event["recurringEventId"])
            for event in events
            if is_exception(event) and not event.get("iCalUID")
        }
        masters = sorted(orphans - uids.keys())
        for master, answer in self._read(channel, masters, "id,iCalUID,status").items():
            if isinstance(answer, dict) and _names_uid(answer):
                uids[master] = answer["iCalUID"]
        return [self._answer(event, uids, zones) for event in events if isinstance(event.get("id"), str)]

    def _answer(self, event: Json, uids: dict[str, str], zones: Zones) -> Answer:
        """A deleted instance is a record, since it says something of its series, while that is there: its UID is the series'."""
        id_ = event["id"]
        uid = event.get("iCalUID") or uids.get(str(event.get("recurringEventId")))
        if is_tombstone(event) or (event.get("status") == "cancelled" and not uid):
            return Gone(id_)
        version = event.get("etag") if isinstance(event.get("etag"), str) else None
        try:
            record = event_record(event, str(uid or id_), zones)
        except RecordUnusable as unusable:
            return Broken(id_, str(unusable), version)
        except (TypeError, ValueError, AttributeError, LookupError, OverflowError):
            return Broken(id_, "Google Calendar's answer for it cannot be understood", version)
        return Gone(id_) if ends_before(record, self._since, zones) else Record(id_, record, version)

    def _read(self, channel: Channel, ids: Sequence[str], fields: str) -> dict[str, Json | Refused]:
        found: dict[str, Json | Refused] = {}
        for begin in range(0, len(ids), _BATCH):
            part = ids[begin : begin + _BATCH]
            self._budget.spend(GET_EVENT, len(part))
            found.update(
                self._api.ask_all(
                    {id_: self._events.get(calendarId=channel.id, eventId=id_, fields=fields) for id_ in part}
                )
            )
        for answer in found.values():
            if isinstance(answer, Refused) and (answer.throttled or answer.status == 403):
                raise self._fault(answer)
        if len(found) > 1 and all(isinstance(each, Refused) and each.passing for each in found.values()):
            raise self._fault(next(each for each in found.values() if isinstance(each, Refused)))
        return found

    def _ask(self, request: Any) -> Json:
        try:
            return self._api.ask(request)
        except Refused as refused:
            raise self._fault(refused) from None

    def _fault(self, refused: Refused) -> AutocaptureError:
        if refused.gone:
            return ChannelGone("the calendar is no longer there")
        if refused.forbidden:
            return ChannelGone("the calendar may no longer be read")
        return fault(refused, self._api.title)

    def _zones(self, name: Any) -> Zones:
        """The calendar's own zone, for times that name none; else the rep's."""
        return Zones([], (known_zone(name) if isinstance(name, str) else None) or self._tools.time_zone)


def _listed(entry: Json) -> Listed | None:
    id_ = entry.get("id")
    if not isinstance(id_, str) or not id_ or entry.get("deleted") is True:
        return None
    name = str(entry.get("summaryOverride") or entry.get("summary") or id_)
    if entry.get("primary") is True:
        return Listed(PRIMARY, name)
    owned = entry.get("accessRole") == "owner"
    return Listed(id_, name, "" if owned else "somebody else's calendar")


def _names_uid(event: Json) -> bool:
    """Whether it is there and tells its UID: a deleted one may tell it on, where it was organized."""
    return bool(event.get("id") and event.get("iCalUID")) and event.get("status") != "cancelled"


def _year(event: Json) -> int | None:
    start = event.get("start")
    if event.get("status") == "cancelled" or not isinstance(start, dict):
        return None
    text = str(start.get("dateTime") or start.get("date") or "")[:4]
    return int(text) if text.isascii() and text.isdigit() else None


def _items(answer: Json) -> list[Json]:
    listed = answer.get("items")
    return [each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)]
