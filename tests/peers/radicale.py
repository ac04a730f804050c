"""Radicale in a process of its own: a CalDAV server with passwords, sync-collection and CTags, from the package registry."""

from __future__ import annotations

import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.dav_client import DavClient
from tests.peers.ports import free_port
from tests.peers.processes import running

PASSWORD = "pw-räp:1"

_CONFIG = """\
[server]
hosts = 127.0.0.1:{port}
max_connections = 20
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = {folder}/data
[logging]
level = critical
"""


@dataclass(frozen=True)
class Radicale:
    """The running server. Each user has the password `PASSWORD` and the calendars below ``/<user>/``."""

    port: int
    folder: Path
    password: str = PASSWORD

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def new_user(self) -> str:
        user = f"u{uuid.uuid4().hex[:12]}"
        with (self.folder / "users").open("a", encoding="utf-8") as file:
            file.write(f"{user}:{self.password}\n")
        return user

    def client(self, user: str) -> DavClient:
        return DavClient(self.url, user, self.password)

    def collection(self, path: str) -> Path:
        """Where the server keeps a calendar."""
        return self.folder / "data/collection-root" / path.strip("/")

    def forget_tokens(self, path: str) -> None:
        """As after its cache was cleared: tokens given out so far are refused."""
        shutil.rmtree(self.collection(path) / ".Radicale.cache" / "sync-token", ignore_errors=True)


@contextmanager
def radicale() -> Iterator[Radicale]:
    """Starts a server over an empty folder and stops it afterwards."""
    with tempfile.TemporaryDirectory() as root:
        server = Radicale(free_port(), Path(root))
        (server.folder / "users").touch()
        config = server.folder / "config"
        config.write_text(_CONFIG.format(port=server.port, folder=server.folder), encoding="utf-8")
        command = [sys.executable, "-W", "ignore", "-m", "radicale", "--config", str(config)]
        with running(command, server.port):
            yield server
