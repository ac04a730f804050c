"""The answers of WebDAV (RFC 4918, 14.16): what a multistatus says of each resource, and why a request was refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from autocapture_caldav.xml_reading import Element, Unintelligible, read_xml

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
SERVER = "{http://calendarserver.org/ns/}"

_STATUS = re.compile(r"\A\s*(?:HTTP/\S+\s+)?([1-9][0-9]{2})(?:\s|\Z)")
_OK = 200


@dataclass(frozen=True, slots=True)
class Response:
    """What is said of one resource. `status` is that of the resource itself, 200 where only its properties have one;
    `properties` are those that were found, by name.
    """

    href: str
    status: int
    properties: dict[str, Element] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The trimmed text of a property, empty where it is missing."""
        found = self.properties.get(name)
        return found.text.strip() if found else ""

    def kinds(self) -> frozenset[str]:
        """The names within `resourcetype`."""
        found = self.properties.get(f"{DAV}resourcetype")
        return frozenset(each.name for each in found.children) if found else frozenset()


@dataclass(frozen=True, slots=True)
class Multistatus:
    """`token` is the sync-token of the answer itself (RFC 6578, 6.4), empty where there is none."""

    responses: list[Response]
    token: str = ""


def read_multistatus(body: bytes) -> Multistatus:
    """Raises Unintelligible for anything but a multistatus."""
    responses: list[Response] = []
    root = read_xml(body, part=f"{DAV}response", lift=lambda element: responses.extend(_responses(element)))
    if root.name != f"{DAV}multistatus":
        raise Unintelligible("it is no multistatus")
    return Multistatus(responses, root.text_of(f"{DAV}sync-token"))


def conditions_of(body: bytes) -> frozenset[str]:
    """The names of the conditions in an error's body (RFC 4918, 16); none where it says nothing readable."""
    try:
        root = read_xml(body)
    except Unintelligible:
        return frozenset()
    return frozenset(each.name for each in root.children) if root.name == f"{DAV}error" else frozenset()


def _responses(element: Element) -> Iterator[Response]:
    """One for each href: several may share a status."""
    written = element.text_of(f"{DAV}status")
    status = _status(written) if written else _OK
    found: dict[str, Element] = {}
    for propstat in element.all(f"{DAV}propstat"):
        properties = propstat.child(f"{DAV}prop")
        if properties is not None and _status(propstat.text_of(f"{DAV}status")) // 100 == 2:
            found.update((each.name, each) for each in properties.children)
    for href in element.all(f"{DAV}href"):
        yield Response(href.text.strip(), status, found)


def _status(line: str) -> int:
    """The number in ``HTTP/1.1 404 Not Found``; a line that cannot be read says nothing bad."""
    found = _STATUS.match(line)
    return int(found[1]) if found else _OK
