"""The accounts of a world at their providers: what each holds now, and how it lies, refuses and forgets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from pydantic import BaseModel

from autocapture.clock import Clock
from autocapture.connector import (
    Auth,
    Broken,
    Channel,
    Connection,
    Credential,
    Gone,
    Page,
    PasswordCredential,
    Record,
    Tools,
)
from autocapture.errors import CredentialRejected, RateLimited
from autocapture.records import Kind
from autocapture.testing.fakes.feed import Calendar, FeedConnection, FeedSource
from autocapture.testing.fakes.source import NoOptions, Source
from autocapture.testing.fakes.uids import Folder, UidConnection, UidSource
from autocapture.testing.fakes.window import Row, WindowConnection, WindowSource
from autocapture.testing.simulation.catalogue import PEOPLE, Catalogue

ETAGS = 100
"""An etag is the content's version times this, and more where the provider raised it without a change of content."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What one place of a provider holds under one id."""

    number: int
    version: int
    readable: bool


class Provider(ABC):
    """One account. The course of the world changes it; `offences` are requests that it had forbidden."""

    kind: Kind
    connector: str
    can_lose = True
    source: Source

    def __init__(self, user: int, since: date | None) -> None:
        self.user, self.since = user, since
        self.username = f"{self.connector}-{PEOPLE[user].email}"
        self.password = "first"  # noqa: S105  of nobody
        self.throttled_until: datetime | None = None
        self.is_told = False
        """The engine was told that the login is dead, and must ask no more."""
        self.lies: frozenset[str] = frozenset()
        self.late: list[int] = []
        self.touched: set[int] = set()
        """Items that changed in a way in which they may be missing for a moment."""
        self.offences: list[str] = []
        self.known_ids: set[str] = set()
        self.listed = 0

    @property
    def is_whole(self) -> bool:
        """Whether no folder or calendar of it is away."""
        return True

    @abstractmethod
    def connect(self) -> Connection: ...

    @abstractmethod
    def places(self) -> Mapping[str, Mapping[str, Copy]]:
        """By place and id, what is there now."""

    @abstractmethod
    def put(self, number: int, version: int, place: int) -> None:
        """The item is there, in this version."""

    @abstractmethod
    def drop(self, number: int) -> None:
        """The item is there no more."""

    @abstractmethod
    def raise_etag(self, number: int) -> None:
        """The item counts as changed, though it says what it said."""

    @abstractmethod
    def poison(self, number: int) -> None: ...

    @abstractmethod
    def heal(self) -> None: ...

    def expire(self) -> bool:
        """Forgets every cursor given out so far; False where there is nothing of the kind."""
        return False

    def vanish(self, place: int) -> bool:
        """A folder or calendar is taken away with all that is in it."""
        return False

    def reappear(self) -> bool:
        """What was taken away is back."""
        return False

    def numbers(self) -> set[int]:
        return {copy.number for held in self.places().values() for copy in held.values()}

    def ids(self) -> dict[tuple[str, str], int]:
        return {
            (place, key): copy.number for place, held in self.places().items() for key, copy in held.items()
        }


class Mailbox(Provider):
    kind, connector = "email", "uids"

    def __init__(self, user: int, since: date | None, catalogue: Catalogue) -> None:
        super().__init__(user, since)
        self.source: UidSource = UidSource(2, lambda number: catalogue.email(number, user))
        self._away: dict[str, Folder] = {}

    def connect(self) -> UidConnection:
        return UidConnection(self.source)

    def places(self) -> dict[str, dict[str, Copy]]:
        unreadable = self.source.unreadable
        return {
            name: {
                f"{folder.validity}/{uid}": Copy(number, 1, number not in unreadable)
                for uid, number in folder.messages.items()
            }
            for name, folder in self.source.folders.items()
        }

    def put(self, number: int, version: int, place: int) -> None:
        folders = list(self.source.folders.values())
        if folders:
            folders[place % len(folders)].append(number)

    def drop(self, number: int) -> None:
        for folder in self.source.folders.values():
            for uid in [uid for uid, held in folder.messages.items() if held == number]:
                del folder.messages[uid]

    def raise_etag(self, number: int) -> None:
        """A message never changes."""

    def poison(self, number: int) -> None:
        """What was read stays read, so the message makes way for an unreadable copy of itself."""
        self.source.unreadable.add(number)
        for folder in self.source.folders.values():
            for uid in [uid for uid, held in folder.messages.items() if held == number]:
                del folder.messages[uid]
                folder.append(number)

    def heal(self) -> None:
        self.source.unreadable.clear()

    def expire(self) -> bool:
        for folder in self.source.folders.values():
            folder.rebuild()
        return True

    def vanish(self, place: int) -> bool:
        name = f"folder{place % 2}"
        if len(self.source.folders) < 2:
            return False
        self._away[name] = self.source.folders.pop(name)
        return True

    @property
    def is_whole(self) -> bool:
        return not self._away

    def reappear(self) -> bool:
        self.source.folders.update(self._away)
        self._away, back = {}, bool(self._away)
        return back


class CalendarAccount(Provider):
    kind, connector = "event", "feed"

    def __init__(self, user: int, since: date | None, catalogue: Catalogue) -> None:
        super().__init__(user, since)
        self.source: FeedSource = FeedSource(2, lambda number, etag: catalogue.event(number, etag // ETAGS))
        self._away: dict[str, Calendar] = {}

    def connect(self) -> FeedConnection:
        return FeedConnection(self.source)

    def places(self) -> dict[str, dict[str, Copy]]:
        unreadable = self.source.unreadable
        return {
            name: {
                str(number): Copy(number, etag // ETAGS, number not in unreadable)
                for number, etag in calendar.versions.items()
            }
            for name, calendar in self.source.calendars.items()
        }

    def put(self, number: int, version: int, place: int) -> None:
        """Where the event is already it is changed there: nobody has it in two calendars."""
        calendars = [*self.source.calendars.values()]
        holding = [calendar for calendar in calendars if number in calendar.versions]
        away = any(number in calendar.versions for calendar in self._away.values())
        if not calendars or away:
            return
        calendar = holding[0] if holding else calendars[place % len(calendars)]
        self._write(calendar, number, version * ETAGS)

    def _write(self, calendar: Calendar, number: int, etag: int) -> None:
        calendar.versions[number] = max(etag, calendar.versions.get(number, 0) + 1)
        self.source.note(calendar, number)

    def drop(self, number: int) -> None:
        for calendar in self.source.calendars.values():
            if calendar.versions.pop(number, None) is not None:
                self.source.note(calendar, number)

    def raise_etag(self, number: int) -> None:
        for calendar in self.source.calendars.values():
            if number in calendar.versions:
                self._write(calendar, number, 0)

    def poison(self, number: int) -> None:
        self.source.unreadable.add(number)
        self.raise_etag(number)

    def heal(self) -> None:
        self.source.unreadable.clear()

    def expire(self) -> bool:
        self.source.epoch += 1
        for calendar in self.source.calendars.values():
            calendar.feed.clear()
        return True

    def vanish(self, place: int) -> bool:
        name = f"calendar{place % 2}"
        if len(self.source.calendars) < 2:
            return False
        self._away[name] = self.source.calendars.pop(name)
        return True

    @property
    def is_whole(self) -> bool:
        return not self._away

    def reappear(self) -> bool:
        self.source.calendars.update(self._away)
        self._away, back = {}, bool(self._away)
        return back


class CallLog(Provider):
    kind, connector = "call", "window"
    can_lose = False

    def __init__(self, user: int, since: date | None, catalogue: Catalogue) -> None:
        super().__init__(user, since)
        self.source: WindowSource = WindowSource(lambda number, etag: catalogue.call(number, etag // ETAGS))

    def connect(self) -> WindowConnection:
        return WindowConnection(self.source)

    def places(self) -> dict[str, dict[str, Copy]]:
        unreadable = self.source.unreadable
        rows = self.source.rows.items()
        return {"calls": {str(n): Copy(n, row.version // ETAGS, n not in unreadable) for n, row in rows}}

    def put(self, number: int, version: int, place: int) -> None:
        rows = self.source.rows
        etag = max(version * ETAGS, rows[number].version + 1 if number in rows else 0)
        rows[number] = Row(etag, self.source.now())
        self.source.changes += 1

    def drop(self, number: int) -> None:
        """Nothing is ever removed from a call log."""

    def raise_etag(self, number: int) -> None:
        if number in self.source.rows:
            self.put(number, 0, 0)

    def poison(self, number: int) -> None:
        self.source.unreadable.add(number)
        self.raise_etag(number)

    def heal(self) -> None:
        self.source.unreadable.clear()


class SimulatedConnector:
    """One family of cursors, for every account that is connected with it."""

    auth = Auth("password")
    options: type[BaseModel] = NoOptions

    def __init__(self, name: str, kind: Kind, providers: Sequence[Provider], rng: Random) -> None:
        self.name, self.kinds = name, frozenset({kind})
        self._providers = {each.username: each for each in providers if each.connector == name}
        self._rng = rng

    @contextmanager
    def open(self, options: Any, credential: Credential, tools: Tools) -> Iterator[Connection]:
        if not isinstance(credential, PasswordCredential):
            raise TypeError("these accounts have passwords")
        provider = self._providers[credential.username]
        if provider.is_told:
            provider.offences.append(f"{provider.username} was asked again with a dead login")
        if credential.password != provider.password:
            raise CredentialRejected("the password was changed")
        connection = KeepingConnection if provider.kind == "event" else LyingConnection
        yield connection(provider, tools.clock, self._rng)


class LyingConnection:
    """The provider's own connection, and what real providers do besides: items twice or in any order, pages without items,
    items that are listed before they can be read, no channels for a moment, and less for whoever asks too much."""

    def __init__(self, provider: Provider, clock: Clock, rng: Random) -> None:
        self._provider, self._clock, self._rng = provider, clock, rng
        self._inner = provider.connect()

    def _ask(self) -> None:
        until, now = self._provider.throttled_until, self._clock.now()
        if until is None:
            return
        if now < until:
            self._provider.offences.append(
                f"{self._provider.username} was asked before its Retry-After was over"
            )
            raise RateLimited("slower", until - now)
        self._provider.throttled_until = None

    def _lie(self, name: str) -> bool:
        return name in self._provider.lies and self._rng.random() < 0.5

    def channels(self) -> Sequence[Channel]:
        self._ask()
        return [] if self._lie("no channels") else self._inner.channels()

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        self._ask()
        if cursor is not None and self._lie("empty pages"):
            return Page([], cursor, more=True)
        page = self._inner.pull(channel, cursor, limit=limit)
        self._provider.listed += len(page.items)
        items = list(page.items)
        if items and self._lie("duplicates"):
            items.append(self._rng.choice(items))
        if self._lie("any order"):
            self._rng.shuffle(items)
        return replace(page, items=items)

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        self._ask()
        answers = list(self._inner.get(channel, ids))
        known = self._provider.known_ids
        for place, answer in enumerate(answers):
            key = f"{channel.id} {answer.id}"
            if self._provider.kind == "email" and key not in known and self._lie("not there yet"):
                answers[place] = Gone(answer.id)  # once: what is never there is no lie
            known.add(key)
        if self._lie("any order"):
            self._rng.shuffle(answers)
        return answers


class KeepingConnection(LyingConnection):
    """Of which channels are listed now and then, as calendars at a large provider are. The engine remembers it by the world's
    clock, and whoever is killed forgets it."""

    channels_for = timedelta(minutes=10)


FAMILIES: Mapping[str, type[Mailbox] | type[CalendarAccount] | type[CallLog]] = {
    "uids": Mailbox,
    "feed": CalendarAccount,
    "window": CallLog,
}
LIES = ("duplicates", "any order", "empty pages", "not there yet", "no channels")
