"""Telephone calls of the reps: with contacts, with numbers nobody knows, among ourselves, some passed on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from autocapture.testing.world.conversations import Cast
from autocapture.testing.world.dates import Diary, stream
from autocapture.testing.world.deals import open_on
from autocapture.testing.world.model import Call, CallOutcome, Contact, Deal, Leg, Size, Truth, User
from autocapture.testing.world.names import phone

_OUTCOMES: tuple[CallOutcome, ...] = ("answered", "no_answer", "busy", "voicemail")
_PER_WEEK = 8


def calls(seed: int, size: Size, cast: Cast, deals: Sequence[Deal]) -> list[Call]:
    by_contact: dict[str, list[Deal]] = {}
    for deal in deals:
        for role in deal.contacts:
            by_contact.setdefault(role.contact, []).append(deal)
    made: list[Call] = []
    for user in cast.users.values():
        known = [contact for contact in cast.customers(user) if contact.phones]
        if user.role != "rep" or not known:
            continue
        diary = cast.diaries[user.email]
        for week in range(-size.weeks, 0):
            for number in range(round(_PER_WEEK * user.pace)):
                rng = stream(seed, "call", user.email, week, number)
                moment = diary.some_time(rng, week)
                if moment < diary.at(week + 1, 0, 0):
                    made.append(_call(rng, cast, diary, moment, known, by_contact))
    return made


def _call(
    rng: Random,
    cast: Cast,
    diary: Diary,
    moment: datetime,
    known: Sequence[Contact],
    by_contact: dict[str, list[Deal]],
) -> Call:
    user, draw = diary.user, rng.random()
    call_id = f"{rng.getrandbits(34)}.{rng.randrange(1000, 9999)}"
    if draw < 0.08:
        colleague = rng.choice(cast.colleagues(user) or [user])
        truth = Truth(
            "call", "internal", False, "internal", (), (user.email, colleague.email), None, None, False
        )
        return Call(call_id, user.email, (_leg(rng, user.extension, colleague.extension, moment),), truth)
    if draw < 0.14:
        stranger = phone(user.locale, 60 + rng.randrange(30)) or "anonymous"
        truth = Truth("call", "inbound", True, None, (), (user.email,), None, None, True)
        return Call(call_id, user.email, (_leg(rng, stranger, user.extension, moment),), truth)
    contact = rng.choice(known)
    number = rng.choice(contact.phones)
    inbound = rng.random() < 0.25
    leg = _leg(rng, number, user.extension, moment) if inbound else _leg(rng, user.extension, number, moment)
    legs: tuple[Leg, ...] = (leg,)
    users: tuple[str, ...] = (user.email,)
    colleagues = cast.colleagues(user)
    if leg.outcome == "answered" and colleagues and rng.random() < 0.06:
        colleague = rng.choice(colleagues)
        legs += (_passed_on(rng, leg, number, colleague),)
        users += (colleague.email,)
    live = [deal for deal in by_contact.get(contact.key, ()) if open_on(deal, moment.date())]
    return Call(
        call_id,
        user.email,
        legs,
        Truth(
            "call",
            "inbound" if inbound else "outbound",
            True,
            None,
            _sharing(number, known),
            users,
            contact.company,
            live[0].key if len(live) == 1 else None,
            True,
        ),
    )


def _sharing(number: str, known: Sequence[Contact]) -> tuple[str, ...]:
    """Everybody with that number: nobody can tell who spoke on a switchboard's line."""
    return tuple(contact.key for contact in known if number in contact.phones)


def _leg(rng: Random, caller: str, callee: str, moment: datetime) -> Leg:
    outcome = rng.choices(_OUTCOMES, weights=(58, 24, 8, 10))[0]
    talked = 0
    if outcome == "answered":
        talked = round(min(rng.lognormvariate(4.9, 0.9), 2700)) + 4
    elif outcome == "voicemail":
        talked = rng.randrange(8, 45)
    return Leg(
        caller, callee, moment, timedelta(seconds=rng.randrange(3, 30)), timedelta(seconds=talked), outcome
    )


def _passed_on(rng: Random, leg: Leg, number: str, colleague: User) -> Leg:
    start = leg.started_at + leg.rang_for + leg.talked_for
    return Leg(
        number,
        colleague.extension,
        start,
        timedelta(seconds=6),
        timedelta(seconds=rng.randrange(40, 600)),
        "answered",
    )
