"""Worlds over the fake of Google: its own client library speaks to it, over our HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.contracts.worlds import Kept, RememberingWorld

from autocapture.connect.http import open_session
from autocapture.connector import Auth, Connection, Credential, Grant, Tools, Unmetered
from autocapture.records import Kind
from autocapture.testing.fakes.google import Calendar, FakeGoogle
from autocapture.testing.fakes.source import FIRST, REP
from autocapture_google import GoogleOptions, connector

AUTH = "https://www.googleapis.com/auth/"
MAIL = frozenset({f"{AUTH}gmail.metadata"})
MAIL_WITH_TEXTS = frozenset({f"{AUTH}gmail.readonly"})
CALENDARS = frozenset({f"{AUTH}calendar.events.readonly", f"{AUTH}calendar.calendarlist.readonly"})


@dataclass
class SignedIn:
    """The connector as an account that has signed in already; what signing in is, is tested elsewhere."""

    grant: Grant
    changed: Callable[[Tools], Tools] = lambda tools: replace(tools, meter=Unmetered())
    name: str = "google"
    kinds: frozenset[Kind] = connector.kinds
    auth: Auth = field(default_factory=lambda: Auth("none"))
    options: type[GoogleOptions] = GoogleOptions

    @contextmanager
    def open(self, options: GoogleOptions, credential: Credential, tools: Tools) -> Iterator[Connection]:
        lent = self.changed(replace(tools, http=lambda: open_session(tools.dial_allowed)))
        with connector.open(options, self.grant, lent) as connection:
            yield connection


class GoogleWorld(RememberingWorld):
    """A user of their own on a running fake. Only requests of the connector are counted."""

    scopes: frozenset[str]
    idle_requests = 1

    def __init__(self, google: FakeGoogle, *calendars: Callable[[FakeGoogle], Calendar]) -> None:
        super().__init__()
        self.google = google
        self.address = f"{uuid.uuid4().hex[:12]}@ours.example"
        self.user = google.add_user(self.address, calendars=tuple(make(google) for make in calendars))
        self.connector = SignedIn(google.grant(self.address, self.scopes))
        self.options = {"gmail_url": google.url, "calendar_url": f"{google.url}calendar/v3"}

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        self.google.on_step(act, nth)

    def requests(self) -> int:
        return self.google.requests

    def close(self) -> None:
        self.google.on_step(lambda: None, 1)
        self.google.step()


class GmailWorld(GoogleWorld):
    """Every mailbox holds what is not captured, too; now and then a draft is begun. A message that moves is deleted and comes
    anew, or it goes to the trash and back."""

    can = frozenset({"remove", "move", "expire", "poison"})
    scopes = MAIL

    def __init__(self, google: FakeGoogle) -> None:
        super().__init__(google)
        self._ids: dict[int, str] = {}
        for label in ("DRAFT", "SPAM", "TRASH", "CHAT"):
            self._aside(label)

    def _aside(self, label: str) -> None:
        self.user.mailbox.receive([("Subject", label)], FIRST, labels={label})

    def put(self, number: int, kept: Kept) -> None:
        at = FIRST + timedelta(minutes=number)
        headers = [
            ("From", f"Buyer {number} <buyer{number}@customer.example>"),
            ("To", REP),
            ("Subject", f"item {number}"),
            ("Message-ID", f"<{number}@customer.example>"),
            ("Date", f"Mon, 2 Nov 2026 09:{number % 60:02}:00 +0000"),
        ]
        faulty = "" if kept.readable else ("fails", "empty")[number % 2]
        self._ids[number] = self.user.mailbox.receive(headers, at, faulty=faulty).id
        if number % 4 == 3:
            self._aside("DRAFT")
        self.user.mailbox.unlabel(self._ids[number], "UNREAD")

    def take(self, number: int, kept: Kept) -> None:
        if number % 3 == 2:
            self.user.mailbox.label(self._ids.pop(number), "TRASH")
        else:
            self.user.mailbox.delete(self._ids.pop(number))

    def move(self, number: int, channel: int) -> None:
        if number % 2:
            super().move(number, channel)
        else:
            self.user.mailbox.label(self._ids[number], "TRASH")
            self.user.mailbox.unlabel(self._ids[number], "TRASH")

    def expire(self) -> None:
        self.user.mailbox.forget_history()

    def fingerprint(self) -> object:
        return {id_: sorted(message.labels) for id_, message in self.user.mailbox.messages.items()}


class CalendarWorld(GoogleWorld):
    """The primary calendar and another one that the user owns, beside one that somebody else does."""

    can = frozenset({"edit", "remove", "move", "expire", "poison"})
    channel_count = 2
    idle_requests = 2
    scopes = CALENDARS

    def __init__(self, google: FakeGoogle) -> None:
        super().__init__(
            google,
            lambda g: Calendar("visits@group.calendar.google.com", "Visits", g.step),
            lambda g: Calendar("boss@ours.example", "Boss", g.step, role="reader"),
        )
        own, visits = list(self.user.calendars.values())[:2]
        self._calendars = (own, visits)
        for calendar in self._calendars:
            calendar.put(event(901, title="never mind"))
            calendar.cancel("event901")

    def content(self, number: int, kept: Kept) -> str:
        return f"item {number} v{kept.version}"

    def put(self, number: int, kept: Kept) -> None:
        told = event(number, title=self.content(number, kept), sequence=kept.version)
        if not kept.readable:
            told["start"] = {"dateTime": "1500-01-01T00:00:00Z"}
        self._calendars[kept.channel].put(told)

    def take(self, number: int, kept: Kept) -> None:
        self._calendars[kept.channel].cancel(f"event{number}")

    def expire(self) -> None:
        for calendar in self._calendars:
            calendar.expire_tokens()

    def fingerprint(self) -> object:
        return [dict(calendar.events) for calendar in self._calendars]


def event(number: int, *, title: str, sequence: int = 0, **more: Any) -> dict[str, Any]:
    starts = FIRST + timedelta(hours=number % 700)
    return {
        "id": f"event{number}",
        "iCalUID": f"event{number}@google.com",
        "summary": title,
        "sequence": sequence,
        "start": {"dateTime": f"{starts:%Y-%m-%dT%H:%M:%SZ}", "timeZone": "UTC"},
        "end": {"dateTime": f"{starts + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}", "timeZone": "UTC"},
        "organizer": {"email": REP, "self": True},
        "attendees": [
            {"email": REP, "self": True, "organizer": True, "responseStatus": "accepted"},
            {"email": f"buyer{number}@customer.example", "responseStatus": "accepted"},
        ],
        "eventType": "default",
        **more,
    }
