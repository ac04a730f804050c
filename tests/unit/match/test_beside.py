"""What speaks for the company alone, as invitations and terms do, and what short words and partners say for a deal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.cast import NOON
from tests.unit.match.scenes import (
    ANNA,
    CARL,
    DAY,
    NORDWIND,
    OLGA,
    OTHER,
    PAUL,
    alone,
    deal,
    deals,
    directory,
    draft,
    links,
    meeting,
    outcome,
    thread,
)

from autocapture.match import judged
from autocapture.model.directory import KnownContact
from autocapture.model.draft import Draft, Party
from autocapture.model.matching import Occurrence

LIFTS = deal(1, NORDWIND, ANNA, name="Lift Bad Oldesloe - shaft renewal", references=("Q-77120",))


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Dinner on the 19th", "You and a plus one are welcome."),
        ("Jubilación", "Estás invitada a la comida de despedida."),
        ("Sommerfest", "Kommen Sie auch?"),
        ("Afscheid van Kees", "Kom je ook?"),
        ("Pot de départ", "Vendredi à 17 h."),
    ],
)
def test_who_invites_to_a_dinner_means_no_deal(subject: str, text: str) -> None:
    assert deals(alone(draft(subject=subject), directory(LIFTS), text)) == {}


def test_a_place_to_come_to_is_no_word_of_a_deal() -> None:
    known = directory(LIFTS)
    mail = draft("carl@nordwind.example", subject="Invitation: end of the season")
    assert deals(alone(mail, known, "We all meet in Bad Oldesloe on the 20th.")) == {}
    assert deals(alone(draft(subject="Monday"), known, "We all meet in Bad Oldesloe.")) == {1: 1.0}
    assert deals(alone(draft(subject="Invitation: Oldesloe shaft"), known, "Come and see.")) == {1: 1.0}
    assert deals(alone(mail, known, "Let us go through Q-77120 before.")) == {1: 1.0}


@pytest.mark.parametrize(
    "subject", ["Price list 2027", "Konditionen 2027", "tarifa", "Nieuwe prijslijsten", "Liste de prix"]
)
def test_terms_and_price_lists_are_of_no_deal(subject: str) -> None:
    assert deals(alone(draft(subject=subject), directory(LIFTS), "Can we talk next week?")) == {}
    assert deals(alone(draft(subject=f"{subject} Q-77120"), directory(LIFTS), "See there.")) == {1: 1.0}


def test_a_partner_who_names_nothing_means_its_customers_deal_no_more_than_its_own_affairs() -> None:
    of_customer = directory(deal(1, NORDWIND, PAUL, ANNA, name="Lift Oldesloe"))
    note = draft("paul@partner.example", subject="Next week")
    found = alone(note, of_customer, "Do you have an hour?")
    assert deals(found) == {}
    assert found.review is not None
    assert deals(alone(note, of_customer, "An hour on Oldesloe?")) == {1: 1.0}
    assert deals(alone(draft(subject="Next week"), of_customer, "Do you have an hour?")) == {1: 1.0}


def test_a_call_of_a_partner_is_open() -> None:
    number = {"+49305550000": directory().contacts["paul@partner.example"]}
    ((_, decision),) = judged([Occurrence(1, _call("+49305550000"))], directory(_OF_PAUL, contacts=number))
    assert decision.deals == {}
    assert decision.is_open


_OF_PAUL = deal(1, NORDWIND, PAUL, name="Lift Oldesloe")


def _call(number: str) -> Draft:
    base = draft(subject="")
    parties = tuple(each if each.user_id is not None else Party("callee", number) for each in base.parties)
    return replace(base, kind="call", subject=None, parties=parties)


@pytest.mark.parametrize("closed", ["won", "lost"])
def test_what_only_a_closed_deal_is_called_is_about_no_living_one(closed: str) -> None:
    old = deal(2, NORDWIND, ANNA, name="Escalator Plön", closed=NOON - 200 * DAY, outcome=closed)
    mail = draft(subject="Once more")
    assert deals(alone(mail, directory(LIFTS, old), "The escalator again, for next year?")) == {}
    assert deals(alone(mail, directory(LIFTS), "The escalator again, for next year?")) == {1: 1.0}
    assert deals(alone(mail, directory(LIFTS, old), "The escalator, and the shaft?")) == {1: 1.0}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Kühlzelle Plön", "Die Tür der Zelle ist zu schmal."),
        ("Kippkochkessel", "Passt der Kippkessel durch die Tür?"),
        ("Vloerverwarming", "Wanneer komt de verwarming?"),
        ("Passagerarhiss", "När kommer hissen? Och arhiss är inget ord."),
    ],
)
def test_a_long_word_said_short_is_said(name: str, text: str) -> None:
    known = directory(deal(1, NORDWIND, ANNA, name=name), deal(2, NORDWIND, ANNA, name="Boreal Scan"))
    assert deals(alone(draft(subject="Question"), known, text)) == {1: 1.0}


def test_a_short_word_that_two_deals_may_mean_or_that_is_too_short_says_nothing() -> None:
    two = directory(deal(1, NORDWIND, ANNA, name="Kühlzelle"), deal(2, NORDWIND, ANNA, name="Prüfzelle"))
    assert deals(alone(draft(subject="Die Zelle"), two, "Wann?")) == {}
    belt = directory(deal(1, NORDWIND, ANNA, name="Förderband"), deal(2, NORDWIND, ANNA, name="Boreal Scan"))
    assert deals(alone(draft(subject="Frage"), belt, "Das Band dort hält, die Liste ist lang.")) == {}
    assert deals(alone(draft(subject="Band"), belt, "Bitte grau.")) == {1: 1.0}


def test_a_partner_with_a_role_on_the_customers_deal_counts_beside_the_customer() -> None:
    known = directory(deal(1, NORDWIND, PAUL, name="Lift Oldesloe"))
    visit = draft(subject="Visit", cc="paul@partner.example")
    assert deals(alone(visit, known, "The board receives you both on the 14th.")) == {1: 1.0}
    assert deals(alone(draft(subject="Visit"), known, "The board receives you on the 14th.")) == {}
    guests = meeting(1, "anna@nordwind.example", "paul@partner.example", subject="Board")
    assert [deals(each) for each in thread(known, guests)] == [{1: 1.0}]


def test_a_partner_who_names_the_customer_names_its_deal() -> None:
    of_two = directory(
        deal(1, NORDWIND, PAUL, name="Lift shaft renewal"), deal(2, OTHER, PAUL, name="Lift shaft renewal")
    )
    assert deals(alone(draft("paul@partner.example", subject="Nordwind"), of_two, "Next week?")) == {1: 1.0}
    assert deals(alone(draft("paul@partner.example", subject="Hello"), of_two, "Next week?")) == {}


def test_a_new_contact_means_the_only_deal_that_the_company_ever_had() -> None:
    lone = deal(1, NORDWIND, CARL, name="Lift Oldesloe")
    question = draft("technik@nordwind.example", subject='1" or 2"?')
    assert deals(alone(question, directory(lone), "Where does the pipe end?")) == {1: 1.0}
    before = deal(2, NORDWIND, name="Escalator Plön", closed=NOON - 300 * DAY)
    assert deals(alone(question, directory(lone, before), "Where does the pipe end?")) == {}
    assert deals(alone(question, directory(lone), "The invoice is wrong.")) == {}


def test_a_reference_written_out_in_full_is_sought_among_the_deals_of_the_rep() -> None:
    tender = deal(1, OTHER, name="Lot 3", references=("VG-2026-118/3",))
    known = directory(deal(2, NORDWIND, ANNA), tender, by_reference={"vg20261183": (1,)})
    named = alone(draft(subject="VG-2026-118/3, position 4"), known, "An addendum follows.")
    assert deals(named) == {1: 1.0}
    assert OTHER in links(named, "company")
    elsewhere = directory(
        deal(2, NORDWIND, ANNA), replace(tender, owner_id=99), by_reference={"vg20261183": (1,)}
    )
    assert deals(alone(draft(subject="VG-2026-118/3, position 4"), elsewhere, "An addendum.")) == {2: 1.0}


def test_a_contact_who_was_entered_later_does_not_take_what_was_before() -> None:
    """A buyer who changed employers and kept the number: two contacts, one of them of the new company."""
    line = {
        "+49305550000": (
            KnownContact(ANNA, NORDWIND, "Anna", created_at=NOON - 300 * DAY),
            KnownContact(OLGA, OTHER, "Anna", created_at=NOON + 20 * DAY),
        )
    }
    known = directory(contacts=line)
    call = _call("+49305550000")
    assert outcome(alone(call, known))[0] == {NORDWIND: "contact"}
    after = replace(call, occurred_at=NOON + 30 * DAY)
    assert outcome(alone(after, known))[0] == {}
