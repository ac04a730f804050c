"""Weekly series: their dates with the exceptions that real calendars have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from autocapture.testing.world.model import Occurrence, Truth


@dataclass(frozen=True, slots=True)
class Series:
    """`count` weekly dates from `first` on. `out`, `cancelled` and `moved[0]` are places in the series, counted from 0."""

    first: datetime
    count: int
    out: int | None
    moved: tuple[int, timedelta]
    cancelled: int

    @property
    def rule(self) -> str:
        return f"FREQ=WEEKLY;COUNT={self.count}"

    @property
    def excluded(self) -> tuple[datetime, ...]:
        return () if self.out is None else (self.first + timedelta(weeks=self.out),)

    def occurrences(
        self, length: timedelta, truth: Callable[[datetime, bool], Truth]
    ) -> tuple[Occurrence, ...]:
        """The dates that are left; `truth(end, cancelled)` judges each."""
        found: list[Occurrence] = []
        for place in range(self.count):
            if place == self.out:
                continue
            original = self.first + timedelta(weeks=place)
            start = original + self.moved[1] if place == self.moved[0] else original
            cancelled = place == self.cancelled
            found.append(
                Occurrence(original, start, start + length, cancelled, truth(start + length, cancelled))
            )
        return tuple(found)
