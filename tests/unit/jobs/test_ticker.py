"""Ticks come at their intervals, whatever the clocks of the place do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from autocapture.service.ticker import every

CHANGES = ("2026-10-25T00:00:00+00:00", "2027-03-28T00:00:00+00:00")
"""An hour before the clocks of Europe are set back, and on."""


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("interval", [timedelta(seconds=5), timedelta(minutes=5), timedelta(days=1)])
def test_a_change_of_the_clocks_neither_doubles_nor_skips_a_tick(change: str, interval: timedelta) -> None:
    trigger, last = every(interval), datetime.fromisoformat(change)
    for _ in range(3 * int(timedelta(hours=1) / interval) + 3):
        following = trigger.get_next_fire_time(last, last + timedelta(milliseconds=1))
        assert following is not None
        assert following.astimezone(UTC) - last == interval
        last = following.astimezone(UTC)
