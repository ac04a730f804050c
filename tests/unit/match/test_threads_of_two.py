"""Threads that speak of two deals: each mail by what it names itself, and what only stands beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.match.scenes import (
    ANNA,
    NORDWIND,
    alone,
    chosen,
    deal,
    deals,
    directory,
    draft,
    thread,
    written,
)

from autocapture.model.matching import Occurrence

YARDS = directory(
    deal(1, NORDWIND, ANNA, name="Slipway crane Kiel", references=("OF-26-0388",)),
    deal(2, NORDWIND, ANNA, name="Slipway crane Bremen", references=("OF-26-0415",)),
)


def ours(occurrence: Occurrence) -> Occurrence:
    """The same mail, written by Ruth."""
    parties = tuple(
        replace(each, role="to" if each.role == "from" else "from") for each in occurrence.draft.parties
    )
    return replace(occurrence, draft=replace(occurrence.draft, direction="outbound", parties=parties))


def test_a_mail_is_about_what_it_names_whatever_a_later_one_names() -> None:
    noise = written(1, subject="Kiel", text="How loud is it?")
    answer = written(2, subject="Re: Kiel", text="68 dB.")
    other = written(3, subject="Re: Kiel", text="As for Bremen: OF-26-0415 is attached.")
    assert chosen(thread(YARDS, noise, answer, other)) == [[1], [1], [2]]


def test_a_later_mail_does_not_settle_an_open_one_where_the_thread_names_two_deals() -> None:
    price = written(1, subject="Cranes", text="What is your best price?")
    kiel = written(2, subject="Re: Cranes", text="For Kiel 80,000.")
    fine = written(3, subject="Re: Cranes", text="That is fine.")
    bremen = written(9, subject="Re: Cranes", text="And Bremen?")
    assert chosen(thread(YARDS, price, kiel, fine, bremen)) == [[], [1], [1], [2]]
    assert chosen(thread(YARDS, price, kiel, fine)) == [[1], [1], [1]], "the thread names one deal"


def test_who_speaks_of_both_is_not_told_by_a_later_mail_which_is_meant() -> None:
    both = written(1, subject="Slipway cranes", text="Both are quoted without transport.")
    later = written(9, subject="Re: Slipway cranes", text="Kiel is off for this year.")
    assert chosen(thread(YARDS, both, later)) == [[], [1]]


def test_after_two_quotes_an_answer_on_one_is_about_that_one() -> None:
    quotes = written(1, subject="Quotes", text="Attached: OF-26-0388 and OF-26-0415.")
    answer = written(2, subject="Re: Quotes", text="In 0415 the hook is missing.")
    assert chosen(thread(YARDS, quotes, answer)) == [[1, 2], [2]]


def test_half_of_a_name_in_an_answer_outranks_less_in_the_subject_it_inherits() -> None:
    known = directory(
        deal(1, NORDWIND, ANNA, name="Aarhus ferry terminal"), deal(2, NORDWIND, ANNA, name="Malmö dry dock")
    )
    first = written(1, subject="Aarhus", text="The date has moved.")
    later = written(5, subject="Re: Aarhus", text="Back to Malmö: when can you look at the dock?")
    assert chosen(thread(known, first, later)) == [[1], [2]]


def test_a_subject_keeps_counting_where_its_owner_is_written_to_and_the_others_is_not() -> None:
    known = directory(
        deal(1, NORDWIND, ANNA, name="Inspection plan"),
        deal(2, NORDWIND, ANNA, name="Slipway crane Bremen", owner=None),
        deal(3, NORDWIND, ANNA, name="Slipway crane Kiel", owner=None),
    )
    first = written(1, subject="Inspection plan", text="Our proposal.")
    answer = written(2, subject="Re: Inspection plan", text="Two years will do, and Bremen must be in it.")
    assert chosen(thread(known, first, answer)) == [[1], [1]]


@pytest.mark.parametrize(
    "text",
    [
        "We are capped at 230 for Kiel. Bremen is unaffected.",
        "Kiel it is, Bremen comes later.",
        "Kiel, not Bremen.",
        "Kiel, bitte. Bremen kommt erst im November dran.",
        "Es geht um Kiel, nicht um die in Bremen.",
        "Kiel graag, Bremen nog niet.",
        "C'est pour Kiel. Pour Bremen rien ne change.",
        "Kiel, por favor. Bremen sigue sin cambios.",
        "Det gäller Kiel. Bremen påverkas inte.",
    ],
)
def test_what_is_mentioned_as_not_meant_is_not_meant(text: str) -> None:
    mail = written(1, subject="Budget", text=text)
    assert chosen(thread(YARDS, mail, written(2, subject="Re: Budget", text="Thank you."))) == [[1], [1]]


def test_a_name_of_several_words_is_denied_whole() -> None:
    known = directory(
        deal(1, NORDWIND, ANNA, name="Boreal Scan"),
        deal(2, NORDWIND, ANNA, name="Atlas Core", products=("Atlas Core",)),
    )
    mail = alone(
        draft(subject="Budget"), known, "The board wants Boreal Scan. Not Atlas Core, we leave that."
    )
    assert deals(mail) == {1: 1.0}


def test_what_comes_later_is_meant_where_nothing_else_is_named() -> None:
    assert deals(alone(draft(subject="Budget"), YARDS, "Bremen comes later than we thought.")) == {2: 1.0}


def test_our_question_which_of_two_is_meant_leaves_it_open() -> None:
    asked = ours(written(1, subject="Your order", text="Thanks! Do you mean Kiel or Bremen?"))
    assert asked.draft.direction == "outbound"
    found = thread(YARDS, asked, written(2, subject="Re: Your order", text="Bremen, please."))
    assert chosen(found) == [[], [2]]
    assert found[0].review is not None
    theirs = thread(YARDS, written(1, subject="Your offer", text="When do Kiel and Bremen begin?"))
    assert chosen(theirs) == [[1, 2]]


def test_of_two_names_the_longer_one_is_not_meant_less() -> None:
    known = directory(
        deal(1, NORDWIND, ANNA, name="Paint shop Kiel"),
        deal(2, NORDWIND, ANNA, name="Hull blasting", products=("Blasting",)),
    )
    mail = alone(draft(subject="Dates"), known, "When do blasting and the paint shop begin?")
    assert deals(mail) == {1: 0.5, 2: 0.5}
