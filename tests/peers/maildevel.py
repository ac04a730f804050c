"""mail-devel in a process of its own: an IMAP server from the package registry, so it is always there.

It has no CONDSTORE, no LIST-STATUS and no SPECIAL-USE: what it proves is the plain IMAP4rev1 path.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from imapclient import IMAPClient
from tests.peers.ports import free_port
from tests.peers.processes import running

USER, PASSWORD = "rep@example.org", "pw-rep"


@dataclass(frozen=True)
class MailDevel:
    """The running server: IMAP on `port`, SMTP on `smtp_port`; every user's password is `PASSWORD`."""

    port: int
    smtp_port: int
    user: str = USER
    password: str = PASSWORD
    host: str = "127.0.0.1"

    def client(self, user: str = USER) -> IMAPClient:
        client = IMAPClient(self.host, self.port, ssl=False, timeout=30)
        try:
            client.login(user, self.password)
        except BaseException:
            client.shutdown()
            raise
        return client

    def append(
        self,
        name: str,
        message: bytes,
        *,
        flags: Sequence[bytes] = (),
        at: datetime | None = None,
        user: str = USER,
    ) -> None:
        with self.client(user) as client:
            client.append(name, message, flags, at)

    def expunge(self, name: str, uids: Sequence[int], *, user: str = USER) -> None:
        with self.client(user) as client:
            client.select_folder(name)
            client.delete_messages(list(uids), silent=True)
            client.expunge(list(uids))

    def create_folder(self, name: str, *, user: str = USER) -> None:
        with self.client(user) as client:
            client.create_folder(name)


@contextmanager
def mail_devel() -> Iterator[MailDevel]:
    """Starts a server that keeps everything in memory and stops it afterwards."""
    server = MailDevel(free_port(), free_port())
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mail_devel",
        "--host",
        "127.0.0.1",
        "--no-http",
        "--multi-user",
    ]
    command += ["--user", server.user, "--password", server.password]
    command += ["--imap-port", str(server.port), "--smtp-port", str(server.smtp_port)]
    with running(command, server.port):
        yield server
