"""What speaks for each deal that a matter may be about, and for no deal at all: names of evidence with how much of it there is.

Amounts of deals are none: they would put down to big deals what is about small ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from autocapture.match.matters import Matter, Seen
from autocapture.match.words import UNSAID, Content, Said, deal_words, is_service, names_product, said_of
from autocapture.model.crm import WON
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.matching import MatchingRules

Evidence = Mapping[str, float]

_GUESSED = 0.3
"""How much a role counts that a product entered itself: it may have been entered because of a match."""
_MORE_ROLES = 2.0
_WEEK = timedelta(weeks=1)


def evidence_of(
    matter: Matter, directory: Directory, rules: MatchingRules
) -> tuple[dict[int, Evidence], Evidence]:
    """For each candidate, and for no deal. What a customer may mean besides counts only where no deal is named."""
    candidates = matter.candidates
    contacts = frozenset().union(*[each.contacts for each in matter.members])
    known = any(person.contact_id is not None for each in matter.members for person in each.people)
    ours = _ours(matter.members)
    content = matter.content
    called = {key: deal_words(deal, directory, rules) for key, deal in candidates.items()}
    said = said_of(content, called)
    named = any(each.at_all or each.number for each in said.values())
    bought = () if named else _bought(matter, directory)
    for_none = {"no deal": 1.0}
    if len(matter.companies) > 1:
        for_none["several companies"] = 1.0
    if not named:
        for_none |= _by_silence(matter, content, directory, rules) | _by_purchases(contacts, bought)
    unread = "not in the subject" in for_none
    owned = {product for each in bought for product in each.products}
    has_role = any(not deal.contacts.isdisjoint(contacts) for deal in candidates.values())
    has_owner = any(deal.owner_id in ours for deal in candidates.values())
    of_deals: dict[int, Evidence] = {
        key: {
            **_by_role(deal, contacts, on_rival=has_role, known=known, unread=unread),
            **_by_owner(deal, ours, of_rival=has_owner),
            **(_by_words(key, said) if named else {}),
            **_by_time(deal, matter.members),
            **({"they have it": 1.0} if deal.products and owned.issuperset(deal.products) else {}),
        }
        for key, deal in candidates.items()
    }
    return of_deals, for_none


def _ours(members: Sequence[Seen]) -> frozenset[int]:
    return frozenset(
        [
            party.user_id
            for each in members
            for party in each.draft.parties
            if party.user_id is not None and party.response != "declined"
        ]
    )


def _by_role(
    deal: KnownDeal, contacts: frozenset[int], *, on_rival: bool, known: bool, unread: bool
) -> Evidence:
    """What roles say; they say less of a mail whose text is not read, which may name another deal."""
    here = deal.contacts & contacts
    if here:
        told = here - deal.guessed
        found = {"role": 1.0 if told else _GUESSED}
        if unread:
            found["role, text unread"] = found["role"]
        if len(here) > 1:
            found["more roles"] = min(_MORE_ROLES, len(told) + _GUESSED * len(here & deal.guessed) - 1)
        return found
    if on_rival:
        return {"role on a rival": 1.0}
    return {"others have roles": 1.0} if deal.contacts and known else {}


def _by_owner(deal: KnownDeal, ours: frozenset[int], *, of_rival: bool) -> Evidence:
    if deal.owner_id in ours:
        return {"owner": 1.0}
    return {"owner of a rival": 1.0} if of_rival else {}


def _by_words(key: int, said: Mapping[int, Said]) -> Evidence:
    own = said.get(key, UNSAID)
    found: dict[str, float] = {}
    if own.number:
        found["number"] = 1.0
    if own.at_all:
        found["words"] = own.at_all
    if len(said) > 1:
        if own.alone:
            found["own words"] = own.alone
        rival = max((max(each.alone, each.number) for other, each in said.items() if other != key), default=0)
        if rival > max(own.alone, own.number):
            found["words of a rival"] = rival - max(own.alone, own.number)
    return found


def _by_time(deal: KnownDeal, members: Sequence[Seen]) -> Evidence:
    found: dict[str, float] = {}
    first, last = members[0].at, members[-1].at
    if deal.created_at > last:
        found["weeks before"] = (deal.created_at - last) / _WEEK
    if deal.closed_at is not None and first > deal.closed_at:
        found["weeks after"] = (first - deal.closed_at) / _WEEK
    return found


def _by_silence(
    matter: Matter, content: Content, directory: Directory, rules: MatchingRules
) -> dict[str, float]:
    """What is said instead, where no deal is named."""
    found = {_silence(matter, content): 1.0}
    if names_product(content, directory):
        found["another product"] = 1.0
    elif is_service(content, rules):
        found["service"] = 1.0
    if all(each.draft.kind == "email" and each.draft.direction == "outbound" for each in matter.members):
        found["unanswered"] = 1.0
    return found


def _by_purchases(contacts: frozenset[int], bought: Sequence[KnownDeal]) -> dict[str, float]:
    if not bought:
        return {}
    found = {"customer": 1.0}
    if any(not deal.contacts.isdisjoint(contacts) for deal in bought):
        found["role on what was bought"] = 1.0
    return found


def _silence(matter: Matter, content: Content) -> str:
    """How no deal is named: in what was written, in a title, in a mail whose text is not kept, or in a call."""
    if content.has_text:
        return "nothing said"
    if any(each.draft.kind == "email" for each in matter.members):
        return "not in the subject"
    return "not in the title" if content.has_subject else "mute"


def _bought(matter: Matter, directory: Directory) -> list[KnownDeal]:
    at = matter.members[0].at
    ids = {each for company in matter.companies for each in directory.deals_of_company.get(company, ())}
    deals = [directory.deals[each] for each in sorted(ids - matter.candidates.keys())]
    return [
        deal for deal in deals if deal.outcome == WON and deal.closed_at is not None and deal.closed_at < at
    ]
