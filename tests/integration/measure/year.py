"""A random year of a small organisation: rows for searches, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from sqlmodel import Session, SQLModel

from autocapture.measure.examples import (
    ANN,
    BOB,
    CHO,
    KIM,
    LEE,
    Rows,
    activity,
    cast,
    deal,
    insert_rows,
    lead,
)
from autocapture.measure.period import Period
from autocapture.model.activities import Match
from autocapture.model.organization import Membership

YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
AS_OF = datetime(2027, 2, 1, 12, tzinfo=UTC)

_STATUSES = {
    "email": (None,),
    "meeting": ("planned", "held", "cancelled_by_us", "cancelled_by_them", "no_show", "unknown"),
    "call": ("answered", "no_answer", "busy", "voicemail"),
}


def rows_of_a_year(session: Session, *, seed: int, activities: int) -> None:
    """Fills an empty database. Bob changes from North to South on 1 July."""
    chance = random.Random(seed)
    rows: list[SQLModel] = [row for row in cast() if not (isinstance(row, Membership) and row.user_id == BOB)]
    rows += [
        Membership(user_id=BOB, team_id=1, valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30)),
        Membership(user_id=BOB, team_id=2, valid_from=date(2026, 7, 1)),
    ]
    for number in range(1, activities + 1):
        rows += random_activity(chance, number)
    rows += [row for made in _crm(chance) for row in made]
    insert_rows(session, rows)


def random_activity(chance: random.Random, number: int) -> Rows:
    """One activity of any kind, at any minute of a few crowded days or of the whole year."""
    kind = chance.choice(("email", "email", "meeting", "call"))
    day = chance.choice((chance.randrange(365), 313 + chance.randrange(8)))
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=chance.randrange(1440))
    outbound = chance.random() < 0.6
    users = [ANN, BOB, CHO]
    chance.shuffle(users)
    shared = 1 if kind == "email" and outbound else chance.choice((1, 1, 2, 3))
    rows = activity(
        number,
        kind,
        f"{moment:%m-%d %H:%M}",
        users[:shared],
        direction="outbound" if outbound else "inbound",
        contacts=chance.choice(([KIM], [LEE], [KIM, LEE])),
        counts=chance.random() < 0.9,
        response=chance.choice((None, "accepted", "declined")),
        booked=f"{max(moment - timedelta(days=3), datetime(2026, 1, 1, tzinfo=UTC)):%m-%d %H:%M}"
        if kind == "meeting"
        else None,
        nature=chance.choice(("human", "human", "human", "auto", "bulk")) if kind == "email" else "human",
        status=chance.choice(_STATUSES[kind]),
        duration_s=chance.choice((10, 59, 60, 400)) if kind == "call" else None,
        thread_id=chance.randrange(40) if kind == "email" else None,
    )
    link = Match(activity_id=number, target="company", target_id=1, method="contact", evidence={})
    return (*rows, link) if chance.random() < 0.7 else rows


def _crm(chance: random.Random) -> Iterator[Rows]:
    for number in range(1, 41):
        created = date(2026, 1, 1) + timedelta(days=chance.randrange(200))
        closed = created + timedelta(days=chance.randrange(150))
        outcome = chance.choice(("open", "won", "lost"))
        yield deal(
            number,
            f"{created:%m-%d} {chance.randrange(24):02}:30",
            closed=None if outcome == "open" else f"{closed:%m-%d} 23:45",
            outcome=outcome,
            amount=chance.choice((None, 0, 99_999, 1_000_000_000_000)),
            currency=chance.choice(("EUR", "JPY", "KWD")),
            owner=chance.choice((ANN, BOB, CHO)),
        )
    for number in range(1, 21):
        day = date(2026, 1, 1) + timedelta(days=chance.randrange(360))
        yield lead(
            number,
            f"{day:%m-%d} {chance.randrange(24):02}:15",
            contact=chance.choice((KIM, LEE)),
            owner=chance.choice((ANN, BOB, CHO)),
        )
