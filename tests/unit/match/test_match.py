from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cast import NOON, ORGANIZATION, RUTH, mail

from autocapture.match import match
from autocapture.model.columns import stable_id
from autocapture.model.directory import Directory, KnownContact, KnownDeal, Precedent
from autocapture.model.draft import Draft, Matched
from autocapture.normalize.email import draft_email

NORDWIND, SUBSIDIARY, PARTNER, OTHER = 10, 11, 12, 13
ANNA, CARL, PAUL, OLGA = 100, 101, 102, 103
THREAD, SERIES = 900, 901
DAY = timedelta(days=1)


def deal(
    deal_id: int,
    company: int | None = NORDWIND,
    *contacts: int,
    created: datetime = NOON - 100 * DAY,
    closed: datetime | None = None,
) -> KnownDeal:
    return KnownDeal(
        deal_id, company, 1, created, closed, "won" if closed else "open", f"D{deal_id}", frozenset(contacts)
    )


def directory(*deals: KnownDeal, **given: Any) -> Directory:
    contacts = {
        "anna@nordwind.example": (KnownContact(ANNA, NORDWIND, "Anna"),),
        "carl@nordwind.example": (KnownContact(CARL, NORDWIND, "Carl"),),
        "carl.consultant@gmail.com": (KnownContact(CARL, NORDWIND, "Carl"),),
        "paul@partner.example": (KnownContact(PAUL, PARTNER, "Paul"),),
        "olga@other.example": (KnownContact(OLGA, OTHER, "Olga"),),
        "+49309876543": (KnownContact(ANNA, NORDWIND, "Anna"),),
    }
    given.setdefault("contacts", contacts)
    given.setdefault(
        "companies",
        {
            "nordwind.example": (NORDWIND,),
            "nordwind.co.uk": (NORDWIND,),
            "partner.example": (PARTNER,),
            "other.example": (OTHER,),
            "gmail.com": (OTHER,),
        },
    )
    return Directory(
        ORGANIZATION,
        company_names={
            NORDWIND: "Nordwind AG",
            SUBSIDIARY: "Nordwind Ltd",
            PARTNER: "Partner",
            OTHER: "Other Inc",
        },
        partners=frozenset({PARTNER}),
        deals={each.deal_id: each for each in deals},
        **given,
    )


def draft(sender: str = "anna@nordwind.example", **given: Any) -> Draft:
    return draft_email(mail(sender, **given), RUTH, ORGANIZATION, level="subject")


def links(matched: Matched, target: str) -> dict[int, str]:
    return {link.target_id: link.method for link in matched.links if link.target == target}


def outcome(matched: Matched) -> tuple[dict[int, str], dict[int, str], str | None]:
    return links(matched, "company"), links(matched, "deal"), matched.review


def precedent(
    deals: tuple[tuple[int, float], ...] = ((1, 1.0),),
    companies: tuple[int, ...] = (NORDWIND,),
    *,
    at: datetime = NOON - DAY,
    handles: tuple[str, ...] = ("anna@nordwind.example",),
    subject: str | None = "The offer",
    activity: int = 5000,
) -> Precedent:
    return Precedent(activity, at, deals, companies, frozenset(handles), subject)


def test_the_only_live_deal_of_the_company_is_taken() -> None:
    found = match(draft(), directory(deal(1)), None, None)
    assert outcome(found) == ({NORDWIND: "contact"}, {1: "only_live_deal"}, None)
    assert [link.weight for link in found.links if link.target == "deal"] == [1.0]
    assert {party.contact_id for party in found.parties if party.role == "from"} == {ANNA}


def test_without_a_deal_the_company_stays() -> None:
    assert outcome(match(draft(), directory(), None, None)) == ({NORDWIND: "contact"}, {}, None)


@pytest.mark.parametrize(
    ("created", "closed", "live"),
    [
        (-100, -5, True),
        (-100, -14, True),
        (-100, -20, False),
        (10, None, True),
        (14, None, True),
        (15, None, False),
    ],
)
def test_a_deal_is_live_with_two_weeks_of_grace_at_both_ends(
    created: int, closed: int | None, live: bool
) -> None:
    known = deal(1, created=NOON + created * DAY, closed=None if closed is None else NOON + closed * DAY)
    assert links(match(draft(), directory(known), None, None), "deal") == (
        {1: "only_live_deal"} if live else {}
    )


def test_several_live_deals_are_a_question() -> None:
    companies, deals, review = outcome(
        match(draft(), directory(deal(1), deal(2), deal(3), deal(4)), None, None)
    )
    assert (companies, deals) == ({NORDWIND: "contact"}, {})
    assert review == "4 live deals of Nordwind AG: D1, D2, D3 and 1 more"


def test_of_two_deals_the_one_on_which_a_participant_has_a_role_is_taken() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, CARL))
    assert links(match(draft(), known, None, None), "deal") == {1: "contact_role"}
    assert links(match(draft("carl@nordwind.example"), known, None, None), "deal") == {2: "contact_role"}
    both = match(draft(cc="carl@nordwind.example"), known, None, None)
    assert outcome(both) == ({NORDWIND: "contact"}, {}, "2 live deals of Nordwind AG: D1, D2")


def test_a_role_on_both_deals_decides_nothing() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, ANNA))
    assert match(draft(), known, None, None).review is not None


def test_an_unknown_person_is_placed_by_their_domain_and_the_one_above_it() -> None:
    for sender in ("new@nordwind.example", "new@mail.berlin.nordwind.example", "new@mail.nordwind.co.uk"):
        found = match(draft(sender), directory(deal(1)), None, None)
        assert outcome(found) == ({NORDWIND: "domain"}, {1: "only_live_deal"}, None)
        assert all(party.contact_id is None for party in found.parties)


@pytest.mark.parametrize("sender", ["new@gmail.com", "new@co.uk", "new@blogspot.com"])
def test_free_mail_and_public_suffixes_say_nothing_of_a_company(sender: str) -> None:
    known = directory(
        deal(1, OTHER), companies={"gmail.com": (OTHER,), "co.uk": (OTHER,), "blogspot.com": (OTHER,)}
    )
    assert outcome(match(draft(sender), known, None, None)) == ({}, {}, None)


def test_a_consultant_on_free_mail_is_known_by_address() -> None:
    known = directory(deal(1))
    assert links(match(draft("Carl.Consultant+x@gmail.com"), known, None, None), "company") == {
        NORDWIND: "contact"
    }


def test_a_partner_on_the_thread_is_no_evidence_beside_a_customer() -> None:
    known = directory(deal(1), deal(2), deal(3, PARTNER, PAUL), deal(4, NORDWIND, PAUL))
    beside = match(draft(cc="paul@partner.example"), known, None, None)
    assert outcome(beside)[:2] == ({NORDWIND: "contact"}, {})
    assert {p.contact_id for p in beside.parties} == {None, ANNA, PAUL}
    alone = match(draft("paul@partner.example"), directory(deal(3, PARTNER)), None, None)
    assert outcome(alone) == ({PARTNER: "contact"}, {3: "only_live_deal"}, None)


def test_two_companies_are_a_question() -> None:
    known = directory(deal(1), deal(2, OTHER))
    found = match(
        draft("ruth@ours.example", to="", bcc="anna@nordwind.example, olga@other.example"), known, None, None
    )
    assert outcome(found) == (
        {NORDWIND: "contact", OTHER: "contact"},
        {},
        "2 companies (Nordwind AG, Other Inc), 2 live deals: D1, D2",
    )


def test_a_buyer_who_changed_employer_is_a_question() -> None:
    known = directory(deal(1), contacts={"anna@other.example": (KnownContact(ANNA, NORDWIND, "Anna"),)})
    found = match(draft("anna@other.example"), known, None, None)
    assert outcome(found)[:2] == ({NORDWIND: "contact", OTHER: "domain"}, {})
    assert found.review is not None


def test_a_domain_of_parent_and_subsidiary_names_neither_for_a_stranger() -> None:
    shared = {"nordwind.example": (NORDWIND, SUBSIDIARY)}
    known = directory(deal(1), companies=shared)
    assert outcome(match(draft("new@nordwind.example"), known, None, None)) == (
        {},
        {},
        "new@nordwind.example stands for 2 companies: Nordwind AG, Nordwind Ltd",
    )
    assert links(match(draft(), known, None, None), "deal") == {1: "only_live_deal"}


def test_duplicates_of_one_company_leave_the_contact_open_but_not_the_company() -> None:
    twice = {
        "anna@nordwind.example": (KnownContact(ANNA, NORDWIND, "Anna"), KnownContact(CARL, NORDWIND, "Anna"))
    }
    found = match(draft(), directory(deal(1), contacts=twice), None, None)
    assert outcome(found) == ({NORDWIND: "contact"}, {1: "only_live_deal"}, None)
    assert all(party.contact_id is None for party in found.parties)


def test_duplicates_of_two_companies_are_a_question_unless_the_thread_knows() -> None:
    twice = {
        "anna@nordwind.example": (KnownContact(ANNA, NORDWIND, "Anna"), KnownContact(OLGA, OTHER, "Anna"))
    }
    found = match(draft(), directory(deal(1), deal(2, OTHER), contacts=twice), None, None)
    assert outcome(found) == ({}, {}, "anna@nordwind.example stands for 2 companies: Nordwind AG, Other Inc")
    known = directory(deal(1), deal(3), contacts=twice, precedents={THREAD: (precedent(),)})
    found = match(draft(), known, THREAD, None)
    assert outcome(found) == ({NORDWIND: "contact"}, {1: "thread"}, None)


def test_an_answer_inherits_the_deal_of_its_thread() -> None:
    known = directory(
        deal(1), deal(2), precedents={THREAD: (precedent(at=NOON - 9 * DAY), precedent(((2, 1.0),)))}
    )
    found = match(draft(), known, THREAD, None)
    assert outcome(found) == ({NORDWIND: "contact"}, {2: "thread"}, None)


def test_a_split_is_inherited_with_its_weights() -> None:
    known = directory(deal(1), deal(2), precedents={THREAD: (precedent(((1, 0.6), (2, 0.4))),)})
    found = match(draft(), known, THREAD, None)
    assert {link.target_id: link.weight for link in found.links if link.target == "deal"} == {1: 0.6, 2: 0.4}


def test_an_activity_is_not_its_own_precedent() -> None:
    own = draft()
    known = directory(deal(1), deal(2), precedents={THREAD: (precedent(activity=stable_id(own.dedupe_key)),)})
    assert links(match(own, known, THREAD, None), "deal") == {}


def test_a_thread_hijacked_for_another_matter_is_a_question() -> None:
    known = directory(deal(1), deal(2), precedents={THREAD: (precedent(at=NOON - 31 * DAY),)})
    assert links(match(draft(subject="Re: The offer"), known, THREAD, None), "deal") == {1: "thread"}
    found = match(draft(subject="New branch in Kiel"), known, THREAD, None)
    assert links(found, "deal") == {}
    assert found.review is not None
    assert found.review.endswith("not taken from its thread: the subject changed after a long pause")


def test_a_changed_subject_without_a_pause_stays_in_the_thread() -> None:
    known = directory(deal(1), deal(2), precedents={THREAD: (precedent(at=NOON - 29 * DAY),)})
    assert links(match(draft(subject="New branch in Kiel"), known, THREAD, None), "deal") == {1: "thread"}


def test_a_company_that_joins_a_thread_makes_it_a_question() -> None:
    known = directory(deal(1), deal(2, OTHER), precedents={THREAD: (precedent(),)})
    found = match(draft(cc="olga@other.example"), known, THREAD, None)
    assert outcome(found)[1] == {}
    assert "another company joined" in (found.review or "")


def test_a_partner_who_joins_a_thread_changes_nothing() -> None:
    known = directory(deal(1), deal(2), precedents={THREAD: (precedent(),)})
    assert links(match(draft(cc="paul@partner.example"), known, THREAD, None), "deal") == {1: "thread"}


def test_a_thread_about_a_closed_deal_goes_to_no_other() -> None:
    known = directory(deal(1, closed=NOON - 15 * DAY), deal(2), precedents={THREAD: (precedent(),)})
    assert outcome(match(draft(), known, THREAD, None)) == (
        {NORDWIND: "contact"},
        {},
        "its thread is about a closed deal: D1",
    )


@pytest.mark.parametrize("other", [deal(2), deal(2, NORDWIND, ANNA)])
def test_who_bought_lately_may_speak_of_that(other: KnownDeal) -> None:
    for weeks, is_open_question in ((3, True), (8, True), (9, False)):
        won = deal(1, NORDWIND, ANNA, closed=NOON - timedelta(weeks=weeks))
        found = match(draft(), directory(won, other), None, None)
        assert (links(found, "deal") == {}) is is_open_question
        assert (found.review == "2 live or won deals of Nordwind AG: D2, D1") is is_open_question


@pytest.mark.parametrize("weeks", [3, 9, 150])
def test_beside_a_deal_that_is_not_entered_yet_a_buyer_may_speak_of_what_was_bought(weeks: int) -> None:
    won = deal(1, NORDWIND, ANNA, closed=NOON - timedelta(weeks=weeks))
    coming = deal(2, NORDWIND, ANNA, created=NOON + 9 * DAY)
    found = match(draft(), directory(won, coming), None, None)
    assert outcome(found)[1:] == ({}, "2 live or won deals of Nordwind AG: D2, D1")
    found = match(draft(), directory(replace(won, outcome="lost"), coming), None, None)
    assert links(found, "deal") == {2: "contact_role"}, "what was not bought is not delivered"


def test_the_only_live_deal_is_not_taken_for_somebody_known_beside_its_contacts() -> None:
    known = directory(deal(1, NORDWIND, CARL))
    found = match(draft(), known, None, None)
    assert outcome(found)[1:] == (
        {},
        "1 live deal of Nordwind AG: D1, of whose contacts nobody takes part",
    )
    stranger = match(draft("new@nordwind.example"), known, None, None)
    assert links(stranger, "deal") == {1: "only_live_deal"}


def test_a_series_that_began_as_a_question_stays_one() -> None:
    before = replace(precedent(()), undecided=True)
    known = directory(deal(1, NORDWIND, ANNA), precedents={SERIES: (before,)})
    found = match(draft(), known, None, SERIES)
    assert outcome(found)[1:] == ({}, "an earlier date of its series is undecided")


def test_an_answer_from_an_unknown_address_stays_with_the_threads_company() -> None:
    known = directory(deal(1), precedents={THREAD: (precedent(),)})
    found = match(draft("anna.private@gmail.com"), known, THREAD, None)
    assert outcome(found) == ({NORDWIND: "thread"}, {}, "an unknown address in a thread with Nordwind AG")


def test_an_occurrence_inherits_from_its_series_before_its_thread() -> None:
    known = directory(
        deal(1), deal(2), precedents={SERIES: (precedent(((2, 1.0),)),), THREAD: (precedent(),)}
    )
    assert links(match(draft(), known, THREAD, SERIES), "deal") == {2: "series"}


def test_what_is_among_ourselves_or_a_mass_mailing_is_about_no_deal() -> None:
    inside = draft("sam@ours.example")
    assert match(inside, directory(deal(1)), None, None) == Matched(inside.parties)
    bulk = draft("ruth@ours.example", to="anna@nordwind.example", headers={"precedence": "bulk"})
    assert outcome(match(bulk, directory(deal(1)), None, None)) == ({NORDWIND: "contact"}, {}, None)


def test_an_audience_is_about_no_deal() -> None:
    many = ", ".join(f"p{number}@nordwind.example" for number in range(26))
    assert outcome(match(draft(cc=many), directory(deal(1)), None, None)) == ({NORDWIND: "contact"}, {}, None)


def test_a_contact_that_is_known_no_longer_is_taken_out() -> None:
    before = match(draft(), directory(), None, None).parties
    known = Directory(ORGANIZATION)
    assert {p.contact_id for p in match(replace(draft(), parties=before), known, None, None).parties} == {
        None
    }


@given(st.randoms(use_true_random=False), st.sets(st.integers(1, 5)), st.booleans())
def test_the_order_of_the_directory_does_not_matter(
    rng: random.Random, ids: set[int], with_thread: bool
) -> None:
    deals = [
        deal(each, (NORDWIND, OTHER, PARTNER)[each % 3], *((ANNA,) if each == 4 else ()))
        for each in sorted(ids)
    ]
    precedents = {THREAD: (precedent(((3, 1.0),)),)}
    known = directory(*deals, precedents=precedents)
    shuffled_deals = rng.sample(deals, len(deals))
    shuffled = directory(
        *shuffled_deals,
        precedents=precedents,
        contacts=dict(rng.sample(list(known.contacts.items()), len(known.contacts))),
        companies=dict(rng.sample(list(known.companies.items()), len(known.companies))),
    )
    each = draft(cc="olga@other.example, paul@partner.example, new@nordwind.example")
    thread = THREAD if with_thread else None
    found = match(each, known, thread, None)
    assert match(each, shuffled, thread, None) == found
    assert sum(link.weight for link in found.links if link.target == "deal") <= 1
    superset = directory(*deals, deal(77, 4711), precedents=precedents)
    assert match(each, superset, thread, None) == found
