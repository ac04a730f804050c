"""What a person said holds before all else: the narrowest word first, and of those the newest."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from tests.unit.cast import NOON, ORGANIZATION, SAM, mail
from tests.unit.match.scenes import ANNA, CARL, NORDWIND, OTHER, alone, deal, directory, draft, links, outcome

from autocapture.model.columns import stable_id
from autocapture.model.corrections import Lock, Locks
from autocapture.model.draft import Matched
from autocapture.normalize.email import draft_email

OWN = stable_id(draft().dedupe_key)
ELSEWHERE = 77
RUTHS, SAMS = frozenset({1}), frozenset({2})
DAY = timedelta(days=1)
_number = count(1)


def lock(said: str, scope: str = "item", **given: Any) -> Lock:
    """A word of Ruth's on another mail of hers, newer than those made before it."""
    given = {"activity_id": OWN if scope == "item" else ELSEWHERE, "for_users": RUTHS, **given}
    return Lock(next(_number), said, scope, **given)


def said(*locks: Lock, sender: str = "anna@nordwind.example", **given: Any) -> Matched:
    """How the mail is matched with deals 1 and 2 of the same company, under these locks."""
    handles = {each.handle: each for each in locks if each.scope == "person" and each.handle}
    found = Locks(
        of_activity={OWN: tuple(each for each in locks if each.activity_id == OWN or each.scope == "thread")},
        of_handle={
            handle: tuple(each for each in locks if each.handle == handle and each.scope == "person")
            for handle in handles
        },
        of_domain={"nordwind.example": tuple(each for each in locks if each.scope == "domain")},
    )
    deals = given.pop("deals", (deal(1), deal(2)))
    return alone(draft(sender, **given), directory(*deals, locks=found))


def test_a_deal_that_was_said_is_taken_where_nothing_else_could_tell() -> None:
    assert links(said(), "deal") == {}
    found = said(lock("deal", deal_id=2))
    assert outcome(found) == ({NORDWIND: "contact"}, {2: "correction"}, None)


def test_what_was_said_beats_a_better_evidence() -> None:
    """The writer has a role on the first deal alone; a person said the second."""
    deals = (deal(1, NORDWIND, ANNA), deal(2, owner=2))
    assert links(said(deals=deals), "deal") == {1: "contact_role"}
    assert links(said(lock("deal", deal_id=2), deals=deals), "deal") == {2: "correction"}


def test_no_deal_is_an_answer_and_asks_nothing_any_more() -> None:
    assert said().review is not None
    assert outcome(said(lock("no_deal"))) == ({NORDWIND: "contact"}, {}, None)


def test_a_deal_of_another_company_brings_that_company() -> None:
    found = said(lock("deal", deal_id=3), deals=(deal(1), deal(3, OTHER)))
    assert outcome(found) == ({NORDWIND: "contact", OTHER: "deal"}, {3: "correction"}, None)


def test_the_narrowest_word_holds_and_of_those_the_newest() -> None:
    thread = lock("deal", "thread", deal_id=1)
    older, newer = lock("deal", deal_id=1), lock("deal", deal_id=2)
    later_on_the_thread = lock("no_deal", "thread")
    person = lock("no_deal", "person", handle="anna@nordwind.example")
    assert links(said(older, newer, thread, later_on_the_thread, person), "deal") == {2: "correction"}
    assert links(said(newer, older), "deal") == {2: "correction"}, "in whatever order they are loaded"
    assert links(said(thread, person), "deal") == {1: "correction"}
    assert links(said(thread, later_on_the_thread, person), "deal") == {}


def test_a_wide_word_holds_for_the_mail_that_it_was_said_of_as_if_it_were_said_of_that_alone() -> None:
    own = lock("deal", "person", handle="anna@nordwind.example", deal_id=2, activity_id=OWN)
    thread = lock("deal", "thread", deal_id=1)
    assert links(said(own, thread), "deal") == {2: "correction"}


def test_a_word_on_a_person_holds_from_then_on_and_until_the_deal_closes() -> None:
    until = deal(2, closed=NOON + 5 * DAY)
    word = lock("deal", "person", handle="anna@nordwind.example", deal_id=2, since=NOON)
    for at, holds in ((NOON, True), (NOON + 5 * DAY, True), (NOON + 6 * DAY, False), (NOON - DAY, False)):
        found = said(word, deals=(deal(1), until), at=at)
        assert ("correction" in links(found, "deal").values()) == holds, at


def test_a_word_of_one_rep_binds_no_other() -> None:
    """Sam has another matter with Anna."""
    word = lock("deal", "person", handle="anna@nordwind.example", deal_id=2)
    locks = Locks(of_handle={"anna@nordwind.example": (word,)})
    to_sam = draft_email(mail(to="sam@ours.example"), SAM, ORGANIZATION, level="subject")
    assert links(alone(to_sam, directory(deal(1), deal(2), locks=locks)), "deal") == {}


def test_two_people_of_whom_different_deals_were_said_leave_a_question() -> None:
    found = said(
        lock("deal", "person", handle="anna@nordwind.example", deal_id=1),
        lock("deal", "person", handle="carl@nordwind.example", deal_id=2),
        to="ruth@ours.example, carl@nordwind.example",
    )
    assert links(found, "deal") == {}
    assert found.review == "what was said of those who take part differs: D1, D2"


def test_a_word_on_a_domain_holds_unless_another_is_on_the_person() -> None:
    domain = lock("no_deal", "domain")
    assert said(domain, deals=(deal(1),)).links[-1].target == "company"
    person = lock("deal", "person", handle="anna@nordwind.example", deal_id=1)
    assert links(said(person, domain), "deal") == {1: "correction"}


def test_what_is_no_business_is_matched_to_nothing() -> None:
    found = said(lock("not_business"))
    assert (found.business, found.links, found.review) == (False, (), None)
    assert {party.contact_id for party in found.parties} == {None}
    assert said().business


@pytest.mark.parametrize("scope", ["person", "domain"])
def test_who_is_no_business_takes_no_mail_away_in_which_others_take_part(scope: str) -> None:
    word = lock("not_business", scope, handle="anna@nordwind.example" if scope == "person" else None)
    assert not said(word).business
    assert not said(word, at=NOON - 50 * DAY).business, "they never were"
    assert said(word, to="ruth@ours.example, olga@other.example").business


def test_nobody_says_for_a_colleague_that_it_is_no_business() -> None:
    word = lock("not_business", "thread")
    assert not said(word).business
    assert said(word, to="ruth@ours.example, sam@ours.example").business
    both = lock("not_business", "thread", for_users=RUTHS | SAMS)
    assert not said(both, to="ruth@ours.example, sam@ours.example").business


def test_a_person_is_who_it_was_said_that_they_are() -> None:
    """And a word on that person's deals finds them under the other address too."""
    handle = "somebody@unknown.example"
    who = lock("person", "person", handle=handle, contact_id=CARL, company_id=NORDWIND)
    found = said(who, sender=handle, deals=(deal(1, NORDWIND, CARL), deal(2, owner=2)))
    assert outcome(found) == ({NORDWIND: "correction"}, {1: "contact_role"}, None)
    assert {party.contact_id for party in found.parties if party.role == "from"} == {CARL}
    assert links(said(sender=handle, deals=(deal(1), deal(2))), "company") == {}


def test_nobody_of_the_crm_leaves_the_company_of_the_domain() -> None:
    nobody = lock("person", "item", handle="anna@nordwind.example")
    found = said(nobody, deals=())
    assert {party.contact_id for party in found.parties} == {None}
    assert links(found, "company") == {NORDWIND: "domain"}


def test_a_word_on_a_deal_that_the_crm_lost_says_nothing() -> None:
    known = (deal(1, NORDWIND, ANNA),)
    assert links(said(lock("deal", deal_id=9), deals=known), "deal") == {1: "contact_role"}
    assert links(said(lock("deal", is_lost=True), deals=known), "deal") == {1: "contact_role"}
