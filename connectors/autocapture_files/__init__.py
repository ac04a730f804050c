"""Mail, calendars and call logs from files: Maildir, mbox, folders of .eml, .ics, CSV. Nothing is ever written.

One connected account may name any combination. Each Maildir folder, mbox file, folder of messages, .ics file and call
log is one channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from autocapture.connector import Auth, Connection, Credential, Tools
from autocapture.records import Kind
from autocapture_files.connection import FilesConnection, open_sources
from autocapture_files.options import FilesOptions

__all__ = ["FilesConnector", "FilesOptions", "connector"]


class FilesConnector:
    """Files and folders that the service may read."""

    name = "files"
    kinds: frozenset[Kind] = frozenset({"email", "event", "call"})
    auth = Auth("none")
    options = FilesOptions

    @contextmanager
    def open(self, options: FilesOptions, credential: Credential, tools: Tools) -> Iterator[Connection]:
        """A connection over the paths of `options`, which tells those that are not there or not what they should be
        (`ListsInPart`). Raises SetupError where there are none."""
        yield FilesConnection(open_sources(options, tools))


connector = FilesConnector()
