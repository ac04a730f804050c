"""A folder of .eml files, sub-folders included. A changed file is a new version.

An id is a hash of the path below the folder: mail programs name such files after their subjects, and of a mail that is not
captured nothing of what it says may be kept. ``printf %s 'sub-folder/name.eml' | b2sum -l 80`` tells a file's id.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from autocapture.connector import Broken, Channel, Gone, Record
from autocapture.errors import ChannelGone, SetupError, Unreachable
from autocapture_files.files import is_inside, regular_files
from autocapture_files.messages import file_record, file_text
from autocapture_files.snapshot import Snapshot, fingerprint

_CHANNEL = "eml"
_DEPTH_LIMIT = 32


class MessageFolder:
    """Files named *.eml below one folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listed: dict[str, str] = {}  # each id's path below the folder, as text: a folder has many

    def channels(self) -> Sequence[Channel]:
        if not self._path.is_dir():
            raise SetupError(f"{self._path} is not a folder")
        return [Channel(_CHANNEL, "email", self._path.name)]

    def stamp(self, channel: Channel) -> str | None:
        """None: a folder's own time says nothing about its files' content, so every file is looked at."""
        return None

    def snapshot(self, channel: Channel) -> Snapshot:
        found: dict[str, str] = {}
        try:
            self._collect(self._path, found, _DEPTH_LIMIT)
        except FileNotFoundError:
            if not self._path.is_dir():
                raise ChannelGone(f"{self._path} is no longer there") from None
            raise Unreachable("the folder changed while it was listed") from None
        except OSError as error:
            raise Unreachable(f"{self._path} cannot be listed: {error.strerror}") from None
        self._listed = {fingerprint(os.fsencode(path)): path for path in found}
        return Snapshot({item_id: found[path] for item_id, path in self._listed.items()}, None)

    def read(self, channel: Channel, item_id: str) -> Record | Gone | Broken:
        path = self._locate(channel, item_id)
        if path is None:
            return Gone(item_id)
        try:
            version = _version(path.stat())
        except OSError:
            return Gone(item_id)
        return file_record(item_id, path, received_at=None, version=version) or Gone(item_id)

    def text(self, channel: Channel, item_id: str) -> str | None:
        path = self._locate(channel, item_id)
        return file_text(path) if path else None

    def _locate(self, channel: Channel, item_id: str) -> Path | None:
        """The file of the last listing, of a new one where that does not hold it."""
        if item_id not in self._listed:
            self.snapshot(channel)
        path = self._path / self._listed.get(item_id, "")
        return path if is_inside(path, self._path.resolve()) else None

    def _collect(self, folder: Path, found: dict[str, str], depth: int) -> None:
        """The version of each file, by its path below the folder."""
        for entry in regular_files(folder, self._path.resolve()):
            if entry.name.lower().endswith(".eml"):
                found[Path(entry.path).relative_to(self._path).as_posix()] = _version(entry.stat())
        if depth == 0:
            return
        with os.scandir(folder) as entries:
            below = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
        for path in below:
            self._collect(Path(path), found, depth - 1)


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns}.{status.st_size}"
