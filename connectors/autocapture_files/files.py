"""Opening files inside a folder, safely: no links out of it, no devices, no more bytes than needed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from autocapture.formats.mime import HEADER_LIMIT

HEADER_CHUNK = 64 * 1024
WHOLE_LIMIT = 64 << 20
"""Bytes of a message whose text is read; of a larger one only the headers are."""


def storable(name: str) -> str:
    """`name` as text that any database takes: one that is not printable UTF-8 is percent-encoded."""
    return name if name.isprintable() and "%" not in name else quote(os.fsencode(name))


def stored_name(text: str) -> str:
    """The file name that `storable` made `text` of."""
    return os.fsdecode(unquote_to_bytes(text)) if "%" in text else text


def missing_file(path: Path) -> str:
    """Why there is no file at `path`."""
    return "it is a folder" if path.is_dir() else "there is no such file"


def is_inside(path: Path, root: Path) -> bool:
    """Whether `path`, links followed, is a regular file inside `root` (resolved)."""
    try:
        return path.resolve().is_relative_to(root) and stat.S_ISREG(path.stat().st_mode)
    except (OSError, RuntimeError):  # vanished, or a loop of links
        return False


def regular_files(folder: Path, root: Path) -> Iterator[os.DirEntry[str]]:
    """The regular files of `folder`; a link counts only where it leads to a file inside `root`. Raises OSError."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                if is_inside(Path(entry.path), root):
                    yield entry
            elif entry.is_file():
                yield entry


def read_header(path: Path) -> tuple[bytes, int]:
    """The beginning of a message, at least to the end of its header block, and the file's size. Raises OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(HEADER_CHUNK)
        while b"\n\n" not in head and b"\n\r\n" not in head and HEADER_CHUNK <= len(head) <= HEADER_LIMIT:
            more = file.read(len(head))
            if not more:
                break
            head += more
        return head, size


def read_whole(path: Path) -> bytes | None:
    """The whole file, None when it is larger than `WHOLE_LIMIT`. Raises OSError."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > WHOLE_LIMIT:
            return None
        return file.read()
