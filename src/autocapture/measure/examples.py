"""A tiny organisation in which the examples of the metrics take place, and the check that runs them.

The cast: Ann (1, Amsterdam) and Bob (2, New York) are the team North, Cho (3, Shanghai) is the team South. Kim (1) and Lee (2)
work at Acme (1). Every example asks about the week 2026-W46, Monday 9 to Sunday 15 November, on 30 November.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert
from sqlmodel import Session, SQLModel

from autocapture.measure.declare import Example, Metric
from autocapture.measure.period import parse_period
from autocapture.measure.query import Query
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, Participant, Participation
from autocapture.model.crm import Company, Contact, Deal, DealState, Lead
from autocapture.model.organization import Membership, Team, User
from autocapture.records import Kind

WEEK = parse_period("2026-W46")
AS_OF = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANN, BOB, CHO = 1, 2, 3
KIM, LEE = 1, 2
ZONES = {ANN: "Europe/Amsterdam", BOB: "America/New_York", CHO: "Asia/Shanghai"}

Rows = tuple[SQLModel, ...]


def at(text: str) -> datetime:
    """``11-09 10:30`` in UTC, 2026."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def local(moment: datetime, user_id: int) -> date:
    return moment.astimezone(ZoneInfo(ZONES[user_id])).date()


def cast() -> list[SQLModel]:
    """The organisation that every example begins with; its reps have connected mail, a calendar and a call log each."""
    began = date(2026, 1, 1)
    emails = {ANN: "ann@us.example", BOB: "bob@us.example", CHO: "cho@us.example"}
    return [
        Team(id=1, name="North"),
        Team(id=2, name="South"),
        User(id=ANN, email=emails[ANN], name="Ann", time_zone=ZONES[ANN], locale="nl-NL"),
        User(id=BOB, email=emails[BOB], name="Bob", time_zone=ZONES[BOB], locale="en-US"),
        User(id=CHO, email=emails[CHO], name="Cho", time_zone=ZONES[CHO], locale="zh-CN"),
        Membership(user_id=ANN, team_id=1, valid_from=began),
        Membership(user_id=BOB, team_id=1, valid_from=began),
        Membership(user_id=CHO, team_id=2, valid_from=began),
        Company(id=1, source_id="acme", name="Acme"),
        Contact(id=KIM, source_id="kim", name="Kim", company_id=1),
        Contact(id=LEE, source_id="lee", name="Lee", company_id=1),
        *(row for user_id, email in emails.items() for row in _connected(user_id, email)),
    ]


def _connected(user_id: int, email: str) -> Rows:
    """An account that has brought everything. It has the number of its user, its channels those of the hundred after."""
    account = Account(
        id=user_id,
        user_id=user_id,
        connector="example",
        subject=email,
        options={},
        created_at=at("01-01 00:00"),
    )
    kinds: tuple[Kind, ...] = ("email", "event", "call")
    channels = (
        Channel(
            id=100 * user_id + n, account_id=user_id, source_id=kind, kind=kind, name=kind, backfilled=True
        )
        for n, kind in enumerate(kinds)
    )
    return (account, *channels)


def activity(
    number: int,
    kind: str,
    when: str,
    users: Sequence[int],
    *,
    direction: str = "outbound",
    contacts: Sequence[int] = (KIM,),
    counts: bool = True,
    role: str | None = None,
    response: str | None = None,
    booked: str | None = None,
    minutes: int = 30,
    **columns: object,
) -> Rows:
    """One activity with its participations and outside participants. Instants are UTC, as `at` reads them."""
    moment, booked_at = at(when), at(booked) if booked else None
    ours, theirs = _ROLES[kind, direction]
    ends_at = moment + timedelta(minutes=minutes) if kind == "meeting" else None
    row = Activity(
        id=number,
        dedupe_key=f"example:{number}",
        kind=kind,
        occurred_at=moment,
        ends_at=ends_at,
        direction=direction,
        booked_at=booked_at,
        known_at=moment,
        changed_at=moment,
    )
    row.sqlmodel_update(columns)
    counted = [
        Participation(
            user_id=user_id,
            local_date=local(moment, user_id),
            activity_id=number,
            role=role or (ours if place == 0 else _COMPANIONS[ours]),
            counts=counts,
            share=1 / len(users),
            booked_date=local(booked_at, user_id) if booked_at else None,
        )
        for place, user_id in enumerate(users)
    ]
    outside = [
        Participant(
            activity_id=number, role=theirs, address=_ADDRESSES[who], contact_id=who, response=response
        )
        for who in contacts
    ]
    return (row, *counted, *outside)


_ADDRESSES = {KIM: "kim@acme.example", LEE: "lee@acme.example"}
_COMPANIONS = {
    "sender": "copied",
    "recipient": "recipient",
    "organizer": "attendee",
    "attendee": "attendee",
    "caller": "caller",
    "callee": "callee",
}
_ROLES = {
    ("email", "outbound"): ("sender", "to"),
    ("email", "inbound"): ("recipient", "from"),
    ("meeting", "outbound"): ("organizer", "attendee"),
    ("meeting", "inbound"): ("attendee", "organizer"),
    ("call", "outbound"): ("caller", "callee"),
    ("call", "inbound"): ("callee", "caller"),
}


def deal(
    number: int,
    created: str,
    *,
    closed: str | None = None,
    outcome: str = "open",
    amount: int | None = 100_000,
    currency: str | None = "EUR",
    owner: int = ANN,
) -> Rows:
    """A deal of Acme with its states: open from its creation, then won or lost. `amount` is in minor units."""
    created_at, closed_at = at(created), at(closed) if closed else None
    state: dict[str, Any] = {
        "deal_id": number,
        "owner_id": owner,
        "amount_minor": amount,
        "currency": currency,
    }
    states = [
        DealState(id=2 * number, valid_from=created_at, valid_to=closed_at, known_from=created_at, **state)
    ]
    if closed_at:
        states.append(
            DealState(id=2 * number + 1, valid_from=closed_at, known_from=closed_at, outcome=outcome, **state)
        )
    row = Deal(
        id=number,
        source_id=f"deal-{number}",
        name=f"Deal {number}",
        company_id=1,
        owner_id=owner,
        outcome=outcome,
        amount_minor=amount,
        currency=currency,
        created_at=created_at,
        created_on=local(created_at, owner),
        closed_at=closed_at,
        closed_on=local(closed_at, owner) if closed_at else None,
    )
    return (row, *states)


def lead(
    number: int, created: str, *, assigned: str | None = None, contact: int = KIM, owner: int = ANN
) -> Rows:
    return (
        Lead(
            id=number,
            source_id=f"lead-{number}",
            contact_id=contact,
            owner_id=owner,
            created_at=at(created),
            assigned_at=at(assigned) if assigned else None,
        ),
    )


def insert_rows(session: Session, rows: Iterable[SQLModel]) -> None:
    """Inserts table rows, referred-to tables first. The rows stay as they were and can be inserted elsewhere again."""
    by_table: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in rows:
        by_table[str(row.__tablename__)].append(row.model_dump())
    for target in SQLModel.metadata.sorted_tables:
        if target.name in by_table:
            session.execute(insert(target), by_table[target.name])


def check(engine: Engine, metric: Metric, example: Example) -> None:
    """Runs one example on an empty database. Raises AssertionError when the value is another one than it says."""
    from autocapture.measure.aggregate import aggregate

    with Session(engine) as session:
        insert_rows(session, (*cast(), *example.rows))
        values = aggregate(session, metric, Query(WEEK, AS_OF, where=example.where))
    found = [value.value for value in values] or [None]
    expected = Decimal(example.expected) if isinstance(example.expected, str) else example.expected
    if found != [expected]:
        raise AssertionError(f"{metric.name}: {example.title}: expected {expected}, found {found}")
