"""One user's Google calendars: events that change, tombstones with an id alone, sync tokens that expire."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from autocapture.testing.fakes.google.answers import Json, Query, Refusal

_RESTRICTIONS = {
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
}
_SAME = ("singleEvents", "showDeleted", "maxResults", "eventTypes", "timeMin", "timeMax")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOMBSTONE = ("kind", "etag", "id", "status")
_CANCELLED_EXCEPTION = (*_TOMBSTONE, "recurringEventId", "originalStartTime")


@dataclass(slots=True)
class Calendar:
    """`epoch` is raised when every token given out so far is refused. `pushes`: whether it can be watched; `hidden`: whether
    the list tells of it only where hidden ones are asked for."""

    id: str
    summary: str
    step: Callable[[], None]
    role: str = "owner"
    primary: bool = False
    pushes: bool = True
    hidden: bool = False
    time_zone: str = "UTC"
    events: dict[str, Json] = field(default_factory=dict)
    changed: list[tuple[int, str]] = field(default_factory=list)
    """(sequence, event) of every change; some are of events that are not shown."""
    sequence: int = 8
    epoch: int = 0
    updated_at: datetime = _EPOCH
    watches: dict[str, str] = field(default_factory=dict)

    # what a person or a calendar program does

    def put(self, event: Json) -> None:
        """Adds the event, or changes it."""
        self.events[event["id"]] = {"kind": "calendar#event", "status": "confirmed", **event}
        self._note(event["id"])

    def cancel(self, event_id: str, *, alone: bool = False) -> None:
        """Deletes an event, or an instance of a series; with a series its exceptions go too. `alone`: nothing is told of
        those, for Google promises it nowhere."""
        keys = _CANCELLED_EXCEPTION if "recurringEventId" in self.events[event_id] else _TOMBSTONE
        for each in [event_id, *self._exceptions(event_id)]:
            kept = {key: value for key, value in self.events[each].items() if key in keys}
            self.events[each] = {**kept, "status": "cancelled"}
            if each == event_id or not alone:
                self._note(each)

    def expire_tokens(self) -> None:
        """Tombstones are forgotten with them."""
        self.epoch += 1
        self.changed.clear()
        gone = [
            key for key, event in self.events.items() if event["status"] == "cancelled" and len(event) <= 4
        ]
        for key in gone:
            del self.events[key]

    def _exceptions(self, event_id: str) -> list[str]:
        return [key for key, event in self.events.items() if event.get("recurringEventId") == event_id]

    def _note(self, event_id: str) -> None:
        """Every third change is followed by some that are not shown."""
        for changed in (event_id, *([""] * 3 if self.sequence % 3 == 0 else ())):
            self.sequence += 1 + min(self.sequence // 4, 99)
            self.changed.append((self.sequence, changed))
        self.updated_at += timedelta(seconds=1)
        self.events[event_id]["etag"] = f'"{self.sequence}"'

    # what the service answers

    def entry(self) -> Json:
        """A line of the calendar list."""
        shown: Json = {"kind": "calendar#calendarListEntry", "id": self.id, "summary": self.summary}
        if self.primary:
            shown["primary"] = True
        return {**shown, "accessRole": self.role, "timeZone": self.time_zone, "selected": True}

    def list_events(self, query: Query) -> Json:
        sync = query.one("syncToken")
        if sync and (wrong := query.names() & _RESTRICTIONS):
            raise Refusal(
                400, "invalid", "Sync token cannot be used with any query restrictions", location=min(wrong)
            )
        if sync and query.one("showDeleted") == "false":
            raise Refusal(400, "invalid", "Deleted events are always told of", location="showDeleted")
        self.step()
        state = self._state(query, sync)
        most = query.number("maxResults", 250, 2_500)
        if most == 0:
            raise Refusal(400, "invalidParameter", "Invalid value '0'", location="maxResults")
        page, last = self._changed(state, most) if sync else self._listed(state, most, query)
        answer: Json = {
            "kind": "calendar#events",
            "summary": self.summary,
            "timeZone": self.time_zone,
            "updated": f"{self.updated_at:%Y-%m-%dT%H:%M:%S}.000Z",
            "items": [self.events[event_id] for event_id in page if event_id in self.events],
        }
        if last is None:
            answer["nextSyncToken"] = self._token(query, "sync", state["mark"], None)
        else:
            answer["nextPageToken"] = self._token(query, "page", state["mark"], last, begun=sync)
        self.step()
        return answer

    def get_event(self, event_id: str) -> Json:
        self.step()
        if event_id not in self.events:
            raise Refusal(404, "notFound", "Not Found")
        return self.events[event_id]

    def watch(self, body: Json, now: datetime) -> Json:
        if not self.pushes:
            raise Refusal(
                400,
                "pushNotSupportedForRequestedResource",
                "Push notifications are not supported by this resource.",
            )
        if body.get("type") != "web_hook" or not str(body.get("address", "")).startswith("https://"):
            raise Refusal(400, "push.webhookUrlNotHttps", "WebHook callback must be HTTPS")
        if body["id"] in self.watches:
            raise Refusal(400, "channelIdNotUnique", f"Channel id {body['id']} not unique")
        self.watches[body["id"]] = resource = f"resource-{self.id}"
        expires = now + timedelta(days=7)
        return {
            "kind": "api#channel",
            "id": body["id"],
            "resourceId": resource,
            "resourceUri": f"https://www.googleapis.com/calendar/v3/calendars/{self.id}/events",
            "expiration": str((expires - _EPOCH) // timedelta(milliseconds=1)),
        }

    def _listed(self, state: Json, most: int, query: Query) -> tuple[list[str], Any]:
        shown = sorted(
            key
            for key, event in self.events.items()
            if query.flag("showDeleted") or event["status"] != "cancelled" or "recurringEventId" in event
        )
        rest = [key for key in shown if key > (state["last"] or "")]
        return rest[:most], rest[most - 1] if len(rest) > most else None

    def _changed(self, state: Json, most: int) -> tuple[list[str], Any]:
        """Each event once, as it is now; pages may hold nothing, though more follow."""
        rest = [(number, key) for number, key in self.changed if number > state["last"]]
        page = rest[:most]
        return [key for key in dict.fromkeys(key for _, key in page) if key], page[-1][0] if len(
            rest
        ) > most else None

    def _state(self, query: Query, sync: str) -> Json:
        """Where the question stands: `mark` is the moment from which changes are told next, `last` what was told so far."""
        page = query.one("pageToken")
        if not sync and not page:
            return {"mark": self.sequence, "last": None}
        told = self._read(sync, query, "sync") if sync else None
        if page:
            state = self._read(page, query, "page")
            if state["begun"] != sync:
                raise Refusal(400, "invalid", "Invalid page token value.", location="pageToken")
            return state
        return {"mark": self.sequence, "last": told["mark"] if told else None}

    def _token(self, query: Query, kind: str, mark: int, last: Any, *, begun: str = "") -> str:
        same = {name: query.all(name) for name in _SAME}
        state = {"kind": kind, "epoch": self.epoch, "mark": mark, "last": last, "begun": begun, "same": same}
        return base64.urlsafe_b64encode(json.dumps([self.id, state]).encode()).decode()

    def _read(self, token: str, query: Query, kind: str) -> Json:
        where = "syncToken" if kind == "sync" else "pageToken"
        try:
            calendar, state = json.loads(base64.urlsafe_b64decode(token))
            known = calendar == self.id and state["kind"] == kind
        except (ValueError, TypeError, KeyError):
            known = False
        if not known:
            raise Refusal(400, "invalid", "Invalid sync token value.", location=where)
        if state["epoch"] != self.epoch:
            raise Refusal(
                410,
                "fullSyncRequired",
                "Sync token is no longer valid, a full sync is required.",
                domain="calendar",
                location="syncToken",
            )
        if state["same"] != {name: query.all(name) for name in _SAME}:
            raise Refusal(400, "invalid", "The parameters are not those of the token", location=where)
        return dict(state)
