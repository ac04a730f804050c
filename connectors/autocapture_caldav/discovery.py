"""From an address or a host to the collections that hold a login's calendars (RFC 6764, RFC 5397, RFC 4791, 6.2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from autocapture.errors import CredentialRejected, SetupError, Unreachable
from autocapture_caldav.addresses import led_on, path_of
from autocapture_caldav.bodies import FIND_CALENDARS, FIND_PRINCIPAL
from autocapture_caldav.calendars import Calendar, calendar_of, name_of, why_left_out
from autocapture_caldav.multistatus import CALDAV, DAV, Multistatus, Response, read_multistatus
from autocapture_caldav.session import Answer, Dav
from autocapture_caldav.xml_reading import Unintelligible

_MOST_REDIRECTS = 5
_MOST_HOMES = 20
_NOT_HERE = (400, 403, 404, 405, 410, 501)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a login's calendars are listed: collections of calendars, or one calendar that was named itself (`depth` 0)."""

    urls: tuple[str, ...]
    principal: str | None
    depth: Literal["0", "1"] = "1"


@dataclass(frozen=True, slots=True)
class Listing:
    """The calendars to capture, and by name why the others are not."""

    captured: list[Calendar]
    left_out: dict[str, str]


def find_home(dav: Dav, start: str) -> Home:
    """Follows redirects and the principal. Raises SetupError where there is no CalDAV at `start`, CredentialRejected for a
    password that does not do, Unreachable for a page: a network that wants somebody to sign in answers everything with one.
    """
    answer = _followed(dav, start)
    if answer.status in _NOT_HERE and urlsplit(start).path == "/.well-known/caldav":
        answer = _followed(dav, led_on(start, "/"))  # RFC 6764, 6
    found = _own_response(answer)
    if CALDAV + "calendar" in found.kinds():
        return Home((answer.url,), None, "0")
    homes = _hrefs(found, f"{CALDAV}calendar-home-set")
    principal = _principal(found, answer.url)
    if not homes and principal is not None:
        answer = _followed(dav, principal)
        homes = _hrefs(_own_response(answer), f"{CALDAV}calendar-home-set")
    if not homes:
        raise SetupError(f"{answer.host} names no calendars for this login at this address")
    urls = tuple(dict.fromkeys(led_on(answer.url, href) for href in homes[:_MOST_HOMES]))
    return Home(urls, None if principal is None else urlsplit(principal).path)


def list_calendars(dav: Dav, home: Home) -> Listing:
    """One question for each home. A calendar that two of them list is one."""
    captured: dict[str, Calendar] = {}
    left_out: dict[str, str] = {}
    for url in home.urls:
        answer = _followed(dav, url, FIND_CALENDARS, home.depth)
        if answer.status in (404, 410):
            raise SetupError(f"{answer.host} no longer has the calendars of this login at this address")
        for response in _read(answer).responses:
            if response.status // 100 != 2:
                continue
            why = _judged(response, answer.url, home.principal)
            if why is None:
                calendar = calendar_of(response, answer.url)
                captured.setdefault(calendar.path, calendar)
            elif why:
                left_out[name_of(response, answer.url)] = why
    return Listing(list(captured.values()), left_out)


def _judged(response: Response, base: str, principal: str | None) -> str | None:
    try:
        return why_left_out(response, base, principal)
    except ValueError:
        return "its address cannot be read"


def _followed(dav: Dav, url: str, body: bytes = FIND_PRINCIPAL, depth: Literal["0", "1"] = "0") -> Answer:
    """PROPFIND, where its redirects lead. The password goes along, so each step is judged (`led_on`)."""
    for _ in range(_MOST_REDIRECTS + 1):
        answer = dav.ask("PROPFIND", url, body, depth=depth)
        if answer.status not in (301, 302, 303, 307, 308) or not answer.location:
            return answer
        url = led_on(url, answer.location)
    raise SetupError(f"{answer.host} sends us from address to address")


def _read(answer: Answer) -> Multistatus:
    if answer.status >= 500:
        raise Unreachable(f"{answer.host} does not list the calendars ({answer.status})")
    if answer.status == 200:
        raise Unreachable(
            f"{answer.host} answers with a page: this address has no CalDAV, or a network on the way asks for a sign-in first"
        )
    if answer.status != 207:
        raise SetupError(f"there is no CalDAV at this address of {answer.host} ({answer.status})")
    try:
        return read_multistatus(answer.body)
    except Unintelligible as why:
        raise Unreachable(f"the answer of {answer.host} cannot be read: {why}") from None


def _own_response(answer: Answer) -> Response:
    """What the server says of the address that was asked; the only one it was asked about."""
    responses = _read(answer).responses
    if not responses:
        raise SetupError(f"{answer.host} says nothing about this address")
    return responses[0]


def _hrefs(response: Response, name: str) -> list[str]:
    found = response.properties.get(name)
    return [each.text.strip() for each in found.all(f"{DAV}href") if each.text.strip()] if found else []


def _principal(response: Response, base: str) -> str | None:
    """Where the login itself is described; None where the server does not say."""
    current = response.properties.get(f"{DAV}current-user-principal")
    if current is not None and current.child(f"{DAV}unauthenticated") is not None:
        raise CredentialRejected(
            f"{urlsplit(base).hostname} takes us for nobody with this user name and password"
        )
    for name in ("current-user-principal", "principal-URL"):
        for href in _hrefs(response, DAV + name):
            return led_on(base, path_of(href, base) if "//" not in href else href)
    return None
