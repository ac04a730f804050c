"""Connectors over the sources in memory, each with one bug that a real connector had."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from autocapture.connector import Broken, Channel, Item, Page, Record, Ref
from autocapture.errors import CursorExpired, Unreachable
from autocapture.testing.fakes import feed, uids, window
from autocapture.testing.fakes.feed import Calendar, FeedConnection
from autocapture.testing.fakes.uids import Folder, UidConnection
from autocapture.testing.fakes.window import WindowConnection


def _with(cursor: str, **changes: Any) -> str:
    return json.dumps({**json.loads(cursor), **changes})


class WatermarkReadAfterListing(FeedConnection):
    def _list(self, calendar: Calendar, state: dict[str, Any], limit: int) -> Page:
        page = super()._list(calendar, state, limit)
        return page if page.more else replace(page, cursor=_with(page.cursor, after=self.source.sequence))


class ExpiredCursorSwallowed(FeedConnection):
    """Google's 410 answered by an empty page and the newest cursor."""

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        try:
            return super().pull(channel, cursor, limit=limit)
        except CursorExpired:
            return Page([], json.dumps(self._head()))

    def _head(self) -> dict[str, Any]:
        return {"v": 1, "epoch": self.source.epoch, "phase": "feed", "after": self.source.sequence}


class StopsOnAnEmptyPage(ExpiredCursorSwallowed):
    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        page = FeedConnection.pull(self, channel, cursor, limit=limit)
        return Page([], json.dumps(self._head())) if page.more and not page.items else page


class CursorToHeadWithinAPage(FeedConnection):
    def _feed(self, calendar: Calendar, state: dict[str, Any], limit: int) -> Page:
        page = super()._feed(calendar, state, limit)
        return replace(page, cursor=_with(page.cursor, after=self.source.sequence)) if page.more else page


class PoisonFailsThePage(FeedConnection):
    def _item(self, calendar: Calendar, number: int) -> Item:
        item = super()._item(calendar, number)
        if isinstance(item, Broken):
            raise Unreachable(item.why)
        return item


class PoisonDropped(FeedConnection):
    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        page = super().pull(channel, cursor, limit=limit)
        return replace(page, items=[item for item in page.items if not isinstance(item, Broken)])


class VersionMissesEdits(FeedConnection):
    def _item(self, calendar: Calendar, number: int) -> Item:
        item = super()._item(calendar, number)
        return replace(item, version="1") if isinstance(item, Record) else item


class EveryListingCalledComplete(FeedConnection):
    def _list(self, calendar: Calendar, state: dict[str, Any], limit: int) -> Page:
        return replace(super()._list(calendar, state, limit), complete=True)


class ListingCutShort(FeedConnection):
    """The first page of a long listing counts as all of it."""

    def _list(self, calendar: Calendar, state: dict[str, Any], limit: int) -> Page:
        page = super()._list(calendar, state, limit + len(feed.TASKS))
        done = {"v": 1, "epoch": state["epoch"], "phase": "feed", "after": state["mark"]}
        return Page(page.items, json.dumps(done), complete=True)


class CursorsComparedAsText(FeedConnection):
    def _feed(self, calendar: Calendar, state: dict[str, Any], limit: int) -> Page:
        page = super()._feed(calendar, state, limit)
        after = json.loads(page.cursor)["after"]
        return (
            page if str(after) > str(state["after"]) else replace(page, cursor=json.dumps(state), more=False)
        )


class OffsetPaging(FeedConnection):
    def _list(self, calendar: Calendar, state: dict[str, Any], limit: int) -> Page:
        numbers = sorted(calendar.versions)
        offset = state.get("offset", 0)
        items = [self._item(calendar, number) for number in numbers[offset : offset + limit]]
        if offset + limit < len(numbers):
            return Page(items, json.dumps({**state, "offset": offset + limit}), more=True)
        done = {"v": 1, "epoch": state["epoch"], "phase": "feed", "after": state["mark"]}
        return Page(items, json.dumps(done), complete=True)


class RemovalsNotTold(FeedConnection):
    def _feed(self, calendar: Calendar, state: dict[str, Any], limit: int) -> Page:
        page = super()._feed(calendar, state, limit)
        return replace(page, items=[item for item in page.items if isinstance(item, Record | Broken)])


class ValidityIgnored(UidConnection):
    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        folder = self._folder(channel)
        if cursor is not None and json.loads(cursor)["uv"] != folder.validity:
            cursor = _with(cursor, uv=folder.validity)
            if folder.next_uid <= json.loads(cursor)["top"]:
                return Page([], cursor)
        return super().pull(channel, cursor, limit=limit)


class ExpungeNeverSeen(UidConnection):
    def _news(self, folder: Folder, *, top: int, listed: int, cursor: str, limit: int) -> Page:
        present = sum(uid <= top for uid in folder.messages)
        return super()._news(folder, top=top, listed=min(listed, present), cursor=cursor, limit=limit)


class CountReadAfterListing(UidConnection):
    def _scan(self, folder: Folder, *, validity: int, top: int, listed: int, above: int, limit: int) -> Page:
        page = super()._scan(folder, validity=validity, top=top, listed=listed, above=above, limit=limit)
        return self._recounted(folder, page)

    def _news(self, folder: Folder, *, top: int, listed: int, cursor: str, limit: int) -> Page:
        page = super()._news(folder, top=top, listed=listed, cursor=cursor, limit=limit)
        return self._recounted(folder, page) if page.items else page

    def _recounted(self, folder: Folder, page: Page) -> Page:
        if page.more:
            return page
        top = json.loads(page.cursor)["top"]
        return replace(page, cursor=_with(page.cursor, n=sum(uid <= top for uid in folder.messages)))


class TopReadAfterListing(UidConnection):
    """UIDNEXT from a STATUS that follows the listing."""

    def _scan(self, folder: Folder, *, validity: int, top: int, listed: int, above: int, limit: int) -> Page:
        page = super()._scan(folder, validity=validity, top=top, listed=listed, above=above, limit=limit)
        return self._up_to_now(folder, page)

    def _news(self, folder: Folder, *, top: int, listed: int, cursor: str, limit: int) -> Page:
        page = super()._news(folder, top=top, listed=listed, cursor=cursor, limit=limit)
        return self._up_to_now(folder, page) if page.items else page

    def _up_to_now(self, folder: Folder, page: Page) -> Page:
        if page.more:
            return page
        return replace(page, cursor=_with(page.cursor, top=folder.next_uid - 1, n=len(folder.messages)))


class ListsOneMessageTwice(UidConnection):
    """Every pull names the newest message anew, under another id."""

    def _news(self, folder: Folder, *, top: int, listed: int, cursor: str, limit: int) -> Page:
        page = super()._news(folder, top=top, listed=listed, cursor=cursor, limit=limit)
        last = max(folder.messages, default=0)
        if page.items or not last:
            return page
        return replace(page, items=[Ref(f"{folder.validity}/{last:+d}")])


class OpenRange(WindowConnection):
    """Asks for what was modified after the last one, not from it on."""

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        page = super().pull(channel, cursor, limit=limit)
        state = json.loads(page.cursor)
        if not page.more:
            page = replace(page, cursor=json.dumps({**state, "since": state["since"] + 1}))
        return page


class WatermarkIsTheClockAtTheEnd(WindowConnection):
    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        page = super().pull(channel, cursor, limit=limit)
        return page if page.more else replace(page, cursor=_with(page.cursor, since=self.source.now()))


MISSED = "lost|ghost|outdated"
"""What is said where a change at the source is not noticed: whichever change it was."""

BROKEN_CONNECTORS: dict[str, tuple[Any, Any, str]] = {
    "the watermark is read after listing": (feed.FeedWorld, WatermarkReadAfterListing, MISSED),
    "an expired cursor is swallowed": (feed.FeedWorld, ExpiredCursorSwallowed, MISSED),
    "an empty page ends the pull": (feed.FeedWorld, StopsOnAnEmptyPage, MISSED),
    "the cursor jumps to the head within a page": (feed.FeedWorld, CursorToHeadWithinAPage, MISSED),
    "poison fails its page": (feed.FeedWorld, PoisonFailsThePage, "does not come to rest"),
    "poison is dropped": (feed.FeedWorld, PoisonDropped, "lost: of . unreadable"),
    "the version misses edits": (feed.FeedWorld, VersionMissesEdits, "outdated"),
    "every page of a listing is called complete": (feed.FeedWorld, EveryListingCalledComplete, "disappeared"),
    "a listing cut short is called complete": (feed.FeedWorld, ListingCutShort, "lost"),
    "cursors are compared as text": (feed.FeedWorld, CursorsComparedAsText, MISSED),
    "pages are cut by offset": (feed.FeedWorld, OffsetPaging, "lost"),
    "removals are not told": (feed.FeedWorld, RemovalsNotTold, "ghost"),
    "UIDVALIDITY is ignored": (uids.UidWorld, ValidityIgnored, MISSED),
    "expunged messages are never seen": (uids.UidWorld, ExpungeNeverSeen, "ghost|doubled"),
    "the folder's count is read after listing": (uids.UidWorld, CountReadAfterListing, "ghost|doubled"),
    "UIDNEXT is read after listing": (uids.UidWorld, TopReadAfterListing, "lost"),
    "one message is listed under two ids": (
        uids.UidWorld,
        ListsOneMessageTwice,
        "doubled|ghosts: .*in quarantine",
    ),
    "the range is open": (window.WindowWorld, OpenRange, MISSED),
    "the watermark is the clock at the end": (window.WindowWorld, WatermarkIsTheClockAtTheEnd, MISSED),
}
"""By name: the source, the broken connection, and how the suite names the fault (a regular expression)."""
