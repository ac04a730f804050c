from __future__ import annotations

import pytest

from autocapture.formats.domains import organization_domains
from autocapture.formats.subjects import base_subject
from autocapture.model.directory import untagged
from autocapture.normalize.handles import canonical_email


@pytest.mark.parametrize(
    "subject",
    [
        "Offer 7",
        "Re: Offer 7",
        "RE[2]: AW: offer  7",
        "[sales] Re: [sales] Offer 7",
        "Fwd: WG: SV: Antw: Offer 7",
        "回复：Offer 7",
        " re : Offer 7 (fwd)",
        "Re(3): Offer 7",
        "[sales]Offer 7",
    ],
)
def test_marks_of_replies_and_forwards_are_no_part_of_a_subject(subject: str) -> None:
    assert base_subject(subject) == "offer 7"


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Ref 12: Offer", "ref 12: offer"),
        ("Prices: Offer 7", "prices: offer 7"),
        ("[urgent]", "[urgent]"),
        ("Re:", ""),
    ],
)
def test_what_only_looks_like_a_mark_stays(subject: str, base: str) -> None:
    assert base_subject(subject) == base


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("acme.com", ("acme.com",)),
        ("mail.acme.co.uk", ("mail.acme.co.uk", "acme.co.uk")),
        ("gmail.com", ()),
        ("hey.com", ()),
        ("co.uk", ()),
        ("localhost", ()),
        ("shop.github.io", ("shop.github.io",)),
        ("github.io", ()),
    ],
)
def test_an_organisation_is_known_by_its_own_domains_only(domain: str, found: tuple[str, ...]) -> None:
    assert organization_domains(domain) == found


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (" <Anna@Nordwind.Example> ", "anna@nordwind.example"),
        ("mailto:Anna@nordwind.example.", "anna@nordwind.example"),
        ("anna@Bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@-bad-ü.example", "anna@-bad-ü.example"),
        ("Anna", "anna"),
        ("", ""),
    ],
)
def test_an_address_has_one_form(raw: str, canonical: str) -> None:
    assert canonical_email(raw) == canonical
    assert canonical_email(canonical) == canonical


def test_a_tag_is_no_part_of_who_somebody_is() -> None:
    assert untagged("anna+news@x.example") == "anna@x.example"
    assert untagged("+49301234") == "+49301234"
    assert untagged("+news@x.example") == "+news@x.example"
