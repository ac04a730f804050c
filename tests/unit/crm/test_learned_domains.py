"""Which domains belong to a company though the CRM does not say so."""

from __future__ import annotations

import pytest

from autocapture.crm.learned_domains import learned_domains

ACME, OTHER = 1, 2
KNOWN = {"acme.com": {ACME}, "other.com": {OTHER}}


@pytest.mark.parametrize(
    ("written_from", "learned"),
    [
        ([("acme-group.com", ACME, 2)], {"acme-group.com": ACME}),
        ([("eu.acme-group.com", ACME, 1), ("acme-group.com", ACME, 1)], {"acme-group.com": ACME}),
        ([("acme-group.com", ACME, 1)], {}),
        ([("acme.co.uk", ACME, 1)], {"acme.co.uk": ACME}),
        ([("acme.co.uk", OTHER, 1)], {}),
        ([("acme-group.com", ACME, 5), ("acme-group.com", OTHER, 1)], {}),
        ([("gmail.com", ACME, 9), ("co.uk", ACME, 9)], {}),
        ([("mail.other.com", ACME, 9)], {}),
    ],
    ids=[
        "two of its contacts", "below it too", "one may have moved on", "one, under another ending", "under that of another",
        "people of two companies", "free mail and endings", "a domain of another",
    ],
)  # fmt: skip
def test_a_domain_is_learned_from_who_writes_from_there(
    written_from: list[tuple[str, int, int]], learned: dict[str, int]
) -> None:
    assert learned_domains(written_from, KNOWN) == learned
