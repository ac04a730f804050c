"""A sales organisation's life as plain values: who there is, what they said to whom, and the truth about each activity.

Nothing here knows a file format. Instants are aware datetimes in the acting rep's own zone; dates are local.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

Language = Literal["nl", "sv", "de", "en", "zh"]
Direction = Literal["inbound", "outbound", "internal"]
Outcome = Literal["won", "lost"]
SkipReason = Literal[
    "internal",  # everybody who takes part is ours
    "auto_reply",  # out-of-office and the like
    "bounce",  # delivery status notification
    "newsletter",  # list mail
    "notification",  # mail of a system, nobody wrote it
    "calendar_mail",  # invitation, answer or cancellation: evidence for the meeting, not mail
    "private",  # marked private by whoever wrote it
    "not_a_meeting",  # nobody else invited: whole days, focus time, time shown as free
    "folder",  # lies only in drafts, trash or junk, which are not looked at
]
"""The words of `admit.reasons`, and `folder`."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a world is. Mail, meetings and calls cover `weeks` before the end, deals and leads two quarters."""

    teams: int = 2
    reps_per_team: int = 4
    companies: int = 48
    contacts: int = 200
    deals: int = 80
    leads: int = 96
    weeks: int = 13
    newsletters_per_week: int = 1
    notifications_per_week: int = 1


@dataclass(frozen=True, slots=True)
class User:
    """One of our people. `pace` scales how much a rep does, `luck` how often a deal is won; `leave` is (first, last)."""

    email: str
    name: str
    team: str
    manager: str | None
    role: Literal["rep", "manager"]
    time_zone: str
    locale: Language
    aliases: tuple[str, ...]
    phones: tuple[str, ...]
    extension: str
    title: str
    pace: float = 1.0
    luck: float = 0.4
    leave: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """A customer or partner. `parent` is the key of the company it is a subsidiary of; `owner` a rep's address."""

    key: str
    name: str
    domains: tuple[str, ...]
    language: Language
    owner: str
    partner: bool = False
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person outside. The first of `emails` is the one mostly used. `eager` is the chance that they answer."""

    key: str
    name: str
    first_name: str
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    company: str
    title: str
    language: Language
    created_at: datetime
    eager: float = 0.6


@dataclass(frozen=True, slots=True)
class LeadChange:
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Lead:
    """A contact to be worked on. `assigned_at` None: nobody took it yet. The statuses are in order of time."""

    key: str
    contact: str
    source: str
    owner: str
    created_at: datetime
    assigned_at: datetime | None
    history: tuple[LeadChange, ...]

    @property
    def status(self) -> str:
        return self.history[-1].status


@dataclass(frozen=True, slots=True)
class Product:
    key: str
    name: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class StageChange:
    """From `at` on the deal was in `stage`, entered by the user `by`."""

    stage: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class DealContact:
    contact: str
    role: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Deal:
    """A possible sale with its whole history. `amount` None: nobody entered one. `changes` are in order of time."""

    key: str
    name: str
    company: str
    owner: str
    pipeline: str
    created_at: datetime
    expected_close_on: date
    closed_at: datetime | None
    outcome: Outcome | None
    amount: Decimal | None
    currency: str
    products: tuple[str, ...]
    changes: tuple[StageChange, ...]
    contacts: tuple[DealContact, ...]

    @property
    def stage(self) -> str:
        return self.changes[-1].stage

    def stage_at(self, moment: datetime) -> str | None:
        """The stage the deal was in, None before it existed."""
        passed = [change.stage for change in self.changes if change.at <= moment]
        return passed[-1] if passed else None


@dataclass(frozen=True, slots=True)
class Truth:
    """What a perfect capture would say of one activity.

    `people` are contact keys, `users` addresses of ours who take part; `company` and `deal` are keys or None.
    `counts`: it is one of the activities that a quota counts (mail a person wrote to or got from outside, a meeting held,
    a call to or from outside).
    """

    kind: Literal["email", "meeting", "call"]
    direction: Direction
    admitted: bool
    reason: SkipReason | None
    people: tuple[str, ...]
    users: tuple[str, ...]
    company: str | None
    deal: str | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Party:
    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    filename: str
    content_type: str
    content: bytes


Folder = Literal["INBOX", "Sent", "Archive", "Drafts", "Trash", "Junk"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One copy of a message: in whose mailbox, in which folder, since when."""

    user: str
    folder: Folder
    at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """The calendar part of a message (RFC 6047) for the event with that uid. `alone`: there is no other part."""

    method: Literal["REQUEST", "REPLY", "CANCEL"]
    uid: str
    starts_at: datetime
    ends_at: datetime
    title: str
    organizer: Party
    attendee: Party
    response: str = "NEEDS-ACTION"
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Bounce:
    """The delivery status of a message that failed (RFC 3464)."""

    reporter: str
    failed: str
    status: str
    diagnostic: str
    original_id: str
    original_subject: str


@dataclass(frozen=True, slots=True)
class Message:
    """One mail. `message_id` is without angle brackets; `headers` are further ones in order; `charset` is a wish only."""

    message_id: str
    sent_at: datetime
    sender: Party
    to: tuple[Party, ...]
    subject: str
    text: str
    truth: Truth
    copies: tuple[Delivery, ...]
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    html: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    invitation: Invitation | None = None
    bounce: Bounce | None = None
    charset: str = "utf-8"


Partstat = Literal["ACCEPTED", "DECLINED", "TENTATIVE", "NEEDS-ACTION"]


@dataclass(frozen=True, slots=True)
class Guest:
    """One invited party; `room` marks a resource."""

    email: str
    name: str
    response: Partstat = "NEEDS-ACTION"
    room: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of an event. `starts_at` differs from `original_start` when it was moved. Its truth is its own."""

    original_start: datetime | date
    starts_at: datetime | date
    ends_at: datetime | date
    cancelled: bool
    truth: Truth

    @property
    def moved(self) -> bool:
        return self.starts_at != self.original_start


@dataclass(frozen=True, slots=True)
class Event:
    """One calendar resource: a single event, or a weekly series with its exceptions.

    `rule` is an RRULE value; `excluded` are starts taken out (they have no occurrence). Occurrences that were moved or cancelled
    are written as exceptions when there is a rule. `calendars` are the users whose calendar holds it.
    """

    uid: str
    title: str
    starts_at: datetime | date
    ends_at: datetime | date
    time_zone: str
    organizer: Guest | None
    guests: tuple[Guest, ...]
    calendars: tuple[str, ...]
    occurrences: tuple[Occurrence, ...]
    created_at: datetime
    modified_at: datetime
    description: str = ""
    location: str = ""
    rule: str | None = None
    excluded: tuple[datetime, ...] = ()
    sequence: int = 0
    cancelled: bool = False
    private: bool = False
    transparent: bool = False


CallOutcome = Literal["answered", "no_answer", "busy", "voicemail"]


@dataclass(frozen=True, slots=True)
class Leg:
    """One stretch of a call between two numbers or extensions."""

    caller: str
    callee: str
    started_at: datetime
    rang_for: timedelta
    talked_for: timedelta
    outcome: CallOutcome


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a rep; a transferred one has more than one leg. `log` is the user in whose call log it stands."""

    call_id: str
    log: str
    legs: tuple[Leg, ...]
    truth: Truth

    @property
    def started_at(self) -> datetime:
        return self.legs[0].started_at

    @property
    def talked_for(self) -> timedelta:
        return sum((leg.talked_for for leg in self.legs), timedelta(0))


@dataclass(frozen=True, slots=True)
class World:
    """Everything. Activities are in order of their local time; `first_on` to `last_on` are the whole weeks they cover."""

    seed: int
    size: Size
    first_on: date
    last_on: date
    organisation: str
    domains: tuple[str, ...]
    users: tuple[User, ...]
    companies: tuple[Company, ...]
    contacts: tuple[Contact, ...]
    leads: tuple[Lead, ...]
    products: tuple[Product, ...]
    deals: tuple[Deal, ...]
    messages: tuple[Message, ...]
    events: tuple[Event, ...]
    calls: tuple[Call, ...]

    @property
    def reps(self) -> tuple[User, ...]:
        return tuple(user for user in self.users if user.role == "rep")
