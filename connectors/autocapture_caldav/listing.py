"""What a calendar holds, or what changed in it, as ids and versions: by sync-collection (RFC 6578), else by PROPFIND."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from autocapture.formats.keys import bounded
from autocapture_caldav.addresses import item_id
from autocapture_caldav.bodies import FIND_MARK, LIST_ITEMS, sync_collection
from autocapture_caldav.calendars import Calendar, mark_of
from autocapture_caldav.cursor import Entry
from autocapture_caldav.multistatus import DAV, SERVER, Response, conditions_of, read_multistatus
from autocapture_caldav.session import Answer, Dav, multistatus
from autocapture_caldav.xml_reading import Unintelligible

_TOKEN_LIMIT = 2_000
_GONE = (404, 410)
_TRUNCATED = 507


@dataclass(frozen=True, slots=True)
class Changes:
    """What a sync-collection told. `token` is its own; `truncated`: more comes after it (RFC 6578, 3.6)."""

    entries: Mapping[str, Entry]
    token: str
    truncated: bool


@dataclass(frozen=True, slots=True)
class Present:
    """All that a PROPFIND told. `whole`: the server says nothing of having left some out."""

    entries: Mapping[str, Entry]
    whole: bool

    def sum(self) -> str | None:
        """A hash over ids and versions; None where some have no version to compare."""
        entries = [each for each in self.entries.values() if not each.gone]
        if any(each.version is None for each in entries):
            return None
        found = blake2b(digest_size=16)
        for each in sorted(entries, key=lambda entry: entry.id):
            found.update(f"{each.id}\0{each.version}\0".encode())
        return found.hexdigest()


Refusal = Literal["expired", "refused"]
"""Why a REPORT told nothing: the token is no longer known, as the standard says it, or anything else."""


def report_changes(dav: Dav, calendar: Calendar, token: str) -> Changes | Refusal:
    """What changed since `token`; everything for an empty one.

    Servers refuse a token with every status there is, and some fail on REPORT alone: where the calendar can be asked for its
    mark, a 5xx and an answer that cannot be read are a refusal too. Raises Unreachable where it cannot.
    """
    answer = dav.ask("REPORT", calendar.url, sync_collection(token), depth="0")
    if answer.status == 207:
        try:
            return _changes(answer, calendar, token)
        except Unintelligible:
            pass
    elif 400 <= answer.status < 500:
        known = f"{DAV}valid-sync-token" in conditions_of(answer.body)
        return "expired" if known and token else "refused"
    ask_mark(dav, calendar)
    return "refused"


def _changes(answer: Answer, calendar: Calendar, token: str) -> Changes | Refusal:
    found = read_multistatus(answer.body)
    entries, truncated = _entries(found.responses, calendar, answer.url)
    stands_still = truncated and found.token == token
    if not 0 < len(found.token) <= _TOKEN_LIMIT or stands_still:
        return "refused"
    return Changes(entries, found.token, truncated)


def list_present(dav: Dav, calendar: Calendar) -> Present:
    """Everything that is there. Raises ChannelGone, Unreachable."""
    answer = dav.ask("PROPFIND", calendar.url, LIST_ITEMS, depth="1")
    found = multistatus(answer, "list the calendar")
    entries, truncated = _entries(found.responses, calendar, answer.url)
    return Present(entries, whole=not truncated)


def ask_mark(dav: Dav, calendar: Calendar) -> str | None:
    """The calendar's mark now, None where it has none. Raises ChannelGone, Unreachable."""
    answer = dav.ask("PROPFIND", calendar.url, FIND_MARK, depth="0")
    found = multistatus(answer, "tell the calendar's mark")
    return next((mark_of(each.text(f"{SERVER}getctag")) for each in found.responses), None)


def _entries(responses: Iterable[Response], calendar: Calendar, base: str) -> tuple[dict[str, Entry], bool]:
    """By id. A resource that is named twice counts as it came last, but one that has a version is there."""
    found: dict[str, Entry] = {}
    truncated = False
    for response in responses:
        name = item_id(calendar.path, response.href, base)
        if not name:
            truncated = truncated or response.status == _TRUNCATED
        elif f"{DAV}collection" not in response.kinds():
            entry = _entry(name, response, calendar)
            known = found.get(name)
            if known is None or known.gone or not entry.gone:
                found[name] = entry
    return found, truncated


def _entry(name: str, response: Response, calendar: Calendar) -> Entry:
    """Where the server does not say that it is an event, only reading tells."""
    if response.status in _GONE:
        return Entry(name, gone=True)
    component = _component(response.text(f"{DAV}getcontenttype"))
    if component not in ("", "VEVENT"):
        return Entry(name, gone=True)
    certain = calendar.only_events or component == "VEVENT"
    return Entry(name, version_of(response.text(f"{DAV}getetag")) if certain else None)


def version_of(etag: str) -> str | None:
    """An entity tag as it is kept: what tells weak from strong ones says nothing about the content."""
    tag = etag.strip().removeprefix("W/").strip('"')
    return bounded(tag) if tag else None


def _component(content_type: str) -> str:
    """``VEVENT`` of ``text/calendar; component=vevent``, empty where it is not said."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "component":
            return value.strip().strip('"').upper()
    return ""
