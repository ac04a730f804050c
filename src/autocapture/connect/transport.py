"""The transport under a provider's HTTP session: every address is judged before it is dialled, every exchange has an end.

It stands on `http.client`, not on the pool that `requests` brings: the address that was judged must be the one that is
dialled, and the time limit must hold for the headers too, of which a server can send one letter a second for ever. A name is
resolved once and its address kept, so that a name server cannot change its mind between judging and dialling.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from autocapture.connect.deadline import Deadline, Monotonic, TimedSocket
from autocapture.connect.failures import in_words
from autocapture.errors import SetupError, Unreachable

_CHUNK = 65_536
_IDLE_AT_MOST = (
    30.0  # seconds a connection is kept for the next request; servers close theirs after a minute or more
)

_REPEATABLE = ("GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT")  # safe methods (RFC 9110, RFC 4918, RFC 3253)

Resolve = Callable[[str, int], Sequence[str]]


class TooLarge(Unreachable):
    """An answer of more bytes than any may have. Asking for less at a time may do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for connecting, for each wait, for the whole exchange; bytes of an answer, unpacked."""

    connect: float
    each: float
    total: float
    most_bytes: int


@dataclass(frozen=True, slots=True)
class _Place:
    scheme: str
    host: str
    port: int


@dataclass(slots=True)
class _Answer:
    status: int
    reason: str
    headers: Message
    body: bytes = field(repr=False)


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of `host`, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Transport(BaseAdapter):
    """Sends one request at a time over kept connections; the whole answer is read before it is handed over.

    Raises Unreachable for whatever the network did, SetupError for an address that may not be dialled and for a certificate
    that is not trusted. Neither quotes more of the request than its host.
    """

    def __init__(
        self,
        *,
        dial_allowed: Callable[[str], bool],
        limits: Limits,
        context: ssl.SSLContext,
        monotonic: Monotonic,
        resolve: Resolve = resolve,
    ) -> None:
        super().__init__()
        self._dial_allowed = dial_allowed
        self._limits = limits
        self._context = context
        self._monotonic = monotonic
        self._resolve = resolve
        self._addresses: dict[tuple[str, int], tuple[str, ...]] = {}
        self._idle: dict[_Place, list[tuple[_Connection, float]]] = defaultdict(list)
        self._lock = threading.Lock()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        place = _place_of(request.url or "")
        deadline = self._deadline(timeout)
        try:
            answer = self._exchange(place, request, deadline)
        except TimeoutError:
            raise Unreachable(f"{place.host} did not answer in time") from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{place.host} could not be read: {in_words(error)}") from None
        return _response(request, answer)

    def close(self) -> None:
        with self._lock:
            kept = [connection for idle in self._idle.values() for connection, _ in idle]
            self._idle.clear()
        for connection in kept:
            connection.close()

    def _deadline(self, timeout: float | tuple[float, float | None] | None) -> Deadline:
        each = timeout[1] if isinstance(timeout, tuple) else timeout
        limits = self._limits
        return Deadline(self._monotonic, each=min(each or limits.each, limits.each), total=limits.total)

    def _exchange(self, place: _Place, request: requests.PreparedRequest, deadline: Deadline) -> _Answer:
        kept = self._kept(place)
        if kept is not None:
            try:
                return self._over(kept, place, request, deadline)
            except (
                ConnectionResetError,
                BrokenPipeError,
            ):  # it was closed while we wrote: not this request's fault
                if request.method not in _REPEATABLE:
                    raise
        return self._over(self._dialled(place, deadline), place, request, deadline)

    def _over(
        self, connection: _Connection, place: _Place, request: requests.PreparedRequest, deadline: Deadline
    ) -> _Answer:
        connection.timed.deadline = deadline
        try:
            connection.request(
                request.method or "GET",
                request.path_url,
                body=request.body.encode() if isinstance(request.body, str) else request.body,
                headers=dict(request.headers),
            )
            with connection.getresponse() as response:
                body = _body(place.host, request.method, response, self._limits.most_bytes)
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle[place].append((connection, self._monotonic()))
        return _Answer(response.status, response.reason, response.headers, body)

    def _kept(self, place: _Place) -> _Connection | None:
        """A connection of an earlier exchange that the server has not closed in the meantime."""
        while True:
            with self._lock:
                if not self._idle[place]:
                    return None
                connection, since = self._idle[place].pop()
            if self._monotonic() - since <= _IDLE_AT_MOST and not connection.timed.has_news():
                return connection
            connection.close()

    def _dialled(self, place: _Place, deadline: Deadline) -> _Connection:
        failure: OSError | None = None
        for address in self._judged(place):
            wait = min(self._limits.connect, deadline.wait())
            try:
                sock = socket.create_connection((address, place.port), timeout=wait)
            except OSError as error:
                failure = error
                continue
            if place.scheme == "https":
                sock = _secured(sock, place.host, self._context, min(self._limits.connect, deadline.wait()))
            return _Connection(place, TimedSocket(sock, deadline))
        with self._lock:
            self._addresses.pop((place.host, place.port), None)  # the name may lead elsewhere by now
        raise Unreachable(f"{place.host} does not answer: {in_words(failure)}") from None

    def _judged(self, place: _Place) -> Sequence[str]:
        """The addresses of the host that may be dialled, resolved once. Raises SetupError where there are none."""
        key = (place.host, place.port)
        with self._lock:
            known = self._addresses.get(key)
        if known is not None:
            return known
        try:
            found = self._resolve(place.host, place.port)
        except (OSError, UnicodeError):
            raise Unreachable(f"the name {place.host} cannot be resolved") from None
        if place.scheme == "http" and not all(map(_is_loopback, found)):
            raise SetupError(f"{place.host} is not on this machine: it is asked by https or not at all")
        allowed = tuple(filter(self._dial_allowed, found))
        if not allowed:
            raise SetupError(
                f"the address of {place.host} is not public, and its network was not allowed (network.allow_networks)"
            )
        with self._lock:
            self._addresses[key] = allowed
        return allowed


class _Connection(http.client.HTTPConnection):
    """`http.client` over a socket that is open already. It never dials by itself."""

    auto_open = 0

    def __init__(self, place: _Place, timed: TimedSocket) -> None:
        super().__init__(place.host, place.port)
        self.default_port = 443 if place.scheme == "https" else 80  # which the header Host leaves out
        self.timed = timed
        self.sock = timed


def _place_of(url: str) -> _Place:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SetupError("an address of a provider must begin with https:// and a host")
    return _Place(parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


def _is_loopback(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_loopback)


def _secured(sock: socket.socket, host: str, context: ssl.SSLContext, wait: float) -> socket.socket:
    sock.settimeout(wait)
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise SetupError(f"the certificate of {host} is not trusted: {error.verify_message}") from None
    except OSError as error:
        sock.close()
        raise Unreachable(f"the TLS handshake with {host} failed: {in_words(error)}") from None


def _body(host: str, method: str | None, response: http.client.HTTPResponse, most_bytes: int) -> bytes:
    """The whole answer, unpacked. Raises Unreachable where it is too long, cut short, or packed in an unknown way."""
    declared = response.getheader("Content-Length", "")
    length = int(declared) if declared.isascii() and declared.isdigit() and not response.chunked else None
    bodiless = method == "HEAD" or response.status in (204, 304)
    if length is not None and length > most_bytes and not bodiless:
        raise TooLarge(f"{host} announced an answer of more than {most_bytes} bytes")
    unpack = _unpacker(host, response.getheader("Content-Encoding", ""))
    unpacked, received = bytearray(), 0
    while chunk := response.read(_CHUNK):
        received += len(chunk)
        unpacked += unpack.feed(chunk, most_bytes + 1 - len(unpacked))
        if len(unpacked) > most_bytes or received > most_bytes:
            raise TooLarge(f"{host} answered with more than {most_bytes} bytes")
    if length is not None and received < length and not bodiless:
        raise Unreachable(f"{host} broke off in the middle of an answer")
    if received and not unpack.ended():
        raise Unreachable(f"{host} broke off in the middle of a packed answer")
    return bytes(unpacked)


class _Plain:
    def feed(self, data: bytes, _most: int) -> bytes:
        return data

    def ended(self) -> bool:
        return True


class _Gzip:
    """gzip and zlib, never unpacking more than what is wanted: a bomb is noticed, not exploded."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

    def feed(self, data: bytes, most: int) -> bytes:
        result = b""
        while data and len(result) < most:
            if self._inflate.eof:  # gzip is a sequence of members (RFC 1952, section 2.2)
                self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            try:
                result += self._inflate.decompress(data, most - len(result))
            except zlib.error:
                raise Unreachable(f"{self._host} sent a packed answer that does not unpack") from None
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
        return result

    def ended(self) -> bool:
        return self._inflate.eof


def _unpacker(host: str, encoding: str) -> _Plain | _Gzip:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip" | "deflate":
            return _Gzip(host)
        case _:
            raise Unreachable(f"{host} packed its answer in a way that was not asked for")


def _response(request: requests.PreparedRequest, answer: _Answer) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.reason = answer.reason
    response.headers = CaseInsensitiveDict(_joined(answer.headers))
    response.encoding = get_encoding_from_headers(response.headers)
    response.request = request
    response.url = request.url or ""
    raw: Any = io.BytesIO(answer.body)
    response.raw = raw
    return response


def _joined(headers: Message) -> dict[str, str]:
    """One value a name; what comes several times is one list (RFC 9110, section 5.3)."""
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in headers.items():
        first = names.setdefault(name.lower(), name)
        values[first] = f"{values[first]}, {value}" if first in values else value
    return values
