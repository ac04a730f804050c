"""The cursor of one calendar, version 1. Only this module knows its form.

``token``  where the next sync-collection goes on (RFC 6578); None where the server's REPORT is missing or not to be relied on.
``since``  when the server first gave this token, in Unix seconds.
``ctag``   the calendar's mark, asked for before the listing; None where it has none. Compared as text, never ordered.
``sum``    a hash over the listing, ids and versions; None where not all had a version.
``wait``   what was listed and not yet told: an id and its version, an id and null for what is known by reading alone, an id by
           itself for what is gone. Compressed.
``whole``  whether what waits ends in an enumeration of everything.
``more``   whether the server holds back more that comes after `token`.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass

from autocapture.connector import Cursor
from autocapture.errors import CursorExpired

VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource as listed. `version` None: only reading it tells its version, or whether it is an event at all."""

    id: str
    version: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    token: str | None = None
    since: int = 0
    ctag: str | None = None
    sum: str | None = None
    waiting: tuple[Entry, ...] = ()
    whole: bool = False
    more: bool = False

    def encode(self) -> Cursor:
        waiting = [[each.id] if each.gone else [each.id, each.version] for each in self.waiting]
        packed = zlib.compress(json.dumps(waiting).encode(), 6) if waiting else b""
        fields = {
            "v": VERSION, "token": self.token, "since": self.since, "ctag": self.ctag, "sum": self.sum,
            "wait": base64.b64encode(packed).decode(), "whole": self.whole, "more": self.more,
        }  # fmt: skip
        return json.dumps(fields, separators=(",", ":"))


def decode(cursor: Cursor) -> Position:
    """Raises CursorExpired for any form but this version's."""
    try:
        fields = json.loads(cursor)
        if fields["v"] != VERSION:
            raise ValueError("another version")
        packed = base64.b64decode(fields["wait"], validate=True)
        waiting = json.loads(zlib.decompress(packed)) if packed else []
        return Position(
            token=_text_or_none(fields["token"]),
            since=int(fields["since"]),
            ctag=_text_or_none(fields["ctag"]),
            sum=_text_or_none(fields["sum"]),
            waiting=tuple(
                Entry(str(each[0]), _text_or_none(each[1]))
                if len(each) == 2
                else Entry(str(each[0]), gone=True)
                for each in waiting
            ),
            whole=bool(fields["whole"]),
            more=bool(fields["more"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error):
        raise CursorExpired("the cursor has an unknown form") from None


def _text_or_none(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("neither text nor nothing")
    return value
