"""Gmail and Google Calendar of one login, through Google's own client library (extra ``autocapture[google]``).

Only these are asked for: Gmail `getProfile`, `messages.list`, `messages.get`, `history.list`, `watch`, `stop`; Calendar
`calendarList.list`, `events.list`, `events.get`, `events.watch`, `channels.stop`. Nothing is written but subscriptions, where
notices were asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from autocapture.connector import Auth, Connection, Credential, Grant, Tools
from autocapture.errors import ScopeMissing, SetupError
from autocapture.records import Kind
from autocapture_google import scopes
from autocapture_google.api import Api
from autocapture_google.connection import GoogleConnection
from autocapture_google.options import GoogleOptions

__all__ = ["GoogleConnector", "GoogleOptions", "connector"]


class GoogleConnector:
    """A Google login that granted us to read its mail, its calendars, or both."""

    name = "google"
    kinds: frozenset[Kind] = frozenset({"email", "event"})
    auth = Auth("oauth", "google", scopes.ASKED_FOR)
    options = GoogleOptions

    def __init__(self) -> None:
        self._newest: defaultdict[str, dict[str, datetime]] = defaultdict(dict)

    @contextmanager
    def open(self, options: GoogleOptions, credential: Credential, tools: Tools) -> Iterator[Connection]:
        """Asks nothing of Google yet. Raises SetupError, ScopeMissing."""
        if not isinstance(credential, Grant):
            raise SetupError("a Google account is connected by signing in at Google")
        granted = credential.scopes
        if not (scopes.may_read_mail(granted) or scopes.may_read_events(granted)):
            raise ScopeMissing("neither mail nor calendars were granted")
        with tools.http() as session:
            mail = Api("gmail", "v1", options.gmail_root, session, credential, tools.clock)
            calendar = Api("calendar", "v3", options.calendar_root, session, credential, tools.clock)
            newest = self._newest[f"{options.gmail_root} {credential.subject}"]
            connection = GoogleConnection(mail, calendar, credential, tools, newest)
            try:
                yield connection
            finally:
                connection.close()


connector = GoogleConnector()
