"""The few requests that this connector makes, as XML."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"'
_LISTED = "<D:getetag/><D:getcontenttype/><D:resourcetype/>"


def _propfind(properties: str) -> bytes:
    return f"{_DECLARATION}<D:propfind {_NAMESPACES}><D:prop>{properties}</D:prop></D:propfind>".encode()


FIND_PRINCIPAL = _propfind(
    "<D:current-user-principal/><D:principal-URL/><D:resourcetype/><C:calendar-home-set/>"
)
FIND_CALENDARS = _propfind(
    "<D:resourcetype/><D:displayname/><D:owner/><D:sync-token/><D:supported-report-set/><S:getctag/>"
    "<C:supported-calendar-component-set/><C:calendar-timezone/><C:calendar-timezone-id/>"
)
FIND_MARK = _propfind("<S:getctag/>")
LIST_ITEMS = _propfind(_LISTED)


def sync_collection(token: str) -> bytes:
    """RFC 6578, 3.2. An empty token asks for everything. No limit is asked for: a server that cannot keep one refuses."""
    return (
        f"{_DECLARATION}<D:sync-collection {_NAMESPACES}><D:sync-token>{escape(token)}</D:sync-token>"
        f"<D:sync-level>1</D:sync-level><D:prop>{_LISTED}</D:prop></D:sync-collection>"
    ).encode()


_WHOLE = "<C:calendar-data/>"
_EVENTS_BEGIN = '<C:comp name="VEVENT"><C:prop name="DTSTART"/></C:comp>'
_BEGINNINGS = f'<C:calendar-data><C:comp name="VCALENDAR">{_EVENTS_BEGIN}</C:comp></C:calendar-data>'


def calendar_multiget(paths: Iterable[str]) -> bytes:
    """RFC 4791, 7.9."""
    return _multiget(paths, _WHOLE)


def multiget_beginnings(paths: Iterable[str]) -> bytes:
    """RFC 4791, 7.9 and 9.6: of each resource when its events begin, and nothing else."""
    return _multiget(paths, _BEGINNINGS)


def _multiget(paths: Iterable[str], data: str) -> bytes:
    hrefs = "".join(f"<D:href>{escape(path)}</D:href>" for path in paths)
    return (
        f"{_DECLARATION}<C:calendar-multiget {_NAMESPACES}><D:prop><D:getetag/>{data}</D:prop>"
        f"{hrefs}</C:calendar-multiget>"
    ).encode()
