"""A weekly summary is due from Monday 07:00 in its managers' zone, whatever the clock change did."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autocapture.workflows.weekly import due_week


@pytest.mark.parametrize(
    ("now", "zone", "week"),
    [
        (datetime(2026, 11, 16, 6, 59, tzinfo=UTC), "UTC", None),
        (datetime(2026, 11, 16, 7, 0, tzinfo=UTC), "UTC", "2026-W46"),
        (datetime(2026, 11, 16, 5, 59, tzinfo=UTC), "Europe/Berlin", None),
        (datetime(2026, 11, 16, 6, 0, tzinfo=UTC), "Europe/Berlin", "2026-W46"),
        (datetime(2026, 11, 15, 22, 0, tzinfo=UTC), "Asia/Tokyo", "2026-W46"),
        (datetime(2026, 11, 16, 11, 0, tzinfo=UTC), "America/New_York", None),
        (datetime(2026, 11, 22, 23, 59, tzinfo=UTC), "UTC", "2026-W46"),
        (datetime(2027, 1, 4, 7, 0, tzinfo=UTC), "UTC", "2026-W53"),
        (datetime(2026, 3, 30, 5, 0, tzinfo=UTC), "Europe/Berlin", "2026-W13"),
        (datetime(2026, 10, 26, 5, 59, tzinfo=UTC), "Europe/Berlin", None),
    ],
)
def test_the_week_that_ended_is_due_from_monday_morning(now: datetime, zone: str, week: str | None) -> None:
    assert due_week(now, [zone]) == week


def test_a_team_of_managers_in_two_zones_is_told_when_it_is_morning_for_both() -> None:
    zones = ["Europe/Berlin", "America/New_York"]
    assert due_week(datetime(2026, 11, 16, 7, 0, tzinfo=UTC), zones) is None
    assert due_week(datetime(2026, 11, 16, 12, 0, tzinfo=UTC), zones) == "2026-W46"
