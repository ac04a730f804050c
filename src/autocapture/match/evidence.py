"""What speaks for each deal that a matter may be about, and for no deal at all: names of evidence with how much of it there is.

Amounts of deals are none: they would put down to big deals what is about small ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from autocapture.match.beside import (
    by_signs,
    is_invitation,
    is_of_closed,
    is_partners_own,
    said_by_customer,
    said_in_invitation,
    said_short_of,
)
from autocapture.match.matters import Matter, Seen
from autocapture.match.words import (
    UNSAID,
    Content,
    Said,
    as_much,
    deal_words,
    named_products,
    said_of,
    with_beginnings,
)
from autocapture.match.writing import turns_away
from autocapture.model.crm import WON
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.matching import MatchingRules

Evidence = Mapping[str, float]

_GUESSED = 0.3
"""How much a role counts that a product entered itself: it may have been entered because of a match."""
_MORE_ROLES = 2.0
_WEEK = timedelta(weeks=1)
_IN_PASSING = 0.2
"""How much a word that sales have too says of service, where it stands in a text."""
_PLAIN = {"no deal", "nothing said"}
"""What speaks for no deal where a mail is read that gives no sign of another matter."""
_LATELY = timedelta(days=120)
"""So long after a deal was won its name may still mean what was bought."""


def evidence_of(
    matter: Matter, directory: Directory, rules: MatchingRules
) -> tuple[dict[int, Evidence], Evidence]:
    """For each candidate, and for no deal. What a customer may mean besides counts only where no deal is named."""
    candidates = matter.candidates
    contacts = matter.casts[0].speaking.union(*[cast.speaking for cast in matter.casts[1:]])
    if directory.partners:
        contacts |= _partners_with_roles(matter)
    ours = _ours(matter.members)
    content = matter.content
    bought = _bought(matter, directory)
    said, named_beside = _said(matter, bought, directory, rules)
    named = bool(matter.named) or any(each.at_all or each.number for each in said.values())
    for_none = {"no deal": 1.0}
    if len(matter.companies) > 1:
        for_none["several companies"] = 1.0
    if not named:
        for_none |= _by_signs(matter, directory, rules)
        for_none |= _by_silence(matter, content, named_beside, rules)
        for_none |= _by_purchases(contacts, bought, candidates.values())
        if any(each.bought for each in said.values()):
            for_none["bought under that name"] = 1.0
    unread = "not in the subject" in for_none
    owned = {product for each in bought for product in each.products} if not named else set()
    takes_part = _takes_part(matter, contacts, directory, unread=unread)
    has_owner = any(deal.owner_id in ours for deal in candidates.values())
    only = _only(matter, ours, directory) if for_none.keys() <= _PLAIN else None
    of_deals: dict[int, Evidence] = {
        key: {
            **_by_role(deal, takes_part),
            **_by_owner(deal, ours, of_rival=has_owner),
            **(_by_words(key, said) if named else {}),
            **_by_time(deal, matter),
            **({"key": 1.0} if key in matter.named else {}),
            **({"only deal": 1.0} if key == only else {}),
            **({"they have it": 1.0} if deal.products and owned.issuperset(deal.products) else {}),
        }
        for key, deal in candidates.items()
    }
    return of_deals, for_none


def _partners_with_roles(matter: Matter) -> frozenset[int]:
    """Those whose company is aside beside a customer's, and who have a role on one of its deals."""
    people = {person.contact_id for cast in matter.casts for person in cast.people}
    deals = [deal for deal in matter.candidates.values() if deal.company_id in matter.companies]
    return frozenset([each for deal in deals for each in deal.contacts if each in people])


def _only(matter: Matter, ours: frozenset[int], directory: Directory) -> int | None:
    """The only deal that a company ever had, while it is open, and where its owner takes part: there is nothing else to mean."""
    if len(matter.candidates) != 1 or len(matter.companies) != 1:
        return None
    ((key, deal),) = matter.candidates.items()
    is_open = deal.created_at <= matter.members[0].at and deal.closed_at is None
    of_company = directory.deals_of_company.get(deal.company_id or 0, ())
    is_only = deal.company_id in matter.companies and len(of_company) == 1
    return key if is_only and is_open and deal.owner_id in ours else None


def _said(
    matter: Matter, bought: Sequence[KnownDeal], directory: Directory, rules: MatchingRules
) -> tuple[Mapping[int, Said], bool]:
    """What is said of each candidate, and whether a product is named that none of them has."""
    content = matter.content
    if not content.words:
        return dict.fromkeys(matter.candidates, UNSAID), False
    called = {key: deal_words(deal, directory, rules) for key, deal in matter.candidates.items()}
    at = matter.members[-1].at
    lately = [
        deal_words(each, directory, rules)
        for each in bought
        if each.closed_at is not None and at - each.closed_at <= _LATELY
    ]
    products = named_products(content, directory)
    said = as_much(said_of(content, called, bought=lately, products=products), matter.pointed)
    if not matter.companies.keys() >= {deal.company_id for deal in matter.candidates.values()}:
        said = said_by_customer(content, matter.candidates, matter.companies, said, directory, rules)
    if is_invitation(content, rules):
        titled = content._replace(stems=content.titled)
        said = said_in_invitation(said, said_of(titled, called, bought=lately, products=products))
    elif not any(each.at_all or each.number or each.bought for each in said.values()):
        said = said_short_of(content, matter.candidates, said)
    return said, bool(products) and not any(each.bought for each in said.values())


def _by_signs(matter: Matter, directory: Directory, rules: MatchingRules) -> dict[str, float]:
    """What says that another thing is meant than any of the deals."""
    found: dict[str, float] = {}
    mails = [each for each in matter.members if each.draft.kind == "email"]
    if mails:
        texts = [text for each in mails for text in (each.draft.subject, each.occurrence.text)]
        found |= by_signs(matter.content, texts, rules)
    if is_partners_own(matter.companies, matter.candidates, directory):
        found["partner"] = 1.0
    closed = _closed(matter, directory) if matter.content.words else ()
    if closed:
        called = {key: deal_words(deal, directory, rules) for key, deal in matter.candidates.items()}
        told = [(each, deal_words(each, directory, rules)) for each in closed]
        if is_of_closed(matter.content, called, told):
            found["of a closed deal"] = 1.0
    return found


class _TakesPart(NamedTuple):
    """Who of a customer takes part. `telling` are those who tell one deal from another, `on_one`: one of them has a role on a
    candidate. `known`: somebody whom the CRM has; `on_lines` are contacts on lines that several share. `unread`: no deal is
    named, and the text of a mail is not read."""

    contacts: frozenset[int]
    telling: frozenset[int]
    on_one: bool
    known: bool
    on_lines: frozenset[int]
    unread: bool


def _takes_part(
    matter: Matter, contacts: frozenset[int], directory: Directory, *, unread: bool
) -> _TakesPart:
    candidates = matter.candidates.values()
    telling = _telling(contacts, candidates)
    on_one = any(not deal.contacts.isdisjoint(telling) for deal in candidates)
    on_lines = frozenset() if on_one else _on_lines(matter, directory)
    known = bool(on_lines) or any(
        person.contact_id is not None for cast in matter.casts for person in cast.people
    )
    return _TakesPart(contacts, telling, on_one, known, on_lines, unread)


def _telling(contacts: frozenset[int], candidates: Collection[KnownDeal]) -> frozenset[int]:
    """The contacts without those who have a role on every candidate, where each of these has others besides: where one has not,
    whoever else takes part may work on it too."""
    named = [deal.contacts for deal in candidates if deal.contacts]
    if len(named) < 2:
        return contacts
    shared = frozenset.intersection(*named)
    if not shared or any(each == shared for each in named):
        return contacts
    rest = contacts - shared
    return rest if any(not rest.isdisjoint(each) for each in named) else contacts


def _on_lines(matter: Matter, directory: Directory) -> frozenset[int]:
    """The contacts on lines and addresses of which nobody can tell who was behind them."""
    return frozenset(
        [
            contact.contact_id
            for cast in matter.casts
            for person in cast.people
            if person.contact_id is None and person.known
            for contact in directory.contacts.get(person.handle, ())
        ]
    )


def _ours(members: Sequence[Seen]) -> frozenset[int]:
    return frozenset(
        [
            party.user_id
            for each in members
            for party in each.draft.parties
            if party.user_id is not None and party.response != "declined"
        ]
    )


def _by_role(deal: KnownDeal, takes_part: _TakesPart) -> Evidence:
    """What roles say; they say less of a mail whose text is not read, which may name another deal. Who has a role on every deal
    tells none from another where somebody else does."""
    if not deal.contacts.isdisjoint(takes_part.telling):
        here = deal.contacts & takes_part.contacts
        told = here - deal.guessed
        found = {"role": 1.0 if told else _GUESSED}
        if takes_part.unread:
            found["role, text unread"] = found["role"]
        if len(here) > 1:
            found["more roles"] = min(_MORE_ROLES, len(told) + _GUESSED * len(here & deal.guessed) - 1)
        return found
    if takes_part.on_one:
        return {"role on a rival": 1.0}
    is_beside = deal.contacts and takes_part.known and deal.contacts.isdisjoint(takes_part.on_lines)
    return {"others have roles": 1.0} if is_beside else {}


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
            if own.titled and not all(each.titled for each in said.values() if each.alone or each.number):
                found["own words in the subject"] = 1.0
        rival = max((max(each.alone, each.number) for other, each in said.items() if other != key), default=0)
        if rival > max(own.alone, own.number):
            found["words of a rival"] = rival - max(own.alone, own.number)
    return found


def _by_time(deal: KnownDeal, matter: Matter) -> Evidence:
    """A thread may lead to a deal; a series that began before it was about something else."""
    first, last = matter.members[0].at, matter.members[-1].at
    found: dict[str, float] = {}
    before = deal.created_at - (first if matter.is_series else last)
    if before > timedelta(0):
        found["weeks before"] = before / _WEEK
    if deal.closed_at is not None and first > deal.closed_at:
        found["weeks after"] = (first - deal.closed_at) / _WEEK
    return found


def _by_silence(
    matter: Matter, content: Content, named_beside: bool, rules: MatchingRules
) -> dict[str, float]:
    """What is said instead, where no deal is named."""
    found = {_silence(matter, content): 1.0}
    if named_beside:
        found["another product"] = 1.0
    else:
        found |= _by_service(content, rules)
    texts = [text for each in matter.members for text in (each.draft.subject, each.occurrence.text)]
    if turns_away(texts, content.words, rules.elsewhere):
        found["another matter"] = 1.0
    if all(each.draft.kind == "email" and each.draft.direction == "outbound" for each in matter.members):
        found["unanswered"] = 1.0
    return found


def _by_service(content: Content, rules: MatchingRules) -> dict[str, float]:
    """What is no sale counts less where it stands in a text, or where sales speak of it too."""
    title = with_beginnings(content.title)
    if not title.isdisjoint(rules.service):
        return {"service": 1.0}
    if not title.isdisjoint(rules.doubtful):
        return {"perhaps service": 1.0}
    if not content.has_text:
        return {}
    words = with_beginnings(content.words)
    if not words.isdisjoint(rules.service):
        return {"perhaps service": 1.0}
    return {} if words.isdisjoint(rules.doubtful) else {"perhaps service": _IN_PASSING}


def _by_purchases(
    contacts: frozenset[int], bought: Sequence[KnownDeal], candidates: Collection[KnownDeal]
) -> dict[str, float]:
    """Twice as much where somebody has a role on what was bought who has none on any candidate."""
    if not bought:
        return {}
    found = {"customer": 1.0}
    on_bought = contacts.intersection(frozenset().union(*[deal.contacts for deal in bought]))
    if on_bought:
        alone = on_bought.difference(*[deal.contacts for deal in candidates])
        found["role on what was bought"] = 2.0 if alone else 1.0
    return found


def _silence(matter: Matter, content: Content) -> str:
    """How no deal is named: in what was written, in a title, in a mail whose text is not kept, or in a call."""
    if content.has_text:
        return "nothing said"
    if any(each.draft.kind == "email" for each in matter.members):
        return "not in the subject"
    return "not in the title" if content.has_subject else "mute"


def _bought(matter: Matter, directory: Directory) -> list[KnownDeal]:
    return [deal for deal in _closed(matter, directory) if deal.outcome == WON]


def _closed(matter: Matter, directory: Directory) -> list[KnownDeal]:
    """Their deals that were won or lost before."""
    at = matter.members[0].at
    ids = {each for company in matter.companies for each in directory.deals_of_company.get(company, ())}
    others = sorted(ids.difference(matter.candidates))
    return [
        deal
        for deal in [directory.deals[each] for each in others]
        if deal.closed_at is not None and deal.closed_at < at
    ]
