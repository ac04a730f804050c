"""What words tell of deals: codes, endings, names of what was bought, signatures, subjects that are inherited."""

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
    alone,
    chosen,
    deal,
    deals,
    directory,
    draft,
    meeting,
    thread,
    written,
)

from autocapture.match import judged
from autocapture.model.directory import KnownContact
from autocapture.model.draft import Party
from autocapture.model.matching import Occurrence

LOTS = [deal(number, NORDWIND, ANNA, name=f"Clarifier refurb Lot {number}") for number in (2, 3)]
PLANT = {"products": {"boreal": (frozenset({"boreal", "scan"}),), "basic": (frozenset({"gtx", "basic"}),)}}


@pytest.mark.parametrize(
    ("name", "other", "said"),
    [
        ("Vedette P-41", "Cabine atelier", "La P-41 est prête"),
        ("Vedette P-41", "Cabine atelier", "état de la P 41"),
        ("Depósito T-12", "Depósito T-15", "El T-12 estará vacío"),
        ("Buque 512 tanques", "Buque 513 tanques", "Casco 512: inspector"),
        ("Clarifier refurb Lot 2", "Clarifier refurb Lot 3", "Lot 2 approved"),
        ("Brandskydd hall B", "Brandskydd hall C", "Tider för hall B"),
        ("Jacket TO-7", "Trial wrap", "TO-7 next week"),
    ],
)
def test_a_code_in_the_name_tells_a_deal_from_its_sibling(name: str, other: str, said: str) -> None:
    known = directory(deal(1, NORDWIND, ANNA, name=name), deal(2, NORDWIND, ANNA, name=other))
    assert deals(alone(draft(subject=said), known)) == {1: 1.0}


def test_what_is_left_of_a_code_is_no_word() -> None:
    """``to 7`` is no TO-7, and a lot is not Lot 2."""
    known = directory(deal(1, NORDWIND, ANNA, name="Jacket TO-7"), deal(2, NORDWIND, ANNA, name="Trial wrap"))
    assert deals(alone(draft(subject="From Monday to 7 May"), known)) == {}
    assert deals(alone(draft(subject="A lot to do"), directory(*LOTS))) == {}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Serviceavtal", "Serviceavtalet går ut"),
        ("Jacket coating", "Coating of the jackets"),
        ("Maskinrum Hven", "Brandskydd i maskinrummet på Hven"),
    ],
)
def test_a_word_with_another_ending_is_the_same_word(name: str, said: str) -> None:
    known = directory(deal(1, NORDWIND, ANNA, name=name), deal(2, NORDWIND, ANNA, name="Boreal Scan"))
    assert deals(alone(draft(subject=said), known)) == {1: 1.0}


def test_the_end_of_a_quotes_number_is_how_people_say_it() -> None:
    known = directory(
        deal(1, NORDWIND, ANNA, references=("OF-26-0388",)),
        deal(2, NORDWIND, ANNA, references=("OF-26-0415",)),
    )
    assert deals(alone(draft(subject="pedido 0415"), known)) == {2: 1.0}
    by_year = directory(deal(1, NORDWIND, ANNA, references=("NS-2026",)), deal(2, NORDWIND, ANNA))
    assert deals(alone(draft(subject="Plans for 2026"), by_year)) == {}, "a year is no number of a quote"


def test_what_stands_below_the_writers_name_says_nothing() -> None:
    known = directory(
        deal(1, NORDWIND, ANNA, name="Dry dock floor"), deal(2, NORDWIND, ANNA, name="Hull paint")
    )
    mail = draft("Anna Berg <anna@nordwind.example>", subject="Thursday")
    signed = "Can we talk on Thursday?\n\nRegards\nAnna Berg\nPurchasing\nVisit us: dry dock floor 3"
    assert deals(alone(mail, known, signed)) == {}
    assert deals(alone(mail, known, signed.replace("Thursday?", "the dry dock floor?"))) == {1: 1.0}


def test_what_is_newly_written_outranks_an_inherited_subject() -> None:
    known = directory(
        deal(1, NORDWIND, ANNA, name="Atlas Core", references=("Q-4711",)),
        deal(2, NORDWIND, ANNA, name="Boreal Scan"),
    )
    assert deals(alone(draft(subject="Re: Quote Q-4711"), known, "When can Boreal Scan start?")) == {2: 1.0}
    first = written(1, subject="Quote Q-4711", text="Here is the quote.")
    later = written(40, subject="Re: Quote Q-4711", text="I answer here. Does Boreal cost the same in May?")
    assert chosen(thread(known, first, later)) == [[1], [2]], "after a pause half of a name is enough"


@pytest.mark.parametrize("turn", ["off topic: ", "Helt annat: ", "Autre sujet, ", "Iets anders: "])
def test_who_says_that_it_is_about_something_else_is_believed(turn: str) -> None:
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas Core"))
    first = written(1, subject="Atlas Core", text="The prices are attached.")
    off = written(2, subject="Re: Atlas Core", text=f"{turn}do you know anybody who sells a boat?")
    assert chosen(thread(known, first, off)) == [[1], []]


def test_of_two_deals_in_one_thread_the_one_in_the_subject_is_meant() -> None:
    first = written(1, subject="Lot 2 price", text="Lot 2 attached.")
    later = written(2, subject="Re: Lot 2 price", text="Lot 2 approved! Lot 3 is still with the board.")
    assert chosen(thread(directory(*LOTS), first, later)) == [[2], [2]]


def test_a_name_that_is_also_that_of_what_was_bought_lately_names_no_deal() -> None:
    """A kick-off of what was won three weeks ago, beside a new deal of the same product."""
    won = deal(1, NORDWIND, CARL, name="Atlas Core", closed=NOON - 20 * DAY)
    new = deal(2, NORDWIND, ANNA, CARL, name="Atlas Core")
    kick_off = draft("carl@nordwind.example", subject="Kick-off Atlas Core")
    found = alone(kick_off, directory(won, new))
    assert deals(found) == {}
    assert found.review is not None
    long_ago = deal(1, NORDWIND, CARL, name="Atlas Core", closed=NOON - 300 * DAY)
    assert deals(alone(kick_off, directory(long_ago, new))) == {2: 1.0}, "they buy it again"


def test_a_word_that_two_products_share_does_not_name_the_other_one() -> None:
    pro = deal(1, NORDWIND, ANNA, name="GTX Pro", products=("GTX Pro",))
    assert deals(alone(draft(subject="Introduction of GTX Basic"), directory(pro, **PLANT))) == {}
    assert deals(alone(draft(subject="GTX Pro, not GTX Basic"), directory(pro, **PLANT))) == {1: 1.0}


def test_a_buyer_with_a_role_on_every_deal_leaves_it_to_who_else_takes_part() -> None:
    known = directory(deal(1, NORDWIND, ANNA, CARL), deal(2, NORDWIND, CARL, OLGA))
    both = draft(subject="Our offer", cc="carl@nordwind.example")
    assert deals(alone(both, known, "Attached.")) == {1: 1.0}
    assert deals(alone(draft("carl@nordwind.example", subject="Our offer"), known, "Attached.")) == {}
    incomplete = directory(deal(1, NORDWIND, ANNA, CARL), deal(2, NORDWIND, CARL))
    assert deals(alone(both, incomplete, "Attached.")) == {}, "the other deal names nobody else as yet"


def test_a_word_of_service_in_a_text_does_not_outweigh_contact_and_owner() -> None:
    known = directory(deal(1, NORDWIND, ANNA, name="Atlas Core"))
    mail = draft(subject="Next week")
    assert deals(alone(mail, known, "The delivery is on Monday, as the price was agreed.")) == {1: 1.0}
    assert deals(alone(draft(subject="Invoice 4711"), known, "See there.")) == {}


def test_a_line_on_which_nobody_with_a_role_is_reached_is_not_about_that_deal() -> None:
    line = {"+49305550000": (KnownContact(CARL, NORDWIND, "Carl"), KnownContact(104, NORDWIND, "Dora"))}
    call = draft(subject="")
    parties = tuple(
        each if each.user_id is not None else Party("callee", "+49305550000") for each in call.parties
    )
    made = Occurrence(1, replace(call, kind="call", subject=None, parties=parties))
    elsewhere = directory(deal(1, NORDWIND, ANNA), contacts=line)
    here = directory(deal(1, NORDWIND, CARL), contacts=line)
    ((_, decision),) = judged([made], elsewhere)
    assert decision.deals == {}
    ((_, decision),) = judged([made], here)
    assert decision.deals == {1: 1.0}


def test_a_series_that_began_before_a_deal_was_entered_is_not_put_down_to_it_lightly() -> None:
    won = deal(1, NORDWIND, ANNA, CARL, closed=NOON - 30 * DAY)
    new = deal(2, NORDWIND, ANNA, created=NOON + 7 * DAY)
    dates = [
        meeting(
            number, "anna@nordwind.example", "carl@nordwind.example", subject="Project call", days=7 * number
        )
        for number in range(5)
    ]
    assert chosen(thread(directory(won, new), *dates)) == [[]] * 5


@pytest.mark.parametrize(
    ("subject", "named"),
    [
        ("Re: the lot 2 clarifiers", ["Clarifier", "Lot 2"]),
        ("Lot 2", ["Lot 2"]),
        ("Refurb in lot-2", ["refurb", "Lot 2"]),
        ("Next steps", None),
    ],
)
def test_a_link_keeps_what_the_subject_says_of_its_deal(subject: str, named: list[str] | None) -> None:
    """In the words of the CRM, and nothing of a text."""
    known = directory(deal(2, NORDWIND, ANNA, name="Clarifier refurb Lot 2"))
    found = alone(draft(subject=subject), known, "Lot 2 it is.")
    assert [link.evidence.get("named") for link in found.links if link.target == "deal"] == [named]


PLANES = [
    deal(1, NORDWIND, ANNA, name="6 harbour seals", references=("OF-26-2044",)),
    deal(2, NORDWIND, ANNA, name="4 harbour seals Bremen", references=("OF-26-2052",)),
]


@pytest.mark.parametrize(
    "text",
    [
        "How long for the six?",
        "6 seals it is.",
        "voor de zes in de hal",
        "Wann kommen die sechs?",
        "Pour les six, oui.",
    ],
)
def test_a_quantity_tells_deals_apart_that_differ_in_it(text: str) -> None:
    assert deals(alone(draft(subject="Power"), directory(*PLANES), text)) == {1: 1.0}


@pytest.mark.parametrize(
    "text", ["On the 6 May, at 6.", "Six weeks, the six weeks of summer.", "6 % less?", "Gate 6"]
)
def test_a_number_of_something_else_is_no_quantity(text: str) -> None:
    assert deals(alone(draft(subject="Power"), directory(*PLANES), text)) == {}
    assert deals(alone(draft(subject="Power"), directory(*LOTS), "The two are late.")) == {}, (
        "lots are counted on"
    )


def test_a_quotes_number_that_could_be_a_year_is_one_where_no_year_is_meant() -> None:
    assert deals(alone(draft(subject="Order 2044"), directory(*PLANES))) == {1: 1.0}
    near = [deal(number, NORDWIND, ANNA, references=(f"OF-26-202{number}",)) for number in (6, 7)]
    assert deals(alone(draft(subject="Plans for 2027"), directory(*near))) == {}
