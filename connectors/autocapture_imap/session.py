"""One signed-in IMAP session: the few commands this connector sends, each with its answer as plain values."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date

from autocapture.connector import PasswordCredential, Tools
from autocapture.errors import AutocaptureError, ChannelGone, CredentialRejected, SetupError, Unreachable
from autocapture_imap.dial import dial, tls_context, wrap
from autocapture_imap.faults import Refused, asking, expect_ok, refused_login, server_faults
from autocapture_imap.folders import Listed
from autocapture_imap.listing import Numbers, parse_list, parse_status
from autocapture_imap.options import ImapOptions
from autocapture_imap.wire import Client, Wire, quoted

_STATUS = "STATUS (MESSAGES UIDNEXT UIDVALIDITY)"
_GOODBYE_SECONDS = 5.0
GREETING_SECONDS = 10.0
"""A server speaks first, and at once: one that does not is none, or one for the other kind of security."""


def open_session(options: ImapOptions, credential: PasswordCredential, tools: Tools) -> Session:
    """Dials, secures and signs in. No credential is sent before TLS is verified and the server asked for one."""
    context = None if options.security == "none" else tls_context(options)
    timeout = tools.timeout.total_seconds()
    sock = dial(options, tools)
    wire: Wire | None = None
    try:
        sock.settimeout(min(timeout, GREETING_SECONDS))
        if options.security == "tls" and context is not None:
            sock = wrap(sock, options.host, context)
        try:
            with server_faults():
                wire = _greeted(sock, options, min(timeout, GREETING_SECONDS), tools)
                wire.timeout = timeout
                client = Client(wire, options.host, encrypted=options.security == "tls")
        except Refused:
            raise Unreachable(f"{options.host} greets with no usable IMAP4rev1") from None
        if wire.state != "NONAUTH":
            raise SetupError(f"{options.host} claims a signed-in session (PREAUTH) before anybody signed in")
        if options.security == "starttls" and context is not None:
            _secure(wire, options.host, context)
        _sign_in(wire, credential)
        return Session(client, wire)
    except BaseException:
        (sock if wire is None else wire.sock).close()  # STARTTLS puts another socket into the wire
        raise


def _greeted(sock: socket.socket, options: ImapOptions, patience: float, tools: Tools) -> Wire:
    try:
        return Wire(sock, options.host, options.port_number, patience, tools.clock.monotonic)
    except TimeoutError:
        raise Unreachable(
            f"{options.host}:{options.port_number} takes the connection and says nothing within {patience:g} seconds: "
            f"is it the port of an IMAP server, and is its security {options.security}?"
        ) from None


def _secure(wire: Wire, host: str, context: ssl.SSLContext) -> None:
    if "STARTTLS" not in wire.capabilities:
        raise SetupError(f"{host} does not offer STARTTLS: choose tls")
    try:
        with server_faults():
            wire.secure(context)
    except Refused:
        raise SetupError(f"{host} refuses STARTTLS: choose tls") from None


def _sign_in(wire: Wire, credential: PasswordCredential) -> None:
    """AUTHENTICATE PLAIN where offered, since it takes any character; else LOGIN."""
    user, password = credential.username, credential.password
    plain = "AUTH=PLAIN" in wire.capabilities
    if not plain and "LOGINDISABLED" in wire.capabilities:
        raise SetupError("the IMAP server accepts passwords over TLS only")
    written = user + password
    if "\0" in written or not (plain or (written.isascii() and written.isprintable())):
        raise CredentialRejected(
            "the user name or password holds characters that the IMAP server cannot take"
        )
    refusal: AutocaptureError | None = None
    with server_faults():
        try:
            if plain:
                wire.authenticate("PLAIN", lambda _challenge: f"\0{user}\0{password}".encode())
            else:
                wire.login(quoted(user), password)
        except wire.abort:
            raise
        except wire.error as error:
            refusal = refused_login(str(error))
    if refusal is not None:
        raise refusal


class Session:
    """Commands over one connection. `selected` is the folder that is open now."""

    def __init__(self, client: Client, wire: Wire) -> None:
        self._client = client
        self.wire = wire
        self.selected: tuple[str, Numbers] | None = None
        with server_faults():
            self._capabilities = frozenset(client.capabilities())
        if self.offers("ID"):
            with suppress(Refused), server_faults():
                client.id_({"name": "autocapture"})  # some providers open no folder for a nameless client

    def offers(self, capability: str) -> bool:
        return capability.encode() in self._capabilities

    def close(self) -> None:
        """Signs out if the server still listens; never raises."""
        try:
            self.wire.timeout = _GOODBYE_SECONDS
            self.wire.sock.settimeout(_GOODBYE_SECONDS)
            with server_faults():
                self._client.logout()
        except (AutocaptureError, Refused):
            pass
        finally:
            self.wire.sock.close()

    def list_folders(self, pattern: str = "*") -> tuple[list[Listed], dict[str, Numbers]]:
        """Every folder, with its numbers where the server can tell them in the same answer (RFC 5819)."""
        wanted = (["SPECIAL-USE"] if self.offers("SPECIAL-USE") else []) + [_STATUS]
        options = [f"RETURN ({' '.join(wanted)})"] if self.offers("LIST-STATUS") else []
        with asking("list the folders"):
            expect_ok(*self.wire.xatom("LIST", '""', quoted(pattern), *options))
            return parse_list(self.wire.response("LIST")[1]), parse_status(self.wire.response("STATUS")[1])

    def foreign_prefixes(self) -> list[str]:
        """Prefixes of other people's and shared folders (RFC 2342)."""
        if not self.offers("NAMESPACE"):
            return []
        with asking("tell its namespaces"):
            namespaces = self._client.namespace()
        found = [*(namespaces.other or ()), *(namespaces.shared or ())]
        return [
            prefix.decode("latin-1") for prefix, _delimiter in found if isinstance(prefix, bytes) and prefix
        ]

    def status(self, folder: str) -> Numbers:
        """The folder's numbers without opening it. Raises ChannelGone."""
        with self._opening(folder):
            lines = expect_ok(*self.wire.status(quoted(folder), "(MESSAGES UIDNEXT UIDVALIDITY)"))
            return parse_status(lines).get(folder, Numbers(None, None, 0))

    def examine(self, folder: str) -> Numbers:
        """Opens the folder anew, read-only. Raises ChannelGone."""
        self.selected = None
        with self._opening(folder):
            found = self._client.select_folder(folder, readonly=True)
            exists = self.wire.untagged_count("EXISTS") or 0
            uid_next = found.get(b"UIDNEXT") or None
        if uid_next is None:
            uid_next = max(self.search("UID", "*"), default=0) + 1 if exists else 1
        self.selected = (folder, Numbers(found.get(b"UIDVALIDITY") or None, uid_next, exists))
        return self.selected[1]

    def search(self, *criteria: str | date) -> list[int]:
        """UIDs in the open folder, unordered."""
        words = [word if isinstance(word, str) else _imap_date(word) for word in criteria]
        with asking("search"):
            lines = expect_ok(*self.wire.uid("SEARCH", *words))
            return [int(uid) for line in lines if line for uid in line.split()]

    @contextmanager
    def _opening(self, folder: str) -> Iterator[None]:
        """Judges a refusal to open a folder: gone, or closed for now. A name that could end its command is never sent."""
        if not (folder.isascii() and folder.isprintable()):
            raise ChannelGone("no IMAP folder can have this name")
        try:
            with server_faults():
                yield
        except Refused as refusal:
            listed, _ = self.list_folders(folder)
            there = [each for each in listed if each.name == folder]
            if not there or not there[0].selectable:
                raise ChannelGone("the folder no longer exists on the IMAP server") from None
            raise Unreachable(f"the IMAP server does not open the folder ({refusal})") from None


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _imap_date(day: date) -> str:
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year:04}"
