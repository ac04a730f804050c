"""Blocks of telephone numbers that begin alike, as organisations have them: ``+3120794xxxx``."""

from __future__ import annotations

from collections.abc import Iterator

OPEN = (4, 3, 2)
"""How many digits at the end may differ within a block, the largest first."""


def block_of(number: str, digits: int) -> str:
    """The block of a number (E.164) in which so many digits at the end differ."""
    return number[:-digits] + "x" * digits


def blocks_of(number: str) -> Iterator[str]:
    """The blocks to which a number may belong, the largest first."""
    for digits in OPEN:
        yield block_of(number, digits)
