"""An account of the fake, opened as the engine opens it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count

from autocapture.clock import Clock, FixedClock
from autocapture.connect.http import open_session
from autocapture.connector import (
    CaptureLevel,
    Channel,
    Connection,
    Grant,
    Item,
    Meter,
    Page,
    Tools,
    Unmetered,
)
from autocapture.errors import RateLimited
from autocapture.testing.fakes.google import FakeGoogle, Message, User
from autocapture.testing.fakes.google.quota import COSTS
from autocapture_google import GoogleOptions, connector
from autocapture_google.connection import GoogleConnection

AUTH = "https://www.googleapis.com/auth/"
MAIL = frozenset({f"{AUTH}gmail.metadata"})
MAIL_WITH_TEXTS = frozenset({f"{AUTH}gmail.readonly"})
CALENDARS = frozenset({f"{AUTH}calendar.events.readonly", f"{AUTH}calendar.calendarlist.readonly"})
NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
MAILBOX = Channel("mailbox", "email", "Gmail")
PRIMARY = Channel("primary", "event", "Calendar")

_numbers = count(1)


def new_user(google: FakeGoogle) -> User:
    return google.add_user(f"rep{next(_numbers)}@ours.example")


@contextmanager
def opened(
    google: FakeGoogle,
    user: User,
    scopes: frozenset[str] = MAIL | CALENDARS,
    *,
    since: date | None = None,
    level: CaptureLevel = "subject",
    meter: Meter | None = None,
    clock: Clock | None = None,
    grant: Grant | None = None,
    seconds: float = 20,
) -> Iterator[GoogleConnection]:
    def allowed(_address: str) -> bool:
        return True

    tools = Tools(
        clock=clock or FixedClock(NOW),
        since=since,
        time_zone="Europe/Amsterdam",
        level=level,
        http=lambda: open_session(allowed, total=timedelta(seconds=seconds)),
        meter=meter or Unmetered(),
    )
    options = GoogleOptions(gmail_url=google.url, calendar_url=f"{google.url}calendar/v3")
    with connector.open(options, grant or google.grant(user.address, scopes), tools) as connection:
        assert isinstance(connection, GoogleConnection)
        yield connection


class SmallMeter:
    """A budget of units of Gmail that is told when to refill."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.taken: Counter[str] = Counter()

    def take(self, method: str, want: int = 1, least: int = 1) -> int:
        cost = COSTS.get(method, 1)
        if self.units < least * cost:
            raise RateLimited(f"no budget for {method}", timedelta(seconds=20))
        calls = min(want, self.units // cost)
        self.units -= calls * cost
        self.taken[method] += calls
        return calls

    def give_back(self, method: str, calls: int) -> None:
        self.units += calls * COSTS.get(method, 1)
        self.taken[method] -= calls


def write(
    user: User, at: datetime, subject: str = "hello", *, labels: set[str] | None = None, text: str = ""
) -> Message:
    headers = [
        ("From", "Buyer <buyer@customer.example>"),
        ("To", user.address),
        ("Subject", subject),
        ("Message-ID", f"<{subject}@customer.example>"),
        ("X-Secret", "not asked for"),
    ]
    return user.mailbox.receive(headers, at, labels=labels, text=text)


def write_many(
    user: User, number: int, *, newest: datetime = NOW, apart: timedelta = timedelta(hours=1)
) -> list[Message]:
    """Newest first."""
    return [write(user, newest - index * apart, f"mail {index}") for index in range(number)]


def pages(
    connection: Connection, channel: Channel, cursor: str | None = None, limit: int = 1_000
) -> list[Page]:
    """Every page until there are no more."""
    found = [connection.pull(channel, cursor, limit=limit)]
    while found[-1].more:
        assert len(found) < 200
        found.append(connection.pull(channel, found[-1].cursor, limit=limit))
    return found


def items(found: Sequence[Page]) -> list[Item]:
    return [item for page in found for item in page.items]
