"""The contract of a connector, over one IMAP session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from autocapture.connector import Broken, Channel, Count, Cursor, Gone, Page, Record, Tools
from autocapture.errors import RateLimited, RecordUnusable, Unreachable
from autocapture.formats.mime import HEADER_FIELDS, parse_headers
from autocapture_imap.counting import by_year
from autocapture_imap.cursor import decode
from autocapture_imap.faults import passing
from autocapture_imap.fetching import Refusal, Value, fetch, internal_date, number
from autocapture_imap.folders import Choice, choose
from autocapture_imap.listing import Numbers
from autocapture_imap.pulling import Scope, check_same_folder, first_position, is_unchanged, next_page
from autocapture_imap.session import Session
from autocapture_imap.texts import read_texts
from autocapture_imap.uids import format_ranges, item_id, members, parse_item_id, pieces, ranges_of
from autocapture_imap.waiting import wait_for_news

_AT_ONCE = 2_000
_FRESH_FOR = 60.0  # seconds that the numbers of a LIST stand for the folder

_SECTION = b"BODY[HEADER.FIELDS"
_FIELDS = f"[HEADER.FIELDS ({' '.join(HEADER_FIELDS).upper()})]"
_HEADERS = f"BODY.PEEK{_FIELDS}"
_AS_ASKED = f"BODY{_FIELDS}".encode()

Answer = Record | Gone | Broken


class ImapConnection:
    """One account's mail folders. A channel's id is the folder's name as it travels, in modified UTF-7; an item's id is
    `UIDVALIDITY/UID`. In scope is what the server received from the day before `tools.since` on: IMAP's SINCE goes by
    INTERNALDATE and the server's calendar day, and the rep's day may begin in it. Gmail's drafts, which lie among all mail
    there, are not."""

    def __init__(self, session: Session, tools: Tools) -> None:
        self._session = session
        self._tools = tools
        self._not_drafts: tuple[str, ...] = ("UNDRAFT",) if session.offers("X-GM-EXT-1") else ()
        self._scope: Scope = self._not_drafts + (("SINCE", _day_before(tools.since)) if tools.since else ())
        self._foreign: list[str] | None = None
        self._listed: dict[str, Numbers] = {}
        self._listed_at = 0.0
        self._pulled: dict[str, Numbers] = {}

    def channels(self) -> Sequence[Channel]:
        """The folders to capture, the inbox first. One request; where the server can tell the folders' numbers in the
        same answer, an unchanged folder's next `pull` costs none."""
        return [
            Channel(id=folder.name, kind="email", name=folder.display_name)
            for folder in self._choice().captured
        ]

    def left_out(self) -> dict[str, str]:
        return {folder.display_name: why for folder, why in self._choice().left_out}

    def _choice(self) -> Choice:
        if self._foreign is None:
            self._foreign = self._session.foreign_prefixes()
        listed, self._listed = self._session.list_folders()
        self._listed_at = self._tools.clock.monotonic()
        return choose(listed, self._foreign)

    def pull(self, channel: Channel, cursor: Cursor | None, *, limit: int) -> Page:
        position = None if cursor is None else decode(cursor)
        if position is not None and cursor is not None and position.scan is None:
            numbers = self._cheap_numbers(channel.id)
            if is_unchanged(position, numbers):
                self._pulled[channel.id] = numbers
                return Page((), cursor)
        numbers = self._session.examine(channel.id)
        self._pulled[channel.id] = numbers
        if position is not None:
            check_same_folder(position, numbers)
        elif numbers.uid_validity is None:
            raise Unreachable(
                "the IMAP server gives the folder no UIDVALIDITY, so its messages cannot be told apart"
            )
        else:
            position = first_position(numbers.uid_validity, numbers)
        return next_page(self._session, position, numbers, limit=limit, scope=self._scope)

    def _cheap_numbers(self, folder: str) -> Numbers:
        """The folder's numbers from the last LIST, once; else from one request of their own."""
        listed = self._listed.pop(folder, None)
        if listed is not None and self._tools.clock.monotonic() - self._listed_at < _FRESH_FOR:
            return listed
        if self._session.selected is not None and self._session.selected[0] == folder:
            return self._session.examine(folder)  # STATUS of the open folder may be stale (RFC 3501, 6.3.10)
        return self._session.status(folder)

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Answer]:
        """Headers, date and size of each message; its text is never read."""
        uid_validity, uids = self._open(channel, ids)
        answers: dict[str, Answer] = {}
        for part in pieces(ranges_of(uids), _AT_ONCE):
            answers.update((answer.id, answer) for answer in self._read(uid_validity, list(members(part))))
        return [answers.get(id_) or Gone(id_) for id_ in dict.fromkeys(ids)]

    def texts(self, channel: Channel, ids: Sequence[str]) -> dict[str, str]:
        uid_validity, uids = self._open(channel, ids)
        return {
            item_id(uid_validity, uid): text for uid, text in read_texts(self._session.wire, uids).items()
        }

    def count(self, channel: Channel) -> Count:
        """Whatever its age: who asks has yet to say since when it is to be captured. A question a year."""
        numbers = self._session.examine(channel.id)
        years = by_year(self._session, numbers.messages, self._tools.clock.now().year, self._not_drafts)
        return Count(channel, numbers.messages, years)

    def newest(self, channel: Channel) -> datetime | None:
        """When the message that came last was received (INTERNALDATE): two requests."""
        numbers = self._session.examine(channel.id)
        if not numbers.messages or numbers.top < 1:
            return None
        since = self._tools.since
        for answer in list(fetch(self._session.wire, "*", "(UID INTERNALDATE FLAGS)")):
            received = None if isinstance(answer, Refusal) else internal_date(answer.get(b"INTERNALDATE"))
            if isinstance(answer, Refusal) or received is None:
                continue
            flags = answer.get(b"FLAGS")
            is_draft = "UNDRAFT" in self._scope and isinstance(flags, list) and b"\\Draft" in flags
            return None if is_draft or (since is not None and received.date() < since) else received
        return None

    def wait(self, channel: Channel, timeout: timedelta) -> bool:
        """By IDLE (RFC 2177); a server without it is asked once when the time is over."""
        before = self._pulled.get(channel.id)
        now = self._session.examine(channel.id)
        if before is not None and (before.top, before.messages) != (now.top, now.messages):
            return True
        return wait_for_news(self._session.wire, now.messages, timeout, idle=self._session.offers("IDLE"))

    def _open(self, channel: Channel, ids: Sequence[str]) -> tuple[int, list[int]]:
        """Opens the folder if it is not open as it was when the ids were listed, which another session may have done; its
        UIDVALIDITY and the UIDs of those ids that are valid under it. Messages that came after it was opened need not be
        told of by then (RFC 3501, 5.2)."""
        parsed = [each for each in map(parse_item_id, ids) if each is not None]
        selected = self._session.selected
        if selected is not None and selected[0] == channel.id and _covers(selected[1], parsed):
            numbers = selected[1]
        else:
            numbers = self._session.examine(channel.id)
        validity = numbers.uid_validity or 0
        return validity, [uid for uid_validity, uid in parsed if validity and uid_validity == validity]

    def _items(self) -> str:
        thread = " X-GM-THRID" if self._session.offers("X-GM-EXT-1") else ""
        if not thread and self._session.offers("OBJECTID"):
            thread = " THREADID"
        return f"(UID INTERNALDATE RFC822.SIZE{thread} {_HEADERS})"

    def _read(self, uid_validity: int, uids: list[int]) -> Iterator[Answer]:
        """One command for all; where the server refuses it, for halves, until the refused message stands alone.

        Dovecot gives NIL for the header of a message that another session has just removed, and OK after it: those are
        asked for once more, and what is still there without a header is broken. Whoever stays unanswered is gone.
        """
        waiting = [uids]
        suspect: set[int] = set()
        while waiting:
            asked = waiting.pop()
            found, headless, refusal = self._fetch(uid_validity, asked)
            yield from found.values()
            missing = [uid for uid in asked if uid not in found]
            broken = headless & suspect
            if refusal is not None and not _says_expunged(refusal) and missing:
                _raise_passing(refusal, nothing_read=len(missing) == len(uids) > 1)
                middle = len(missing) // 2
                waiting += [part for part in (missing[:middle], missing[middle:]) if part and len(asked) > 1]
                broken |= set(missing) if len(asked) == 1 else set()
            elif headless - suspect:
                waiting.append(sorted(headless - suspect))
            suspect |= headless
            for uid in sorted(broken):
                yield Broken(item_id(uid_validity, uid), "the IMAP server does not give its header")

    def _fetch(
        self, uid_validity: int, asked: list[int]
    ) -> tuple[dict[int, Record | Broken], set[int], Refusal | None]:
        """Answers by UID, UIDs answered without a header, and how the command was refused. Each header is parsed as it
        comes, so that few are held at a time."""
        wanted = set(asked)
        found: dict[int, Record | Broken] = {}
        headless: set[int] = set()
        refusal: Refusal | None = None
        for answer in fetch(self._session.wire, format_ranges(ranges_of(asked)), self._items()):
            if isinstance(answer, Refusal):
                refusal = answer
            elif (name := _header_name(answer)) and (uid := number(answer.get(b"UID"))) in wanted:
                raw = answer[name]
                if isinstance(raw, bytes):
                    found[uid] = _record(item_id(uid_validity, uid), raw, answer)
                else:
                    headless.add(uid)
        return found, headless - found.keys(), refusal


def _covers(numbers: Numbers, ids: Sequence[tuple[int, int]]) -> bool:
    return all(validity == numbers.uid_validity and uid <= numbers.top for validity, uid in ids)


def _day_before(day: date) -> date:
    return date.fromordinal(max(day.toordinal() - 1, 1))


def _header_name(answer: dict[bytes, Value]) -> bytes | None:
    """None for an answer that nobody asked for: one without the header section. Servers may write its fields otherwise than
    they were asked."""
    if _AS_ASKED in answer:
        return _AS_ASKED
    for name in reversed(answer):  # it is asked for last, and most servers answer in that order
        if name.startswith(_SECTION):
            return name
    return None


def _record(id_: str, raw: bytes, answer: Mapping[bytes, Value]) -> Record | Broken:
    try:
        data = parse_headers(
            raw,
            received_at=internal_date(answer.get(b"INTERNALDATE")),
            size=number(answer.get(b"RFC822.SIZE")),
            provider_thread=_thread(answer),
        )
    except RecordUnusable as unusable:
        return Broken(id_, str(unusable))
    return Record(id_, data)


def _thread(answer: Mapping[bytes, Value]) -> str | None:
    """X-GM-THRID is a number, THREADID a list of one id or NIL (RFC 8474)."""
    value = answer.get(b"X-GM-THRID") or answer.get(b"THREADID")
    if isinstance(value, list):
        value = value[0] if value else None
    return value.decode("ascii", "replace") if isinstance(value, bytes) else None


def _says_expunged(refusal: Refusal) -> bool:
    """`Some of the requested messages no longer exist` ends a FETCH that otherwise succeeded (RFC 2180, 4.1.2)."""
    return "EXPUNGEISSUED" in refusal or "no longer exist" in refusal.lower()


def _raise_passing(refusal: Refusal, *, nothing_read: bool) -> None:
    """A server that asks for less, or reads none of several, is left alone; one that refuses some is asked further. A
    message refused alone is broken, not the server: quarantine asks for it again later."""
    fault = passing(refusal)
    if fault is not None and (nothing_read or isinstance(fault, RateLimited)):
        raise fault
