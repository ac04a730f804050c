"""A mail store with folders and growing UIDs, as IMAP has them: the family of cursors without a change feed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autocapture.connector import Broken, Channel, Gone, Page, Record, Ref
from autocapture.errors import ChannelGone, CursorExpired
from autocapture.records import EmailRecord
from autocapture.testing.fakes.source import MemoryConnector, Source, email
from autocapture.testing.source_world import SourceWorld


@dataclass(slots=True)
class Folder:
    """Messages by UID. A rebuild gives new UIDs under a new validity."""

    validity: int = 1
    next_uid: int = 1
    messages: dict[int, int] = field(default_factory=dict)

    def append(self, number: int) -> None:
        self.messages[self.next_uid] = number
        self.next_uid += 1

    def rebuild(self) -> None:
        numbers = list(self.messages.values())
        self.validity, self.next_uid, self.messages = self.validity + 1, 1, {}
        for number in numbers:
            self.append(number)


class UidSource(Source):
    """`compose` writes what a message says, by its number."""

    def __init__(self, folders: int, compose: Callable[[int], EmailRecord] = email) -> None:
        super().__init__()
        self.compose = compose
        self.folders = {f"folder{index}": Folder() for index in range(folders)}
        self.unreadable: set[int] = set()


class UidConnection:
    """The cursor is (validity, top uid looked at, how many were listed up to it, the scan's position)."""

    def __init__(self, source: UidSource) -> None:
        self.source = source

    def channels(self) -> Sequence[Channel]:
        self.source.request()
        return [Channel(name, "email", name) for name in self.source.folders]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        folder = self._folder(channel)
        if cursor is None:
            validity, top = folder.validity, folder.next_uid - 1
            self.source.step()
            return self._scan(folder, validity=validity, top=top, listed=0, above=0, limit=limit)
        state = _decode(cursor)
        if state["uv"] != folder.validity or folder.next_uid <= state["top"]:
            raise CursorExpired("the folder was rebuilt")
        if state["scan"] is not None:
            return self._scan(
                folder,
                validity=state["uv"],
                top=state["top"],
                listed=state["n"],
                above=state["scan"],
                limit=limit,
            )
        return self._news(folder, top=state["top"], listed=state["n"], cursor=cursor, limit=limit)

    def _folder(self, channel: Channel) -> Folder:
        self.source.request()
        try:
            return self.source.folders[channel.id]
        except KeyError:
            raise ChannelGone(channel.name) from None

    def _scan(self, folder: Folder, *, validity: int, top: int, listed: int, above: int, limit: int) -> Page:
        """The next uids of an enumeration. `top` was read before the first of them was listed."""
        uids = [uid for uid in sorted(folder.messages) if above < uid <= top]
        page = uids[:limit]
        more = len(uids) > limit
        self.source.step()
        return Page(
            [Ref(f"{validity}/{uid}") for uid in page],
            _encode(validity, top, listed + len(page), page[-1] if more else None),
            more=more,
            complete=not more,
        )

    def _news(self, folder: Folder, *, top: int, listed: int, cursor: str, limit: int) -> Page:
        validity = (
            folder.validity
        )  # as at the SELECT: a rebuild while we list must not lend its number to old uids
        present = sum(uid <= top for uid in folder.messages)
        if present < listed:
            raise CursorExpired("messages left the folder")
        new_top = folder.next_uid - 1
        uids = [uid for uid in sorted(folder.messages) if top < uid <= new_top]
        if not uids:
            return Page([], cursor if new_top == top else _encode(validity, new_top, listed, None))
        page = uids[:limit]
        self.source.step()
        reached = page[-1] if len(uids) > limit else new_top
        return Page(
            [Ref(f"{validity}/{uid}") for uid in page],
            _encode(validity, reached, listed + len(page), None),
            more=len(uids) > limit,
        )

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        folder = self._folder(channel)
        return [self._read(folder, source_id) for source_id in ids]

    def _read(self, folder: Folder, source_id: str) -> Record | Gone | Broken:
        validity, _, uid = source_id.partition("/")
        number = folder.messages.get(int(uid)) if int(validity) == folder.validity else None
        if number is None:
            return Gone(source_id)
        if number in self.source.unreadable:
            return Broken(source_id, "unreadable on purpose")
        return Record(source_id, self.source.compose(number))


def _encode(validity: int, top: int, listed: int, scan: int | None) -> str:
    return json.dumps({"v": 1, "uv": validity, "top": top, "n": listed, "scan": scan})


def _decode(cursor: str) -> dict[str, int]:
    try:
        state = json.loads(cursor)
        if state["v"] != 1:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise CursorExpired("a cursor of another form") from None
    return state  # type: ignore[no-any-return]


class UidWorld(SourceWorld):
    can = frozenset({"remove", "move", "expire", "poison"})
    channel_count = 2
    idle_requests = 2

    def __init__(
        self, directory: Path | None = None, connection: type[UidConnection] = UidConnection
    ) -> None:
        self.source = UidSource(self.channel_count)
        self.connector = MemoryConnector("uids", frozenset({"email"}), lambda: connection(self.source))
        self.options = {}

    def _folder(self, channel: int) -> Folder:
        return self.source.folders[f"folder{channel}"]

    def _pop(self, number: int) -> None:
        for folder in self.source.folders.values():
            for uid in [uid for uid, held in folder.messages.items() if held == number]:
                del folder.messages[uid]

    def add(self, number: int, channel: int) -> None:
        self._folder(channel).append(number)

    def remove(self, number: int) -> None:
        self._pop(number)

    def move(self, number: int, channel: int) -> None:
        self._pop(number)
        self._folder(channel).append(number)

    def expire(self) -> None:
        for folder in self.source.folders.values():
            folder.rebuild()

    def poison(self, number: int) -> None:
        """Makes an item unreadable that has not been read; one that was read stays read, so it is replaced by a new copy."""
        self.source.unreadable.add(number)
        for folder in self.source.folders.values():
            if number in folder.messages.values():
                self.move(number, int(next(n for n, f in self.source.folders.items() if f is folder)[6:]))
                return

    def heal(self, number: int) -> None:
        self.source.unreadable.discard(number)

    def truth(self) -> list[Counter[str]]:
        return [
            Counter(f"item {n}" for n in folder.messages.values() if n not in self.source.unreadable)
            for folder in self.source.folders.values()
        ]

    def unreadable(self) -> list[int]:
        return [
            sum(n in self.source.unreadable for n in folder.messages.values())
            for folder in self.source.folders.values()
        ]

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        self.source.on_step(act, nth)

    def requests(self) -> int:
        return self.source.requests
