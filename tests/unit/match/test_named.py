"""A mail that gives a deal's key in the CRM is about that deal, and of some deals nothing less will do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.cast import ORGANIZATION
from tests.unit.match.scenes import (
    ANNA,
    DAY,
    NOON,
    OTHER,
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

from autocapture.match import judged
from autocapture.match.named import keys_in
from autocapture.match.rules import shipped_rules
from autocapture.model.directory import Directory, Organization
from autocapture.model.matching import MatchingRules

RULES = replace(
    shipped_rules(), deal_links=("https://crm.example.com/deals/{key}/view", "http://old.example/?id={key}")
)
OURS: Organization = replace(ORGANIZATION, matching=RULES)
BOTH = (deal(1, name="Pump line"), deal(2, name="Cold store"))
KEYS = {"d-1": (1,), "d-2": (2,)}


def known(*given: object, **more: object) -> Directory:
    return directory(*(given or BOTH), organization=OURS, by_key=KEYS, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "keys"),
    [
        ("deal+d-1@ours.example", {"d-1"}),
        ("ruth+deal-d-1@ours.example", {"d-1"}),
        ("ruth+deal.4711@ours.example", {"4711"}),
        ("ruth+deals@ours.example", set()),
        ("ruth+d-1@ours.example", set()),
        ("deal+d-1@elsewhere.example", set()),
        ("deal@ours.example", set()),
    ],
)
def test_a_key_stands_in_the_tag_of_an_address_of_ours(address: str, keys: set[str]) -> None:
    assert keys_in(draft(cc=address), None, OURS, RULES).keys() == keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("see https://crm.example.com/deals/D-1/view, please", {"d-1"}),
        ("http://old.example/?id=D-1&x=1 and HTTPS://CRM.example.com/deals/D-2/view", {"d-1", "d-2"}),
        ("https://crm.example.com.evil.example/deals/D-1/view", set()),
        ("https://crm.example.com/deals/D-1", set()),
        ("https://elsewhere.example/deals/D-1/view", set()),
    ],
)
def test_a_key_stands_in_a_link_to_the_crm_alone(text: str, keys: set[str]) -> None:
    assert keys_in(draft(subject="Hello"), text, OURS, RULES).keys() == keys
    assert keys_in(draft(subject=text), None, OURS, RULES).keys() == keys


def test_a_key_stands_in_a_header_of_ours_alone() -> None:
    header = {"x-crm-deal": " D-1 "}
    ours = draft("ruth@ours.example", to="anna@nordwind.example", headers=header)
    assert keys_in(ours, None, OURS, RULES) == {"d-1": "a header of it"}
    assert keys_in(draft(headers=header), None, OURS, RULES) == {}
    assert keys_in(draft("ruth@ours.example", headers={"x-crm-deal": "D 1"}), None, OURS, RULES) == {}
    assert deals(alone(ours, known())) == {1: 1.0}


def test_the_deal_whose_key_is_given_is_taken_whatever_else_speaks() -> None:
    found = alone(draft(subject="Cold store", cc="deal+d-1@ours.example"), known())
    assert deals(found) == {1: 1.0}
    assert links(found, "deal") == {1: "key"}
    [link] = [link for link in found.links if link.target == "deal"]
    assert link.evidence["by"] == "deal+d-1@ours.example"


def test_a_deal_of_another_company_is_taken_by_its_key_with_that_company() -> None:
    found = alone(draft(cc="deal+d-1@ours.example"), known(deal(1, OTHER), deal(2)))
    assert deals(found) == {1: 1.0}
    assert OTHER in links(found, "company")


def test_who_gives_two_keys_is_asked() -> None:
    both = "deal+d-1@ours.example, deal+d-2@ours.example"
    found = alone(draft(subject="Pump line", cc=both), known())
    assert deals(found) == {}
    assert found.review is not None


def test_a_reply_inherits_the_key_and_another_key_begins_another_matter() -> None:
    found = thread(
        known(),
        written(1, subject="Hello", cc="deal+d-1@ours.example"),
        written(2, subject="Re: Hello"),
        written(3, subject="Re: Hello", text="https://crm.example.com/deals/D-2/view"),
    )
    assert chosen(found) == [[1], [1], [2]]
    assert links(found[1], "deal") == {1: "thread"}
    assert {link.evidence.get("by") for link in found[2].links if link.target == "deal"} == {"a link in it"}


def test_a_key_of_a_deal_that_was_closed_long_ago_names_none() -> None:
    closed = deal(1, closed=NOON - 40 * DAY)
    assert deals(alone(draft(cc="deal+d-1@ours.example"), known(closed))) == {}


ONLY_NAMED = (
    deal(1, 10, ANNA, name="Renewal", thread_only=True, references=("Q-2026-117",)),
    deal(2, name="Pump line"),
)


def test_a_deal_that_must_be_named_is_no_candidate_else() -> None:
    subject = draft(subject="Renewal")
    assert deals(alone(subject, known(*ONLY_NAMED))).keys() <= {2}
    assert deals(alone(subject, known(ONLY_NAMED[0]))) == {}
    assert deals(alone(draft(subject="Q-2026-117"), known(*ONLY_NAMED))) == {1: 1.0}
    assert deals(alone(draft(cc="deal+d-1@ours.example"), known(*ONLY_NAMED))) == {1: 1.0}


def test_what_answers_a_mail_that_names_such_a_deal_is_about_it_too() -> None:
    found = thread(
        known(*ONLY_NAMED),
        written(1, subject="Q-2026-117"),
        written(2, subject="Re: Q-2026-117", text="Thank you."),
    )
    assert chosen(found) == [[1], [1]]


def test_a_whole_pipeline_may_have_to_be_named() -> None:
    rules: MatchingRules = replace(RULES, thread_only=frozenset({"renewals"}))
    crm = directory(deal(1, name="Support", pipeline="Renewals"), organization=replace(OURS, matching=rules))
    assert [decision.options for _, decision in judged([written(1, subject="Support")], crm)] == [()]
