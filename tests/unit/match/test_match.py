from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.cast import NOON, ORGANIZATION
from tests.unit.match.scenes import (
    ANNA,
    CARL,
    DAY,
    NORDWIND,
    OLGA,
    OTHER,
    PARTNER,
    PAUL,
    SUBSIDIARY,
    alone,
    chosen,
    deal,
    deals,
    directory,
    draft,
    links,
    meeting,
    outcome,
    thread,
    written,
)

from autocapture.match import match
from autocapture.model.directory import Directory, KnownContact
from autocapture.model.draft import Matched

OFFER = "Atlas Core"
"""A product: what the mails of these tests speak of, where they say anything."""
TALK = "Thursday suits me."
"""A text that names nothing."""


def test_the_deal_that_is_named_is_taken() -> None:
    found = alone(draft(subject=f"Quote {OFFER}"), directory(deal(1, NORDWIND, name=f"Nordwind {OFFER}")))
    assert outcome(found) == ({NORDWIND: "contact"}, {1: "words"}, None)
    assert deals(found) == {1: 1.0}
    assert {party.contact_id for party in found.parties if party.role == "from"} == {ANNA}
    [link] = [link for link in found.links if link.target == "deal"]
    assert link.evidence["p"] > 0.9
    assert link.evidence["weights"]["words"] > 0


def test_without_a_deal_the_company_stays() -> None:
    assert outcome(alone(draft(), directory())) == ({NORDWIND: "contact"}, {}, None)


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
    known = deal(
        1,
        NORDWIND,
        ANNA,
        name=OFFER,
        created=NOON + created * DAY,
        closed=None if closed is None else NOON + closed * DAY,
    )
    assert deals(alone(draft(subject=OFFER), directory(known))) == ({1: 1.0} if live else {})


def test_several_live_deals_are_a_question() -> None:
    companies, found, review = outcome(alone(draft(), directory(deal(1), deal(2), deal(3), deal(4))))
    assert (companies, found) == ({NORDWIND: "contact"}, {})
    assert review == "4 live deals of Nordwind AG: D1, D2, D3 and 1 more"


def test_of_two_deals_the_one_on_which_a_participant_has_a_role_is_taken() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, CARL))
    assert links(alone(draft(), known, text=TALK), "deal") == {1: "contact_role"}
    assert links(alone(draft("carl@nordwind.example"), known, text=TALK), "deal") == {2: "contact_role"}
    both = alone(draft(cc="carl@nordwind.example"), known)
    assert outcome(both) == ({NORDWIND: "contact"}, {}, "2 live deals of Nordwind AG: D1, D2")


def test_a_role_on_both_deals_decides_nothing() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, ANNA))
    assert alone(draft(), known).review is not None


def test_a_role_that_a_product_entered_itself_counts_for_little() -> None:
    guessed = deal(1, NORDWIND, ANNA, guessed=frozenset({ANNA}))
    assert deals(alone(draft(), directory(guessed, deal(2)))) == {}


def test_of_two_deals_the_one_whose_owner_takes_part_is_taken() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, ANNA, owner=2))
    assert links(alone(draft(), known), "deal") == {1: "contact_role"}
    sam = draft("anna@nordwind.example", to="sam@ours.example")
    assert deals(alone(sam, known)) == {2: 1.0}


def test_words_that_both_deals_share_tell_neither_from_the_other() -> None:
    here = deal(1, NORDWIND, ANNA, name=f"{OFFER} Leeds")
    there = deal(2, NORDWIND, ANNA, name=f"{OFFER} Kiel")
    known = directory(here, there)
    assert deals(alone(draft(subject=f"Prices of {OFFER}"), known)) == {}
    assert deals(alone(draft(subject=f"{OFFER} in Kiel"), known)) == {2: 1.0}
    assert deals(alone(draft(), known, text=f"We need {OFFER} for Leeds.")) == {1: 1.0}


def test_a_mail_that_names_two_deals_is_split_between_them() -> None:
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas Core"), deal(2, NORDWIND, ANNA, name="Boreal Scan"))
    found = alone(draft(subject="Atlas Core and Boreal Scan"), known)
    assert deals(found) == {1: 0.5, 2: 0.5}


def test_the_number_of_a_quote_names_its_deal() -> None:
    known = directory(
        deal(1, NORDWIND, references=("Q-70112",)), deal(2, NORDWIND, ANNA, references=("PO 4711",))
    )
    assert links(alone(draft(subject="Re: q-70112"), known), "deal") == {1: "reference"}
    assert links(alone(draft(subject="About PO4711"), known), "deal") == {2: "reference"}
    twice = directory(deal(1, NORDWIND, references=("Q-70112",)), deal(2, NORDWIND, references=("Q-70112",)))
    assert deals(alone(draft(subject="Q-70112"), twice)) == {}, "a number of two deals names neither"


def test_an_unknown_person_is_placed_by_their_domain_and_the_one_above_it() -> None:
    known = directory(deal(1, NORDWIND, name=OFFER))
    for sender in ("new@nordwind.example", "new@mail.berlin.nordwind.example", "new@mail.nordwind.co.uk"):
        found = alone(draft(sender, subject=OFFER), known)
        assert outcome(found) == ({NORDWIND: "domain"}, {1: "words"}, None)
        assert all(party.contact_id is None for party in found.parties)


@pytest.mark.parametrize("sender", ["new@gmail.com", "new@co.uk", "new@blogspot.com"])
def test_free_mail_and_public_suffixes_say_nothing_of_a_company(sender: str) -> None:
    known = directory(
        deal(1, OTHER), companies={"gmail.com": (OTHER,), "co.uk": (OTHER,), "blogspot.com": (OTHER,)}
    )
    assert outcome(alone(draft(sender), known)) == ({}, {}, None)


def test_a_consultant_on_free_mail_is_known_by_address() -> None:
    found = alone(draft("Carl.Consultant+x@gmail.com"), directory(deal(1)))
    assert links(found, "company") == {NORDWIND: "contact"}


def test_a_partner_on_the_thread_is_no_evidence_beside_a_customer() -> None:
    known = directory(deal(1), deal(2), deal(3, PARTNER, PAUL), deal(4, NORDWIND, PAUL))
    beside = alone(draft(cc="paul@partner.example"), known)
    assert outcome(beside)[:2] == ({NORDWIND: "contact"}, {})
    assert {p.contact_id for p in beside.parties} == {None, ANNA, PAUL}
    by_themselves = alone(draft("paul@partner.example"), directory(deal(3, PARTNER, PAUL)))
    assert outcome(by_themselves) == ({PARTNER: "contact"}, {3: "contact_role"}, None)


def test_two_companies_are_a_question() -> None:
    known = directory(deal(1), deal(2, OTHER))
    found = alone(draft("ruth@ours.example", to="", bcc="anna@nordwind.example, olga@other.example"), known)
    assert outcome(found)[:2] == ({NORDWIND: "contact", OTHER: "contact"}, {})


def test_a_contact_belongs_to_their_company_whatever_domain_they_write_from() -> None:
    known = directory(deal(1), contacts={"anna@other.example": (KnownContact(ANNA, NORDWIND, "Anna"),)})
    assert links(alone(draft("anna@other.example"), known), "company") == {NORDWIND: "contact"}


def test_a_domain_of_parent_and_subsidiary_names_neither_for_a_stranger() -> None:
    shared = {"nordwind.example": (NORDWIND, SUBSIDIARY)}
    known = directory(deal(1, NORDWIND, ANNA), companies=shared)
    assert outcome(alone(draft("new@nordwind.example"), known)) == (
        {},
        {},
        "new@nordwind.example stands for 2 companies: Nordwind AG, Nordwind Ltd",
    )
    assert links(alone(draft(), known), "deal") == {1: "contact_role"}


def test_somebody_entered_twice_is_the_contact_with_a_company_or_a_role() -> None:
    def entered(*contacts: KnownContact) -> Directory:
        return directory(deal(1, NORDWIND, ANNA), contacts={"anna@nordwind.example": contacts})

    lead = entered(KnownContact(ANNA, NORDWIND, "Anna"), KnownContact(7, None, "Anna"))
    roles = entered(KnownContact(7, NORDWIND, "Anna"), KnownContact(ANNA, NORDWIND, "Anna"))
    for known in (lead, roles):
        assert {p.contact_id for p in alone(draft(), known).parties} == {None, ANNA}
    neither = entered(KnownContact(7, NORDWIND, "Anna"), KnownContact(8, NORDWIND, "Anna"))
    found = alone(draft(), neither)
    assert links(found, "company") == {NORDWIND: "contact"}
    assert {party.contact_id for party in found.parties} == {None}


def test_of_two_people_on_one_address_the_name_tells_who_writes() -> None:
    desk = (KnownContact(ANNA, NORDWIND, "Anna Berg"), KnownContact(CARL, NORDWIND, "Carl Lund"))
    known = directory(deal(1, NORDWIND, ANNA), contacts={"desk@nordwind.example": desk})
    for name, contact in (("Carl Lund", CARL), ("Berg, Anna", ANNA), ("Sales", None), ("", None)):
        found = alone(draft(f'"{name}" <desk@nordwind.example>'), known)
        assert {party.contact_id for party in found.parties if party.role == "from"} == {contact}


def test_a_shared_line_is_never_turned_into_the_person_who_has_a_role() -> None:
    line = (KnownContact(ANNA, NORDWIND, "Anna"), KnownContact(CARL, NORDWIND, "Carl"))
    known = directory(deal(1, NORDWIND, ANNA), contacts={"+49309876543": line})
    call = replace(draft("anna@nordwind.example"), kind="call")
    parties = tuple(
        replace(party, address="+49309876543", name="") if party.user_id is None else party
        for party in call.parties
    )
    found = alone(replace(call, parties=parties), known)
    assert {party.contact_id for party in found.parties} == {None}
    assert links(found, "company") == {NORDWIND: "contact"}


def test_people_of_two_companies_on_one_address_are_a_question_unless_the_thread_knows() -> None:
    contacts = {
        "anna@nordwind.example": (KnownContact(ANNA, NORDWIND, "Anna"), KnownContact(OLGA, OTHER, "Anna")),
        "carl@nordwind.example": (KnownContact(CARL, NORDWIND, "Carl"),),
    }
    known = directory(deal(1, NORDWIND, ANNA), deal(2, OTHER), contacts=contacts)
    assert outcome(alone(draft(), known)) == (
        {},
        {},
        "anna@nordwind.example stands for 2 companies: Nordwind AG, Other Inc",
    )
    found = thread(known, written(1), written(2, cc="carl@nordwind.example"))
    assert [links(each, "company") for each in found] == [{NORDWIND: "contact"}] * 2
    assert chosen(found) == [[1], [1]]


def test_what_a_later_answer_says_settles_the_first_mail_too() -> None:
    known = directory(deal(1, NORDWIND, name="Atlas Core"), deal(2, NORDWIND, name="Boreal Scan"))
    found = thread(known, written(1), written(2, text="This is about Boreal Scan."))
    assert [links(each, "deal") for each in found] == [{2: "thread"}, {2: "words"}]
    origin = next(link.evidence["precedent"] for link in found[0].links if link.target == "deal")
    assert origin == written(2).activity_id


def test_a_thread_hijacked_for_another_matter_is_cut() -> None:
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas Core"), deal(2, NORDWIND, ANNA, name="Boreal Scan"))
    first = written(1, subject="Atlas Core")
    assert chosen(thread(known, first, written(2, days=32, subject="Re: Atlas Core"))) == [[1], [1]]
    assert chosen(thread(known, first, written(2, days=33, subject="New branch"))) == [[1], []]
    assert chosen(thread(known, first, written(2, days=30, subject="New branch"))) == [[1], [1]]
    assert chosen(thread(known, first, written(2, subject="Boreal Scan"))) == [[1], [2]]


def test_a_thread_hijacked_under_its_old_subject_is_cut_where_the_text_names_another_deal() -> None:
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas Core"), deal(2, NORDWIND, ANNA, name="Boreal Scan"))
    first, answer = written(1, subject="Atlas Core"), written(2, subject="Re: Atlas Core", text="Fine.")
    hijack = written(3, subject="Re: Atlas Core", text="And we need Boreal Scan.")
    later = written(4, subject="Re: Atlas Core", text="Thursday?")
    assert chosen(thread(known, first, answer, hijack, later)) == [[1], [1], [2], [2]]


def test_a_company_that_joins_a_thread_begins_another_matter() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, OTHER, OLGA))
    found = thread(known, written(1), written(2, cc="olga@other.example"), written(3))
    assert chosen(found) == [[1], [], [1]]


def test_a_partner_who_joins_a_thread_changes_nothing() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, owner=2))
    assert chosen(thread(known, written(1), written(2, cc="paul@partner.example"))) == [[1], [1]]


def test_a_thread_goes_on_after_its_deal_is_closed_and_is_a_question() -> None:
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas Core", closed=NOON + 5 * DAY), deal(2))
    found = thread(known, written(1, subject="Atlas Core"), written(2, days=20, subject="Atlas Core"))
    assert chosen(found) == [[1], []]
    assert found[1].review == "its thread is about a closed deal: Atlas Core"


def test_who_bought_before_may_speak_of_that() -> None:
    won = deal(1, NORDWIND, ANNA, closed=NOON - timedelta(weeks=9))
    assert outcome(alone(draft(), directory(won, deal(2)))) == (
        {NORDWIND: "contact"},
        {},
        "1 live deal of Nordwind AG: D2",
    )


def test_the_only_live_deal_is_not_taken_for_somebody_known_beside_its_contacts() -> None:
    found = alone(draft(to="sam@ours.example"), directory(deal(1, NORDWIND, CARL)))
    assert outcome(found)[1:] == ({}, "1 live deal of Nordwind AG: D1")


def test_the_dates_of_a_series_are_one_matter() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, CARL))
    one = meeting(1, "anna@nordwind.example")
    both = meeting(2, "anna@nordwind.example", "carl@nordwind.example", days=7)
    assert chosen(thread(known, one)) == [[1]]
    assert chosen(thread(known, one, both)) == [[], []], (
        "who else is in the series is evidence for all its dates"
    )


def test_an_answer_from_an_unknown_address_stays_with_the_threads_company() -> None:
    known = directory(deal(1, NORDWIND, ANNA))
    answer = written(2, "somebody.else@gmail.com")
    found = thread(known, written(1), answer)
    assert chosen(found) == [[1], []]


def test_who_answers_from_an_unknown_address_under_their_name_is_known() -> None:
    known = directory(deal(1, NORDWIND, ANNA))
    found = thread(known, written(1, "Anna <anna@nordwind.example>"), written(2, "anna <anna.p@gmail.com>"))
    assert links(found[1], "company") == {NORDWIND: "name"}
    assert {party.contact_id for party in found[1].parties if party.role == "from"} == {ANNA}


def test_what_is_among_ourselves_or_a_mass_mailing_is_about_no_deal() -> None:
    known = directory(deal(1, NORDWIND, ANNA))
    inside = draft("sam@ours.example")
    assert alone(inside, known) == Matched(inside.parties)
    bulk = draft("ruth@ours.example", to="anna@nordwind.example", headers={"precedence": "bulk"})
    assert outcome(alone(bulk, known)) == ({NORDWIND: "contact"}, {}, None)


def test_an_audience_is_about_no_deal() -> None:
    many = ", ".join(f"p{number}@nordwind.example" for number in range(26))
    known = directory(deal(1, NORDWIND, ANNA))
    assert outcome(alone(draft(cc=many), known)) == ({NORDWIND: "contact"}, {}, None)


def test_a_contact_that_is_known_no_longer_is_taken_out() -> None:
    before = alone(draft(), directory()).parties
    found = alone(replace(draft(), parties=before), Directory(ORGANIZATION))
    assert {p.contact_id for p in found.parties} == {None}


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.sets(st.integers(1, 5)), st.integers(1, 4))
def test_no_order_matters(rng: random.Random, ids: set[int], length: int) -> None:
    named = ("Atlas Core", "Boreal Scan", "Cinder Gate")
    known_deals = [
        deal(
            each,
            (NORDWIND, OTHER, PARTNER)[each % 3],
            *((ANNA,) if each == 4 else ()),
            name=named[each % 3],
        )
        for each in sorted(ids)
    ]
    known = directory(*known_deals)
    shuffled = directory(
        *rng.sample(known_deals, len(known_deals)),
        contacts=dict(rng.sample(list(known.contacts.items()), len(known.contacts))),
        companies=dict(rng.sample(list(known.companies.items()), len(known.companies))),
    )
    group = [
        written(
            number,
            rng.choice(("anna@nordwind.example", "carl@nordwind.example", "new@gmail.com")),
            cc=rng.choice(("", "olga@other.example", "paul@partner.example")),
            subject=rng.choice(named),
            days=number * rng.choice((1, 40)),
        )
        for number in range(length)
    ]
    found = match(group, known)
    assert match(rng.sample(group, len(group)), shuffled) == found
    superset = directory(*known_deals, deal(77, 4711))
    assert match(group, superset) == found
    for each in found.values():
        assert sum(deals(each).values()) <= 1
