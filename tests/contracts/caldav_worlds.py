"""Worlds over real CalDAV servers. The test's changes go through requests of their own."""

from __future__ import annotations

from tests.contracts.worlds import Kept, RememberingWorld
from tests.peers.dav_client import DavClient
from tests.peers.radicale import Radicale
from tests.peers.xandikos import HOME, Xandikos

from autocapture.connector import PasswordCredential
from autocapture.testing.fakes.caldav.store import event_text
from autocapture_caldav import connector


class DavWorld(RememberingWorld):
    """Two calendars below `home`. What cannot be read is an event in a year that no calendar reaches: servers take it."""

    can = frozenset({"edit", "remove", "move", "poison"})
    channel_count = 2

    def __init__(self, url: str, home: str, client: DavClient, credential: PasswordCredential) -> None:
        super().__init__()
        self.connector = connector
        self.options = {"url": url}
        self.credential = credential
        self.client = client
        self.paths = [f"{home}cal{index}/" for index in range(self.channel_count)]
        for path in self.paths:
            client.make_calendar(path)

    def content(self, number: int, kept: Kept) -> str:
        return f"item {number} v{kept.version}"

    def _path(self, number: int, kept: Kept) -> str:
        return f"{self.paths[kept.channel]}{number}%40c%20{kept.channel}.ics"

    def edit(self, number: int) -> None:
        kept = self.items[number]
        self._written(number, Kept(kept.channel, kept.copy, kept.version + 1, kept.readable))

    def poison(self, number: int) -> None:
        kept = self.items[number]
        self._written(number, Kept(kept.channel, kept.copy, kept.version, readable=False))

    def heal(self, number: int) -> None:
        kept = self.items[number]
        self._written(number, Kept(kept.channel, kept.copy, kept.version))

    def _written(self, number: int, kept: Kept) -> None:
        """Over what is there: its address stays."""
        self.items[number] = kept
        self.put(number, kept)

    def put(self, number: int, kept: Kept) -> None:
        text = event_text(number, kept.version)
        if not kept.readable:
            text = text.replace("DTSTART:2026", "DTSTART:2926")
        self.client.put(self._path(number, kept), text)

    def take(self, number: int, kept: Kept) -> None:
        self.client.delete(self._path(number, kept))

    def close(self) -> None:
        self.client.close()


class RadicaleWorld(DavWorld):
    can = DavWorld.can | {"expire"}

    def __init__(self, server: Radicale) -> None:
        user = server.new_user()
        self.server = server
        credential = PasswordCredential(user, server.password)
        super().__init__(server.url, f"/{user}/", server.client(user), credential)

    def expire(self) -> None:
        for path in self.paths:
            self.server.forget_tokens(path)

    def fingerprint(self) -> object:
        return {
            path.name: (path.stat().st_mtime_ns, path.stat().st_size)
            for calendar in self.paths
            for path in self.server.collection(calendar).glob("*.ics")
        }


class XandikosWorld(DavWorld):
    """Its only user has the calendars of one world at a time."""

    def __init__(self, server: Xandikos) -> None:
        self.server = server
        client = server.client()
        for path in server.made:
            client.delete(path)
        super().__init__(server.url, HOME, client, PasswordCredential("alice", "any"))
        server.made[:] = self.paths

    def fingerprint(self) -> object:
        """Each write is a commit."""
        return [(self.server.collection(path) / ".git/refs/heads/master").read_bytes() for path in self.paths]
