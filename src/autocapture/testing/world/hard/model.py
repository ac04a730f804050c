"""What a hard world is made of, before it is written down: firms, their people, sales, and what each conversation is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Literal

from autocapture.evaluate.world import (
    Activity,
    Company,
    Contact,
    Deal,
    DealContact,
    StageChange,
    Truth,
    User,
    World,
)
from autocapture.testing.world.dates import stream

Language = Literal["en", "nl", "de"]
LANGUAGES: tuple[Language, ...] = ("en", "nl", "de")

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
DAYS = 180
"""A world's activities lie in this many days; its deals may be much older."""


def on_day(day: float) -> datetime:
    """The moment so many days after the world begins, in working hours of a working day at or after it."""
    moment = (START + timedelta(days=day)).replace(microsecond=0)
    if not 7 <= moment.hour < 17:
        moment = moment.replace(hour=7 + moment.hour % 10)
    while moment.weekday() > 4:
        moment += timedelta(days=1)
    return moment


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody outside. `key` is empty for whom the CRM does not know; `address` is the one that they write from."""

    name: str
    address: str
    phone: str = ""
    key: str = ""

    @property
    def written(self) -> str:
        return f"{self.name} <{self.address}>"


@dataclass(slots=True)
class Firm:
    """A company with its people. `rep` sells to it, `manager` keeps it once it has bought; `dialect` is which half of the phrases
    is spoken there."""

    company: Company
    language: Language
    rep: User
    manager: User
    shape: str
    people: list[Person] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    switchboard: str = ""
    dialect: int = 0


@dataclass(slots=True, eq=False)
class Sale:
    """A deal as those know it who work on it. `people` work on it, `roles` are the contacts whom the CRM names.

    `words` name it in speech: its product, perhaps a site. It is talked about from `begins` to `ends`.
    """

    deal: Deal
    firm: Firm
    owner: User
    people: list[Person]
    roles: frozenset[str]
    words: str
    begins: datetime
    ends: datetime
    cases: tuple[str, ...] = ()
    partner: Person | None = None


class Book:
    """Everything that is written down of a world. Keys are counted, so a seed gives the same ones every time."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.users: list[User] = []
        self.firms: list[Firm] = []
        self.companies: list[Company] = []
        self.contacts: dict[str, Contact] = {}
        self.deals: list[Deal] = []
        self.roles: list[DealContact] = []
        self.changes: list[StageChange] = []
        self.activities: list[Activity] = []
        self.truth: list[Truth] = []
        self.by_contact: dict[str, list[Sale]] = {}
        self.cases: dict[str, str] = {}
        """By address: what is hard about whoever writes from it."""
        self._numbers = {letter: count(1) for letter in "FCDAQL"}

    def stream(self, *names: object) -> Random:
        """A stream of chance of its own for each subject."""
        return stream(self.seed, "hard", *names)

    def key(self, letter: str) -> str:
        return f"{letter}{next(self._numbers[letter]):05d}"

    def add_contact(self, person: Person, company: str, created_at: datetime, *others: str) -> Person:
        """Enters a person into the CRM, with further addresses; the person as the CRM knows them."""
        key = self.key("C")
        phones = (person.phone,) if person.phone else ()
        emails = tuple(dict.fromkeys((person.address, *others))) if person.address else ()
        self.contacts[key] = Contact(key, person.name, emails, phones, company, created_at)
        return replace(person, key=key)

    def add_sale(self, sale: Sale) -> None:
        sale.firm.sales.append(sale)
        self.deals.append(sale.deal)
        for key in sorted(sale.roles):
            self.add_role(sale, key)

    def add_role(self, sale: Sale, contact: str) -> None:
        """The CRM names the contact on the deal, from when it has both."""
        since = max(sale.deal.created_at, self.contacts[contact].created_at or sale.deal.created_at)
        self.roles.append(DealContact(sale.deal.key, contact, "buyer", since))
        self.by_contact.setdefault(contact, []).append(sale)

    def cases_of(self, at: datetime, people: Iterable[Person], *others: str) -> tuple[str, ...]:
        """What is hard about a conversation with these people at that time; `others` besides, where they are not empty."""
        held = list(people)
        entered = [self.contacts[person.key].created_at for person in held if person.key]
        late = "late contact" if any(each is not None and each > at for each in entered) else ""
        found = (*others, late, *(self.cases.get(person.address, "") for person in held))
        return tuple(dict.fromkeys(case for case in found if case))

    def add(self, activity: Activity, truth: Truth) -> None:
        if activity.at < START + timedelta(days=DAYS + 10):
            self.activities.append(activity)
            self.truth.append(replace(truth, activity=activity.id))

    def world(self) -> World:
        """What was written down, activities in the order in which they happened."""
        in_order = sorted(
            zip(self.activities, self.truth, strict=True), key=lambda pair: (pair[0].at, pair[0].id)
        )
        return World(
            users=tuple(self.users),
            companies=tuple(self.companies),
            contacts=tuple(self.contacts.values()),
            deals=tuple(self.deals),
            deal_contacts=tuple(self.roles),
            stage_changes=tuple(self.changes),
            activities=tuple(activity for activity, _ in in_order),
            truth=tuple(truth for _, truth in in_order),
        )
