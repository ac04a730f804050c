"""The cursor of one mail folder, version 1. Only this module knows its form.

``uv``    UIDVALIDITY, under which all UIDs below were given.
``top``   highest UID looked at: UIDNEXT - 1 of the EXAMINE that preceded the listing.
``n``     messages with a UID up to `top` that the folder held at that same moment, out-of-scope ones included. A UID is
          never given twice, so while the folder still holds `n`, nothing that was listed has left.
``scan``  during an enumeration: the highest UID not yet listed (newest first); None once it is finished.
``seen``  the UIDs listed so far, as ranges: what is gone can be named without asking the engine. None where the ranges
          grew beyond `SEEN_LIMIT`; a departure then expires the cursor instead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from autocapture.connector import Cursor
from autocapture.errors import CursorExpired
from autocapture_imap.uids import Ranges, format_ranges, parse_ranges

VERSION = 1

SEEN_LIMIT = 65_536
"""Bytes of `seen`: some 5,000 gaps."""


@dataclass(frozen=True, slots=True)
class Position:
    uid_validity: int
    top: int
    count: int
    scan: int | None
    seen: Ranges | None

    def encode(self) -> Cursor:
        seen = None if self.seen is None else format_ranges(self.seen)
        if seen is not None and len(seen) > SEEN_LIMIT:
            seen = None
        fields = {"v": VERSION, "uv": self.uid_validity, "top": self.top, "n": self.count}
        return json.dumps({**fields, "scan": self.scan, "seen": seen}, separators=(",", ":"))


def decode(cursor: Cursor) -> Position:
    """Raises CursorExpired for any form but this version's."""
    try:
        fields = json.loads(cursor)
        if fields["v"] != VERSION:
            raise ValueError("another version")
        return Position(
            uid_validity=int(fields["uv"]),
            top=int(fields["top"]),
            count=int(fields["n"]),
            scan=None if fields["scan"] is None else int(fields["scan"]),
            seen=None if fields["seen"] is None else parse_ranges(fields["seen"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CursorExpired("the cursor has an unknown form") from None
