"""The cursors of mail folders, calendars and call logs, version 1. Only this module knows their form.

``link``   the link that the last answer gave to go on from, whole; None at the start of a listing
``listed`` whether the listing of everything is done: the link then leads to changes
``scope``  what was asked for: a cursor made for another scope is an expired one
``day``    when the link was given
``to``     of a calendar, until when its view reaches
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime

from autocapture.connector import Cursor
from autocapture.errors import CursorExpired

VERSION = 1


@dataclass(frozen=True, slots=True)
class Position:
    link: str
    listed: bool
    scope: str
    day: date
    to: datetime | None = None

    def encode(self) -> Cursor:
        to = None if self.to is None else self.to.isoformat()
        fields = {
            "v": VERSION,
            "link": self.link,
            "listed": self.listed,
            "scope": self.scope,
            "day": self.day.isoformat(),
        }
        return json.dumps({**fields, "to": to}, separators=(",", ":"))


def decode(cursor: Cursor, *, scope: str) -> Position:
    """Raises CursorExpired for any form but this version's, and for another scope."""
    try:
        fields = json.loads(cursor)
        if fields["v"] != VERSION or not isinstance(fields["link"], str):
            raise ValueError("another version")
        to = None if fields["to"] is None else datetime.fromisoformat(fields["to"]).astimezone(UTC)
        day = date.fromisoformat(fields["day"])
        position = Position(fields["link"], bool(fields["listed"]), str(fields["scope"]), day, to)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise CursorExpired("the cursor has an unknown form") from None
    if position.scope != scope:
        raise CursorExpired("the account's scope has changed")
    return position
