"""A world to be matched: our people, a CRM, what happened, and the truth about it, as plain values.

`read` and `write` know its files; docs/reference/worlds.md tells their columns. Instants are aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

Kind = Literal["email", "meeting", "call"]
KINDS: tuple[Kind, ...] = ("email", "meeting", "call")

ACCOUNT_ONLY = "none"
"""The truth of an activity that is about no deal."""
AMBIGUOUS = "ambiguous"
"""The truth of an activity that nobody can tell the deal of: choosing one is wrong."""


@dataclass(frozen=True, slots=True)
class User:
    """One of our people. `phones` are numbers or extensions (``ext:12``)."""

    email: str
    name: str
    aliases: tuple[str, ...] = ()
    team: str = ""
    phones: tuple[str, ...] = ()
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Company:
    key: str
    name: str
    domains: tuple[str, ...] = ()
    partner: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    key: str
    name: str
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    company: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """A possible sale. `closed_at` and `outcome` (won, lost) are both there or both missing."""

    key: str
    name: str
    company: str
    owner: str
    created_at: datetime
    pipeline: str = ""
    closed_at: datetime | None = None
    outcome: str = ""
    amount: Decimal | None = None
    currency: str = ""
    products: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    def is_open(self, moment: datetime) -> bool:
        return self.created_at <= moment and (self.closed_at is None or moment < self.closed_at)


@dataclass(frozen=True, slots=True)
class DealContact:
    deal: str
    contact: str
    role: str = ""
    since: datetime | None = None
    source: str = "crm"


@dataclass(frozen=True, slots=True)
class StageChange:
    deal: str
    stage: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """One attendee as the calendar writes them. `response` is a word of `records.Response`."""

    address: str
    response: str = "needs_action"


@dataclass(frozen=True, slots=True)
class Activity:
    """One mail, meeting or call, as it lies in the mailbox, calendar or call log of the user `mailbox`.

    `at` is when it was sent, began or was dialled. `group` joins the legs of one call, `series` the dates of one meeting.
    Addresses are written as in a mail's header.
    """

    id: str
    kind: Kind
    at: datetime
    mailbox: str
    thread: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    series: str = ""
    group: str = ""
    subject: str = ""
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    from_: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    organizer: str = ""
    attendees: tuple[Invited, ...] = ()
    caller: str = ""
    callee: str = ""
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so of one activity. `people` are contacts; `company` is one as a rule; `deal` is a key, `ACCOUNT_ONLY` or
    `AMBIGUOUS`.

    `admitted` False: it is no activity at all, because of `reason`. `cases` name what is hard about it, for a report by case.
    """

    activity: str
    people: tuple[str, ...] = ()
    company: tuple[str, ...] = ()
    deal: str = ACCOUNT_ONLY
    admitted: bool = True
    reason: str = ""
    cases: tuple[str, ...] = ()

    @property
    def has_deal(self) -> bool:
        return self.admitted and self.deal not in (ACCOUNT_ONLY, AMBIGUOUS)


@dataclass(frozen=True, slots=True)
class World:
    users: tuple[User, ...]
    companies: tuple[Company, ...]
    contacts: tuple[Contact, ...]
    deals: tuple[Deal, ...]
    deal_contacts: tuple[DealContact, ...]
    stage_changes: tuple[StageChange, ...]
    activities: tuple[Activity, ...]
    truth: tuple[Truth, ...]

    @property
    def middle(self) -> datetime:
        """When half of its activities had happened."""
        moments = sorted(activity.at for activity in self.activities)
        return moments[len(moments) // 2]

    @property
    def end(self) -> datetime:
        """A week after the last of its activities: nothing is under way any more."""
        return max(activity.at for activity in self.activities) + timedelta(days=7)

    def crm_at(self, moment: datetime) -> World:
        """The world with the CRM as it was then: without contacts, deals, roles and stages that were entered later, deals that
        closed later still open."""
        contacts = tuple(c for c in self.contacts if c.created_at is None or c.created_at <= moment)
        known = {contact.key for contact in contacts}
        deals = tuple(_deal_at(deal, moment) for deal in self.deals if deal.created_at <= moment)
        entered = {deal.key for deal in deals}
        return replace(
            self,
            contacts=contacts,
            deals=deals,
            deal_contacts=tuple(
                each
                for each in self.deal_contacts
                if each.deal in entered
                and each.contact in known
                and (each.since is None or each.since <= moment)
            ),
            stage_changes=tuple(
                each for each in self.stage_changes if each.deal in entered and each.at <= moment
            ),
        )


def _deal_at(deal: Deal, moment: datetime) -> Deal:
    if deal.closed_at is None or deal.closed_at <= moment:
        return deal
    return replace(deal, closed_at=None, outcome="")
