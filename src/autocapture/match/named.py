"""Hard rules H3 and H6: a mail that gives a deal's key in the CRM is about that deal; of some deals nothing less will do.

The key stands in an address of ours among its parties (``deal+D-17@ours.example``, ``anna+deal-D-17@ours.example``), in a link to
the deal's page in the CRM, or in the header ``X-CRM-Deal`` of a mail of ours. An activity that names two is about neither by
itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from autocapture.match.words import Content, deal_words
from autocapture.model.directory import Directory, KnownDeal, Organization
from autocapture.model.draft import Draft
from autocapture.model.matching import MatchingRules, Occurrence

KEY = "{key}"
"""What stands for the key in the address of a page."""
A_HEADER = "a header of it"
A_LINK = "a link in it"
"""What names a deal where a link does: the link itself may stand in a text, of which nothing is kept elsewhere."""
_MARK = "deal"
_SEPARATORS = "+-.=_"
_LONGEST = 64


def may_give_key(address: str) -> bool:
    """Whether it is worth a closer look: few addresses are."""
    return _MARK in address


def keys_in(
    draft: Draft, text: str | None, organization: Organization, rules: MatchingRules
) -> Mapping[str, str]:
    """The keys, folded, that an activity gives, each with what gives it: an address, or a link."""
    found = {draft.deal_key: A_HEADER} if draft.deal_key else {}
    for party in draft.parties:
        address = party.address
        key = _key_of(address) if may_give_key(address) else ""
        if key and (party.user_id is not None or organization.is_inside(address)):
            found[key] = address
    if rules.deal_links:
        for written in (draft.subject, text):
            for key in _linked(written, rules.deal_links) if written and "://" in written else ():
                found.setdefault(key, A_LINK)
    return found


def named_by(occurrence: Occurrence, directory: Directory, rules: MatchingRules) -> Mapping[int, str]:
    """The deals of which an activity gives the key, by id, each with what gives it."""
    if not directory.by_key:
        return {}
    keys = keys_in(occurrence.draft, occurrence.text, directory.organization, rules)
    return {deal_id: by for key, by in keys.items() for deal_id in directory.by_key.get(key, ())}


def is_thread_only(deal: KnownDeal, rules: MatchingRules) -> bool:
    """Hard rule H6: whether the deal is meant only where it is named, by what the CRM says of it or of its pipeline."""
    return deal.thread_only or (bool(rules.thread_only) and deal.pipeline.casefold() in rules.thread_only)


def without_unnamed(
    candidates: Mapping[int, KnownDeal],
    named: Mapping[int, str],
    content: Content,
    directory: Directory,
    rules: MatchingRules,
) -> dict[int, KnownDeal]:
    """The candidates without those that must be named and are not, by key or by the number of a quote or order."""
    return {
        deal_id: deal
        for deal_id, deal in candidates.items()
        if deal_id in named
        or not is_thread_only(deal, rules)
        or not deal_words(deal, directory, rules).numbers.isdisjoint(content.numbers)
    }


def _key_of(address: str) -> str:
    """What follows the mark in the tag of an address, or the whole tag of one that is called by the mark."""
    base, plus, tag = address.rpartition("@")[0].partition("+")
    if not plus:
        return ""
    if base != _MARK:
        if not tag.startswith(_MARK) or tag[len(_MARK) : len(_MARK) + 1] not in _SEPARATORS:
            return ""
        tag = tag[len(_MARK) + 1 :]
    return tag.lower() if len(tag) <= _LONGEST else ""


def _linked(text: str, links: Collection[str]) -> Iterator[str]:
    for found in _pattern(tuple(links)).finditer(text):
        yield next(key for key in found.groups() if key).lower()


@lru_cache(maxsize=8)
def _pattern(links: tuple[str, ...]) -> re.Pattern[str]:
    """Finds these addresses of pages, whatever follows them, and the key in each. Linear: what is repeated are single signs."""
    parts = []
    for link in links:
        before, _, after = link.partition(KEY)
        scheme, host = before.split("://", 1)
        parts.append(
            rf"(?:{re.escape(scheme)})://{re.escape(host)}([A-Za-z0-9_-]{{1,{_LONGEST}}}){re.escape(after)}"
            r"(?![A-Za-z0-9_-])"
        )
    return re.compile("|".join(parts), re.IGNORECASE)
