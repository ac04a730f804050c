"""Cursors: they survive a restart, and an old or foreign one is expired, whatever it holds."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from autocapture.errors import CursorExpired
from autocapture_microsoft.cursor import Position, decode

LINK = "https://graph.microsoft.com/v1.0/me/calendarView/delta?$deltatoken=x"
POSITION = Position(LINK, True, "2026-08-18", date(2026, 11, 16), datetime(2027, 11, 16, tzinfo=UTC))


@pytest.mark.parametrize("to", [POSITION.to, None])
def test_a_cursor_is_read_as_it_was_written(to: datetime | None) -> None:
    position = Position(LINK, False, "", date(2026, 11, 16), to)
    assert decode(position.encode(), scope="") == position


@pytest.mark.parametrize(
    "changed",
    [
        {"v": 0},
        {"v": 2},
        {"v": "1"},
        {"link": None},
        {"link": 7},
        {"day": "soon"},
        {"day": None},
        {"to": "later"},
        {"to": 7},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"scope": "2026-01-01"},
        {"scope": None},
    ],
)
def test_another_form_or_scope_is_expired(changed: dict[str, object]) -> None:
    written = json.dumps({**json.loads(POSITION.encode()), **changed})
    with pytest.raises(CursorExpired):
        decode(written, scope="2026-08-18")


@pytest.mark.parametrize("missing", ["v", "link", "listed", "scope", "day", "to"])
def test_a_cursor_without_one_of_its_parts_is_expired(missing: str) -> None:
    fields = json.loads(POSITION.encode())
    del fields[missing]
    with pytest.raises(CursorExpired):
        decode(json.dumps(fields), scope="2026-08-18")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"x"', "[" * 100_000])
def test_what_is_no_cursor_is_expired(text: str) -> None:
    with pytest.raises(CursorExpired):
        decode(text, scope="")
