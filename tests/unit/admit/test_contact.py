"""Who becomes a contact by themselves: what speaks against an address, and which thresholds are met."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.cast import ORGANIZATION

from autocapture.admit.contact import OBSTACLES, judge, obstacle_of
from autocapture.admit.exclusions import Exclusions
from autocapture.model.created import Stranger
from autocapture.settings import ContactsSettings

NOW = datetime(2026, 11, 2, tzinfo=UTC)
ANNA = "anna@nordwind.example"


def _seen(mailed: int = 0, ours: int = 0, theirs: int = 0, met: int = 0) -> Stranger:
    return Stranger(ANNA, 9, 9, 9, mailed, ours, theirs, met, NOW, NOW)


@pytest.mark.parametrize(
    ("address", "obstacle"),
    [
        ("anna@nordwind.example", None),
        ("jobst@nordwind.example", None),
        ("anna.sales@nordwind.example", None),
        ("lists@nordwind.example", None),
        ("info@nordwind.example", "role"),
        ("sales+web@nordwind.example", "role"),
        ("sales-emea@nordwind.example", "role"),
        ("kundenservice2@nordwind.example", "role"),
        ("mailer-daemon@nordwind.example", "machine"),
        ("do-not-reply@nordwind.example", "machine"),
        ("reply+ab12@reply.github.com", "machine"),
        ("c_188f0a1b2c3d4e5f60718293@group.calendar.google.com", "machine"),
        ("7f3b2a10-9c4d-4e55-8a61-0b1c2d3e4f50@shop.example", "machine"),
        ("team@groups.io", "list"),
        ("anna-discuss@nordwind.example", "list"),
        ("dev@listserv.uni.example", "list"),
        ("sam@ours.example", "own"),
        ("anybody@sub.ours.example", "own"),
        ("anna@clinic.example", "excluded"),
        ("+49301234567", "number"),
    ],
)
def test_an_address_says_who_is_behind_it(address: str, obstacle: str | None) -> None:
    excluded = Exclusions(domains=frozenset({"clinic.example"}))
    assert obstacle_of(address, ORGANIZATION, excluded) == obstacle
    assert obstacle is None or obstacle in OBSTACLES


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (_seen(), None),
        (_seen(mailed=1, ours=1), "sent_to"),
        (_seen(theirs=9), None),
        (_seen(ours=9), None),
        (_seen(ours=1, theirs=1), "two_way"),
        (_seen(met=1), "met"),
    ],
)
def test_the_first_threshold_that_is_met_is_the_reason(seen: Stranger, reason: str | None) -> None:
    assert judge(seen, ContactsSettings()).reason == reason
    assert judge(seen, ContactsSettings(sent_to=0, two_way=0, met=0)).obstacle == "too_little"


def test_thresholds_ask_for_as_many_as_they_say() -> None:
    asking = ContactsSettings(sent_to=3, two_way=4, met=2)
    assert judge(_seen(mailed=2, ours=2, theirs=1, met=1), asking).reason is None
    assert judge(_seen(mailed=2, ours=2, theirs=2), asking).reason == "two_way"
    assert judge(_seen(mailed=3), asking).count == 3


def test_a_single_mail_to_somebody_on_free_mail_who_is_seen_with_no_company_creates_no_contact() -> None:
    once = replace(_seen(mailed=1, ours=1), address="lars.berg@gmail.com")
    assert judge(once, ContactsSettings(), is_alone=True).reason is None
    assert judge(replace(once, theirs=1), ContactsSettings(), is_alone=True).reason == "two_way"
    assert judge(replace(once, mailed=2), ContactsSettings(), is_alone=True).reason == "sent_to"
    assert judge(replace(once, mailed=2), ContactsSettings(sent_to=0), is_alone=True).reason is None
    assert judge(once, ContactsSettings()).reason == "sent_to"
    assert judge(replace(once, address=ANNA), ContactsSettings(), is_alone=True).reason == "sent_to"
