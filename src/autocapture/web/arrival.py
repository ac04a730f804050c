"""How a request reached us: under which origin, in secret or not, and from where. Pure.

Two ways are known. *Here*: from this machine, under a name of this machine, over plain http, passed on by nobody. *Public*:
through a proxy that the settings trust, under the name of `web.public_url`, over https as the proxy tells. Anything else is
refused: a name that is not ours could be one that resolves to us (DNS rebinding); a header that says https could be anybody's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from autocapture.settings import Network, WebSettings

Headers = Sequence[tuple[bytes, bytes]]

_TOLD_BY_PROXIES = frozenset(
    {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """`origin` is scheme, host and port as a browser writes them; `source` the address that a request came from."""

    origin: str
    source: str

    @property
    def is_public(self) -> bool:
        return self.origin.startswith("https://")


def arrival(headers: Headers, peer: str, web: WebSettings) -> Arrival | None:
    """How a request came whose connection was made by the address `peer`; None where it is not to be answered."""
    hosts = _values(headers, b"host")
    if len(hosts) != 1:
        return None
    host = hosts[0].lower()
    if is_loopback(without_port(host)) and is_loopback(peer):
        if any(key in _TOLD_BY_PROXIES for key, _value in headers):
            return None  # a proxy on this machine that does not keep the name: whoever asked may be anywhere
        return Arrival(f"http://{host}", peer)
    public = urlsplit(web.public_url)
    if public.scheme != "https" or host.removesuffix(":443") != public.netloc.lower().removesuffix(":443"):
        return None
    if not _within(peer, web.proxies) or _values(headers, b"x-forwarded-proto") != ["https"]:
        return None
    return Arrival(f"https://{host.removesuffix(':443')}", _source(headers, peer, web.proxies))


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, no port) means this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    address = _address(host.strip("[]"))
    return address is not None and address.is_loopback


def without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _source(headers: Headers, peer: str, proxies: Iterable[Network]) -> str:
    """The last address that no trusted proxy has: each proxy adds the one it heard, and what stands before may be invented."""
    told = [part.strip() for value in _values(headers, b"x-forwarded-for") for part in value.split(",")]
    for text in reversed(told):
        if _address(text) is None:
            break
        if not _within(text, proxies):
            return text
    return peer


def _within(text: str, networks: Iterable[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key == name]
