"""A few lines of a calendar program, with which tests change what lies on a CalDAV server."""

from __future__ import annotations

from urllib.parse import urljoin

import requests

_PROPERTIES = (
    '<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>'
    "<D:displayname>{name}</D:displayname>{more}</D:prop></D:set></C:mkcalendar>"
)
COMPONENTS = '<C:supported-calendar-component-set><C:comp name="{}"/></C:supported-calendar-component-set>'


class DavClient:
    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.auth = (user.encode(), password.encode())

    def make_calendar(self, path: str, name: str = "", *, more: str = "") -> None:
        self._send("MKCALENDAR", path, _PROPERTIES.format(name=name or path, more=more))

    def put(self, path: str, text: str) -> None:
        self._send("PUT", path, text, "text/calendar; charset=utf-8")

    def delete(self, path: str) -> None:
        self._send("DELETE", path)

    def get(self, path: str) -> str:
        return self._send("GET", path).text

    def close(self) -> None:
        self._http.close()

    def _send(
        self, method: str, path: str, body: str = "", kind: str = "application/xml"
    ) -> requests.Response:
        headers = {"Content-Type": kind} if body else {}
        response = self._http.request(
            method, urljoin(self._url, path), data=body.encode(), headers=headers, timeout=20
        )
        response.raise_for_status()
        return response
