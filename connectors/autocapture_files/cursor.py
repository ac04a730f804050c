"""The cursor of one channel, version 1. Only this module knows its form.

``stamp``  what the source's cheap look said before the last listing; None: list again.
``after``  during an enumeration: the last id listed, in order of ids ("" before the first); None once it is finished.
``known``  the listing that the enumeration began with, kept up to date afterwards (versions by id), compressed: what
           appeared and what left can be named without asking anybody. None where it grew beyond `KNOWN_LIMIT`.
``sums``   in its place, what still tells a new item; any other change then expires the cursor.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from autocapture.connector import Cursor
from autocapture.errors import CursorExpired
from autocapture_files.sums import Sums

VERSION = 1

KNOWN_LIMIT = 512 * 1024
"""Characters of `known`: some 30,000 items."""

Versions = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Position:
    """`known` and `sums`, one of which is given, stay packed until somebody asks: pages of an enumeration and idle pulls
    only pass them on."""

    stamp: str | None
    after: str | None
    known: str | None
    sums: str | None

    @classmethod
    def of(cls, versions: Versions, *, stamp: str | None, after: str | None = None) -> Position:
        packed = base64.b64encode(zlib.compress(json.dumps(dict(versions)).encode())).decode()
        if len(packed) <= KNOWN_LIMIT:
            return cls(stamp, after, packed, None)
        return cls(stamp, after, None, Sums.of(versions).encode())

    def listing(self) -> Versions | Sums:
        """What is known of the items. Raises CursorExpired when it is damaged."""
        try:
            if self.known is None:
                return Sums.decode(self.sums or "")
            found = json.loads(zlib.decompress(base64.b64decode(self.known)))
            if not isinstance(found, dict):
                raise ValueError("not a listing")
        except (ValueError, RecursionError, zlib.error):
            raise CursorExpired("the cursor holds a damaged listing") from None
        return found

    def encode(self) -> Cursor:
        fields = {
            "v": VERSION,
            "stamp": self.stamp,
            "after": self.after,
            "known": self.known,
            "sums": self.sums,
        }
        return json.dumps(fields, separators=(",", ":"))


def decode(cursor: Cursor) -> Position:
    """Raises CursorExpired for any form but this version's."""
    try:
        fields = json.loads(cursor)
        if fields["v"] != VERSION:
            raise ValueError("another version")
        parts = [fields[name] for name in ("stamp", "after", "known", "sums")]
        if not all(part is None or isinstance(part, str) for part in parts):
            raise ValueError("another form")
        return Position(*parts)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CursorExpired("the cursor has an unknown form") from None
