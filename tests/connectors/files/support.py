"""What the tests of this connector share: an engine in miniature, and writers of files."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from autocapture.clock import FixedClock
from autocapture.connector import Channel, Connection, Gone, Page, Record, Ref, Tools
from autocapture.errors import CursorExpired
from autocapture_files import FilesOptions, connector

LATER = FixedClock(datetime.now(UTC) + timedelta(days=1))


def tools(*, since: date | None = None, zone: str = "Europe/Berlin", clock: FixedClock = LATER) -> Tools:
    return Tools(clock=clock, since=since, time_zone=zone)


@contextmanager
def opened(lent: Tools | None = None, **paths: Path) -> Iterator[Connection]:
    """As somebody who connects it: what cannot be read is refused."""
    with connector.open(FilesOptions(**paths), None, lent or tools()) as connection:
        for problem in connection.unlisted().values():  # type: ignore[attr-defined]
            raise problem
        yield connection


def message(subject: str, body: str = "hello\n") -> bytes:
    return f"From: a@x.example\nTo: b@y.example\nSubject: {subject}\nMessage-ID: <{subject}@x>\n\n{body}".encode()


def id_of(name: str) -> str:
    """What a file's path or an event's UID is called in the ledger: `b2sum -l 80`."""
    return hashlib.blake2b(name.encode(), digest_size=10).hexdigest()


class Holder:
    """Holds what a connection tells, as the engine does: ids and versions, sweeping only after a complete listing."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.held: dict[str, str | None] = {}
        self.listed: set[str] | None = None
        self.pages: list[Page] = []

    def step(self, connection: Connection, channel: Channel, limit: int = 100) -> bool:
        if self.cursor is None:
            self.listed = set()
        try:
            page = connection.pull(channel, self.cursor, limit=limit)
        except CursorExpired:
            self.cursor = None
            return True
        self.pages.append(page)
        for item in page.items:
            if isinstance(item, Gone):
                self.held.pop(item.id, None)
            else:
                assert isinstance(item, Ref)
                self.held[item.id] = item.version
                if self.listed is not None:
                    self.listed.add(item.id)
        if page.complete:
            assert self.listed is not None
            self.held = {each: version for each, version in self.held.items() if each in self.listed}
            self.listed = None
        self.cursor = page.cursor
        return page.more

    def drain(self, connection: Connection, channel: Channel, limit: int = 100) -> None:
        for _ in range(1_000):
            if not self.step(connection, channel, limit):
                return
        raise AssertionError("the channel does not come to rest")

    def subjects(self, connection: Connection, channel: Channel) -> list[str]:
        found = connection.get(channel, sorted(self.held))
        assert all(isinstance(each, Record) for each in found), found
        return sorted(each.data.subject for each in found)  # type: ignore[union-attr]


def settle(*paths: Path) -> None:
    """Makes files look long unchanged."""
    for path in paths:
        then = time.time() - 1_000
        os.utime(path, (then, then))
