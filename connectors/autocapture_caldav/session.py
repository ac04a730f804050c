"""Questions to one CalDAV server over the HTTP session that the engine lends. Only PROPFIND, REPORT and GET are ever sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import requests

from autocapture.clock import Clock
from autocapture.connect.http import retry_after
from autocapture.errors import ChannelGone, CredentialRejected, RateLimited, Unreachable
from autocapture_caldav.login import Login
from autocapture_caldav.multistatus import Multistatus, read_multistatus
from autocapture_caldav.xml_reading import Unintelligible

_THROTTLED = (429, 509)


@dataclass(frozen=True, slots=True)
class Answer:
    """Any status but those that mean the same everywhere. `location`: where a redirect leads."""

    url: str
    status: int
    body: bytes = field(repr=False)
    etag: str = ""
    location: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "the server"


class Dav:
    """One account's questions."""

    def __init__(self, http: requests.Session, login: Login, clock: Clock) -> None:
        self._http = http
        self._login = login
        self._clock = clock

    def ask(
        self,
        method: Literal["PROPFIND", "REPORT", "GET"],
        url: str,
        body: bytes = b"",
        *,
        depth: Literal["0", "1"] | None = None,
    ) -> Answer:
        """Raises CredentialRejected for 401, RateLimited for 429, for 509 and for 503 with a Retry-After, and what the session
        raises.

        A 503 that names no time is like any 5xx: there are servers that give it for one collection, for ever.
        """
        response = self._send(method, url, body, depth)
        if response.status_code == 401 and self._login.challenged(
            response.headers.get("WWW-Authenticate", "")
        ):
            response = self._send(method, url, body, depth)
        host = urlsplit(url).hostname
        if response.status_code == 401:
            raise CredentialRejected(f"{host} refuses this user name and password")
        wait = retry_after(response, self._clock.now())
        if response.status_code in _THROTTLED or (response.status_code == 503 and wait is not None):
            raise RateLimited(f"{host} asks for fewer requests ({response.status_code})", wait)
        return Answer(
            url,
            response.status_code,
            response.content,
            response.headers.get("ETag", ""),
            response.headers.get("Location", ""),
        )

    def _send(self, method: str, url: str, body: bytes, depth: str | None) -> requests.Response:
        headers = {"Content-Type": "application/xml; charset=utf-8"} if body else {}
        if depth is not None:
            headers["Depth"] = depth
        return self._http.request(
            method, url, data=body or None, headers=headers, auth=self._login, allow_redirects=False
        )


def multistatus(answer: Answer, what: str) -> Multistatus:
    """The multistatus of a question about a calendar that a working server answers.

    Raises ChannelGone where the calendar is no longer there, Unreachable for any other answer. `what` was to be done.
    """
    if answer.status in (404, 410):
        raise ChannelGone("the calendar no longer exists on the CalDAV server")
    if answer.status != 207:
        raise Unreachable(f"{answer.host} does not {what} ({answer.status})")
    try:
        return read_multistatus(answer.body)
    except Unintelligible as why:
        raise Unreachable(f"{answer.host} does not {what}: its answer cannot be read, {why}") from None
