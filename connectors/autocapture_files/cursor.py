"""The cursor of one channel, version 1. Only this module knows its form.

``stamp``  what the source's cheap look said before the last listing; None: list again.
``after``  during an enumeration: the last id listed, in order of ids ("" before the first); None once it is finished.
``known``  the listing that the enumeration began with, kept up to date afterwards (versions by id), compressed: what
           appeared and what left can be named without asking anybody. None where it grew beyond `KNOWN_LIMIT`; any
           change then expires the cursor.
``digest`` of that listing, so that such a change is seen at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from autocapture.connector import Cursor
from autocapture.errors import CursorExpired

VERSION = 1

KNOWN_LIMIT = 512 * 1024
"""Characters of `known`: some 30,000 items."""

Versions = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Position:
    """`known` stays packed until somebody asks: pages of an enumeration and idle pulls only pass it on."""

    stamp: str | None
    after: str | None
    known: str | None
    digest: str

    @classmethod
    def of(cls, versions: Versions, *, stamp: str | None, after: str | None = None) -> Position:
        packed = base64.b64encode(zlib.compress(json.dumps(dict(versions)).encode())).decode()
        return cls(stamp, after, packed if len(packed) <= KNOWN_LIMIT else None, digest_of(versions))

    def versions(self) -> Versions | None:
        """The listing, None when it was too large. Raises CursorExpired when it is damaged."""
        if self.known is None:
            return None
        try:
            found = json.loads(zlib.decompress(base64.b64decode(self.known)))
        except (ValueError, RecursionError, zlib.error):
            found = None
        if not isinstance(found, dict):
            raise CursorExpired("the cursor holds a damaged listing")
        return found

    def encode(self) -> Cursor:
        fields = {
            "v": VERSION,
            "stamp": self.stamp,
            "after": self.after,
            "known": self.known,
            "digest": self.digest,
        }
        return json.dumps(fields, separators=(",", ":"))


def decode(cursor: Cursor) -> Position:
    """Raises CursorExpired for any form but this version's."""
    try:
        fields = json.loads(cursor)
        if fields["v"] != VERSION:
            raise ValueError("another version")
        parts = (fields["stamp"], fields["after"], fields["known"])
        if not all(part is None or isinstance(part, str) for part in parts):
            raise ValueError("another form")
        return Position(*parts, str(fields["digest"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CursorExpired("the cursor has an unknown form") from None


def digest_of(versions: Versions) -> str:
    packed = json.dumps(sorted(versions.items())).encode()
    return hashlib.blake2b(packed, digest_size=16).hexdigest()
