"""Calendars: meetings with customers, single and weekly, and everything else that stands in a rep's calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from autocapture.testing.world.conversations import Cast
from autocapture.testing.world.dates import Diary, local_order, stream
from autocapture.testing.world.deals import PRODUCTS
from autocapture.testing.world.language import phrases
from autocapture.testing.world.model import (
    Contact,
    Deal,
    Event,
    Guest,
    Occurrence,
    Partstat,
    Size,
    SkipReason,
    Truth,
    User,
)
from autocapture.testing.world.people import DOMAINS
from autocapture.testing.world.series import Series

_ROOM = Guest(f"room-atlas@{DOMAINS[0]}", "Room Atlas", "ACCEPTED", room=True)
_TITLES = {
    "qualification": "Introduction {company}",
    "discovery": "{company}: requirements workshop",
    "demo": "Demo {product} – {company}",
    "proposal": "{company}: proposal {product}",
    "negotiation": "{company}: contract",
    "won": "Kick-off {product} {company}",
}


@dataclass(frozen=True, slots=True)
class _Outside:
    """What a meeting with people outside is about."""

    people: tuple[str, ...]
    company: str
    deal: str | None


def _uid(rng: Random, domain: str) -> str:
    return f"{rng.getrandbits(96):024x}@{domain}"


def events(seed: int, size: Size, cast: Cast, deals: Sequence[Deal]) -> list[Event]:
    """All entries of all calendars; an entry that several of ours share is one event."""
    made: list[Event] = []
    for team in dict.fromkeys(user.team for user in cast.users.values()):
        made += _team_series(seed, size, cast, [user for user in cast.users.values() if user.team == team])
    for user in cast.users.values():
        made += _own_entries(seed, size, cast.diaries[user.email])
    for deal in deals:
        made += _deal_meetings(seed, size, cast, deal)
    return made


# ---- ours alone ----


def _team_series(seed: int, size: Size, cast: Cast, team: Sequence[User]) -> list[Event]:
    """The team's Monday meeting: one date taken out, one moved to Tuesday, one cancelled."""
    host = next((user for user in team if user.role == "manager"), team[0])
    rng = stream(seed, "team meeting", host.team)
    diary = cast.diaries[host.email]
    truth = Truth(
        "meeting", "internal", False, "internal", (), tuple(u.email for u in team), None, None, False
    )
    series = Series(
        first=diary.at(-size.weeks, 0, 9),
        count=size.weeks + 4,
        out=2,
        moved=(size.weeks - 3, timedelta(days=1, hours=1)),
        cancelled=size.weeks // 2,
    )
    guests = tuple(Guest(user.email, user.name, "ACCEPTED") for user in team)
    event = Event(
        uid=_uid(rng, DOMAINS[0]),
        title=f"Team {host.team}",
        starts_at=series.first,
        ends_at=series.first + timedelta(minutes=45),
        time_zone=host.time_zone,
        organizer=guests[0],
        guests=(*guests, _ROOM),
        calendars=tuple(user.email for user in team),
        occurrences=series.occurrences(timedelta(minutes=45), lambda _end, _cancelled: truth),
        created_at=series.first - timedelta(days=12),
        modified_at=diary.at(-3, 0, 8),
        rule=series.rule,
        excluded=series.excluded,
        sequence=2,
    )
    return [event]


def _own_entries(seed: int, size: Size, diary: Diary) -> list[Event]:
    """Private appointments, focus time, a day at home shown as free, whole days away."""
    user = diary.user
    rng = stream(seed, "own entries", user.email)
    made: list[Event] = []
    for week in range(-size.weeks, 1):
        if rng.random() < 0.35:
            start = diary.at(week, rng.randrange(5), 16, 30)
            private = rng.choice(phrases(user.locale).private)
            made.append(_solitary(rng, diary, private, start, start + timedelta(hours=1), private=True))
        if rng.random() < 0.3:
            start = diary.at(week, 2, 8, 30)
            made.append(_solitary(rng, diary, "Focus", start, start + timedelta(hours=2)))
        if rng.random() < 0.15:
            start = diary.at(week, 4, 8)
            made.append(
                _solitary(rng, diary, "Home office", start, start + timedelta(hours=10), transparent=True)
            )
    day = diary.anchor - timedelta(weeks=rng.randrange(3, 9), days=rng.choice((4, 5, 6)))
    made.append(_solitary(rng, diary, "Trade fair", day, day + timedelta(days=2)))
    if user.leave:
        first, last = user.leave
        made.append(_solitary(rng, diary, "Annual leave", first, last + timedelta(days=1)))
    return made


def _solitary(
    rng: Random,
    diary: Diary,
    title: str,
    start: datetime | date,
    end: datetime | date,
    *,
    private: bool = False,
    transparent: bool = False,
) -> Event:
    user = diary.user
    reason: SkipReason = "private" if private else "not_a_meeting"
    truth = Truth("meeting", "internal", False, reason, (), (user.email,), None, None, False)
    created = (
        datetime.combine(start, datetime.min.time(), diary.end.tzinfo)
        + timedelta(hours=9)
        - timedelta(days=5)
    )
    return Event(
        uid=_uid(rng, DOMAINS[0]),
        title=title,
        starts_at=start,
        ends_at=end,
        time_zone=user.time_zone,
        organizer=None,
        guests=(),
        calendars=(user.email,),
        occurrences=(Occurrence(start, start, end, False, truth),),
        created_at=created,
        modified_at=created,
        private=private,
        transparent=transparent,
    )


# ---- with people outside ----


def _deal_meetings(seed: int, size: Size, cast: Cast, deal: Deal) -> list[Event]:
    """One or two meetings in each stage visit, some still to come, and a weekly call after a win."""
    rep, diary = cast.users[deal.owner], cast.diaries[deal.owner]
    begin, horizon = diary.at(-size.weeks, 0, 0), diary.at(2, 4, 17)
    made: list[Event] = []
    for place, change in enumerate(deal.changes):
        left = deal.changes[place + 1].at if place + 1 < len(deal.changes) else horizon
        if change.stage == "lost" or left <= begin:
            continue
        if change.stage == "won":
            left = min(horizon, change.at + timedelta(weeks=3))
        rng = stream(seed, "meeting", deal.key, place)
        start = max(change.at, begin)
        days = max(1, (left - start).days)
        for number in range(round(rep.pace * rng.uniform(0.4, 1.2) * (1 + min(days, 42) / 21))):
            own = stream(seed, "meeting", deal.key, place, number)
            moment = diary.settle(own, start + timedelta(days=own.uniform(0, days)))
            made.append(_customer_meeting(own, cast, deal, change.stage, _on_the_half_hour(moment)))
        if change.stage == "won" and rng.random() < 0.5:
            made.append(
                _weekly_call(rng, cast, deal, diary, _on_the_half_hour(diary.settle(rng, start)), begin)
            )
    return [event for event in made if local_order(event.starts_at) < local_order(horizon)]


def _on_the_half_hour(moment: datetime) -> datetime:
    return moment.replace(hour=min(moment.hour, 16), minute=30 * (moment.minute // 30), second=0)


def _customer_meeting(rng: Random, cast: Cast, deal: Deal, stage: str, start: datetime) -> Event:
    rep, diary = cast.users[deal.owner], cast.diaries[deal.owner]
    end = start + timedelta(minutes=rng.choice((30, 45, 60, 60, 90)))
    people = [cast.contacts[role.contact] for role in deal.contacts]
    people = rng.sample(people, k=rng.randrange(1, len(people) + 1))
    past = end < diary.end
    ours = [Guest(rep.email, rep.name, "DECLINED" if rng.random() < 0.03 else "ACCEPTED")]
    colleagues = cast.colleagues(rep)
    if colleagues and rng.random() < 0.25:
        colleague = rng.choice(colleagues)
        ours.append(Guest(colleague.email, colleague.name, "DECLINED" if rng.random() < 0.2 else "ACCEPTED"))
    theirs = [_guest(rng, person, past) for person in people]
    if rng.random() < 0.05:
        theirs = [replace(guest, response="DECLINED") for guest in theirs]
    by_them = rng.random() < 0.2
    moved = rng.random() < 0.12
    cancelled = rng.random() < 0.1
    created = diary.settle(rng, start - timedelta(days=rng.randrange(2, 9)))
    created = min(created, start - timedelta(hours=3))
    organizer = replace(theirs[0], response="ACCEPTED") if by_them else ours[0]
    if by_them:
        theirs[0] = organizer
    guests = (*ours, *theirs, *((_ROOM,) if rng.random() < 0.2 else ()))
    outside = _Outside(tuple(person.key for person in people), deal.company, deal.key)
    truth = _truth(guests, outside, by_them=by_them, held=past and not cancelled, cast=cast)
    product = next(product for product in PRODUCTS if product.key == deal.products[0])
    title = _TITLES[stage].format(company=cast.companies[deal.company].name, product=product.name)
    return Event(
        uid=_uid(rng, organizer.email.split("@")[1]),
        title=title,
        starts_at=start,
        ends_at=end,
        time_zone=rep.time_zone,
        organizer=organizer,
        guests=guests,
        calendars=tuple(guest.email for guest in ours),
        occurrences=(Occurrence(start, start, end, cancelled, truth),),
        created_at=created,
        modified_at=created + timedelta(hours=2) if moved or cancelled else created,
        description=f"{title}\n\nhttps://meet.halvorin.example/{rng.randrange(10**9):09d}",
        location="Atlas" if _ROOM in guests else "Online",
        sequence=1 if moved or cancelled else 0,
        cancelled=cancelled,
    )


def _guest(rng: Random, person: Contact, past: bool) -> Guest:
    answers: tuple[Partstat, ...] = ("ACCEPTED", "TENTATIVE", "NEEDS-ACTION", "DECLINED")
    response = rng.choices(answers, weights=(75, 8, 12, 5) if past else (45, 10, 40, 5))[0]
    return Guest(person.emails[0], person.name, response, optional=rng.random() < 0.1)


def _truth(guests: Sequence[Guest], outside: _Outside, *, by_them: bool, held: bool, cast: Cast) -> Truth:
    """Held means: over, not cancelled, one of ours and one of theirs said that they come."""
    users = tuple(
        guest.email for guest in guests if guest.email in cast.users and guest.response != "DECLINED"
    )
    coming = any(
        guest.response in ("ACCEPTED", "TENTATIVE")
        for guest in guests
        if guest.email not in cast.users and not guest.room
    )
    return Truth(
        "meeting",
        "inbound" if by_them else "outbound",
        True,
        None,
        outside.people,
        users,
        outside.company,
        outside.deal,
        held and coming and bool(users),
    )


def _weekly_call(
    rng: Random, cast: Cast, deal: Deal, diary: Diary, first: datetime, begin: datetime
) -> Event:
    """Six weekly project calls after a win: one moved, one cancelled, sometimes one taken out."""
    rep = cast.users[deal.owner]
    first = first + timedelta(weeks=1)
    while first < begin:
        first += timedelta(weeks=1)
    people = [cast.contacts[role.contact] for role in deal.contacts][:2]
    guests = (
        Guest(rep.email, rep.name, "ACCEPTED"),
        *(Guest(person.emails[0], person.name, "ACCEPTED") for person in people),
    )
    outside = _Outside(tuple(person.key for person in people), deal.company, deal.key)
    series = Series(
        first, 6, out=4 if rng.random() < 0.5 else None, moved=(1, timedelta(hours=25)), cancelled=3
    )
    length = timedelta(minutes=30)

    def truth(end: datetime, cancelled: bool) -> Truth:
        return _truth(guests, outside, by_them=False, held=end < diary.end and not cancelled, cast=cast)

    return Event(
        uid=_uid(rng, DOMAINS[0]),
        title=f"Project call {cast.companies[deal.company].name}",
        starts_at=first,
        ends_at=first + length,
        time_zone=rep.time_zone,
        organizer=guests[0],
        guests=guests,
        calendars=(rep.email,),
        occurrences=series.occurrences(length, truth),
        created_at=min(first - timedelta(days=4), diary.end - timedelta(hours=60)),
        modified_at=min(first - timedelta(days=1), diary.end - timedelta(hours=58)),
        location="Online",
        rule=series.rule,
        excluded=series.excluded,
        sequence=1,
    )
