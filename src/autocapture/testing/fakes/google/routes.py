"""Which call of which service a request is, and who may make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from autocapture.testing.fakes.google.answers import Json, Query, Refusal, Request
from autocapture.testing.fakes.google.calendars import Calendar

if TYPE_CHECKING:
    from autocapture.testing.fakes.google.server import User

_AUTH = "https://www.googleapis.com/auth/"
_GMAIL = frozenset(
    {"https://mail.google.com/", *(f"{_AUTH}gmail.{name}" for name in ("metadata", "modify", "readonly"))}
)
_METADATA = f"{_AUTH}gmail.metadata"
_ALL_OF_CALENDARS = frozenset({f"{_AUTH}calendar", f"{_AUTH}calendar.readonly"})
_LIST = _ALL_OF_CALENDARS | {f"{_AUTH}calendar.calendarlist", f"{_AUTH}calendar.calendarlist.readonly"}
_EVENTS = _ALL_OF_CALENDARS | {
    f"{_AUTH}calendar.{name}"
    for name in ("events", "events.readonly", "events.owned", "events.owned.readonly")
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one user. `parts` are what stands in the path where the route has a `*`."""

    user: User
    scopes: frozenset[str]
    parts: tuple[str, ...]
    query: Query
    body: Json
    now: datetime

    @property
    def metadata_only(self) -> bool:
        """The stricter of two scopes decides."""
        return _METADATA in self.scopes

    @property
    def calendar(self) -> Calendar:
        calendars = self.user.calendars
        name = self.user.address if self.parts[0] == "primary" else self.parts[0]
        if name not in calendars:
            raise Refusal(404, "notFound", "Not Found")
        return calendars[name]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    verb: str
    path: tuple[str, ...]
    scopes: frozenset[str]
    answer: Callable[[Call], Json | None]

    def parts(self, request: Request) -> tuple[str, ...] | None:
        """What stands for each `*`; None where the request is another one."""
        if request.method != self.verb or len(request.path) != len(self.path):
            return None
        pairs = list(zip(self.path, request.path, strict=True))
        if any(wanted not in ("*", given) for wanted, given in pairs):
            return None
        return tuple(given for wanted, given in pairs if wanted == "*")


def find(request: Request) -> tuple[Route, tuple[str, ...]]:
    for route in ROUTES:
        if (parts := route.parts(request)) is not None:
            return route, parts
    raise Refusal(404, "notFound", "Not Found")


def _calendar_list(call: Call) -> Json:
    """Two on a page, so that every client meets a second one."""
    shown = [
        each for each in call.user.calendars.values() if not each.hidden or call.query.flag("showHidden")
    ]
    entries = [calendar.entry() for calendar in shown]
    begin = call.query.number("pageToken", 0, 10_000)
    answer: Json = {"kind": "calendar#calendarList", "items": entries[begin : begin + 2]}
    if len(entries) > begin + 2:
        answer["nextPageToken"] = str(begin + 2)
    return answer


def _stop_channel(call: Call) -> None:
    for calendar in call.user.calendars.values():
        if calendar.watches.get(call.body.get("id", "")) == call.body.get("resourceId"):
            del calendar.watches[call.body["id"]]
            return
    raise Refusal(404, "notFound", "Channel not found")


def _of_mailbox(verb: str, path: str, method: str, answer: Callable[[Call], Json | None]) -> Route:
    return Route(f"gmail.{method}", verb, ("gmail", "v1", "users", "me", *path.split("/")), _GMAIL, answer)


def _of_calendar(
    verb: str, path: str, method: str, scopes: frozenset[str], answer: Callable[[Call], Json | None]
) -> Route:
    return Route(f"calendar.{method}", verb, ("calendar", "v3", *path.split("/")), scopes, answer)


ROUTES = (
    _of_mailbox("GET", "profile", "getProfile", lambda call: call.user.mailbox.get_profile()),
    _of_mailbox(
        "GET",
        "messages",
        "messages.list",
        lambda call: call.user.mailbox.list_messages(call.query, metadata_only=call.metadata_only),
    ),
    _of_mailbox(
        "GET",
        "messages/*",
        "messages.get",
        lambda call: call.user.mailbox.get_message(
            call.parts[0], call.query, metadata_only=call.metadata_only
        ),
    ),
    _of_mailbox("GET", "history", "history.list", lambda call: call.user.mailbox.list_history(call.query)),
    _of_mailbox("GET", "labels", "labels.list", lambda call: call.user.mailbox.list_labels()),
    _of_mailbox("GET", "labels/*", "labels.get", lambda call: call.user.mailbox.get_label(call.parts[0])),
    _of_mailbox("POST", "watch", "watch", lambda call: call.user.mailbox.watch(call.body, call.now)),
    _of_mailbox("POST", "stop", "stop", lambda call: call.user.mailbox.stop()),
    _of_calendar("GET", "users/me/calendarList", "calendarList.list", _LIST, _calendar_list),
    _of_calendar(
        "GET",
        "calendars/*/events",
        "events.list",
        _EVENTS,
        lambda call: call.calendar.list_events(call.query),
    ),
    _of_calendar(
        "GET",
        "calendars/*/events/*",
        "events.get",
        _EVENTS,
        lambda call: call.calendar.get_event(call.parts[1]),
    ),
    _of_calendar(
        "POST",
        "calendars/*/events/watch",
        "events.watch",
        _EVENTS,
        lambda call: call.calendar.watch(call.body, call.now),
    ),
    _of_calendar("POST", "channels/stop", "channels.stop", _EVENTS, _stop_channel),
)
