"""What the sources in memory share: items, a counter of requests, and a hook in the middle of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from autocapture.connector import Auth, Connection, Credential, Tools
from autocapture.records import Address, Attendee, CallRecord, EmailRecord, EventRecord, Kind

FIRST = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
REP = "rep@ours.example"


class NoOptions(BaseModel):
    """A source in memory needs none."""


class Source:
    """The part of a source that tests steer: requests are counted, and `act` happens once, inside one of them."""

    def __init__(self) -> None:
        self.requests = 0
        self._act: Callable[[], None] | None = None
        self._steps_left = 0

    def request(self) -> None:
        self.requests += 1

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        self._act, self._steps_left = act, nth

    def step(self) -> None:
        """A place inside a request where the world may change."""
        self._steps_left -= 1
        if self._act is not None and self._steps_left <= 0:
            act, self._act = self._act, None
            act()


@dataclass(slots=True)
class MemoryConnector:
    """A connector whose connections are made by `connect`."""

    name: str
    kinds: frozenset[Kind]
    connect: Callable[[], Connection]
    auth: Auth = field(default_factory=lambda: Auth("none"))
    options: type[BaseModel] = field(default=NoOptions)

    @contextmanager
    def open(self, options: Any, credential: Credential, tools: Tools) -> Iterator[Connection]:
        yield self.connect()


def email(number: int) -> EmailRecord:
    return EmailRecord(
        message_id=f"{number}@customer.example",
        subject=f"item {number}",
        from_=(Address(f"buyer{number}@customer.example", f"Buyer {number}"),),
        to=(Address(REP),),
        sent_at=FIRST + timedelta(minutes=number),
        received_at=FIRST + timedelta(minutes=number, seconds=5),
    )


def meeting(number: int, version: int) -> EventRecord:
    starts = FIRST + timedelta(hours=number)
    return EventRecord(
        uid=f"event-{number}@customer.example",
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30),
        title=f"item {number} v{version}",
        sequence=version,
        organizer=Attendee(REP, response="accepted"),
        attendees=(
            Attendee(REP, response="accepted"),
            Attendee(f"buyer{number}@customer.example", response="accepted"),
        ),
    )


def call(number: int, version: int) -> CallRecord:
    return CallRecord(
        call_id=f"call-{number}",
        caller="+31201234567",
        callee=callee(number),
        started_at=FIRST + timedelta(minutes=number),
        talked_for=timedelta(seconds=60 + version),
        outcome="answered",
        direction="outbound",
        owner=REP,
    )


def callee(number: int) -> str:
    return f"+3130{2000000 + number}"
