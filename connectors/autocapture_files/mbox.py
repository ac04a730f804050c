"""An mbox file (RFC 4155 and its older forms: a line "From " begins each message).

Positions shift when a mail program deletes a message in the middle, so the id of a message is made of its content; of
identical ones the order tells them apart.
"""

from __future__ import annotations

import email.utils
import mmap
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autocapture.connector import Broken, Channel, Gone, Record, Tools
from autocapture.errors import ChannelGone, SetupError, Unreachable
from autocapture_files.files import WHOLE_LIMIT, missing_file
from autocapture_files.messages import message_record, message_text
from autocapture_files.snapshot import Scope, Snapshot, fingerprint, settled, stamp_of, twin

_CHANNEL = "mbox"
_SEPARATOR = re.compile(rb"^From [^\n]*\d:\d\d[^\n]*\n", re.MULTILINE)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_HEAD = 1 << 21
_WHOLE_AFTER = timedelta(seconds=60)
"""A last message without its closing empty line may still be being written; after this time it is taken as it is."""


@dataclass(frozen=True, slots=True)
class _Place:
    begins: int
    ends: int
    received_at: datetime | None


class Mbox:
    """One mbox file."""

    def __init__(self, path: Path, tools: Tools) -> None:
        self._path = path
        self._clock = tools.clock
        self._scope = Scope.of(tools)
        self._indexed: tuple[str, dict[str, _Place]] | None = None

    def channels(self) -> Sequence[Channel]:
        if not self._path.is_file():
            raise SetupError(f"{self._path} is not an mbox file: {missing_file(self._path)}")
        try:
            with self._path.open("rb") as file:
                begins = file.read(5)
        except OSError as error:
            raise SetupError(f"{self._path} cannot be read: {error.strerror}") from None
        if begins not in (b"", b"From "):
            raise SetupError(f"{self._path} is not an mbox file: it does not begin with a From line")
        return [Channel(_CHANNEL, "email", self._path.name)]

    def stamp(self, channel: Channel) -> str | None:
        try:
            return stamp_of(self._path)
        except OSError:
            raise ChannelGone(f"{self._path} is no longer there") from None

    def snapshot(self, channel: Channel) -> Snapshot:
        stamp = self.stamp(channel)
        places, whole = self._index(stamp or "")
        trusted = whole and settled(self._clock, self._path)
        held = (item_id for item_id, place in places.items() if self._scope.holds(place.received_at))
        return Snapshot(dict.fromkeys(held), stamp if trusted else None)

    def read(self, channel: Channel, item_id: str) -> Record | Gone | Broken:
        raw, place = self._cut(channel, item_id, _HEAD)
        if place is None:
            return Gone(item_id)
        return message_record(item_id, raw, size=place.ends - place.begins, received_at=place.received_at)

    def text(self, channel: Channel, item_id: str) -> str | None:
        raw, place = self._cut(channel, item_id, WHOLE_LIMIT)
        return (
            message_text(_QUOTED.sub(rb"\1", raw))
            if place and place.ends - place.begins <= WHOLE_LIMIT
            else None
        )

    def _cut(self, channel: Channel, item_id: str, length: int) -> tuple[bytes, _Place | None]:
        stamp = self.stamp(channel) or ""
        places, _ = self._index(stamp)
        place = places.get(item_id)
        if place is None:
            return b"", None
        try:
            with self._path.open("rb") as file:
                file.seek(place.begins)
                raw = file.read(min(length, place.ends - place.begins))
            self._check_unchanged(stamp)
            return raw, place
        except OSError as error:
            raise Unreachable(f"{self._path} cannot be read: {error.strerror}") from None

    def _index(self, stamp: str) -> tuple[dict[str, _Place], bool]:
        """Where each message lies, and whether the last one was whole. Kept while the file stays as it is."""
        if self._indexed is not None and self._indexed[0] == stamp:
            return self._indexed[1], True
        places: dict[str, _Place] = {}
        seen: dict[str, int] = {}
        try:
            whole = self._is_whole()
            found = list(self._places())
            with self._path.open("rb") as file:
                for place in found if whole else found[:-1]:
                    file.seek(place.begins)
                    content = file.read(place.ends - place.begins).rstrip(b"\r\n")
                    places[twin(fingerprint(content), seen)] = place
            self._check_unchanged(stamp)
        except FileNotFoundError:
            raise ChannelGone(f"{self._path} is no longer there") from None
        except OSError as error:
            raise Unreachable(f"{self._path} cannot be read: {error.strerror}") from None
        self._indexed = (stamp, places) if whole else None
        return places, whole

    def _check_unchanged(self, stamp: str) -> None:
        """Positions mean nothing once somebody wrote. Raises Unreachable, OSError."""
        if stamp_of(self._path) != stamp:
            raise Unreachable(f"{self._path} changed while it was read")

    def _is_whole(self) -> bool:
        status = self._path.stat()
        if self._clock.now() - datetime.fromtimestamp(status.st_mtime, UTC) > _WHOLE_AFTER:
            return True
        with self._path.open("rb") as file:
            file.seek(max(0, status.st_size - 4))
            return file.read(4).endswith((b"\n\n", b"\n\r\n")) or status.st_size == 0

    def _places(self) -> Iterator[_Place]:
        """Every message between two separators; a "From " line counts only after an empty line, as writers quote others."""
        if self._path.stat().st_size == 0:
            return
        with self._path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            previous: re.Match[bytes] | None = None
            for match in _SEPARATOR.finditer(data):
                begins = match.start()
                if (
                    begins
                    and data[max(0, begins - 2) : begins] != b"\n\n"
                    and data[begins - 3 : begins] != b"\n\r\n"
                ):
                    continue
                if previous is not None:
                    yield _Place(previous.end(), begins, _received_at(previous[0]))
                previous = match
            if previous is not None:
                yield _Place(previous.end(), len(data), _received_at(previous[0]))


def _received_at(separator: bytes) -> datetime | None:
    """The time in ``From sender Mon Nov 16 09:12:33 2026``, UTC by RFC 4155."""
    written = separator[5:200].decode("latin-1").strip().partition(" ")[2]
    found = email.utils.parsedate_tz(written)
    try:
        return datetime(*found[:6], tzinfo=UTC) if found else None
    except ValueError:
        return None
