"""Maildir and Maildir++ (one directory per message file, one dot-directory per folder). Nothing is renamed or written.

The id of a message is the unique part of its file name, before the colon: it stays when a reader moves the file from
new/ to cur/ or changes flags.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from imapclient.imap_utf7 import decode as decode_utf7

from autocapture.connector import Broken, Channel, Gone, Record, Tools
from autocapture.errors import ChannelGone, SetupError, Unreachable
from autocapture_files.files import regular_files, storable, stored_name
from autocapture_files.folder_names import is_left_out
from autocapture_files.messages import file_record, file_text
from autocapture_files.snapshot import Scope, Snapshot, settled, stamp_of

_INBOX = "INBOX"
_DELIVERED = re.compile(r"(\d{9,10})\.")


@dataclass(frozen=True, slots=True)
class _Listing:
    """Each id's file in one directory, as text, since a mailbox has many; in order of ids. `stamp` is the directory's own,
    None where it was too young to be trusted."""

    stamp: str | None
    files: dict[str, str]


class Maildir:
    """One Maildir with its folders."""

    def __init__(self, path: Path, tools: Tools) -> None:
        self._path = path
        self._clock = tools.clock
        self._scope = Scope.of(tools)
        # Each directory by itself: mail that arrives in new/ is no reason to list all of cur/ again for every page.
        self._listings: dict[Path, _Listing] = {}
        self._located: dict[str, dict[str, str]] = {}

    def channels(self) -> Sequence[Channel]:
        if not (self._path / "cur").is_dir() and not (self._path / "new").is_dir():
            raise SetupError(f"{self._path} is not a Maildir: it has neither cur nor new")
        found = [Channel(f"maildir:{_INBOX}", "email", _INBOX)]
        try:
            names = sorted(entry.name for entry in self._path.iterdir() if entry.name.startswith("."))
        except OSError as error:
            raise SetupError(f"{self._path} cannot be listed: {error.strerror}") from None
        for name in names:
            folder = self._path / name
            shown = _shown(name)
            if (folder / "cur").is_dir() and self._is_inside(folder) and not is_left_out(shown):
                found.append(Channel(f"maildir:{storable(name)}", "email", shown))
        return found

    def stamp(self, channel: Channel) -> str | None:
        try:
            return stamp_of(*self._directories(channel))
        except OSError:
            raise ChannelGone(f"the folder {channel.name} is no longer there") from None

    def snapshot(self, channel: Channel) -> Snapshot:
        listings = self._list(channel)
        trusted = [each.stamp for each in listings if each.stamp is not None]
        stamp = " ".join(trusted) if len(trusted) == len(listings) else None
        return Snapshot(dict.fromkeys(self._located[channel.id]), stamp)

    def read(self, channel: Channel, item_id: str) -> Record | Gone | Broken:
        found = self._record(item_id, self._path_of(channel, item_id))
        if found is None:  # a reader may have moved the file since it was listed
            found = self._record(item_id, self._locate(channel).get(item_id))
        return found or Gone(item_id)

    def text(self, channel: Channel, item_id: str) -> str | None:
        path = self._path_of(channel, item_id)
        if path is None or not Path(path).exists():
            path = self._locate(channel).get(item_id)
        return file_text(Path(path)) if path else None

    def _record(self, item_id: str, path: str | None) -> Record | Broken | None:
        return file_record(item_id, Path(path), received_at=_received_at(Path(path))) if path else None

    def _path_of(self, channel: Channel, item_id: str) -> str | None:
        """The file by the last listing, by a new one where there was none."""
        located = self._located.get(channel.id)
        return (self._locate(channel) if located is None else located).get(item_id)

    def _locate(self, channel: Channel) -> dict[str, str]:
        """Each id's file now."""
        self._list(channel)
        return self._located[channel.id]

    def _list(self, channel: Channel) -> list[_Listing]:
        """The directories of a folder as they are now; only one that changed is listed again."""
        try:
            # new before cur: a message that a reader moves meanwhile is seen twice at worst, never missed.
            listings = [self._listing(directory) for directory in self._directories(channel)]
        except FileNotFoundError:
            raise ChannelGone(f"the folder {channel.name} is no longer there") from None
        except OSError as error:
            raise Unreachable(f"the folder {channel.name} cannot be listed: {error.strerror}") from None
        self._located[channel.id] = {
            item_id: path for each in listings for item_id, path in each.files.items()
        }
        return listings

    def _listing(self, directory: Path) -> _Listing:
        stamp = stamp_of(directory)
        known = self._listings.get(directory)
        if known is not None and known.stamp == stamp:
            return known
        trusted = stamp if settled(self._clock, directory) else None
        root = self._path.resolve()
        found = sorted(
            (storable(entry.name.partition(":")[0]), entry.path)
            for entry in regular_files(directory, root)
            if not entry.name.startswith(".") and self._scope.holds(_delivered_at(entry.name))
        )
        listing = self._listings[directory] = _Listing(trusted, dict(found))
        return listing

    def _directories(self, channel: Channel) -> list[Path]:
        name = stored_name(channel.id.removeprefix("maildir:"))
        folder = self._path if name == _INBOX else self._path / name
        if (name != _INBOX and not name.startswith(".")) or not self._is_inside(folder):
            raise ChannelGone(f"the folder {channel.name} is no longer there")
        return [each for each in (folder / "new", folder / "cur") if each.is_dir()] or [folder / "cur"]

    def _is_inside(self, folder: Path) -> bool:
        return folder.resolve().is_relative_to(self._path.resolve())


def _shown(directory: str) -> str:
    """`.Gesendete Objekte.2026` as people see it: "Gesendete Objekte/2026" (modified UTF-7, RFC 3501, 5.1.3)."""
    try:
        name = str(decode_utf7(storable(directory).encode()))
    except (ValueError, UnicodeError):
        name = storable(directory)
    return name.removeprefix(".").replace(".", "/")


def _received_at(path: Path) -> datetime | None:
    """When the message was delivered: the time that begins its name, else the file's."""
    try:
        return _delivered_at(path.name) or datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _delivered_at(name: str) -> datetime | None:
    delivered = _DELIVERED.match(name)
    return datetime.fromtimestamp(int(delivered[1]), UTC) if delivered else None
