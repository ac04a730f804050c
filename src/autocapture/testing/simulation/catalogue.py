"""What ever happens between our people and others in one world: each item by its number, and what it says in each version."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from autocapture.records import Address, Attendee, CallRecord, EmailRecord, EventRecord, Kind, Recurrence


@dataclass(frozen=True, slots=True)
class Person:
    """One of ours. `zone` is where their days begin."""

    email: str
    zone: str

    @property
    def name(self) -> str:
        return self.email.partition("@")[0].title()


PEOPLE = (
    Person("ada@ours.example", "Europe/Amsterdam"),
    Person("ben@ours.example", "America/New_York"),
    Person("cleo@ours.example", "Asia/Kolkata"),
)
NEVER = "clinic.example"
"""The domain that is excluded from the beginning; others are excluded while the world lives."""
DOMAINS = ("customer.example", "partner.example", "council.example", NEVER)
GUEST = "nurse@clinic.example"
SERIES_ZONE = "Europe/Amsterdam"
HALF_AN_HOUR = timedelta(minutes=30)


@dataclass(slots=True)
class Item:
    """`insiders` are the indexes of our people who take part, `outsider` an address or number. `author`: whose mail or call
    it is, None for the outsider's. From version `private_from` on it is private, from `guest_from` on `GUEST` is invited.
    `rewritten`: a gateway gives the mail another Message-ID on its way to the second half of our people."""

    number: int
    kind: Kind
    insiders: tuple[int, ...]
    outsider: str
    occurs_at: datetime
    author: int | None = None
    version: int = 1
    answers: int | None = None
    occurrences: int = 1
    rewritten: bool = False
    private_from: int | None = None
    guest_from: int | None = None

    def outside(self, version: int) -> tuple[str, ...]:
        invited = self.guest_from is not None and version >= self.guest_from
        return (self.outsider, GUEST) if invited else (self.outsider,)

    def content(self, version: int) -> str:
        """What the store must hold of it: the subject, the title, or number and seconds."""
        match self.kind:
            case "email":
                return f"item {self.number}"
            case "event":
                return f"item {self.number} v{version}"
            case "call":
                return f"{self.outsider}:{seconds(version)}"

    def named(self) -> set[str]:
        """Everybody whom the mail names."""
        return {self.outsider, *(PEOPLE[index].email for index in self.insiders)}


def seconds(version: int) -> int:
    """How long a call lasted, as its log says in this version; corrections go both ways."""
    return 60 + 37 * version % 50


@dataclass(slots=True)
class NeverLog:
    """The organisation's exclusions, as the world means them. `added` since the beginning."""

    domains: set[str] = field(default_factory=lambda: {NEVER})
    numbers: set[str] = field(default_factory=set)
    added: bool = False

    def names(self, outside: Collection[str]) -> bool:
        return any(each in self.numbers or each.rpartition("@")[2] in self.domains for each in outside)

    def text(self) -> str:
        return f"domains = {sorted(self.domains)}\nnumbers = {sorted(self.numbers)}\n"


class Catalogue:
    """The items of one world, and the records that providers hand out of them."""

    def __init__(self) -> None:
        self.items: dict[int, Item] = {}
        self.never = NeverLog()

    def skipped(self, number: int, version: int, user: int, since: date | None) -> str | None:
        """Why an item is not captured from an account of `user`, None where it is."""
        item = self.items[number]
        if since is not None and item.occurrences == 1:
            starts = self._starts_at(item, version) if item.kind == "event" else item.occurs_at
            if starts < datetime.combine(since, time(), ZoneInfo(PEOPLE[user].zone)):
                return "before_since"
        if item.private_from is not None and version >= item.private_from:
            return "private"
        return "excluded" if self.never.names(item.outside(version)) else None

    def email(self, number: int, user: int) -> EmailRecord:
        """The copy in the mailbox of `user`."""
        item = self.items[number]
        people = [Address(PEOPLE[index].email) for index in item.insiders]
        outsider = Address(item.outsider, f"Buyer {number}")
        inbound = item.author is None
        answers = () if item.answers is None else (message_id(item.answers),)
        return EmailRecord(
            message_id=f"{number}@gateway.example" if item.rewritten and user else message_id(number),
            subject=f"item {number}",
            from_=(outsider if inbound else people[0],),
            to=tuple(people) if inbound else (outsider,),
            cc=() if inbound else tuple(people[1:]),
            sent_at=item.occurs_at,
            received_at=item.occurs_at + timedelta(seconds=5 + user),
            in_reply_to=answers,
            references=answers,
        )

    def event(self, number: int, version: int) -> EventRecord:
        item = self.items[number]
        starts = self._starts_at(item, version)
        ends = starts + HALF_AN_HOUR
        if item.occurrences > 1:
            starts, ends = (each.astimezone(ZoneInfo(SERIES_ZONE)) for each in (starts, ends))
        people = [Attendee(PEOPLE[index].email, response="accepted") for index in item.insiders]
        guests = [Attendee(address, response="accepted") for address in item.outside(version)]
        return EventRecord(
            uid=f"event-{number}@customer.example",
            starts_at=starts,
            ends_at=ends,
            title=item.content(version),
            sequence=version,
            organizer=guests[0] if item.author is None else people[0],
            attendees=(*people, *guests),
            time_zone=SERIES_ZONE if item.occurrences > 1 else None,
            private=item.private_from is not None and version >= item.private_from,
            recurrence=Recurrence((f"FREQ=DAILY;COUNT={item.occurrences}",))
            if item.occurrences > 1
            else None,
        )

    def call(self, number: int, version: int) -> CallRecord:
        item = self.items[number]
        return CallRecord(
            call_id=f"call-{number}",
            caller="+31201234567",
            callee=item.outsider,
            started_at=item.occurs_at,
            talked_for=timedelta(seconds=seconds(version)),
            outcome="answered",
            direction="outbound",
            owner=PEOPLE[item.insiders[0]].email,
        )

    def _starts_at(self, item: Item, version: int) -> datetime:
        """Each edit moves a meeting by a quarter of an hour."""
        return item.occurs_at.astimezone(UTC) + (version - 1) * timedelta(minutes=15)


def message_id(number: int) -> str:
    return f"{number}@customer.example"
