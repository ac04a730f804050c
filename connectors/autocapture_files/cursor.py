"""The cursor of one channel, version 2. Only this module knows its form.

``stamp``  what the source's cheap look said before the last listing; None: list again.
``after``  during an enumeration: the last id listed, in order of ids ("" before the first); None once it is finished.
``known``  everything the pages up to here have told, and nothing else (versions by id), compressed page by page: what
           appeared and what left can be named without asking anybody. None where it grew beyond `KNOWN_LIMIT`.
``sums``   in its place, what still tells a new item; any other change then expires the cursor.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from autocapture.connector import Cursor
from autocapture.errors import CursorExpired
from autocapture_files.sums import Sums

VERSION = 2

KNOWN_LIMIT = 512 * 1024
"""Characters of `known`: some 30,000 items."""

_SEPARATOR = "."  # of pages; no character of base64

Versions = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Position:
    """`known` and `sums`, one of which is given, stay packed until somebody asks: an idle pull only passes them on, and a
    page of an enumeration adds to them."""

    stamp: str | None
    after: str | None
    known: str | None
    sums: str | None

    @classmethod
    def of(cls, versions: Versions, *, stamp: str | None, after: str | None = None) -> Position:
        return cls(stamp, after, "", None).plus(versions)

    def plus(self, told: Versions) -> Position:
        """With these items, none of which is known yet. Raises CursorExpired when what is known is damaged."""
        if self.known is not None:
            known = _SEPARATOR.join(filter(None, (self.known, _packed(told))))
            if len(known) <= KNOWN_LIMIT:
                return replace(self, known=known)
        known_so_far = self.listing()
        sums = known_so_far if isinstance(known_so_far, Sums) else Sums.of(known_so_far)
        return replace(self, known=None, sums=sums.plus(told.items()).encode())

    def listing(self) -> Versions | Sums:
        """What is known of the items. Raises CursorExpired when it is damaged."""
        found: dict[str, str | None] = {}
        try:
            if self.known is None:
                return Sums.decode(self.sums or "")
            for packed in filter(None, self.known.split(_SEPARATOR)):
                found.update(json.loads(zlib.decompress(base64.b64decode(packed))))
        except (ValueError, TypeError, RecursionError, zlib.error):
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


def _packed(versions: Versions) -> str:
    if not versions:
        return ""
    return base64.b64encode(zlib.compress(json.dumps(dict(versions)).encode())).decode()


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
