"""The cursor of a calendar, version 1. Only this module knows its form.

``sync``  the token of what was read last; None during the first listing.
``page``  the token of the next page of the same answer; None where the next question is a new one.
``size``  events of a page. Google wants the same parameters with every token that it gave for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from autocapture.connector import Cursor
from autocapture.errors import CursorExpired

VERSION = 1


@dataclass(frozen=True, slots=True)
class Place:
    sync: str | None
    page: str | None
    size: int

    def encode(self) -> Cursor:
        fields = {"v": VERSION, "sync": self.sync, "page": self.page, "size": self.size}
        return json.dumps(fields, separators=(",", ":"))


def decode(cursor: Cursor) -> Place:
    """Raises CursorExpired for any form but this version's."""
    try:
        fields = json.loads(cursor)
        if fields["v"] != VERSION or not (fields["sync"] or fields["page"]):
            raise ValueError("another form")
        return Place(_token(fields["sync"]), _token(fields["page"]), int(fields["size"]))
    except (ValueError, KeyError, TypeError):
        raise CursorExpired("the calendar's cursor has another form than this release writes") from None


def _token(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("a token is a text")
