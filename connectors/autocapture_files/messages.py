"""One stored message to what `get` and `texts` answer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from autocapture.connector import Broken, Record
from autocapture.errors import RecordUnusable
from autocapture.formats.mime import body_text, parse_headers
from autocapture_files.files import read_header, read_whole


def message_record(
    item_id: str, head: bytes, *, size: int, received_at: datetime | None, version: str | None = None
) -> Record | Broken:
    """The record of a message that begins with `head`; Broken for an empty one and for an endless header."""
    if not head.strip():
        return Broken(item_id, "the message is empty", version)
    try:
        return Record(item_id, parse_headers(head, received_at=received_at, size=size), version)
    except RecordUnusable as error:
        return Broken(item_id, str(error), version)


def file_record(
    item_id: str, path: Path, *, received_at: datetime | None, version: str | None = None
) -> Record | Broken | None:
    """The record of the message in `path`; None when the file is no longer there."""
    try:
        head, size = read_header(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Broken(item_id, f"the file cannot be read: {error.strerror}", version)
    return message_record(item_id, head, size=size, received_at=received_at, version=version)


def message_text(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return body_text(raw) or None
    except RecordUnusable:
        return None


def file_text(path: Path) -> str | None:
    """Its plain text; None where there is none, or the file is gone or too large."""
    try:
        return message_text(read_whole(path))
    except OSError:
        return None
