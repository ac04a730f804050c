"""Which company somebody belongs to, by their address and by whom they are seen with."""

from __future__ import annotations

import pytest

from autocapture.workflows.company_of_person import Belongs, company_of

ACME, GROUP = 1, 2


@pytest.mark.parametrize(
    ("address", "by_domain", "beside", "belongs"),
    [
        ("anna@acme.example", {}, set(), Belongs(new_domain="acme.example")),
        ("anna@eu.acme.co.uk", {}, set(), Belongs(new_domain="acme.co.uk")),
        ("anna@acme.example", {"acme.example": {ACME: 0}}, set(), Belongs(ACME)),
        ("anna@acme.example", {"acme.example": {ACME: 1, GROUP: 3}}, set(), Belongs(GROUP)),
        ("anna@eu.acme.com", {"acme.com": {ACME: 2}, "eu.acme.com": {GROUP: 1}}, set(), Belongs(GROUP)),
        ("anna@acme.example", {"acme.example": {ACME: 2, GROUP: 2}}, set(), Belongs()),
        ("anna@acme.example", {"acme.example": {ACME: 2, GROUP: 2}}, {ACME}, Belongs(ACME)),
        ("anna@agency.example", {}, {ACME}, Belongs(new_domain="agency.example")),
        ("anna@gmail.com", {}, set(), Belongs()),
        ("anna@gmail.com", {}, {ACME}, Belongs(ACME)),
        ("anna@gmail.com", {}, {ACME, GROUP}, Belongs()),
        ("anna@acme.onmicrosoft.com", {}, set(), Belongs()),
        ("anna@co.uk", {}, set(), Belongs()),
    ],
)
def test_people_belong_where_their_address_says(
    address: str, by_domain: dict[str, dict[int, int]], beside: set[int], belongs: Belongs
) -> None:
    assert company_of(address, by_domain, beside) == belongs


def test_a_domain_that_was_taken_back_is_no_company_again() -> None:
    assert company_of("anna@acme.example", {}, (), {"acme.example"}) == Belongs()
