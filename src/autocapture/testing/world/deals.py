"""Products, leads and deals with their histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from autocapture.testing.world.dates import Diary, stream
from autocapture.testing.world.model import (
    Company,
    Contact,
    Deal,
    DealContact,
    Lead,
    LeadChange,
    Outcome,
    Product,
    Size,
    StageChange,
    User,
)

PIPELINE = "new business"
STAGES = ("qualification", "discovery", "demo", "proposal", "negotiation")
PRODUCTS = (
    Product("PRD-01", "GTX Pro", Decimal(5400)),
    Product("PRD-02", "GTX Basic", Decimal(1900)),
    Product("PRD-03", "Orbit Planner", Decimal(8200)),
    Product("PRD-04", "Atlas Service Plan", Decimal(2600)),
    Product("PRD-05", "Meridian Gateway", Decimal(3300)),
)
SOURCES = ("website", "trade fair", "referral", "cold list", "partner")
_ROLES = ("decision maker", "user", "purchasing", "influencer")
_HISTORY_WEEKS = 26


@dataclass(frozen=True, slots=True)
class _Fate:
    """How a deal ends: `week` (before the end of the world is negative) and the outcome; open when the week is not past."""

    created_week: int
    week: int
    outcome: Outcome
    slipped: bool = False


# What must have happened so that the last full week is worth reading: (rep, deal of that rep) -> fate.
_STORY: Mapping[tuple[int, int], _Fate] = {
    (0, 0): _Fate(-14, -1, "won"),
    (0, 1): _Fate(-9, -1, "won"),
    (0, 2): _Fate(-16, -4, "won"),
    (0, 3): _Fate(-22, -6, "won"),
    (5, 0): _Fate(-17, -1, "won"),
    (3, 1): _Fate(-21, -5, "won"),
    (2, 0): _Fate(-12, -1, "lost"),
    (3, 0): _Fate(-15, 4, "won", slipped=True),
    (6, 0): _Fate(-19, 3, "won", slipped=True),
}


def deals(
    seed: int,
    size: Size,
    reps: Sequence[User],
    companies: Sequence[Company],
    contacts: Sequence[Contact],
    diaries: Mapping[str, Diary],
) -> tuple[Deal, ...]:
    """`size.deals` deals, rep after rep. A rep with fewer companies than deals has companies with several."""
    people: dict[str, list[Contact]] = {}
    for contact in contacts:
        people.setdefault(contact.company, []).append(contact)
    territory = {
        rep.email: [c for c in companies if c.owner == rep.email and not c.partner and people.get(c.key)]
        for rep in reps
    }
    made: list[Deal] = []
    for number in range(size.deals):
        index, turn = number % len(reps), number // len(reps)
        rep = reps[index]
        if not territory[rep.email]:
            continue
        rng = stream(seed, "deal", number)
        company = territory[rep.email][turn % len(territory[rep.email])]
        fate = _STORY.get((index, turn)) or _fate(rng, rep)
        made.append(_deal(rng, number, rep, diaries[rep.email], company, people[company.key], fate))
    return tuple(made)


def _fate(rng: Random, rep: User) -> _Fate:
    created = -rng.randrange(1, _HISTORY_WEEKS + 1)
    cycle = max(3, round(rng.lognormvariate(2.2, 0.45)))
    outcome: Outcome = "won" if rng.random() < rep.luck else "lost"
    return _Fate(created, created + cycle, outcome, slipped=rng.random() < 0.15)


def _deal(
    rng: Random,
    number: int,
    rep: User,
    diary: Diary,
    company: Company,
    people: Sequence[Contact],
    fate: _Fate,
) -> Deal:
    product = rng.choice(PRODUCTS)
    extra = rng.choice(PRODUCTS)
    products = (product.key,) if extra == product or rng.random() < 0.7 else (product.key, extra.key)
    currency = _currency(rng, rep)
    amount = product.price * rng.randrange(2, 14) * (11 if currency == "SEK" else 1)
    created = diary.some_time(rng, fate.created_week)
    changes = _history(rng, rep, diary, created, fate)
    closed = changes[-1].at if changes[-1].stage in ("won", "lost") else None
    planned = (closed or diary.at(fate.week, rng.randrange(5), 12)).date()
    slip = timedelta(weeks=5) if fate.slipped else timedelta(0)
    return Deal(
        key=f"OPP-{3001 + number}",
        name=f"{company.name} – {product.name}",
        company=company.key,
        owner=rep.email,
        pipeline=PIPELINE,
        created_at=created,
        expected_close_on=planned - slip + timedelta(days=rng.choice((0, 0, 3, 7)) if closed else 0),
        closed_at=closed,
        outcome=fate.outcome if closed else None,
        amount=None if closed is None and rng.random() < 0.06 else amount,
        currency=currency,
        products=products,
        changes=changes,
        contacts=tuple(
            DealContact(person.key, _ROLES[place % len(_ROLES)], created + timedelta(days=7 * place))
            for place, person in enumerate(_buyers(rng, people))
        ),
    )


def _buyers(rng: Random, people: Sequence[Contact]) -> list[Contact]:
    return rng.sample(list(people), k=min(len(people), rng.choice((1, 2, 2, 3))))


def _currency(rng: Random, rep: User) -> str:
    """Nearly all in EUR; now and then the customer's own currency."""
    own = {"sv": "SEK", "en": "GBP"}.get(rep.locale, "EUR")
    return own if rng.random() < 0.12 else "EUR"


def _history(rng: Random, rep: User, diary: Diary, created: datetime, fate: _Fate) -> tuple[StageChange, ...]:
    """One visit after the other over the life of the deal, with some stages skipped and some gone back to."""
    path = list(STAGES)
    if rng.random() < 0.25:
        path.remove(rng.choice(("discovery", "demo")))
    if rng.random() < 0.15:
        place = path.index("proposal")
        path[place + 1 : place + 1] = [path[place - 1], "proposal"]
    if fate.outcome == "lost" and fate.week < 0:
        path = path[: rng.randrange(2, len(path) + 1)]
    ends = diary.some_time(rng, fate.week)
    if ends <= created:
        ends = diary.after(rng, created, 100)
    marks = sorted(rng.uniform(0.05, 0.95) for _ in path[1:])
    life = ends.replace(tzinfo=None) - created.replace(tzinfo=None)
    moments = [created, *(diary.settle(rng, created + life * mark) for mark in marks), ends]
    visits: list[StageChange] = []
    for stage, moment in zip([*path, fate.outcome], moments, strict=True):
        # settling on working hours may push two moves together: keep them in order, minutes apart
        if visits and moment <= visits[-1].at:
            moment = visits[-1].at + timedelta(minutes=7)
        if moment < diary.end:
            visits.append(StageChange(stage, moment, rep.email))
    return tuple(visits)


def leads(
    seed: int,
    size: Size,
    deals: Sequence[Deal],
    contacts: Sequence[Contact],
    companies: Sequence[Company],
    diaries: Mapping[str, Diary],
) -> tuple[Lead, ...]:
    """People nobody sells to yet (at most `size.leads`), spread over the weeks of the world."""
    owner_of = {company.key: company.owner for company in companies if not company.partner}
    buying = {role.contact for deal in deals for role in deal.contacts}
    free = [contact for contact in contacts if contact.key not in buying and contact.company in owner_of]
    made: list[Lead] = []
    for number, contact in enumerate(free[: size.leads]):
        rng = stream(seed, "lead", number)
        owner = owner_of[contact.company]
        diary = diaries[owner]
        created = diary.some_time(rng, -rng.randrange(1, size.weeks + 1))
        assigned = diary.after(rng, created, 3)
        unassigned = assigned >= diary.end or rng.random() < 0.04
        made.append(
            Lead(
                key=f"LEAD-{5001 + number}",
                contact=contact.key,
                source=rng.choice(SOURCES),
                owner=owner,
                created_at=created,
                assigned_at=None if unassigned else assigned,
                history=(LeadChange("new", created),)
                if unassigned
                else _lead_history(rng, diary, created, assigned),
            )
        )
    return tuple(made)


def _lead_history(rng: Random, diary: Diary, created: datetime, assigned: datetime) -> tuple[LeadChange, ...]:
    end = rng.choices(("working", "qualified", "disqualified", "nurturing"), weights=(4, 3, 3, 1))[0]
    changes = [LeadChange("new", created), LeadChange("working", diary.after(rng, assigned, 6))]
    if end != "working":
        changes.append(LeadChange(end, diary.after(rng, changes[-1].at, 120)))
    return tuple(change for change in changes if change.at < diary.end)


def open_on(deal: Deal, day: date) -> bool:
    """Whether the deal existed and was not closed at the end of that day."""
    closed = deal.closed_at
    return deal.created_at.date() <= day and (closed is None or closed.date() > day)
