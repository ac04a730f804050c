"""How far a share that was counted may lie from the true one."""

from __future__ import annotations

from math import sqrt

_Z = 1.959964
"""The quantile of the normal distribution that leaves 2.5 % on either side."""


def wilson(right: float, of: int) -> tuple[float, float] | None:
    """Wilson's interval of `right` of `of`, which holds the true share in 95 of 100 cases (Wilson 1927); None of nothing."""
    if not of:
        return None
    share, z2 = right / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)
