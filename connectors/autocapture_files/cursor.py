"""The cursor of one channel, version 1. Only this module knows its form.

``stamp``  what the source's cheap look said before the last listing; None: list again.
``after``  during an enumeration: the last id listed of `known`, in order; None once it is finished.
``known``  the listing itself (versions by id), compressed: what appeared and what left can be named without asking
           anybody. None where it grew beyond `KNOWN_LIMIT`; any change then expires the cursor.
``digest`` of the listing, so that such a change is seen at all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from autocapture.connector import Cursor
from autocapture.errors import CursorExpired

VERSION = 1

KNOWN_LIMIT = 256 * 1024
"""Characters of `known`: some 15,000 to 20,000 items."""

Versions = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Position:
    stamp: str | None
    after: str | None
    known: Versions | None
    digest: str

    def encode(self) -> Cursor:
        known = None if self.known is None else _pack(self.known)
        if known is not None and len(known) > KNOWN_LIMIT:
            known = None
        fields = {
            "v": VERSION,
            "stamp": self.stamp,
            "after": self.after,
            "known": known,
            "digest": self.digest,
        }
        return json.dumps(fields, separators=(",", ":"))


def decode(cursor: Cursor) -> Position:
    """Raises CursorExpired for any form but this version's."""
    try:
        fields = json.loads(cursor)
        if fields["v"] != VERSION:
            raise ValueError("another version")
        known = None if fields["known"] is None else _unpack(fields["known"])
        return Position(fields["stamp"], fields["after"], known, str(fields["digest"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error, zlib.error):
        raise CursorExpired("the cursor has an unknown form") from None


def digest_of(versions: Versions) -> str:
    packed = json.dumps(sorted(versions.items(), key=lambda item: item[0])).encode()
    return hashlib.blake2b(packed, digest_size=16).hexdigest()


def _pack(versions: Versions) -> str:
    return base64.b64encode(zlib.compress(json.dumps(dict(versions)).encode(), 6)).decode()


def _unpack(packed: str) -> Versions:
    found = json.loads(zlib.decompress(base64.b64decode(packed)))
    if not isinstance(found, dict):
        raise ValueError("not a listing")
    return found
