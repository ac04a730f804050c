"""Whether an account gets far fewer items than it is used to. Pure.

What came within 24 hours is compared with the same 24 hours of the week in the eight weeks before, so that night, weekday and
weekend are part of the habit. Counts vary more than chance alone (a negative binomial distribution); how much is
taken from those weeks, but never for less than `_SIZE` says, which eight numbers cannot disprove.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, variance

WEEKS = 8
LEAST_WEEKS = 6
UNLIKELY = 1e-4
_SIZE = 8.0
_EVERYBODY = 0.5
_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Volume:
    """`before` holds the counts of the same hours a week, two weeks, ... ago, without those on holidays."""

    now: int
    before: tuple[int, ...]

    @property
    def usual(self) -> float:
        return fmean(self.before) if self.before else 0.0


def chance(volume: Volume) -> float:
    """How likely so few items are by this habit; 1 where there is too little of it."""
    if len(volume.before) < LEAST_WEEKS or volume.usual <= 0:
        return 1.0
    mean, spread = volume.usual, variance(volume.before)
    size = min(_SIZE, mean * mean / (spread - mean)) if spread > mean else _SIZE
    return _at_most(volume.now, mean, size)


def _at_most(count: int, mean: float, size: float) -> float:
    """P(X <= count) of a negative binomial distribution with this mean and variance mean + mean²/size."""
    if count >= mean:
        return 1.0
    kept, gone = math.log(size / (size + mean)), math.log(mean / (size + mean))
    return math.fsum(
        math.exp(math.lgamma(size + k) - math.lgamma(size) - math.lgamma(k + 1) + size * kept + k * gone)
        for k in range(count + 1)
    )


def far_below(volumes: Mapping[int, Volume]) -> set[int]:
    """The accounts that get far fewer items than they are used to, while the others do not: in the week after Christmas, or
    while the company is away, everybody gets few."""
    ratios = {key: one.now / one.usual for key, one in volumes.items() if one.usual > 0}
    return {
        key
        for key, one in volumes.items()
        if chance(one) < UNLIKELY
        and not _everybody_is_quiet([ratio for other, ratio in ratios.items() if other != key])
    }


def _everybody_is_quiet(others: Sequence[float]) -> bool:
    return len(others) >= _OTHERS and median(others) < _EVERYBODY
