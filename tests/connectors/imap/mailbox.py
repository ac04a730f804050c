"""What the tests of this folder share: a mailbox, how to drain a channel, small messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tests.peers.dovecot import Dovecot
from tests.peers.maildevel import MailDevel
from tests.peers.scripted_imap import ScriptedImap

from autocapture.clock import SystemClock
from autocapture.connector import Channel, Connection, Gone, Page, PasswordCredential, Tools
from autocapture_imap import ImapOptions, connector

INBOX = Channel("INBOX", "email")

Opener = Callable[..., Any]


def tools(since: date | None = None, seconds: float = 20.0) -> Tools:
    return Tools(SystemClock(), since=since, timeout=timedelta(seconds=seconds))


def message(number: int = 0, *, body: bytes = b"text\r\n", extra: bytes = b"") -> bytes:
    return (
        b"From: Someone <someone@customer.example>\r\nTo: rep@example.test\r\nSubject: number %d\r\n"
        b"Message-ID: <%d@customer.example>\r\nDate: Mon, 16 Nov 2026 09:00:00 +0000\r\n%b\r\n%b"
        % (number, number, extra, body)
    )


@dataclass(frozen=True)
class Mailbox:
    """One user's mailbox on a running server."""

    server: Dovecot | MailDevel
    user: str

    @property
    def credential(self) -> PasswordCredential:
        return PasswordCredential(self.user, self.server.password)

    def append(
        self, *messages: bytes, to: str = "INBOX", at: datetime | None = None, flags: Sequence[bytes] = ()
    ) -> None:
        with self.server.client(self.user) as client:
            for each in messages:
                client.append(to, each, flags, at)

    def expunge(self, *uids: int, folder: str = "INBOX") -> None:
        self.server.expunge(folder, uids, user=self.user)

    def create(self, *folders: str) -> None:
        with self.server.client(self.user) as client:
            for folder in folders:
                client.create_folder(folder)

    def uids(self, folder: str = "INBOX") -> list[int]:
        with self.server.client(self.user) as client:
            client.select_folder(folder, readonly=True)
            return sorted(client.search())


class Held:
    """What an engine would hold of one channel."""

    def __init__(self, connection: Connection, channel: Channel = INBOX) -> None:
        self.connection, self.channel = connection, channel
        self.cursor: str | None = None
        self.ids: list[str] = []
        self.pages: list[Page] = []

    def pull(self, limit: int = 500) -> Page:
        page = self.connection.pull(self.channel, self.cursor, limit=limit)
        for item in page.items:
            if isinstance(item, Gone):
                self.ids.remove(item.id)
            else:
                self.ids.append(item.id)
        self.cursor = page.cursor
        self.pages.append(page)
        return page

    def drain(self, limit: int = 500) -> Held:
        for _ in range(1_000):
            if not self.pull(limit).more:
                return self
        raise AssertionError("the channel never came to rest")

    @property
    def uids(self) -> list[int]:
        return sorted(int(each.partition("/")[2]) for each in self.ids)


@contextmanager
def talking_to(server: ScriptedImap, with_: Tools | None = None) -> Iterator[Connection]:
    options = ImapOptions(host="127.0.0.1", port=server.port, security="none")
    with connector.open(
        options, PasswordCredential("rep", "s3cret-word"), with_ or tools(seconds=2)
    ) as connection:
        yield connection
