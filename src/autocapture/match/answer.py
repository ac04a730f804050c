"""A decision to the answers of its activities: links with their evidence, or the sentence that says what stayed open."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from autocapture.match.cast import company_links
from autocapture.match.decide import Decision
from autocapture.match.live import Life, life_of
from autocapture.match.matters import Matter, Seen
from autocapture.match.words import deal_words, named_in
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.draft import Link, Matched
from autocapture.model.matching import MatchingRules, Option

_NAMED = 3
_SPEAKS = 0.5
"""Log-odds from which an evidence may be what a link is said to stand on."""
_METHODS = (
    ("key", "key"),
    ("number", "reference"),
    ("own words", "words"),
    ("words", "words"),
    ("role", "contact_role"),
    ("owner", "owner"),
)
"""By the clearest evidence that speaks for a deal, how a link is said to have come about."""
_SAYING = {"words", "own words", "number"}


def answer_without_deal(seen: Seen) -> Matched:
    """An activity that is about no deal, whatever there is."""
    return Matched(seen.parties, seen.cast.links)


def answers_of(
    matter: Matter, decision: Decision, directory: Directory, rules: MatchingRules
) -> dict[int, Matched]:
    """The answer of each activity of the matter."""
    options = {each.deal_id: each for each in decision.options}
    taken = [
        _Taken(
            deal=directory.deals[deal_id],
            life=life_of(directory.deals[deal_id], rules),
            method=_method(options[deal_id]),
            option=options[deal_id],
            weight=weight,
            weights={name: round(amount, 2) for name, amount in options[deal_id].evidence.items()},
            speaking=_speaking(matter, directory.deals[deal_id], directory, rules),
            saying=_saying(matter, directory.deals[deal_id], options[deal_id], directory, rules),
            named=_named(matter, directory.deals[deal_id], options[deal_id], directory, rules),
            key_given_by=matter.named.get(deal_id, ""),
        )
        for deal_id, weight in sorted(decision.deals.items())
    ]
    over = _taken_over(matter)
    question = None if taken else _question(matter, decision, directory)
    return {
        seen.occurrence.activity_id: _answer(seen, matter, taken, over, question, directory, rules)
        for seen in matter.members
    }


class _Taken(NamedTuple):
    """A deal that a matter was put down to. `speaking` are the activities that themselves speak for it, `saying` those that name
    it, oldest first."""

    deal: KnownDeal
    life: Life
    method: str
    option: Option
    weight: float
    weights: Mapping[str, float]
    speaking: Sequence[Seen]
    saying: Sequence[Seen]
    named: Sequence[str]
    """What subjects and titles of the matter say of it."""
    key_given_by: str


def _answer(
    seen: Seen,
    matter: Matter,
    taken: Sequence[_Taken],
    over: Mapping[int, tuple[str, Any]],
    question: str | None,
    directory: Directory,
    rules: MatchingRules,
) -> Matched:
    is_stranger = not seen.companies and not any(person.undecided for person in seen.people)
    companies = company_links(over) if is_stranger else seen.cast.links
    if not taken:
        return Matched(seen.parties, companies, question)
    live = [each for each in taken if each.life.holds(seen.at)]
    if not live:
        names = listed([each.deal.name for each in taken])
        return Matched(seen.parties, companies, f"its {_kind(matter)} is about a closed deal: {names}")
    links = tuple([_deal_link(seen, matter, each, rules.version) for each in live])
    return Matched(seen.parties, (*_with_companies_of(links, companies, directory), *links))


def _deal_link(seen: Seen, matter: Matter, taken: _Taken, version: int) -> Link:
    deal, option = taken.deal, taken.option
    evidence: dict[str, Any] = {"p": option.p, "weights": taken.weights}
    if deal.company_id is not None:
        evidence["company"] = deal.company_id
    if taken.method == "key":
        evidence["by"] = taken.key_given_by
    if taken.named:
        evidence["named"] = list(taken.named)
    if (sayer := _origin(seen, taken.saying)) is not None:
        evidence["said_in"] = sayer.occurrence.activity_id
    method = taken.method
    if own := sorted(deal.contacts & seen.contacts):
        evidence["contacts"] = own
    elif (origin := _origin(seen, taken.speaking)) is not None:
        method = _kind(matter)
        evidence["precedent"] = origin.occurrence.activity_id
    return Link("deal", deal.deal_id, method, taken.weight, evidence, version)


def _speaking(matter: Matter, deal: KnownDeal, directory: Directory, rules: MatchingRules) -> Sequence[Seen]:
    called = deal_words(deal, directory, rules)
    return [
        each
        for each in matter.members
        if deal.deal_id in each.named
        or not (
            deal.contacts.isdisjoint(each.contacts)
            and called.every.isdisjoint(each.content.stems)
            and called.numbers.isdisjoint(each.content.numbers)
        )
    ]


def _saying(
    matter: Matter, deal: KnownDeal, option: Option, directory: Directory, rules: MatchingRules
) -> Sequence[Seen]:
    if not _SAYING & option.evidence.keys() or len(matter.members) == 1:
        return ()
    called = deal_words(deal, directory, rules)
    others = _of_others(matter, deal, directory, rules) if "own words" in option.evidence else frozenset()
    return [
        each
        for each in matter.members
        if not (called.every - others).isdisjoint(each.content.stems)
        or not called.numbers.isdisjoint(each.content.numbers)
    ]


def _of_others(matter: Matter, deal: KnownDeal, directory: Directory, rules: MatchingRules) -> frozenset[str]:
    """The words of the other candidates, which tell it from none of them."""
    others = [each for each in matter.candidates.values() if each.deal_id != deal.deal_id]
    return frozenset().union(*[deal_words(each, directory, rules).every for each in others])


def _named(
    matter: Matter, deal: KnownDeal, option: Option, directory: Directory, rules: MatchingRules
) -> Sequence[str]:
    if "words" not in option.evidence:
        return ()
    found = deal_words(deal, directory, rules).every & matter.content.titled
    if found and "own words" in option.evidence:
        found -= _of_others(matter, deal, directory, rules)
    return named_in(deal, found) if found else ()


def _origin(seen: Seen, speaking: Sequence[Seen]) -> Seen | None:
    """Where an activity does not speak for the deal itself, the one of its matter that does: the nearest before it, else the
    first."""
    if not speaking:
        return None
    place = bisect_right(speaking, _moment(seen), key=_moment)
    origin = speaking[max(0, place - 1)]
    return None if origin is seen else origin


def _moment(seen: Seen) -> tuple[datetime, int]:
    return seen.at, seen.occurrence.activity_id


def _method(option: Option) -> str:
    found = (method for name, method in _METHODS if option.evidence.get(name, 0.0) >= _SPEAKS)
    return next(found, "only_live_deal")


def _kind(matter: Matter) -> str:
    return "series" if matter.is_series else "thread"


def _taken_over(matter: Matter) -> Mapping[int, tuple[str, Any]]:
    """The companies with which somebody goes on of whom nothing is known."""
    origin = next((each for each in matter.members if each.companies), None)
    if origin is None:
        return {}
    return dict.fromkeys(sorted(matter.companies), (_kind(matter), origin.occurrence.activity_id))


def _with_companies_of(
    deals: Sequence[Link], companies: Sequence[Link], directory: Directory
) -> tuple[Link, ...]:
    """The companies with those of the linked deals, which need not be named by anybody's address."""
    there = {link.target_id for link in companies}
    more: dict[int, Link] = {}
    for link in deals:
        company_id = directory.deals[link.target_id].company_id
        if company_id is not None and company_id not in there:
            more.setdefault(
                company_id, Link("company", company_id, "deal", evidence={"by": str(link.target_id)})
            )
    return tuple(sorted((*companies, *more.values()), key=_target)) if more else tuple(companies)


def _target(link: Link) -> int:
    return link.target_id


def _question(matter: Matter, decision: Decision, directory: Directory) -> str | None:
    """One line that says what there was to choose from."""
    for person in matter.undecided:
        names = listed([company_name(each, directory) for each in person.undecided])
        return f"{person.handle} stands for {len(person.undecided)} companies: {names}"
    if not decision.is_open:
        return None
    deals = [directory.deals[each.deal_id] for each in decision.options if each.deal_id is not None]
    return _listed_deals(deals, matter.companies, directory)


def _listed_deals(deals: Sequence[KnownDeal], companies: Collection[int], directory: Directory) -> str:
    told = listed([deal.name or f"deal {deal.deal_id}" for deal in deals])
    count = "1 live deal" if len(deals) == 1 else f"{len(deals)} live deals"
    names = listed([company_name(each, directory) for each in sorted(companies)])
    if len(companies) > 1:
        return f"{len(companies)} companies ({names}), {count}: {told}"
    return f"{count} of {names}: {told}" if names else f"{count}: {told}"


def company_name(company_id: int, directory: Directory) -> str:
    return directory.company_names.get(company_id) or f"company {company_id}"


def listed(names: Sequence[str]) -> str:
    """The first three names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
