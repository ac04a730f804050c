"""What a world's CRM says of the parties of an activity: the look-ups that the public baselines share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from autocapture.evaluate.world import Activity, Company, Contact, Deal, User, World
from autocapture.formats.addresses import parse_addresses
from autocapture.formats.domains import FREE_MAIL
from autocapture.formats.handles import canonical_email, canonical_phone
from autocapture.formats.phone import region_of


@dataclass(frozen=True, slots=True)
class Seen:
    """An activity as every product sees it. `outside` are canonical handles; `ours` addresses of users who take part; `rep` is
    whoever of ours wrote, invited or dialled, else the owner of the mailbox."""

    at: datetime
    outside: tuple[str, ...]
    contacts: tuple[Contact, ...]
    ours: frozenset[str]
    rep: str


class Known:
    """A world's CRM by handle, domain, company and contact. Everything is known at once: baselines are not asked for history."""

    def __init__(self, world: World) -> None:
        self._users: dict[str, str] = {}
        self._regions = {user.email: region_of(user.time_zone) for user in world.users}
        for user in world.users:
            self._users.update(dict.fromkeys(self._handles_of(user), user.email))
        self._own_domains = {handle.rpartition("@")[2] for handle in self._users if "@" in handle} - FREE_MAIL
        self._contacts: dict[str, list[Contact]] = defaultdict(list)
        for contact in world.contacts:
            handles = [
                *map(canonical_email, contact.emails),
                *(canonical_phone(p, None) for p in contact.phones),
            ]
            for handle in dict.fromkeys(handles):
                self._contacts[handle].append(contact)
        self._companies: dict[str, list[Company]] = defaultdict(list)
        for company in world.companies:
            for domain in company.domains:
                self._companies[domain.lower()].append(company)
        self._deals = {deal.key: deal for deal in world.deals}
        self._of_company: dict[str, list[Deal]] = defaultdict(list)
        for deal in world.deals:
            self._of_company[deal.company].append(deal)
        self._of_contact: dict[str, list[Deal]] = defaultdict(list)
        for role in world.deal_contacts:
            self._of_contact[role.contact].append(self._deals[role.deal])
        self._moved: dict[str, list[datetime]] = defaultdict(list)
        for change in world.stage_changes:
            self._moved[change.deal].append(change.at)

    def seen(self, activity: Activity) -> Seen:
        parties = self._parties(activity)
        ours = {user for handle in parties if (user := self._users.get(handle))} | {activity.mailbox}
        outside = tuple(handle for handle in parties if handle and not self._is_inside(handle))
        found = (contact for handle in outside for contact in self._contacts.get(handle, ()))
        contacts = tuple({contact.key: contact for contact in found}.values())
        rep = self._users.get(parties[0], activity.mailbox) if parties else activity.mailbox
        return Seen(activity.at, outside, contacts, frozenset(ours), rep)

    def deals_of_contacts(self, contacts: Iterable[Contact]) -> list[Deal]:
        """Deals on which one of them has a role, each once."""
        return _once(deal for contact in contacts for deal in self._of_contact.get(contact.key, ()))

    def deals_of_companies(self, companies: Iterable[str]) -> list[Deal]:
        return _once(deal for key in dict.fromkeys(companies) for deal in self._of_company.get(key, ()))

    def companies_by_domain(self, handles: Iterable[str]) -> list[str]:
        """The companies whose domain is that of an address; free mail is nobody's."""
        domains = (handle.rpartition("@")[2] for handle in handles if "@" in handle)
        return [
            each.key
            for domain in domains
            if domain not in FREE_MAIL
            for each in self._companies.get(domain, ())
        ]

    def is_known(self, handle: str) -> bool:
        """Whether some contact has this address or number."""
        return handle in self._contacts

    def modified_at(self, deal: Deal, moment: datetime) -> datetime:
        """When the deal was last changed, as far as one could know at `moment`."""
        return max([deal.created_at, *(at for at in self._moved.get(deal.key, ()) if at <= moment)])

    def _parties(self, activity: Activity) -> list[str]:
        """Canonical handles, whoever wrote, invited or dialled first."""
        if activity.kind == "call":
            region = self._regions[activity.mailbox]
            return [canonical_phone(number, region) for number in (activity.caller, activity.callee)]
        written: Sequence[str] = (
            (activity.from_, *activity.to, *activity.cc, *activity.bcc)
            if activity.kind == "email"
            else (activity.organizer, *(each.address for each in activity.attendees))
        )
        return [canonical_email(address.email) for each in written for address in parse_addresses(each)]

    def _is_inside(self, handle: str) -> bool:
        return (
            handle in self._users
            or handle.startswith("ext:")
            or handle.rpartition("@")[2] in self._own_domains
        )

    def _handles_of(self, user: User) -> list[str]:
        region = self._regions[user.email]
        return [
            *(canonical_email(address) for address in (user.email, *user.aliases)),
            *(canonical_phone(number, region) for number in user.phones),
        ]


def _once(deals: Iterable[Deal]) -> list[Deal]:
    return list({deal.key: deal for deal in deals}.values())
