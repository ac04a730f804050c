"""Meetings of a zone that only their calendar knows: at the right hour, also when they are derived anew from what is stored."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tests.integration.capture.deployment import capture, connect_files, rows

from autocapture.application import Application
from autocapture.model.activities import Activity

# Half an hour beside its neighbours; summer time ends on the third Tuesday of November.
ZONE = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0330
TZOFFSETTO:+0230
RRULE:FREQ=YEARLY;BYDAY=3TU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0230
TZOFFSETTO:+0330
RRULE:FREQ=YEARLY;BYDAY=2FR;BYMONTH=4
END:DAYLIGHT
END:VTIMEZONE
"""
SERIES = """BEGIN:VEVENT
UID:weekly
DTSTART;TZID=Customized Time Zone:20261105T093000
DTEND;TZID=Customized Time Zone:20261105T103000
RRULE:FREQ=WEEKLY;COUNT=4
SUMMARY:Weekly
ORGANIZER:mailto:ruth@ours.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:kim@customer.example
END:VEVENT
"""
MOVED = """BEGIN:VEVENT
UID:weekly
RECURRENCE-ID;TZID=Customized Time Zone:20261119T093000
DTSTART;TZID=Customized Time Zone:20261120T140000
SUMMARY:Moved
ORGANIZER:mailto:ruth@ours.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:kim@customer.example
END:VEVENT
"""


def meetings(app: Application) -> list[str]:
    moments = (row["occurred_at"] for row in rows(app, Activity))
    return sorted(str(moment)[:16] if isinstance(moment, datetime) else moment for moment in moments)


def test_a_series_keeps_its_hour_over_a_change_that_its_calendar_alone_knows(
    either_app: Application, tmp_path: Path
) -> None:
    path = tmp_path / "c.ics"
    path.write_text(f"BEGIN:VCALENDAR\n{ZONE}{SERIES}END:VCALENDAR\n")
    connect_files(either_app, ics=path)
    capture(either_app, 1)
    # 09:30 is 06:00 in UTC until the change on 17 November, and 07:00 from then on.
    expected = ["2026-11-05 06:00", "2026-11-12 06:00", "2026-11-19 07:00", "2026-11-26 07:00"]
    assert meetings(either_app) == expected
    path.write_text(f"BEGIN:VCALENDAR\n{ZONE}{SERIES}{MOVED}END:VCALENDAR\n")
    capture(either_app, 1)
    assert meetings(either_app) == [*expected[:2], "2026-11-20 11:30", expected[3]]
