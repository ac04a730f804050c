"""Microsoft Graph over HTTP: the headers that every request carries, links that lead nowhere else, tokens that are renewed once.

A request is never repeated but for one reason: its token was refused and there is a newer one. GET and, for several GETs at
once, POST to ``$batch`` are all that is sent to a mailbox; subscriptions alone are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from autocapture.connect.http import json_object, retry_after
from autocapture.connector import Grant, Tools
from autocapture.errors import CursorExpired, Unreachable
from autocapture_microsoft.faults import Answer, refuse

IMMUTABLE_IDS = 'IdType="ImmutableId"'
"""Without this preference an item has another id after it was moved; it holds for one request only."""

IN_UTC = 'outlook.timezone="UTC"'
AS_TEXT = 'outlook.body-content-type="text"'

REQUEST = "graph.request"
"""What the meter calls a request to Outlook's part of Graph; each of a batch counts."""


class Graph:
    """One mailbox at Microsoft Graph. `mailbox` is what its paths begin with, `me` or `users/ADDRESS`."""

    def __init__(
        self, session: requests.Session, grant: Grant, tools: Tools, url: str, mailbox: str = ""
    ) -> None:
        self.url = url
        self.mailbox = f"users/{quote(mailbox, safe='@')}" if mailbox else "me"
        self.tools = tools
        self._session = session
        self._grant = grant
        self._token = ""
        self._place = _place(url)

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        prefer: Sequence[str] = (),
        method: str = REQUEST,
    ) -> Mapping[str, Any]:
        """The answer to a path below the address of Graph, or to a link that it gave. Raises what the answer means."""
        answer = self.ask("GET", self.address(path), params=params, prefer=prefer, method=method)
        refuse(answer)
        return answer.body

    def address(self, path: str) -> str:
        return path if "://" in path else f"{self.url}/{path}"

    def ask(
        self,
        verb: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        prefer: Sequence[str] = (),
        method: str = REQUEST,
        taken: bool = False,
    ) -> Answer:
        """One request and its answer, whatever its status. `taken`: the meter was asked already."""
        if not taken:
            self.tools.meter.take(method)
        headers = {"Prefer": preferring(prefer), "Accept": "application/json"}
        answer = self._send(verb, url, params, body, headers, fresh=False)
        if answer.status == 401:
            answer = self._send(verb, url, params, body, headers, fresh=True)
        return answer

    def _send(
        self,
        verb: str,
        url: str,
        params: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        *,
        fresh: bool,
    ) -> Answer:
        token = self._grant.access_token(fresh)
        response = self._session.request(
            verb,
            url,
            params=params,
            json=body,
            headers={**headers, "Authorization": f"Bearer {token}"},
            timeout=self.tools.timeout.total_seconds(),
            allow_redirects=False,
        )
        return self._answer(response)

    def _answer(self, response: requests.Response) -> Answer:
        wait = retry_after(response, self.tools.clock.now())
        if response.ok and response.status_code not in (202, 204):
            return Answer(response.status_code, json_object(response), wait)
        try:
            body = json_object(response)
        except Unreachable:
            body = {}  # an error may be told in any form; its status says enough
        return Answer(response.status_code, body, wait)

    def is_own(self, link: str) -> bool:
        """Whether a link leads to the Graph that was configured: our token goes to nobody else."""
        return _place(link) == self._place and urlsplit(link).path.startswith(urlsplit(self.url).path + "/")

    def require_own(self, link: str) -> str:
        """The link of a stored cursor. Raises CursorExpired for one that leads elsewhere: it was made for another cloud."""
        if not self.is_own(link):
            raise CursorExpired("the stored link does not lead to the configured Microsoft Graph")
        return link

    def values(self, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The items of an answer that lists. Raises Unreachable where it lists nothing."""
        found = body.get("value")
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise Unreachable("Microsoft's answer has no list of items")
        return found

    def link(self, body: Mapping[str, Any], kind: str) -> str | None:
        """`nextLink` or `deltaLink` of an answer. Raises Unreachable for one that leads elsewhere."""
        link = body.get(f"@odata.{kind}")
        if link is None:
            return None
        if not isinstance(link, str) or not self.is_own(link):
            raise Unreachable("Microsoft's answer has a link to another place")
        return link

    def every(
        self, path: str, params: Mapping[str, str], *, most: int, prefer: Sequence[str] = ()
    ) -> list[Mapping[str, Any]]:
        """All items of a listing, over its pages; at most about `most`, beyond which nothing that is real goes."""
        body = self.get(path, params, prefer=prefer)
        found = self.values(body)
        while (link := self.link(body, "nextLink")) and len(found) < most:
            body = self.get(link, prefer=prefer)
            found += self.values(body)
        return found


def preferring(more: Sequence[str]) -> str:
    return ", ".join((IMMUTABLE_IDS, *more))


def page_of(size: int) -> str:
    return f"odata.maxpagesize={size}"


def instant(moment: datetime) -> str:
    """As Graph's parameters and filters want an instant."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def segment(id_: str) -> str:
    """An id as a part of a path: some hold characters that mean something there."""
    return quote(id_, safe="")


def _place(url: str) -> tuple[str, str, int | None, bool]:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme,
            parts.hostname or "",
            parts.port or {"https": 443, "http": 80}.get(parts.scheme),
            "@" in parts.netloc,
        )
    except ValueError:
        return "", "", None, True
