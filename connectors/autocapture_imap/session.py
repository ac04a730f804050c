"""One signed-in IMAP session: the few commands this connector sends, each with its answer as plain values."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from imapclient.response_parser import parse_response

from autocapture.connector import PasswordCredential, Tools
from autocapture.errors import AutocaptureError, ChannelGone, CredentialRejected, SetupError, Unreachable
from autocapture_imap.dial import dial, tls_context, wrap
from autocapture_imap.faults import Refused, asking, expect_ok, refused_login, server_faults
from autocapture_imap.folders import Listed
from autocapture_imap.options import ImapOptions
from autocapture_imap.wire import Client, Wire, quoted

_STATUS = "STATUS (MESSAGES UIDNEXT UIDVALIDITY)"
_GOODBYE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Numbers:
    """A folder at one moment. `uid_validity` and `uid_next` are None where the server does not tell."""

    uid_validity: int | None
    uid_next: int | None
    messages: int

    @property
    def top(self) -> int:
        """The highest UID given so far."""
        return (self.uid_next or 1) - 1


def open_session(options: ImapOptions, credential: PasswordCredential, tools: Tools) -> Session:
    """Dials, secures and signs in. No credential is sent before TLS is verified and the server asked for one."""
    context = None if options.security == "none" else tls_context(options)
    sock = dial(options, tools)
    try:
        if options.security == "tls" and context is not None:
            sock = wrap(sock, options.host, context)
        try:
            with server_faults():
                wire = Wire(sock, options.host, tools.timeout.total_seconds(), tools.clock.monotonic)
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
        sock.close()
        raise


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
            listed = [_listed(parsed) for parsed in _answers(self.wire.response("LIST")[1])]
            numbers = dict(_status(parsed) for parsed in _answers(self.wire.response("STATUS")[1]))
        return [folder for folder in listed if folder.name.isascii() and folder.name.isprintable()], numbers

    def foreign_prefixes(self) -> list[str]:
        """Prefixes of other people's and shared folders (RFC 2342)."""
        if not self.offers("NAMESPACE"):
            return []
        with asking("tell its namespaces"):
            namespaces = self._client.namespace()
        found = [*(namespaces.other or ()), *(namespaces.shared or ())]
        return [_name(prefix) for prefix, _delimiter in found if prefix]

    def status(self, folder: str) -> Numbers:
        """The folder's numbers without opening it. Raises ChannelGone."""
        with self._opening(folder):
            found = self._client.folder_status(folder, ["MESSAGES", "UIDNEXT", "UIDVALIDITY"])
            return _numbers(found)

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
        """Judges a refusal to open a folder: gone, or closed for now."""
        try:
            with server_faults():
                yield
        except Refused as refusal:
            listed, _ = self.list_folders(folder)
            there = [each for each in listed if each.name == folder]
            if not there or not there[0].selectable:
                raise ChannelGone("the folder no longer exists on the IMAP server") from None
            raise Unreachable(f"the IMAP server does not open the folder ({refusal})") from None


def _answers(data: Sequence[Any]) -> Iterator[Any]:
    """Each untagged answer parsed; imaplib hands a literal over as a tuple, and the rest of its answer after it."""
    pending: list[Any] = []
    for part in data:
        if part is None:
            continue
        pending.append(part)
        if not isinstance(part, tuple):
            yield parse_response(pending)
            pending = []


def _listed(parsed: Any) -> Listed:
    flags, delimiter, name = parsed[:3]
    return Listed(
        name=_name(name),
        flags=frozenset(_name(flag).lower() for flag in flags),
        delimiter="" if delimiter is None else _name(delimiter),
    )


def _status(parsed: Any) -> tuple[str, Numbers]:
    name, items = parsed[:2]
    return _name(name), _numbers(dict(zip(items[::2], items[1::2], strict=False)))


def _numbers(found: dict[bytes, Any]) -> Numbers:
    fields = {bytes(key).upper(): int(value) for key, value in found.items()}
    if b"MESSAGES" not in fields:
        return Numbers(None, None, 0)
    return Numbers(fields.get(b"UIDVALIDITY") or None, fields.get(b"UIDNEXT") or None, fields[b"MESSAGES"])


def _name(token: object) -> str:
    """A parsed token as text: imapclient makes numbers of digits and None of NIL, which folders may be called."""
    if isinstance(token, bytes):
        return token.decode("latin-1")
    return "NIL" if token is None else str(token)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _imap_date(day: date) -> str:
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year:04}"
