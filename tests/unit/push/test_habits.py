"""Habits: what is far below them is told, and quiet days are not."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from autocapture.measure.worktime import holidays_of
from autocapture.workflows.habits import UNLIKELY, Volume, chance, far_below

WEEKDAYS = (1.0, 1.1, 1.05, 1.0, 0.8, 0.06, 0.04)


def _count(rng: random.Random, mean: float, size: float) -> int:
    """A negative binomial number: as counts of mail vary, which is more than chance alone."""
    rate = rng.gammavariate(size, mean / size)
    count, product, limit = 0, rng.random(), 2.718281828459045 ** -min(rate, 500.0)
    while product > limit and rate < 500:
        count, product = count + 1, product * rng.random()
    return count if rate < 500 else round(rng.gauss(rate, rate**0.5))


def _year(rng: random.Random, first: date, days: int) -> list[int]:
    """A mailbox's days: its own mean and variation, weekends, holidays, a quiet week after Christmas, two weeks away."""
    mean, size = rng.choice([3.0, 8.0, 20.0, 45.0, 90.0]), rng.choice([4.0, 8.0, 20.0])
    known = holidays_of("de-DE")
    away = first + timedelta(days=rng.randrange(days))
    counts = []
    for number in range(days):
        day = first + timedelta(days=number)
        level = mean * WEEKDAYS[day.weekday()]
        level *= 0.08 if day in known else 0.2 if (day.month, day.day) >= (12, 27) else 1.0
        level *= 0.6 if away <= day < away + timedelta(days=14) else 1.0
        counts.append(_count(rng, level, size) if level > 0 else 0)
    return counts


def _volume(counts: list[int], at: int, first: date) -> Volume:
    known = holidays_of("de-DE")
    before = [at - 7 * week for week in range(1, 9)]
    kept = [counts[one] for one in before if one >= 0 and first + timedelta(days=one) not in known]
    return Volume(counts[at], tuple(kept))


def test_weekends_holidays_and_holidays_taken_raise_hardly_ever_a_false_alarm() -> None:
    """A hundred mailboxes for a year: less than one false alarm in thirty mailbox-years."""
    rng, first, known = random.Random(7), date(2025, 10, 1), holidays_of("de-DE")
    years = [_year(rng, first, 365 + 60) for _ in range(100)]
    false = 0
    for at in range(60, 425):
        if first + timedelta(days=at) not in known:
            false += len(far_below({key: _volume(counts, at, first) for key, counts in enumerate(years)}))
    print(f"{false} false alarms in 100 mailbox-years")
    assert false <= 3


def test_a_mailbox_that_falls_silent_is_told_within_a_working_day() -> None:
    rng, first = random.Random(8), date(2026, 1, 5)
    found = 0
    for _ in range(50):
        counts = [_count(rng, 45 * WEEKDAYS[number % 7], 8.0) for number in range(70)]
        others = {key: Volume(40, (40,) * 8) for key in range(1, 5)}
        counts[64] = 0  # a Wednesday
        found += 0 in far_below({0: _volume(counts, 64, first), **others})
    assert found >= 48


@pytest.mark.parametrize(
    "volume",
    [
        Volume(0, ()),
        Volume(0, (0,) * 8),
        Volume(0, (50,) * 5),  # too few weeks
        Volume(0, (3,) * 8),  # too little mail
        Volume(1, (2, 1, 0, 1, 2, 1, 0, 1)),  # a weekend
        Volume(30, (50, 40, 60, 45, 55, 50, 48, 52)),
        Volume(60, (50,) * 8),
        Volume(0, (0, 0, 0, 400, 0, 0, 0, 0)),  # one mailing is no habit
    ],
)
def test_too_little_to_judge_by_is_no_alarm(volume: Volume) -> None:
    assert chance(volume) >= UNLIKELY
    assert far_below({1: volume}) == set()


def test_when_everybody_is_quiet_nobody_is_told_of() -> None:
    silent = Volume(0, (50,) * 8)
    quiet = {key: Volume(10, (50,) * 8) for key in range(2, 6)}
    busy = {key: Volume(49, (50,) * 8) for key in range(2, 6)}
    assert far_below({1: silent, **quiet}) == set()
    assert far_below({1: silent, **busy}) == {1}
    assert far_below({1: silent}) == {1}
