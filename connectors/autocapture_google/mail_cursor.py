"""The cursor of a mailbox, version 1. Only this module knows its form.

``id``    the history id up to which all changes are known; while pages of one answer are followed, the id that was asked with.
``page``  the token of the next page of that answer; None where the next question is a new one.
``skip``  how much of the first record after that was told already: it alone told of more messages than could be read at once.
``list``  during an enumeration: the token of the next page of the listing, "" for its first one; None once it is finished.

The mark is read before anything is listed, and it moves on during an enumeration too: a cursor is always both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from autocapture.connector import Cursor
from autocapture.errors import CursorExpired

VERSION = 1


@dataclass(frozen=True, slots=True)
class Position:
    mark: str
    page: str | None = None
    skip: int = 0
    listing: str | None = None

    def encode(self) -> Cursor:
        fields = {"v": VERSION, "id": self.mark, "page": self.page, "skip": self.skip, "list": self.listing}
        return json.dumps(fields, separators=(",", ":"))


def decode(cursor: Cursor) -> Position:
    """Raises CursorExpired for any form but this version's."""
    try:
        fields = json.loads(cursor)
        if fields["v"] != VERSION:
            raise ValueError("another version")
        return Position(
            mark=str(int(fields["id"])),
            page=_token(fields["page"]),
            skip=int(fields["skip"]),
            listing=_token(fields["list"]),
        )
    except (ValueError, KeyError, TypeError):
        raise CursorExpired("the mailbox's cursor has another form than this release writes") from None


def _token(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("a token is a text")
