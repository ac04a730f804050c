"""The median of durations of which some have not ended (Kaplan and Meier 1958, METRICS R17)."""

from __future__ import annotations

from collections.abc import Iterable
from math import isclose

HALF = 0.5


def kaplan_meier_median(durations: Iterable[tuple[int, bool]]) -> int | None:
    """Seconds after which half have ended; None while the curve has not come down to one half.

    `durations` are (seconds, ended); one that has not ended says only that it lasts at least so long. Without such ones this
    is the ordinary median: where the curve stays at exactly one half, the middle of that stretch is taken.
    """
    ordered = sorted(
        (seconds, not ended) for seconds, ended in durations
    )  # an end comes before a cut at the same time
    at_risk, alive = len(ordered), 1.0
    half_since: int | None = None
    for seconds, cut in ordered:
        if not cut:
            if half_since is not None and seconds > half_since:
                return round((half_since + seconds) / 2)
            alive *= (at_risk - 1) / at_risk
            if isclose(alive, HALF, rel_tol=1e-9):
                half_since = seconds
            elif alive < HALF:
                return seconds
        at_risk -= 1
    return half_since
