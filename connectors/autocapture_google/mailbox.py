"""The mailbox of one login as a channel: listed newest first, then followed by its change feed.

All of a mailbox is one channel, for Gmail has one change feed for it and labels move nothing. In scope is what came in from the
day before `tools.since` on and is no draft, chat, spam or trash; the rest never comes out of here, so that a census of the
server and the ledger name the same ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from autocapture.connector import Channel, Count, Cursor, Gone, Item, Page, Record, Ref, Tools
from autocapture.errors import CursorExpired, Unreachable
from autocapture_google import mail_counting
from autocapture_google.api import Api, Json
from autocapture_google.budget import GET_LABEL, GET_MESSAGE, GET_PROFILE, LIST_HISTORY, LIST_MESSAGES, Budget
from autocapture_google.mail_cursor import Position, decode
from autocapture_google.mail_history import KINDS, MOST_RECORDS, Part, changes, leading, number
from autocapture_google.mail_listing import within
from autocapture_google.mail_reading import Answer, Reader
from autocapture_google.refusals import Refused, fault

MAILBOX = "mailbox"

_MOST_LISTED = 500
_WORTH_LISTING = 10
"""Messages that a page of a listing holds at least where the budget is short: smaller pages would cost more than they read."""
_PAGES_LEFT_OUT = 10
"""Of drafts, and of chats, as many pages are asked for. What lies beyond is quarantined when it is read, and left out later."""
_LOOKED_AT_FOR_NEWEST = 10
_FIRST_YEAR = 1971  # Gmail counts from 1970 on


class Mailbox:
    """`with_texts`: whether what is kept of a page will have its text read, which costs as much again."""

    def __init__(self, api: Api, tools: Tools, *, with_texts: bool, newest: dict[str, datetime]) -> None:
        """`newest` remembers when the message came that was the newest at the last question: as long as it is, nothing is read
        for the answer."""
        self._api = api
        self._budget = Budget(tools.meter)
        self._reader = Reader(api, self._budget)
        self._users = api.resource("users")
        self._since = _start(tools)
        self._readings = 2 if with_texts else 1  # of each message
        self._known: dict[str, Answer] = {}  # looked at for their dates, and not asked for yet
        self._unlisted: set[str] | None = None
        self._newest = newest

    def pull(self, cursor: Cursor | None, limit: int) -> Page:
        self.close()
        if cursor is None:
            self._unlisted = None
            return self._listed(Position(self._mark(), listing=""), limit)
        news = self._news(decode(cursor), limit)
        after = decode(news.cursor)
        if after.listing is None or news.items or after.page is not None:
            return news
        return self._listed(after, limit)

    def get(self, ids: Sequence[str]) -> list[Answer]:
        known = {id_: self._known.pop(id_) for id_ in ids if id_ in self._known}
        read = self._reader.read([id_ for id_ in ids if id_ not in known])
        return [known.get(id_) or read[id_] for id_ in dict.fromkeys(ids)]

    def texts(self, ids: Sequence[str]) -> dict[str, str]:
        return self._reader.texts(ids)

    def count(self, channel: Channel) -> Count:
        """All that the mailbox holds, drafts included, and about when it came in. Its pages are of the largest size."""
        total = self._profile("messagesTotal").get("messagesTotal")
        try:
            return mail_counting.count(
                channel,
                total if isinstance(total, int) else None,
                self._budget,
                page_of=self._page_of,
                dates_of=self._dates_of,
                held_by=self._held_by,
            )
        finally:
            self.close()

    def newest(self) -> datetime | None:
        """Of the few that are listed first, the first that is in scope."""
        for id_ in self._ids(self._list("", _LOOKED_AT_FOR_NEWEST)):
            received = self._newest.get(id_) or _date(self._reader.read([id_])[id_])
            if received is not None and (self._since is None or received >= self._since):
                self._newest.clear()
                self._newest[id_] = received
                return received
        return None

    def close(self) -> None:
        """Returns what was taken of the budget and not used."""
        self._known.clear()
        self._budget.give_back()

    def _mark(self) -> str:
        mark = number(self._profile("historyId").get("historyId"))
        if not mark:
            raise Unreachable("Gmail does not say how far its history goes")
        return str(mark)

    def _profile(self, fields: str) -> Json:
        self._budget.take(GET_PROFILE)
        return self._ask(self._users.getProfile(userId="me", fields=fields))

    def _news(self, position: Position, limit: int) -> Page:
        """The next page of what changed since the mark; an empty one where nothing that matters did."""
        answer = self._history(position, limit)
        told, part = changes(answer, position.skip), None
        to_read = sum(not change.left for change in told)
        if to_read:
            room = self._budget.hold(GET_MESSAGE, to_read * self._readings, self._readings) // self._readings
            if room < to_read:
                part = leading(answer, position.skip, room)
                told = part.told
        read = self._reader.read([change.id for change in told if not change.left], since=self._since)
        items = [read.get(change.id) or Gone(change.id) for change in told]
        after = _after(position, answer, part)
        unfinished = part is not None or after.page is not None or after.listing is not None
        return Page(items, after.encode(), more=unfinished)

    def _history(self, position: Position, limit: int) -> Json:
        self._budget.take(LIST_HISTORY)
        try:
            return self._api.ask(
                self._api.resource("users", "history").list(
                    userId="me",
                    startHistoryId=position.mark,
                    historyTypes=list(KINDS),
                    maxResults=max(1, min(limit, MOST_RECORDS)),
                    pageToken=position.page,
                )
            )
        except Refused as refused:
            if refused.gone or refused.status == 400:
                raise CursorExpired(f"Gmail no longer knows what changed ({refused.says})") from None
            raise fault(refused, self._api.title) from None

    def _listed(self, position: Position, limit: int) -> Page:
        """The next page of the listing: no more than can be read of it now."""
        unlisted = self._drafts_and_chats()
        want = max(1, min(limit, _MOST_LISTED))
        least = min(want, _WORTH_LISTING)
        self._budget.hold(LIST_MESSAGES, 1, 1)  # before what is left of the budget goes to reading
        room = self._budget.hold(GET_MESSAGE, want * self._readings, least * self._readings)
        answer = self._list(position.listing or "", max(1, room // self._readings))
        ids = [id_ for id_ in self._ids(answer) if id_ not in unlisted]
        kept = within(ids, self._since, self._date_of)
        token = answer.get("nextPageToken")
        items: list[Item] = [Ref(id_) for id_ in kept]
        if token and len(kept) == len(ids):
            return Page(items, replace(position, listing=str(token)).encode(), more=True)
        return Page(items, replace(position, listing=None).encode(), complete=True)

    def _list(self, token: str, most: int, label: str | None = None) -> Json:
        """A page of a listing. An empty one tells that its size is 0; without that nobody knows what is there."""
        self._budget.spend(LIST_MESSAGES, 1)
        try:
            answer = self._api.ask(
                self._api.resource("users", "messages").list(
                    userId="me",
                    maxResults=most,
                    pageToken=token or None,
                    labelIds=[label] if label else None,
                    fields="messages/id,nextPageToken,resultSizeEstimate",
                )
            )
        except Refused as refused:
            if token and (refused.gone or refused.status == 400):
                raise CursorExpired(f"Gmail no longer knows its listing ({refused.says})") from None
            raise fault(refused, self._api.title) from None
        if "resultSizeEstimate" not in answer:
            raise Unreachable("Gmail's answer is no listing of messages")
        return answer

    def _drafts_and_chats(self) -> set[str]:
        """The ids of what is listed among all mail and is none, asked for once a listing. A draft that is begun later stands
        before the place that the listing has reached."""
        if self._unlisted is None:
            found: set[str] = set()
            for label in ("DRAFT", "CHAT"):
                token = ""
                for _ in range(_PAGES_LEFT_OUT):
                    answer = self._list(token, _MOST_LISTED, label)
                    found.update(self._ids(answer))
                    token = str(answer.get("nextPageToken") or "")
                    if not token:
                        break
            self._unlisted = found
        return self._unlisted

    def _page_of(self, token: str) -> mail_counting.Listed:
        answer = self._list(token, _MOST_LISTED)
        return self._ids(answer), str(answer.get("nextPageToken") or "")

    def _dates_of(self, ids: Sequence[str]) -> list[datetime | None]:
        read = self._reader.read(ids)
        return [_date(read[id_]) for id_ in ids]

    def _held_by(self, label: str) -> int | None:
        self._budget.spend(GET_LABEL, 1)
        labels = self._api.resource("users", "labels")
        held = self._ask(labels.get(userId="me", id=label, fields="messagesTotal")).get("messagesTotal")
        return held if isinstance(held, int) else None

    def _date_of(self, id_: str) -> datetime | None:
        """Costs nothing more for what will be read anyway: it is kept until it is asked for."""
        if id_ not in self._known:
            self._known.update(self._reader.read([id_]))
        return _date(self._known[id_])

    def _ask(self, request: Any) -> Json:
        try:
            return self._api.ask(request)
        except Refused as refused:
            raise fault(refused, self._api.title) from None

    @staticmethod
    def _ids(answer: Json) -> list[str]:
        listed = answer.get("messages")
        entries = (each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict))
        return [id_ for entry in entries if isinstance(id_ := entry.get("id"), str) and id_]


def _after(position: Position, answer: Json, part: Part | None) -> Position:
    """Where to go on: behind the records that were told, since nothing that they tell changes any more; a page of an answer
    may hold more when it is asked for again."""
    if part is not None and part.mark is None:
        return replace(position, skip=part.skip)
    if part is not None:
        return replace(position, mark=str(max(int(position.mark), part.mark or 0)), page=None, skip=0)
    if token := answer.get("nextPageToken"):
        return replace(position, page=str(token), skip=0)
    mark = max(int(position.mark), number(answer.get("historyId")))
    return replace(position, mark=str(mark), page=None, skip=0)


def _date(answer: Answer) -> datetime | None:
    return getattr(answer.data, "received_at", None) if isinstance(answer, Record) else None


def _start(tools: Tools) -> datetime | None:
    """The day before, as with every mail server: what was written on the first day may have come in before it began."""
    if tools.since is None or tools.since.year < _FIRST_YEAR:
        return None
    return datetime.combine(tools.since, time(), ZoneInfo(tools.time_zone)) - timedelta(days=1)
