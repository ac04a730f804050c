"""The hard cases of matching by name, each as people tell it. Those of single rules are in `test_match` and `test_locks`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.cast import NOON, ORGANIZATION
from tests.unit.match.scenes import (
    ANNA,
    CARL,
    DAY,
    NORDWIND,
    OLGA,
    OTHER,
    SUBSIDIARY,
    alone,
    chosen,
    deal,
    deals,
    directory,
    draft,
    links,
    thread,
    written,
)

from autocapture.model.directory import Directory, KnownContact

OFFER = "Atlas Core"
ASKED = draft(subject=f"Quote {OFFER}")


def test_one_deal() -> None:
    assert deals(alone(ASKED, directory(deal(1, NORDWIND, ANNA, name=OFFER)))) == {1: 1.0}


def test_closed_5_days_ago() -> None:
    closed = deal(1, NORDWIND, ANNA, name=OFFER, closed=NOON - 5 * DAY)
    assert deals(alone(ASKED, directory(closed))) == {1: 1.0}


def test_closed_20_days_ago() -> None:
    closed = deal(1, NORDWIND, ANNA, name=OFFER, closed=NOON - 20 * DAY)
    assert deals(alone(ASKED, directory(closed))) == {}


def test_opens_10_days_later() -> None:
    later = deal(1, NORDWIND, ANNA, name=OFFER, created=NOON + 10 * DAY)
    assert deals(alone(ASKED, directory(later))) == {1: 1.0}


def test_two_deals_two_owners() -> None:
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas"), deal(2, NORDWIND, ANNA, name="Boreal", owner=2))
    assert deals(alone(draft(), known)) == {1: 1.0}
    assert deals(alone(draft(to="sam@ours.example"), known)) == {2: 1.0}


def test_two_deals_same_owner_different_contacts() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, CARL))
    carls = draft("carl@nordwind.example")
    assert deals(alone(carls, known, text="Thursday suits me.")) == {2: 1.0}
    assert alone(carls, known).review is not None, "what is not read may name the other one"


def test_same_owner_same_contact_different_product_words() -> None:
    first = deal(1, NORDWIND, ANNA, name="Nordwind Q2", products=("Atlas Core",))
    second = deal(2, NORDWIND, ANNA, name="Nordwind Q3", products=("Boreal Scan",))
    assert deals(alone(draft(subject="Dates for Boreal Scan"), directory(first, second))) == {2: 1.0}


def test_same_everything_must_abstain() -> None:
    twins = [deal(number, NORDWIND, ANNA, name=OFFER, products=(OFFER,)) for number in (1, 2)]
    found = alone(ASKED, directory(*twins))
    assert deals(found) == {}
    assert found.review is not None


def test_renewal_beside_new_business() -> None:
    bought = deal(1, NORDWIND, ANNA, name=OFFER, closed=NOON - 300 * DAY)
    renewal = deal(2, NORDWIND, ANNA, name=f"{OFFER} renewal")
    new = deal(3, NORDWIND, ANNA, name="Boreal Scan")
    known = directory(bought, renewal, new)
    assert deals(alone(draft(subject=f"Renewal of {OFFER}"), known)) == {2: 1.0}
    assert deals(alone(draft(subject="Boreal Scan: open points"), known)) == {3: 1.0}


def test_a_subsidiary_on_its_parents_domain() -> None:
    known = directory(
        deal(1, NORDWIND, CARL),
        deal(2, SUBSIDIARY, ANNA),
        contacts={
            "anna@nordwind.example": (KnownContact(ANNA, SUBSIDIARY, "Anna"),),
            "carl@nordwind.example": (KnownContact(CARL, NORDWIND, "Carl"),),
        },
    )
    found = alone(draft(), known)
    assert (links(found, "company"), deals(found)) == ({SUBSIDIARY: "contact"}, {2: 1.0})


def test_an_address_below_the_known_domain_is_the_same_person() -> None:
    known = directory(deal(1, NORDWIND, ANNA))
    found = alone(draft("Anna <anna@eu.nordwind.example>"), known)
    assert {party.contact_id for party in found.parties if party.role == "from"} == {ANNA}
    other = alone(draft("Annabel <anna@eu.nordwind.example>"), known)
    assert {party.contact_id for party in other.parties} == {None}


def test_a_consultant_on_free_mail_whose_company_the_crm_does_not_name_stands_for_that_of_their_deal() -> (
    None
):
    free = {"kim@gmail.com": (KnownContact(OLGA, None, "Kim"),)}
    found = alone(draft("kim@gmail.com"), directory(deal(1, NORDWIND, OLGA), contacts=free))
    assert (links(found, "company"), deals(found)) == ({NORDWIND: "role"}, {1: 1.0})


def test_a_buyer_who_changed_employer_stood_for_the_old_one_under_the_old_address() -> None:
    moved: dict[str, tuple[KnownContact, ...]] = {
        "anna@nordwind.example": (KnownContact(ANNA, OTHER, "Anna", moved=True),),
        "anna@other.example": (KnownContact(ANNA, OTHER, "Anna"),),
    }
    known = directory(deal(1, NORDWIND, ANNA), contacts=moved)
    assert links(alone(draft("anna@nordwind.example"), known), "company") == {NORDWIND: "domain"}
    assert links(alone(draft("anna@other.example"), known), "company").keys() >= {OTHER}


def test_a_blind_copy_to_two_customers_is_about_no_deal() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, OTHER, OLGA))
    news = draft("ruth@ours.example", to="", bcc="anna@nordwind.example, olga@other.example", subject="News")
    assert deals(alone(news, known)) == {}


def test_a_forward_to_a_colleague_is_among_ourselves() -> None:
    inside = draft("ruth@ours.example", to="sam@ours.example", subject=f"Fwd: {OFFER}")
    assert alone(inside, directory(deal(1, NORDWIND, ANNA, name=OFFER))).links == ()


def test_a_late_contact_and_a_late_deal_are_matched_as_of_then() -> None:
    before = directory(contacts={})
    assert links(alone(ASKED, before), "company") == {NORDWIND: "domain"}
    entered = directory(deal(1, NORDWIND, ANNA, name=OFFER, created=NOON + 12 * DAY))
    assert deals(alone(ASKED, entered)) == {1: 1.0}


@pytest.mark.parametrize(
    "subject", ["Invoice 4711", "Rechnung 4711", "Factuur 4711", "Schulungstermine", "Ticket 9"]
)
def test_a_bill_or_a_ticket_is_no_sale(subject: str) -> None:
    known = directory(deal(1, NORDWIND, ANNA, name=OFFER))
    assert deals(alone(draft(subject=subject), known)) == {}
    assert deals(alone(draft(subject=f"{subject} {OFFER}"), known)) == {1: 1.0}, "unless it names the deal"


def test_a_product_that_no_deal_has_is_no_sale_of_theirs() -> None:
    known = directory(
        deal(1, NORDWIND, ANNA, name=OFFER), products={"boreal": (frozenset({"boreal", "scan"}),)}
    )
    assert deals(alone(draft(subject="Introduction of Boreal Scan"), known)) == {}


def test_what_is_quoted_names_nothing() -> None:
    """The reader of texts hands over what the writer wrote: a thread about another deal stays out of it."""
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas Core"), deal(2, NORDWIND, ANNA, name="Boreal Scan"))
    first = written(1, subject="Hello", text="Our offer for Atlas Core.")
    answer = written(2, subject="Re: Hello", text="Fine with me.")
    assert chosen(thread(known, first, answer)) == [[1], [1]]


def test_a_rep_is_replaced_by_a_colleague() -> None:
    known = directory(deal(1, NORDWIND, ANNA, name=OFFER))
    assert deals(alone(draft(to="sam@ours.example", subject=OFFER), known)) == {1: 1.0}


def test_who_declined_does_not_take_part() -> None:
    """Sam's deal is not meant where Sam declined and Ruth went."""
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, ANNA, owner=2))
    both = draft(to="ruth@ours.example, sam@ours.example")
    assert deals(alone(both, known)) == {}
    declined = tuple(
        each if each.user_id != 2 else type(each)(each.role, each.address, response="declined", user_id=2)
        for each in both.parties
    )
    made = type(both)(**{**{name: getattr(both, name) for name in both.__slots__}, "parties": declined})
    assert deals(alone(made, known)) == {1: 1.0}


def test_nothing_is_said_of_an_organisation_without_a_crm() -> None:
    assert alone(ASKED, Directory(ORGANIZATION)).links == ()


def test_a_deal_that_a_thread_outlives_by_weeks_is_not_put_down_to_the_next_one() -> None:
    old = deal(1, NORDWIND, ANNA, name="Atlas Core", closed=NOON + 2 * DAY)
    new = deal(2, NORDWIND, ANNA, name="Boreal Scan", created=NOON + timedelta(days=20))
    found = thread(
        directory(old, new), written(1, subject="Atlas Core"), written(2, days=25, subject="Re: Atlas Core")
    )
    assert chosen(found) == [[1], []]
