"""Meetings and series of a hard world, with what happens to invitations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from autocapture.evaluate.world import Activity, Invited, Truth, User
from autocapture.testing.world.hard import wording
from autocapture.testing.world.hard.cast import colleague_of
from autocapture.testing.world.hard.model import DAYS, START, Book, Firm, Person, Sale, on_day
from autocapture.testing.world.hard.telling import Talk, misleads, verdict

_DAYS_A_MEETING = 30
_LASTS = (1800, 1800, 2700, 3600)


@dataclass(frozen=True, slots=True)
class Meeting:
    """One entry of a calendar before it is written. The rep of `user` has it; `guests` of ours come besides."""

    firm: Firm
    sale: Sale | None
    user: User
    people: tuple[Person, ...]
    at: datetime
    names_it: bool
    guests: tuple[User, ...] = ()
    by_them: bool = False
    declines: bool = False
    hidden: bool = False
    series: str = ""
    cases: tuple[str, ...] = ()

    @property
    def talk(self) -> Talk:
        ours = {self.user.email, *(guest.email for guest in self.guests)}
        return Talk(self.firm, self.sale, self.at, self.people, ours, self.names_it)


def meetings(book: Book) -> list[tuple[Meeting, Activity]]:
    """Every meeting, written down: what was planned and what the calendar holds."""
    planned: list[Meeting] = []
    for firm in book.firms:
        for sale in firm.sales:
            planned += _of_sale(book, sale)
        planned += _of_account(book, firm)
    return [(meeting, _write(book, meeting)) for meeting in planned]


def _of_sale(book: Book, sale: Sale) -> list[Meeting]:
    begins, ends = max(sale.begins, START), min(sale.ends, on_day(DAYS))
    days = (ends - begins) / timedelta(days=1)
    if days < 5:
        return []
    rng = book.stream("meetings", sale.deal.key)
    first = (begins - START) / timedelta(days=1)
    found = [
        _single(book, rng, sale, on_day(first + rng.uniform(1, days)))
        for _ in range(round(days / _DAYS_A_MEETING * rng.uniform(0.5, 1.5)))
    ]
    if days > 50 and rng.random() < 0.18:
        found += _series(book, rng, sale, first + rng.uniform(5, days - 40))
    return found


def _single(book: Book, rng: Random, sale: Sale, at: datetime) -> Meeting:
    main = sale.people[0] if rng.random() < 0.6 else rng.choice(sale.people)
    people = (main, *(each for each in sale.people if each.address != main.address and rng.random() < 0.4))
    named = rng.random() < 0.6 or at < sale.deal.created_at
    named = named or (sale.deal.closed_at is not None and at > sale.deal.closed_at)
    meeting = Meeting(sale.firm, sale, sale.owner, people, at, named)
    draw = rng.random()
    if draw < 0.12:
        return replace(meeting, by_them=True, cases=("organised by the customer",))
    if draw < 0.16:
        return replace(
            meeting, by_them=True, hidden=True, people=people[:1], cases=("guests that are hidden",)
        )
    if draw < 0.21:
        other = colleague_of(book, sale.owner, rng)
        return replace(meeting, declines=True, guests=(other,), cases=("rep declines",))
    if draw < 0.25:
        return replace(
            meeting, user=colleague_of(book, sale.owner, rng), cases=("rep replaced by a colleague",)
        )
    if draw < 0.35:
        return replace(meeting, guests=(colleague_of(book, sale.owner, rng),))
    return meeting


def _series(book: Book, rng: Random, sale: Sale, begins: float) -> list[Meeting]:
    """Every week or two; one date is moved by a day. The verdict of a date is that of the whole series."""
    key, step = book.key("L"), rng.choice((7, 14))
    people = tuple({person.address: person for person in sale.people}.values())
    named = rng.random() < 0.6
    dates = rng.randrange(3, 6)
    moved = rng.randrange(1, dates)
    made = []
    for number in range(dates):
        at = on_day(begins) + timedelta(days=step * number, hours=26 if number == moved else 0)
        cases = ("series with an exception",) if number == moved else ("series",)
        made.append(Meeting(sale.firm, sale, sale.owner, people, at, named, series=key, cases=cases))
    return made


def _of_account(book: Book, firm: Firm) -> list[Meeting]:
    """Reviews and trainings of customers, planning with partners."""
    rng = book.stream("account meetings", firm.company.key)
    bought = [
        sale
        for sale in firm.sales
        if sale.deal.outcome == "won" and sale.deal.closed_at and sale.deal.closed_at < START
    ]
    if not bought and firm.shape != "partner":
        return []
    user = firm.manager if bought else firm.rep
    return [
        Meeting(
            firm,
            None,
            user,
            (rng.choice(firm.people),),
            on_day(rng.uniform(0, DAYS)),
            rng.random() < 0.85,
            cases=("none",) if bought else ("partner",),
        )
        for _ in range(rng.randrange(3))
    ]


def _write(book: Book, meeting: Meeting) -> Activity:
    rng = book.stream("meeting", len(book.activities))
    names_it = meeting.names_it or misleads(book, meeting.talk)
    full_or_half = meeting.at.replace(minute=meeting.at.minute // 30 * 30, second=0)
    told = replace(meeting, names_it=names_it, at=full_or_half)
    matter: wording.Matter = "bland" if not names_it else "account" if told.sale is None else "named"
    words = told.sale.words if told.sale else ""
    user = f"{told.user.name} <{told.user.email}>"
    people = [Invited(person.written, rng.choice(_ANSWERS)) for person in told.people]
    ours = [Invited(f"{each.name} <{each.email}>", "accepted") for each in told.guests]
    answer = "declined" if told.declines else "accepted"
    activity = Activity(
        id=book.key("A"),
        kind="meeting",
        at=told.at,
        mailbox=told.user.email,
        series=told.series,
        subject=wording.title(rng, told.firm, matter, words),
        organizer=told.people[0].written if told.by_them else user,
        attendees=() if told.hidden else (Invited(user, answer), *people, *ours),
        duration_s=rng.choice(_LASTS),
    )
    truth = Truth(
        "",
        tuple(dict.fromkeys(person.key for person in told.people if person.key)),
        (told.firm.company.key,),
        verdict(book, told.talk),
        cases=book.cases_of(told.at, told.people, *told.cases, *(told.sale.cases if told.sale else ())),
    )
    book.add(activity, truth)
    return activity


_ANSWERS = ("accepted", "accepted", "accepted", "tentative", "needs_action")
