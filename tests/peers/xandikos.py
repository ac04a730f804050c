"""Xandikos in a process of its own: a CalDAV server over git, without passwords, that never says what a resource holds."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.dav_client import DavClient
from tests.peers.ports import free_port
from tests.peers.processes import running

PRINCIPAL = "/alice/"
HOME = "/alice/calendars/"


@dataclass(frozen=True)
class Xandikos:
    """The running server, whose only user needs no password."""

    port: int
    folder: Path
    made: list[str] = field(default_factory=list)
    """The calendars that the last test left."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def client(self) -> DavClient:
        return DavClient(self.url, "alice", "any")

    def collection(self, path: str) -> Path:
        """Where the server keeps a calendar: a git repository."""
        return self.folder / "data" / path.strip("/")


@contextmanager
def xandikos() -> Iterator[Xandikos]:
    """Starts a server over an empty folder and stops it afterwards."""
    with tempfile.TemporaryDirectory() as root:
        server = Xandikos(free_port(), Path(root))
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "xandikos",
            "serve",
            "--no-detect-systemd",
            "--autocreate",
        ]
        command += ["--listen-address", "127.0.0.1", "--port", str(server.port)]
        command += ["--current-user-principal", PRINCIPAL, "-d", str(server.folder / "data")]
        command += ["--state-dir", str(server.folder / "state")]
        home = {**os.environ, "HOME": root}
        with running(command, server.port, environment=home):
            yield server
