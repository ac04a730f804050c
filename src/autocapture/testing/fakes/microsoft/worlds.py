"""Mailbox and calendar as the conformance suite's worlds: the connector runs unchanged, over HTTP, against the fake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from autocapture.connect.http import open_session
from autocapture.connector import (
    Auth,
    CaptureLevel,
    Connection,
    Connector,
    Credential,
    Grant,
    Meter,
    Tools,
    Unmetered,
)
from autocapture.errors import CredentialRejected
from autocapture.records import Kind
from autocapture.testing.fakes.microsoft.calendar import FakeCalendar
from autocapture.testing.fakes.microsoft.graph import FakeGraph
from autocapture.testing.fakes.microsoft.http import Json
from autocapture.testing.fakes.microsoft.mailbox import FakeMailbox
from autocapture.testing.fakes.microsoft.samples import event, message, moment
from autocapture.testing.fakes.source import FIRST, REP
from autocapture.testing.source_world import SourceWorld

_WEEK = timedelta(days=7)


@dataclass
class Tokens:
    """A grant's source of tokens. `fresh` counts how often a new one was asked for; without a next one the grant is dead."""

    tokens: list[str]
    fresh: int = 0

    def __call__(self, fresh: bool) -> str:
        if fresh:
            self.fresh += 1
            if len(self.tokens) == 1:
                raise CredentialRejected("the grant is dead")
            self.tokens.pop(0)
        return self.tokens[0]


def grant(address: str, scopes: set[str], *tokens: str) -> Grant:
    return Grant(f"oid-{address}", address, frozenset(scopes), Tokens([*tokens]))


def loopback_tools(tools: Tools, meter: Meter | None = None) -> Tools:
    """The same tools with a session that may dial this machine."""
    return replace(
        tools,
        http=lambda: open_session(lambda _address: True, clock=tools.clock),
        meter=meter or Unmetered(),
    )


class SignedIn:
    """A connector whose accounts are signed in already: its connections get `granted` and dial loopback, and the fake goes by
    their clock."""

    def __init__(
        self, inner: Connector[Any], granted: Grant, graph: FakeGraph, level: CaptureLevel = "subject"
    ) -> None:
        self.name: str = inner.name
        self.kinds: frozenset[Kind] = inner.kinds
        self.auth = Auth("none")
        self.options = inner.options
        self._inner = inner
        self._grant = granted
        self._graph = graph
        self._level = level

    @contextmanager
    def open(self, options: Any, credential: Credential, tools: Tools) -> Iterator[Connection]:
        self._graph.clock = tools.clock
        with self._inner.open(
            options, self._grant, replace(loopback_tools(tools), level=self._level)
        ) as connection:
            yield connection


class GraphWorld(SourceWorld):
    """One mailbox at a fake of its own. `connector` is the one under test."""

    scopes: frozenset[str]

    def __init__(self, connector: Connector[Any]) -> None:
        self.graph = FakeGraph()
        self.mailbox: FakeMailbox = self.graph.add_mailbox(REP)
        granted = grant(REP, set(self.scopes), self.graph.sign_in(REP, set(self.scopes)))
        self.connector = SignedIn(connector, granted, self.graph)
        self.options = {"graph_url": self.graph.url}
        self.poisoned: dict[int, Json] = {}

    def expire(self) -> None:
        self.graph.links.expire()

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        self.graph.on_step(act, nth)

    def requests(self) -> int:
        return self.graph.requests

    def close(self) -> None:
        self.graph.__exit__()


class MailWorld(GraphWorld):
    """Inbox and sent mail; drafts, junk and feeds lie beside them, and now and then a message is only read."""

    can = frozenset({"remove", "move", "expire", "poison"})
    channel_count = 2
    folders = ("inbox", "sentitems")
    scopes = frozenset({"Mail.ReadBasic"})

    def __init__(self, connector: Connector[Any]) -> None:
        super().__init__(connector)
        self.mailbox.add_folder("RSS-feeds")
        for number, folder in enumerate(("drafts", "junkemail", "deleteditems"), 900_001):
            self.mailbox.add(message(number, subject="left out"), folder, number)
        self._draft = self.mailbox.add(message(900_010, isDraft=True), "inbox", 900_010)
        self._moves = 0

    def add(self, number: int, channel: int) -> None:
        self.mailbox.add(message(number), self.folders[channel], number)
        if number % 4 == 0:
            self.mailbox.edit(self._draft, subject="still a draft")
        if number % 3 == 0:
            self.mailbox.edit(number, isRead=True)

    def remove(self, number: int) -> None:
        self.mailbox.remove(number)
        self.poisoned.pop(number, None)

    def move(self, number: int, channel: int) -> None:
        self._moves += 1
        self.mailbox.move(number, self.folders[channel], added_first=self._moves % 2 == 0)

    def poison(self, number: int) -> None:
        told = self.mailbox.messages[number].told
        self.poisoned[number] = {"toRecipients": told["toRecipients"]}
        self.mailbox.edit(number, toRecipients="unreadable")

    def heal(self, number: int) -> None:
        """Without a word to whoever reads the changes."""
        self.mailbox.messages[number].told.update(self.poisoned.pop(number))

    def _numbers(self, folder: str) -> list[int]:
        found = self.mailbox.in_folder(self.mailbox.folder_id(folder))
        return [each.number for each in found if not each.told["isDraft"]]

    def truth(self) -> list[Counter[str]]:
        return [
            Counter(f"item {number}" for number in self._numbers(folder) if number not in self.poisoned)
            for folder in self.folders
        ]

    def unreadable(self) -> list[int]:
        return [sum(number in self.poisoned for number in self._numbers(folder)) for folder in self.folders]


@dataclass
class Kept:
    id: str
    calendar: FakeCalendar
    version: int = 1
    starts: list[datetime] = field(default_factory=list)


class CalendarWorld(GraphWorld):
    """Two calendars. Of three items one is a single event, one a series whose first instance was taken out, and one a series
    with a single instance that was moved."""

    can = frozenset({"edit", "remove", "expire", "poison"})
    channel_count = 2
    scopes = frozenset({"Calendars.ReadBasic"})

    def __init__(self, connector: Connector[Any]) -> None:
        super().__init__(connector)
        self.calendars = [self.mailbox.calendar, self.mailbox.add_calendar("Verkoop")]
        self.mailbox.add_calendar("Feestdagen", can_edit=False)
        self.mailbox.add_calendar("Collega", owner="colleague@ours.example")
        self.items: dict[int, Kept] = {}

    def add(self, number: int, channel: int) -> None:
        calendar, starts = self.calendars[channel], FIRST + timedelta(hours=number)
        told = event(number, f"item {number} v1", starts=starts)
        if number % 3 == 0:
            self.items[number] = Kept(calendar.add(told), calendar)
            return
        instances = [starts, starts + _WEEK] if number % 3 == 1 else [starts]
        kept = Kept(calendar.add_series(told, instances), calendar, starts=instances)
        self.items[number] = kept
        if number % 3 == 1:
            calendar.take_out(kept.id, starts)
        else:
            self._move_instance(kept, number)

    def _move_instance(self, kept: Kept, number: int) -> None:
        later = kept.starts[0] + timedelta(minutes=10 * kept.version)
        title = f"item {number} v{kept.version}"
        end = moment(later + timedelta(minutes=30))
        kept.calendar.replace(kept.id, kept.starts[0], subject=title, start=moment(later), end=end)

    def edit(self, number: int) -> None:
        kept = self.items[number]
        kept.version += 1
        kept.calendar.edit(kept.id, subject=f"item {number} v{kept.version}")
        if number % 3 == 2:
            self._move_instance(kept, number)

    def remove(self, number: int) -> None:
        kept = self.items.pop(number)
        self.poisoned.pop(number, None)
        kept.calendar.remove(kept.id)

    def poison(self, number: int) -> None:
        kept = self.items[number]
        self.poisoned[number] = {"attendees": kept.calendar.events[kept.id].told["attendees"]}
        kept.calendar.edit(kept.id, attendees="unreadable")

    def heal(self, number: int) -> None:
        kept = self.items[number]
        kept.calendar.events[kept.id].told.update(self.poisoned.pop(number))

    def truth(self) -> list[Counter[str]]:
        return [
            Counter(
                f"item {number} v{kept.version}"
                for number, kept in self.items.items()
                if kept.calendar is calendar and number not in self.poisoned
            )
            for calendar in self.calendars
        ]

    def unreadable(self) -> list[int]:
        return [
            sum(kept.calendar is calendar and number in self.poisoned for number, kept in self.items.items())
            for calendar in self.calendars
        ]


class CallsWorld(SourceWorld):
    """The call log of one rep, in an organisation where others call too. A record comes, and is told otherwise, half an hour
    after its call; what is listed again and again is never gone."""

    can = frozenset({"edit", "poison"})
    relists = True
    of_others = True
    rep = "821809f5-0000-0000-0000-3b5136c0e777"
    other = "f69e2c00-0000-0000-0000-185e5f5f5d8a"

    def __init__(self, connector: Connector[Any]) -> None:
        self.graph = FakeGraph()
        scopes = {"CallRecords.Read.All"}
        self.connector = SignedIn(
            connector, grant("", scopes, self.graph.sign_in_application(scopes)), self.graph
        )
        self.options = {"graph_url": self.graph.url, "reps": [f"{self.rep}={REP}"]}
        self._versions: dict[int, int] = {}
        self._poisoned: set[int] = set()
        self._write(900_001, self.other, 1)

    def _write(self, number: int, rep: str, version: int) -> None:
        began = self.graph.clock.now() - timedelta(minutes=30)
        talked = timedelta(seconds=60 + version)
        self.graph.calls[f"call-{number}"] = call_record(number, rep, began, talked, version=version)

    def add(self, number: int, channel: int) -> None:
        self._versions[number] = 1
        self._write(number, self.rep, 1)

    def edit(self, number: int) -> None:
        self._versions[number] += 1
        self._write(number, self.rep, self._versions[number])

    def poison(self, number: int) -> None:
        self.edit(number)
        self._poisoned.add(number)
        self.graph.calls[f"call-{number}"]["sessions"] = "unreadable"

    def heal(self, number: int) -> None:
        self._poisoned.discard(number)
        self._write(number, self.rep, self._versions[number])

    def truth(self) -> list[Counter[str]]:
        readable = self._versions.keys() - self._poisoned
        return [Counter(f"+3130{2000000 + number}:{60 + self._versions[number]}" for number in readable)]

    def unreadable(self) -> list[int]:
        return [len(self._poisoned)]

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        self.graph.on_step(act, nth)

    def requests(self) -> int:
        return self.graph.requests

    def close(self) -> None:
        self.graph.__exit__()


def call_record(number: int, rep: str, began: datetime, talked: timedelta, **more: Any) -> Json:
    """A call of a rep to a customer's number."""
    ended, times = began + talked, "%Y-%m-%dT%H:%M:%SZ"
    caller = {"associatedIdentity": {"id": rep, "userPrincipalName": REP}}
    callee = {"identity": {"phone": {"id": f"+3130{2000000 + number}"}}}
    return {
        "id": f"call-{number}",
        "version": 1,
        "type": "peerToPeer",
        "modalities": ["audio"],
        "startDateTime": f"{began:{times}}",
        "endDateTime": f"{ended:{times}}",
        "lastModifiedDateTime": f"{ended:{times}}",
        "participants": [rep],
        "sessions": [
            {
                "id": f"session-{number}",
                "startDateTime": f"{began:{times}}",
                "endDateTime": f"{ended:{times}}",
                "caller": caller,
                "callee": callee,
            }
        ],
        **more,
    }
