"""The deals that somebody may write about, and when: while they live, and for a time of grace at both ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.matching import MatchingRules

_NEVER = datetime.max.replace(tzinfo=UTC)


class Life(NamedTuple):
    """A deal with the first and the last moment of its life, grace included."""

    deal: KnownDeal
    first: datetime
    last: datetime

    def holds(self, at: datetime) -> bool:
        return self.first <= at <= self.last


def lives_of(
    companies: Collection[int], contacts: Collection[int], directory: Directory, rules: MatchingRules
) -> tuple[Life, ...]:
    """The deals of these companies, and those on which one of these contacts has a role, by id."""
    if not directory.deals:
        return ()
    ids: set[int] = set()
    for company_id in companies:
        ids.update(directory.deals_of_company.get(company_id, ()))
    for contact_id in contacts:
        ids.update(directory.deals_of_contact.get(contact_id, ()))
    return tuple([life_of(directory.deals[each], rules) for each in sorted(ids)])


def life_of(deal: KnownDeal, rules: MatchingRules) -> Life:
    last = _NEVER if deal.closed_at is None else deal.closed_at + rules.grace
    return Life(deal, deal.created_at - rules.grace, last)


def live_at(at: datetime, lives: Iterable[Life]) -> dict[int, KnownDeal]:
    """Those deals into whose life the moment fell."""
    return {deal.deal_id: deal for deal, first, last in lives if first <= at <= last}
