"""Mail by IMAP (RFC 3501, RFC 9051): headers first, text only on demand, nothing ever written.

Only LIST, STATUS, EXAMINE, UID SEARCH, UID FETCH with PEEK, IDLE, NOOP, CAPABILITY, ID, NAMESPACE, STARTTLS, LOGIN,
AUTHENTICATE and LOGOUT are sent. One connection serves one account.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from autocapture.connector import Auth, Connection, Credential, PasswordCredential, Tools
from autocapture.errors import SetupError
from autocapture.records import Kind
from autocapture_imap.connection import ImapConnection
from autocapture_imap.options import ImapOptions
from autocapture_imap.session import open_session

__all__ = ["ImapConnector", "ImapOptions", "connector"]


class ImapConnector:
    """Any IMAP server, signed in to with a user name and password."""

    name = "imap"
    kinds: frozenset[Kind] = frozenset({"email"})
    auth = Auth("password")
    options = ImapOptions

    @contextmanager
    def open(self, options: ImapOptions, credential: Credential, tools: Tools) -> Iterator[Connection]:
        """A signed-in connection; it dials, checks TLS and signs in before it is yielded.

        Raises SetupError, CredentialRejected, Unreachable, RateLimited.
        """
        if not isinstance(credential, PasswordCredential):
            raise SetupError("an IMAP account needs a user name and a password")
        session = open_session(options, credential, tools)
        try:
            yield ImapConnection(session, tools)
        finally:
            session.close()


connector = ImapConnector()
