"""From an address or a host to a login's calendars, and never to where its password must not go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError
from tests.connectors.caldav.support import Opener, channel, tools

from autocapture.connect.http import open_session
from autocapture.connector import PasswordCredential
from autocapture.errors import CredentialRejected, SetupError, Unreachable
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import HOME
from autocapture.workflows.connect_account import subject_of
from autocapture_caldav import CaldavOptions
from autocapture_caldav.addresses import led_on

WELL_KNOWN = "/.well-known/caldav"


def test_a_domain_is_asked_at_its_well_known_address() -> None:
    assert CaldavOptions(domain="example.com").start == "https://example.com/.well-known/caldav"


def test_the_same_login_at_two_servers_is_two_accounts() -> None:
    names = [CaldavOptions(url="https://a.example/dav/"), CaldavOptions(domain="b.example")]
    told = [subject_of(options, PasswordCredential("ann", "pw")) for options in names]
    assert told == ["ann@a.example", "ann@b.example"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_well_known_address_leads_to_the_calendars(
    server: CaldavServer, opened: Opener, status: int
) -> None:
    server.store.make("work")
    server.manners.redirects[WELL_KNOWN] = (status, "/dav/")
    assert channel(opened(WELL_KNOWN)).id == f"{HOME}work/"


def test_a_domain_without_a_well_known_address_is_asked_at_its_root(
    server: CaldavServer, opened: Opener
) -> None:
    server.store.make("work")
    server.manners.raw[WELL_KNOWN] = (404, "text/html", b"<html>no</html>")
    assert channel(opened(WELL_KNOWN)).name == "work"


@pytest.mark.parametrize("at", ["/", "/dav/", "/dav/principals/rep/", HOME])
def test_any_address_of_the_login_will_do(server: CaldavServer, opened: Opener, at: str) -> None:
    server.store.make("work")
    assert channel(opened(at)).id == f"{HOME}work/"


def test_the_address_of_one_calendar_is_that_calendar_alone(server: CaldavServer, opened: Opener) -> None:
    server.store.make("work")
    server.store.make("home")
    connection = opened(f"{HOME}work/")
    assert [each.name for each in connection.channels()] == ["work"]
    assert connection.pull(channel(connection), None, limit=10).complete


@pytest.mark.parametrize(
    "raw",
    [
        (404, "text/html", b"<html>no</html>"),
        (405, "text/plain", b"not allowed"),
    ],
)
def test_an_address_without_caldav_is_said_to_be_none(
    server: CaldavServer, opened: Opener, raw: tuple[int, str, bytes]
) -> None:
    server.manners.raw["/"] = raw
    with pytest.raises(SetupError, match="no CalDAV"):
        opened().channels()


def test_a_page_is_nobodys_fault_since_a_networks_sign_in_page_looks_like_it(
    server: CaldavServer, opened: Opener
) -> None:
    server.manners.raw["/"] = (200, "text/html", b"<html>Please sign in to this network</html>")
    with pytest.raises(Unreachable, match="no CalDAV, or a network on the way"):
        opened().channels()


def test_a_login_without_calendars_is_told_so(server: CaldavServer, opened: Opener) -> None:
    body = b'<D:multistatus xmlns:D="DAV:"><D:response><D:href>/</D:href></D:response></D:multistatus>'
    server.manners.raw["/"] = (207, "text/xml", body)
    with pytest.raises(SetupError, match="names no calendars"):
        opened().channels()


def test_a_server_that_takes_us_for_nobody_refuses_the_password(server: CaldavServer, opened: Opener) -> None:
    body = (
        b'<D:multistatus xmlns:D="DAV:"><D:response><D:href>/</D:href><D:propstat><D:prop><D:current-user-principal>'
        b"<D:unauthenticated/></D:current-user-principal></D:prop></D:propstat></D:response></D:multistatus>"
    )
    server.manners.raw["/"] = (207, "text/xml", body)
    with pytest.raises(CredentialRejected):
        opened().channels()


def test_redirects_without_end_are_not_followed(server: CaldavServer, opened: Opener) -> None:
    server.manners.redirects["/"] = (302, "/")
    with pytest.raises(SetupError, match="address to address"):
        opened().channels()
    assert len(server.asked) == 6


def test_a_server_that_fails_is_asked_again_later(server: CaldavServer, opened: Opener) -> None:
    server.fault("500")
    with pytest.raises(Unreachable):
        opened().channels()


def test_a_redirect_to_a_forbidden_address_is_not_dialled(server: CaldavServer, opened: Opener) -> None:
    """The name is of the same site and leads into the operator's network."""
    port = server.url.rpartition(":")[2].strip("/")
    dialled: list[str] = []
    addresses = {"calendar.example.com": "127.0.0.1", "inside.example.com": "127.0.0.2"}

    def allowed(ip: str) -> bool:
        dialled.append(ip)
        return ip == "127.0.0.1"

    session = open_session(allowed, resolve=lambda host, _port: [addresses[host]])
    server.manners.redirects["/"] = (301, f"http://inside.example.com:{port}/dav/")
    with pytest.raises(SetupError, match=r"address of inside\.example\.com is not public"):
        opened(f"http://calendar.example.com:{port}/", with_=tools(session=lambda: session)).channels()
    assert dialled == ["127.0.0.1", "127.0.0.2"]
    assert server.asked == ["PROPFIND /"]


@pytest.mark.parametrize(
    "where",
    [
        "http://10.0.0.1/dav/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00::1]/",
        "http://localhost/dav/",
        "https://evil.example/dav/",
        "//evil.example/dav/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://[::1",
        "http://127.0.0.1:99999/",
    ],
)
@pytest.mark.parametrize("through", ["redirect", "home"])
def test_a_server_cannot_send_the_password_elsewhere(
    server: CaldavServer, opened: Opener, where: str, through: str
) -> None:
    dialled: list[str] = []

    def noted(ip: str) -> bool:
        dialled.append(ip)
        return True

    if through == "redirect":
        server.manners.redirects["/"] = (301, where)
    else:
        body = (
            '<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:response><D:href>/</D:href><D:propstat>'
            f"<D:prop><C:calendar-home-set><D:href>{where}</D:href></C:calendar-home-set></D:prop></D:propstat>"
            "</D:response></D:multistatus>"
        )
        server.manners.raw["/"] = (207, "text/xml", body.encode())
    with pytest.raises(SetupError):
        opened(with_=tools(session=lambda: open_session(noted))).channels()
    assert dialled == ["127.0.0.1"]
    assert server.asked == ["PROPFIND /"]


@pytest.mark.parametrize(
    ("base", "reference", "address"),
    [
        ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com:443/1/calendars/", "https://p42-caldav.icloud.com:443/1/calendars/"),
        ("https://example.co.uk/", "https://dav.example.co.uk/x", "https://dav.example.co.uk/x"),
        ("https://example.com/a/", "../b%2fc/%64", "https://example.com/b%2Fc/d"),
        ("https://example.com/a/", "https://user:pw@example.com/b", "https://example.com/b"),
        ("http://127.0.0.1:5232/", "/x/", "http://127.0.0.1:5232/x/"),
    ],
)  # fmt: skip
def test_a_server_may_lead_on_within_its_own_site(base: str, reference: str, address: str) -> None:
    assert led_on(base, reference) == address


@pytest.mark.parametrize(
    ("base", "reference"),
    [
        ("https://example.com/", "http://example.com/"),
        ("https://one.co.uk/", "https://two.co.uk/"),
        ("https://a.github.io/", "https://b.github.io/"),
        ("https://10.0.0.1/", "https://11.0.0.1/"),
        ("https://example.com/", "https://example.com.evil.example/"),
        ("https://example.com/", "https://example.com@evil.example/"),
        ("https://example.com/", "ftp://example.com/"),
    ],
)
def test_a_server_may_not_lead_on_to_another_site(base: str, reference: str) -> None:
    with pytest.raises(SetupError):
        led_on(base, reference)


@pytest.mark.parametrize(
    "make",
    [
        lambda: CaldavOptions(),
        lambda: CaldavOptions(url="https://a.example/", domain="a.example"),
        lambda: CaldavOptions(url="ftp://a.example/"),
        lambda: CaldavOptions(url="https://"),
        lambda: CaldavOptions(url="https://me:pw@a.example/"),
        lambda: CaldavOptions(url="https://a.example/?x=1"),
        lambda: CaldavOptions(url="https://a.example/\nHost: b"),
        lambda: CaldavOptions(domain="a.example/x"),
    ],
)
def test_options_that_name_no_place_are_refused(make: Callable[[], CaldavOptions]) -> None:
    with pytest.raises(ValidationError):
        make()
