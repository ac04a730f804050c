"""Calendars by CalDAV (RFC 4791): any server, every calendar of one login, nothing ever written.

Only PROPFIND, REPORT and GET are sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from autocapture.connect.http import open_session
from autocapture.connector import Auth, Connection, Credential, PasswordCredential, Tools
from autocapture.errors import SetupError
from autocapture.records import Kind
from autocapture_caldav.connection import CaldavConnection
from autocapture_caldav.login import Login
from autocapture_caldav.options import CaldavOptions
from autocapture_caldav.session import Dav

__all__ = ["CaldavConnector", "CaldavOptions", "connector"]


class CaldavConnector:
    """Any CalDAV server, signed in to with a user name and password."""

    name = "caldav"
    kinds: frozenset[Kind] = frozenset({"event"})
    auth = Auth("password")
    options = CaldavOptions

    @contextmanager
    def open(self, options: CaldavOptions, credential: Credential, tools: Tools) -> Iterator[Connection]:
        """A connection; nothing is asked before its first use. Raises SetupError, CredentialRejected."""
        if not isinstance(credential, PasswordCredential):
            raise SetupError("a CalDAV account needs a user name and a password")
        login = Login(credential)
        http = (
            tools.http()
            if options.ca_file is None
            else open_session(tools.dial_allowed, ca_file=options.ca_file)
        )
        with http:
            yield CaldavConnection(Dav(http, login, tools.clock), options.start, tools)


connector = CaldavConnector()
