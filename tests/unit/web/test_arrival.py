"""Under which origin a request came, as far as it can be believed."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from autocapture.settings import WebSettings
from autocapture.web.arrival import Arrival, arrival

PROXY, STRANGER = "10.0.0.2", "203.0.113.9"
WEB = WebSettings(
    public_url="https://sales.example.com", proxies=(ip_network("10.0.0.0/24"), ip_network("127.0.0.1/32"))
)
PUBLIC = {"host": "sales.example.com", "x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7"}


def _came(headers: dict[str, str], peer: str, web: WebSettings = WEB) -> Arrival | None:
    return arrival([(name.encode(), value.encode()) for name, value in headers.items()], peer, web)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:8000"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_from_this_machine_under_a_name_of_it(host: str, peer: str) -> None:
    assert _came({"host": host}, peer) == Arrival(f"http://{host.lower()}", peer)


def test_through_the_proxy_by_https() -> None:
    found = Arrival("https://sales.example.com", "198.51.100.7")
    assert _came(PUBLIC, PROXY) == found
    assert _came(PUBLIC | {"host": "Sales.Example.com:443"}, PROXY) == found
    assert _came(PUBLIC, "127.0.0.1") == found
    assert found.is_public


@pytest.mark.parametrize(
    ("headers", "peer"),
    [
        ({"host": "127.0.0.1:8000"}, STRANGER),  # another machine that names us as itself
        ({"host": "evil.example"}, "127.0.0.1"),
        ({"host": "sales.example.com"}, "127.0.0.1"),  # no word of https
        (PUBLIC, STRANGER),  # a header that anybody can write
        (PUBLIC, ""),
        (PUBLIC | {"x-forwarded-proto": "http"}, PROXY),
        (PUBLIC | {"x-forwarded-proto": "https, http"}, PROXY),
        (PUBLIC | {"host": "sales.example.com.evil.example"}, PROXY),
        (PUBLIC | {"host": "sales.example.com:8443"}, PROXY),
        (PUBLIC | {"host": "sales.example.com@evil.example"}, PROXY),
        ({}, "127.0.0.1"),
        # a proxy on this machine that names us as this machine: whoever asked it may be anywhere
        ({"host": "127.0.0.1:8000", "x-forwarded-for": "198.51.100.7"}, "127.0.0.1"),
        ({"host": "127.0.0.1:8000", "x-forwarded-proto": "https"}, "127.0.0.1"),
        ({"host": "127.0.0.1:8000", "x-forwarded-host": "sales.example.com"}, "127.0.0.1"),
        ({"host": "127.0.0.1:8000", "x-real-ip": "198.51.100.7"}, "127.0.0.1"),
        ({"host": "127.0.0.1:8000", "forwarded": "for=198.51.100.7"}, "127.0.0.1"),
        ({"host": "127.0.0.1:8000", "via": "1.1 sales.example.com"}, "127.0.0.1"),
    ],
)
def test_anything_else_is_not_answered(headers: dict[str, str], peer: str) -> None:
    assert _came(headers, peer) is None


def test_two_hosts_are_none() -> None:
    assert arrival([(b"host", b"localhost"), (b"host", b"localhost")], "127.0.0.1", WEB) is None


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7", "198.51.100.7"),  # the browser invented the first
        ("198.51.100.7, 10.0.0.9", "198.51.100.7"),  # a second proxy of ours
        ("10.0.0.9", PROXY),
        ("nonsense", PROXY),
        ("198.51.100.7, nonsense", PROXY),
        ("", PROXY),
    ],
)
def test_the_source_is_what_a_trusted_proxy_heard(told: str, source: str) -> None:
    found = _came(PUBLIC | {"x-forwarded-for": told}, PROXY)
    assert found is not None
    assert found.source == source


def test_without_https_in_the_settings_nothing_is_public() -> None:
    plain = WebSettings(public_url="http://sales.example.com", proxies=WEB.proxies)
    assert _came(PUBLIC, PROXY, plain) is None
    assert _came(PUBLIC, PROXY, WebSettings()) is None
