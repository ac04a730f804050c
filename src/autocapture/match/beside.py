"""What a customer or partner may mean instead of a deal, where none is named: an invitation, the terms of next year, what was
bought or lost before, a partner's own affairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autocapture.formats.compounds import is_long_enough, short_forms
from autocapture.match.words import Content, DealWords, Said, customer_words, with_beginnings
from autocapture.match.writing import turns_away
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.matching import MatchingRules

_WHOLE = 0.99
_IN_TEXT = 0.6
"""How much a word of an invitation or of terms says that stands in the text only."""
_IN_PART = 0.5
"""How much of a deal's name is said by a short form of one of its words."""


def is_invitation(content: Content, rules: MatchingRules) -> bool:
    """Whether people are invited, for which a place may be named."""
    title = with_beginnings(content.title)
    return not (title.isdisjoint(rules.invited) and (content.words | title).isdisjoint(rules.social))


def said_in_invitation(said: Mapping[int, Said], of_title: Mapping[int, Said]) -> dict[int, Said]:
    """What an invitation says of deals: by their whole names, numbers, or in its title. A place to come to is no deal."""
    return {
        key: each if each.number or each.at_all >= _WHOLE or of_title[key].at_all else Said(0.0, 0.0, 0.0)
        for key, each in said.items()
    }


def by_signs(content: Content, texts: Sequence[str | None], rules: MatchingRules) -> dict[str, float]:
    """Words of invitations, and of terms that are those of a year rather than of a deal."""
    found: dict[str, float] = {}
    title = with_beginnings(content.title)
    for name, listed in (("social", rules.social), ("terms", rules.terms)):
        if not title.isdisjoint(listed) or turns_away(texts[:1], content.title, listed):
            found[name] = 1.0
        elif not content.words.isdisjoint(listed) or turns_away(texts, content.words, listed):
            found[name] = _IN_TEXT
    return found


def is_partners_own(
    companies: Mapping[int, Any], candidates: Mapping[int, KnownDeal], directory: Directory
) -> bool:
    """Whether a partner writes alone, who has no deal itself: the candidates are deals of its customers."""
    if not companies or not directory.partners.issuperset(companies):
        return False
    return all(deal.company_id not in companies for deal in candidates.values())


def is_of_closed(
    content: Content, called: Mapping[int, DealWords], closed: Sequence[tuple[KnownDeal, DealWords]]
) -> bool:
    """Whether what is said is the name of a deal that was won or lost before, and of none that lives."""
    if not closed:
        return False
    living = frozenset().union(*[each.every for each in called.values()])
    for deal, words in closed:
        own = [phrase for phrase in words.phrases if phrase.said(content.stems - living) >= _IN_PART]
        if own or said_short(content, deal):
            return True
    return False


def said_by_customer(
    content: Content,
    candidates: Mapping[int, KnownDeal],
    companies: Mapping[int, Any],
    said: Mapping[int, Said],
    directory: Directory,
    rules: MatchingRules,
) -> Mapping[int, Said]:
    """What is said of each, with those whose customer is named by somebody of another company, as partners do."""
    named = [
        key
        for key, deal in candidates.items()
        if deal.company_id is not None
        and deal.company_id not in companies
        and customer_words(directory.company_names.get(deal.company_id, ""), rules.common).said(content.stems)
        >= _IN_PART
    ]
    if not named:
        return said
    own = _IN_PART if len({deal.company_id for deal in candidates.values()}) == len(candidates) else 0.0
    return {
        **said,
        **{
            key: each._replace(at_all=max(each.at_all, _IN_PART), alone=max(each.alone, own))
            for key in named
            if (each := said[key])
        },
    }


def said_short(content: Content, deal: KnownDeal) -> bool:
    """Whether one of the deal's words is said in a short form."""
    return any(
        is_long_enough(each) or content.title == {each}
        for name in (deal.name, *deal.products)
        for each in short_forms(name) & content.stems
    )


def said_short_of(
    content: Content, candidates: Mapping[int, KnownDeal], said: Mapping[int, Said]
) -> Mapping[int, Said]:
    """What is said of each, where nothing is but a short form of a word of one of them alone."""
    found = [key for key, deal in candidates.items() if said_short(content, deal)]
    if len(found) != 1:
        return said
    return {**said, found[0]: Said(_IN_PART, _IN_PART, 0.0)}
