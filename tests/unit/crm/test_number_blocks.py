"""Which numbers that the CRM does not have lie among those of one company."""

from __future__ import annotations

from autocapture.crm.number_blocks import Shared, number_blocks

NORD = 1


def test_lines_of_a_place_that_begin_alike_and_are_of_one_company_are_its_block() -> None:
    assert number_blocks([Shared(4, "+31207947001", 2, 1, NORD)]) == {"+3120794xxxx": NORD}


def test_of_blocks_in_each_other_the_largest_is_kept() -> None:
    shared = [Shared(digits, "+31207947001", 2, 1, NORD) for digits in (2, 3, 4)]
    assert number_blocks(shared) == {"+3120794xxxx": NORD}


def test_a_smaller_block_is_learned_where_the_larger_one_has_others() -> None:
    shared = [Shared(4, "+31207947001", 3, 2, NORD), Shared(2, "+31207947001", 2, 1, NORD)]
    assert number_blocks(shared) == {"+312079470xx": NORD}


def test_mobile_numbers_and_those_of_no_company_are_no_block() -> None:
    assert number_blocks([Shared(2, "+31612345678", 2, 1, NORD)]) == {}
    assert number_blocks([Shared(2, "+12125550101", 2, 1, NORD)]) == {}
    assert number_blocks([Shared(2, "+31207947001", 2, 1, None)]) == {}
