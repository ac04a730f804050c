"""Blocks of telephone numbers that belong to one company: lines of its switchboard, of which the CRM has some. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from autocapture.formats.number_blocks import block_of, blocks_of
from autocapture.formats.phone import is_line_of_a_place

_NUMBERS = 2


class Shared(NamedTuple):
    """Numbers that differ in their last `digits` alone: one of them, how many there are, of how many companies (whoever belongs
    to none is one), and one of these."""

    digits: int
    number: str
    numbers: int
    companies: int
    company_id: int | None


def number_blocks(shared: Iterable[Shared]) -> dict[str, int]:
    """The company of each block: where several numbers that the CRM has begin alike, on lines of a place, and all are of one
    company. Numbers that may be mobile ones are anybody's. Of blocks in each other the largest."""
    found: dict[str, int] = {}
    for each in sorted(shared, key=lambda one: (-one.digits, one.number)):
        if each.numbers < _NUMBERS or each.companies != 1 or each.company_id is None:
            continue
        if is_line_of_a_place(each.number) and found.keys().isdisjoint(blocks_of(each.number)):
            found[block_of(each.number, each.digits)] = each.company_id
    return found
