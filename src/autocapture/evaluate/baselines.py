"""The deal step of five products, as their public documentation tells it.

Each is told what is an activity and what is not, and sees the whole CRM: only its choice of a deal is judged. How certain it is,
none of them says; 1 / the number of deals it chose among stands for it, so that its clearest choices come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from autocapture.evaluate.answers import NOT_ADMITTED, Answer
from autocapture.evaluate.known import Known, Seen
from autocapture.evaluate.world import Deal, World

_GONG_DAYS = timedelta(days=14)
_GONG_MOST = 5
_CLAAP_DAYS = timedelta(days=30)


class Choice(NamedTuple):
    """The deals that get the activity, and among how many they were chosen."""

    deals: Sequence[Deal]
    among: int


_NONE = Choice((), 0)
Baseline = Callable[[Known, Seen], Choice]


def answers_of(baseline: Baseline, world: World) -> dict[str, Answer]:
    """What the baseline says of each activity, by its id."""
    known = Known(world)
    admitted = {each.activity for each in world.truth if each.admitted}
    return {
        activity.id: _answer(baseline(known, known.seen(activity)))
        if activity.id in admitted
        else NOT_ADMITTED
        for activity in world.activities
    }


def _answer(choice: Choice) -> Answer:
    share = 1 / len(choice.deals) if choice.deals else 0.0
    certainty = 1 / max(1, choice.among, len(choice.deals))
    return Answer(deals={deal.key: share for deal in choice.deals}, certainty=certainty)


def most_recently_modified(known: Known, seen: Seen) -> Choice:
    """Zoho CRM: of the contact's open deals the one that was modified last."""
    deals = _open(known.deals_of_contacts(seen.contacts), seen.at)
    if not deals:
        return _NONE
    return Choice([max(deals, key=lambda deal: (known.modified_at(deal, seen.at), deal.key))], len(deals))


def exactly_one(known: Known, seen: Seen) -> Choice:
    """Pipedrive, and Kommo and Teamgate by default: the person's open deal where there is exactly one."""
    deals = _open(known.deals_of_contacts(seen.contacts), seen.at)
    return Choice(deals, 1) if len(deals) == 1 else _NONE


def gong_default(known: Known, seen: Seen) -> Choice:
    """Gong: accounts by contact, else by website; deals open then, or opened or closed within 14 days; narrowed to those with
    participants as contact roles, then to those whose owner takes part, each where there are any; at most five."""
    unknown = [handle for handle in seen.outside if not known.is_known(handle)]
    companies = [contact.company for contact in seen.contacts] + known.companies_by_domain(unknown)
    deals = [
        deal
        for deal in known.deals_of_companies(companies)
        if deal.created_at - _GONG_DAYS <= seen.at
        and (deal.closed_at is None or seen.at <= deal.closed_at + _GONG_DAYS)
    ]
    with_role = {deal.key for deal in known.deals_of_contacts(seen.contacts)}
    deals = [deal for deal in deals if deal.key in with_role] or deals
    deals = [deal for deal in deals if deal.owner in seen.ours] or deals
    newest = sorted(deals, key=lambda deal: (deal.created_at, deal.key), reverse=True)[:_GONG_MOST]
    return Choice(newest, len(deals))


def atrium_ladder(known: Known, seen: Seen) -> Choice:
    """Atrium: the rep's own open deals on which the address is a contact; else those of the contact's account; else those of
    the account whose domain it is. All of them."""
    rungs = (
        known.deals_of_contacts(seen.contacts),
        known.deals_of_companies(contact.company for contact in seen.contacts),
        known.deals_of_companies(known.companies_by_domain(seen.outside)),
    )
    for deals in rungs:
        own = [deal for deal in _open(deals, seen.at) if deal.owner == seen.rep]
        if own:
            return Choice(own, len(own))
    return _NONE


def claap_ladder(known: Known, seen: Seen) -> Choice:
    """Claap: of the deals of the contacts' companies the first rung that holds any, and on it the one whose creation lies
    closest. A rung for deals that are open now is the first one: an activity is put down when it happens."""
    deals = known.deals_of_companies(contact.company for contact in seen.contacts if contact.company)
    for rung in _claap_rungs(deals, seen.at):
        if rung:
            closest = min(rung, key=lambda deal: (abs(deal.created_at - seen.at), deal.key))
            return Choice([closest], len(rung))
    return _NONE


def _claap_rungs(deals: Sequence[Deal], at: datetime) -> Iterator[list[Deal]]:
    """Open then; created within 30 days after; closed within 30 days before; later; earlier."""
    yield _open(deals, at)
    yield [deal for deal in deals if at < deal.created_at <= at + _CLAAP_DAYS]
    yield [deal for deal in deals if deal.closed_at is not None and at - _CLAAP_DAYS <= deal.closed_at <= at]
    yield [deal for deal in deals if deal.created_at > at]
    yield list(deals)


def _open(deals: Sequence[Deal], at: datetime) -> list[Deal]:
    return [deal for deal in deals if deal.is_open(at)]


BASELINES: Mapping[str, Baseline] = {
    "most recently modified": most_recently_modified,
    "exactly one or nothing": exactly_one,
    "Gong default": gong_default,
    "Atrium ladder": atrium_ladder,
    "Claap ladder": claap_ladder,
}
"""By the name that reports give them."""
