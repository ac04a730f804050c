"""A rep's calendars at a CalDAV server that keeps every standard, and at one that keeps few."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from tests.integration.capture.deployment import PEOPLE
from tests.integration.faults.story import Story

from autocapture.connector import PasswordCredential
from autocapture.settings import Settings
from autocapture.testing.fakes.caldav.manners import Manners
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import HOME, PASSWORD, USER, Collection, Store, event_text
from autocapture.testing.fakes.gateway import Kind, Reply, Site
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.preview import take_preview

REP = PEOPLE[0]
_ERROR = b'<?xml version="1.0"?><D:error xmlns:D="DAV:"/>'
_XML = {"Content-Type": "application/xml"}
_ASKED = re.compile(rb"<[CD]:(sync-collection|calendar-multiget|propfind)")
_TOKEN = re.compile(rb"<D:sync-token>[^<]")

DAV_WORDS: Mapping[int, Reply] = {
    401: Reply(401, b"", {"WWW-Authenticate": 'Basic realm="cal"'}),
    403: Reply(403, _ERROR, _XML),
    404: Reply(404, _ERROR, _XML),
    410: Reply(410, _ERROR, _XML),
    429: Reply(429, _ERROR, _XML),
}


def dav_route(verb: str, target: str, body: bytes) -> str:
    """Method, kind of place, and what is asked for."""
    place = target if target.count("/") < 4 else re.sub(r"^/dav/rep/[^/]+/(.+)?", _place, target)
    asked = _ASKED.search(body)
    of = "" if asked is None or asked[1] == b"propfind" else asked[1].decode()
    return " ".join(
        filter(None, (verb, place, of, "since" if _TOKEN.search(body) else "", _wanted(verb, body)))
    )


def _place(found: re.Match[str]) -> str:
    return "RESOURCE" if found[1] else "CALENDAR"


def _wanted(verb: str, body: bytes) -> str:
    """A PROPFIND asks for the mark alone, for the items, or for what the place is."""
    if verb != "PROPFIND":
        return ""
    return (
        "items"
        if b"getcontenttype" in body
        else "mark"
        if b"displayname" not in body and b"getctag" in body
        else ""
    )


class CaldavStory(Story):
    manners: ClassVar[Mapping[str, Any]] = {}
    may_be_told = Story.may_be_told | {"setup"}
    """What answers at the address that somebody typed may be no CalDAV: that is told, and asked again like anything else."""

    moments = (
        ("connected", timedelta()),
        ("previewed", timedelta(days=3)),
        ("imported", timedelta(days=6)),
        ("changed", timedelta(days=9)),
        ("counted", timedelta(days=12)),
        ("expired", timedelta(days=15)),
        ("listed_anew", timedelta(days=18)),
    )

    def begin(self) -> None:
        self.store = Store()
        self.server = CaldavServer(self.store, Manners(**self.manners))
        self.server.start()
        self.stack.callback(self.server.stop)
        self.services = self.gateway("caldav", self.server.url, dav_route, DAV_WORDS)
        self.store.make("work")
        self.store.make("visits")
        self.store.make("inbox", kinds="<D:collection/><C:schedule-inbox/>")
        for number in range(6):
            self._put(self.work, number)
        self._put(self.visits, 9)
        self.store.put(self.visits, "odd.ics", event_text(99, readable=False))

    @property
    def work(self) -> Collection:
        return self.store.collections[f"{HOME}work/"]

    @property
    def visits(self) -> Collection:
        return self.store.collections["/dav/rep/visits/"]

    def settings(self, settings: Settings) -> dict[str, Any]:
        return {}

    def servers(self) -> list[tuple[Any, tuple[str, ...]]]:
        return [(self.store, ("collections", "sequence", "epoch"))]

    def connect(self) -> int:
        login = Login(REP, "caldav", {"url": self.services.url}, PasswordCredential(USER, PASSWORD))
        return connect_account(self.app, login).account_id

    def _put(self, collection: Collection, number: int, version: int = 0) -> None:
        text = event_text(number, version, more="CREATED:20261101T080000Z").replace("rep@ours.example", REP)
        text = text.replace(f"buyer{number}@customer.example", "kim@customer.example")
        self.store.put(collection, f"{number}@c.ics", text)

    def applies(self, kind: Kind, site: Site) -> bool:
        """A password that was refused is not tried twice: that may lock its owner out."""
        return kind.name != "401 once" and super().applies(kind, site)

    def news(self) -> None:
        self._put(self.work, 90)
        self._put(self.visits, 9, version=7)

    def previewed(self) -> None:
        for _ in range(20):
            preview = self.insist(lambda: take_preview(self.app, self.account_id))
            if all(each.total is not None for each in preview.channels):
                break
            self.clock.advance(timedelta(minutes=1))
        assert [each.total for each in preview.channels] == [6, 2]
        self.reconnect_if_asked()

    def imported(self) -> None:
        self.caught_up()

    def changed(self) -> None:
        self._put(self.work, 1, version=1)
        self.store.delete(self.work, "2@c.ics")
        for number in (20, 21):
            self._put(self.visits, number)
        self.caught_up()

    def expired(self) -> None:
        self._put(self.work, 30)
        self.store.expire()
        self.caught_up()


class RudeCaldavStory(CaldavStory):
    """Its sync-collection fails and its multiget is missing, though it announces both, and it does not say what is an event."""

    manners: ClassVar = {"refuses_beginning": 500, "multiget": 501, "tells_component": False}


class TruncatingCaldavStory(CaldavStory):
    """It tells two changes at a time, and no change of all (CTag)."""

    manners: ClassVar = {"truncates_at": 2, "ctags": False}
