"""Meetings whose calendars, or whose copies, go away: before they were to begin they are off, afterwards they stay held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.capture.deployment import capture, connect_files, deploy, rows

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.activities import Activity
from autocapture.workflows.meetings import settle_meetings

WEEKLY = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
UID:weekly@ours.example
DTSTAMP:20261101T080000Z
CREATED:20261101T080000Z
DTSTART:20261102T090000Z
DTEND:20261102T100000Z
RRULE:FREQ=WEEKLY;COUNT=4
SUMMARY:Weekly
ORGANIZER:mailto:ruth@ours.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:kim@customer.example
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")
EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 5, 12, tzinfo=UTC))


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock) -> Iterator[Application]:
    app = deploy(tmp_path / "home", clock=clock)
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "work.ics").write_text(WEEKLY)
    (tmp_path / "calendars" / "other.ics").write_text(EMPTY)
    connect_files(app, ics=tmp_path / "calendars")
    capture(app, 1)
    yield app
    app.engine.dispose()


def _statuses(app: Application) -> list[str]:
    return [row["status"] for row in sorted(rows(app, Activity), key=lambda row: row["occurred_at"])]


def _event_deleted(calendars: Path) -> None:
    (calendars / "work.ics").write_text(EMPTY)


def _calendar_deleted(calendars: Path) -> None:
    (calendars / "work.ics").unlink()


@pytest.mark.parametrize("leave", [_event_deleted, _calendar_deleted])
def test_what_left_before_it_began_is_cancelled_and_stays_so(
    app: Application, clock: FixedClock, tmp_path: Path, leave: Callable[[Path], None]
) -> None:
    assert _statuses(app) == ["held", "planned", "planned", "planned"]
    leave(tmp_path / "calendars")
    clock.advance(timedelta(hours=1))
    capture(app, 1)
    assert _statuses(app) == ["held", *["cancelled_by_us"] * 3]
    for _ in range(3):
        clock.advance(timedelta(days=7))
        capture(app, 1)
        settle_meetings(app, whole_calendar=True)
        assert _statuses(app) == ["held", *["cancelled_by_us"] * 3]


@pytest.mark.parametrize("leave", [_event_deleted, _calendar_deleted])
def test_what_returns_is_planned_again(
    app: Application, clock: FixedClock, tmp_path: Path, leave: Callable[[Path], None]
) -> None:
    before = [row["id"] for row in rows(app, Activity)]
    leave(tmp_path / "calendars")
    clock.advance(timedelta(hours=1))
    capture(app, 1)
    (tmp_path / "calendars" / "work.ics").write_text(WEEKLY)
    clock.advance(timedelta(hours=1))
    capture(app, 1)
    assert _statuses(app) == ["held", "planned", "planned", "planned"]
    assert [row["id"] for row in rows(app, Activity)] == before
