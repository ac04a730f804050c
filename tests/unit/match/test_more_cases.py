"""The hard cases of calls, meetings, lists and records of the CRM, by name. Those of mail are in `test_cases`."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.cast import NOON, ORGANIZATION
from tests.unit.match.scenes import (
    ANNA,
    CARL,
    DAY,
    NORDWIND,
    OWNER,
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
)

from autocapture.match.rules import shipped_rules
from autocapture.model.columns import stable_id
from autocapture.model.corrections import Lock, Locks
from autocapture.model.directory import KnownContact
from autocapture.model.draft import Draft, Party
from autocapture.model.matching import Occurrence

LINE = "+49309876543"


def call(*parties: Party) -> Draft:
    return replace(draft(subject=""), kind="call", subject=None, parties=parties)


def caller(handle: str, user_id: int | None = None) -> Party:
    return Party("caller", handle, user_id=user_id)


def callee(handle: str, user_id: int | None = None) -> Party:
    return Party("callee", handle, user_id=user_id)


RUTH_CALLS_ANNA = call(caller("ext:601", 1), callee(LINE))


def test_none() -> None:
    found = alone(draft(), directory())
    assert outcome(found) == ({NORDWIND: "contact"}, {}, None), "and nothing is asked"


def test_two_domains_of_one_company_are_one() -> None:
    """``nordwind.co.uk`` beside ``nordwind.example``."""
    known = directory(deal(1, NORDWIND, name="Atlas Core"))
    for sender in ("new@nordwind.co.uk", "new@nordwind.example"):
        assert deals(alone(draft(sender, subject="Atlas Core"), known)) == {1: 1.0}


def test_a_converted_lead_is_the_contact_that_it_became() -> None:
    both = (KnownContact(7, None, "Anna"), KnownContact(ANNA, NORDWIND, "Anna"))
    known = directory(deal(1, NORDWIND, ANNA), contacts={"anna@nordwind.example": both})
    found = alone(draft(), known)
    assert {party.contact_id for party in found.parties} == {None, ANNA}
    assert deals(found) == {1: 1.0}


def test_merged_accounts_are_one_company_with_the_domains_of_both() -> None:
    """What was the other's is the survivor's: its deals, and who writes from its domain."""
    contacts = {"olga@other.example": (KnownContact(CARL, NORDWIND, "Olga"),)}
    merged = directory(deal(1, NORDWIND, CARL), contacts=contacts, companies={"other.example": (NORDWIND,)})
    assert outcome(alone(draft("olga@other.example"), merged))[:2] == (
        {NORDWIND: "contact"},
        {1: "contact_role"},
    )
    assert links(alone(draft("new@other.example"), merged), "company") == {NORDWIND: "domain"}


def test_a_mailing_list_copy_is_about_no_deal() -> None:
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas Core"))
    listed = draft(subject="Atlas Core", headers={"list-id": "<users.nordwind.example>"})
    assert deals(alone(listed, known)) == {}
    assert deals(alone(draft(subject="Atlas Core"), known)) == {1: 1.0}


def test_an_exception_of_a_series_is_about_what_the_series_is_about() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, CARL))
    dates = [meeting(number, "anna@nordwind.example", days=7 * number) for number in range(3)]
    moved = meeting(9, "anna@nordwind.example", subject="Weekly (moved)", days=22)
    assert chosen(thread(known, *dates, moved)) == [[1]] * 4


def test_a_meeting_that_the_customer_organises_is_theirs_all_the_same() -> None:
    known = directory(deal(1, NORDWIND, ANNA))
    theirs = call(
        Party("organizer", "anna@nordwind.example"), Party("attendee", "ruth@ours.example", user_id=1)
    )
    assert deals(alone(replace(theirs, kind="meeting", subject="Sync"), known)) == {1: 1.0}


def test_where_guests_are_hidden_who_organises_tells_with_whom_it_is() -> None:
    known = directory(deal(1, NORDWIND, ANNA), deal(2, NORDWIND, CARL))
    alone_with = call(
        Party("organizer", "carl@nordwind.example"), Party("attendee", "ruth@ours.example", user_id=1)
    )
    assert deals(alone(replace(alone_with, kind="meeting", subject="Sync"), known)) == {2: 1.0}


def test_a_conference_call_during_a_meeting_is_about_what_the_meeting_is_about() -> None:
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas Core"), deal(2, NORDWIND, ANNA, name="Boreal Scan"))
    whole = meeting(1, "anna@nordwind.example", subject="Demo Boreal Scan")
    part = Occurrence(5, RUTH_CALLS_ANNA, part_of=whole.activity_id)
    assert chosen(thread(known, whole, part)) == [[2], [2]]
    assert deals(alone(RUTH_CALLS_ANNA, known)) == {}, "by itself nobody can tell"


def test_a_switchboard_is_nobody() -> None:
    known = directory(deal(1, NORDWIND, CARL), switchboards={LINE: (NORDWIND,)})
    found = alone(RUTH_CALLS_ANNA, known)
    assert {party.contact_id for party in found.parties} == {None}
    assert links(found, "company") == {NORDWIND: "contact"}
    assert deals(found) == {}


def test_our_own_numbers_and_extensions_are_nobody_from_outside() -> None:
    known = directory(deal(1, NORDWIND, ANNA))
    for ours in ("ext:602", "+493012345601"):
        found = alone(call(caller("ext:601", 1), callee(ours)), known)
        assert (found.links, found.review) == ((), None)


def test_a_transferred_call_may_be_about_the_deal_of_either_rep() -> None:
    known = directory(deal(1, NORDWIND, ANNA, owner=2))
    passed_on = call(caller(LINE), callee("ext:601", 1), callee("ext:602", 2))
    assert deals(alone(passed_on, known)) == {1: 1.0}


def test_a_late_deal_is_matched_as_of_then_and_no_earlier() -> None:
    early = directory(deal(1, NORDWIND, ANNA, name="Atlas Core", created=NOON + 20 * DAY))
    assert deals(alone(draft(subject="Atlas Core"), early)) == {}


def test_what_was_said_outlives_other_rules() -> None:
    own = stable_id(draft().dedupe_key)
    said = Locks(of_activity={own: (Lock(1, "deal", "item", own, frozenset({OWNER}), deal_id=2),)})
    for version, owner in ((1, 2.51), (2, 9.0)):
        weights = {**shipped_rules().weights, "owner": owner}
        rules = replace(shipped_rules(), version=version, weights=weights)
        organization = replace(ORGANIZATION, matching=rules)
        known = directory(deal(1, NORDWIND, ANNA), deal(2, owner=2), organization=organization, locks=said)
        assert outcome(alone(draft(), known))[1] == {2: "correction"}
        assert deals(alone(draft(), replace(known, locks=Locks()))) == {1: 1.0}, "by itself"
