"""The CRM that messages are matched against: contacts, companies and deals by number, and loading them by the million."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine
from sqlmodel import SQLModel

from autocapture.model.crm import (
    BY_PEOPLE,
    OPEN,
    Company,
    CompanyDomain,
    Contact,
    ContactHandle,
    Deal,
    DealContact,
    DealProduct,
    DealReference,
    Product,
)
from autocapture.model.organization import User
from autocapture.store.bulk import insert_tuples, table_of
from autocapture.store.engine import writing
from autocapture.store.statistics import look_again
from autocapture.testing.bench.database import user_row

REPS = 200
PRODUCTS = tuple(
    f"{kind} {thing}"
    for kind in ("rotary", "linear", "compact", "mobile", "modular", "marine", "optical", "thermal")
    for thing in ("pump", "valve", "sensor", "gateway", "press")
)
_FIRST = (
    "Anna",
    "Bram",
    "Chen",
    "Dirk",
    "Elin",
    "Fatima",
    "Goran",
    "Hanna",
    "Ines",
    "Jonas",
    "Karin",
    "Luca",
)
_LAST = (
    "Berg",
    "Costa",
    "Dahl",
    "Eriksson",
    "Fischer",
    "Gomez",
    "Hansen",
    "Ivanov",
    "Jansen",
    "Keller",
    "Lind",
)
_COMPANIES_OF_DEALS = (2, 3, 4, 5, 5, 6, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9)
"""Of ten companies those that twenty deals belong to: two have none, one has six."""
_CREATED = datetime(2025, 1, 6, 9, tzinfo=UTC)
_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much the CRM holds. Every deal is open, and was created before any message."""

    contacts: int = 1_000_000
    companies: int = 100_000
    deals: int = 200_000


def contact_address(number: int, size: Size) -> str:
    return f"p{number:07}@{domain(number % size.companies)}"


def contact_name(number: int) -> str:
    return f"{_FIRST[number % len(_FIRST)]} {_LAST[number % len(_LAST)]} {number}"


def domain(company: int) -> str:
    return f"nordwerk{company:06}.example"


def rep_address(rep: int) -> str:
    return f"rep{rep}@ours.example"


def rep_of_company(company: int) -> int:
    return company % REPS


def company_of_deal(deal: int, size: Size) -> int:
    block, place = divmod(deal, len(_COMPANIES_OF_DEALS))
    return (10 * block + _COMPANIES_OF_DEALS[place]) % size.companies


def product_of_deal(deal: int) -> str:
    return PRODUCTS[deal * 7 % len(PRODUCTS)]


def reference_of_deal(deal: int) -> str | None:
    """The number of its quote: one deal in four has one."""
    return None if deal % 4 else f"Q-{deal:06}"


def deals_of_companies(size: Size) -> Mapping[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for deal in range(size.deals):
        found.setdefault(company_of_deal(deal, size), []).append(deal)
    return {company: tuple(deals) for company, deals in found.items()}


def load_people(engine: Engine, size: Size) -> None:
    """Ours, and the companies with their contacts."""
    with writing(engine) as session:
        users = [user_row(rep_address(rep)) for rep in range(REPS)]
        insert_tuples(session, User, tuple(users[0]), [tuple(user.values()) for user in users])
    companies = range(size.companies)
    _load(
        engine,
        Company,
        ("id", "source_id", "name", "partner"),
        ((n + 1, f"company {n}", f"Nordwerk {n}", False) for n in companies),
    )
    _load(engine, CompanyDomain, ("domain", "company_id"), ((domain(n), n + 1) for n in companies))
    contacts = range(size.contacts)
    _load(
        engine,
        Contact,
        ("id", "source_id", "name", "company_id", "created_at"),
        ((n + 1, f"contact {n}", contact_name(n), n % size.companies + 1, _CREATED) for n in contacts),
    )
    _load(
        engine,
        ContactHandle,
        ("kind", "value", "contact_id"),
        (("email", contact_address(n, size), n + 1) for n in contacts),
    )
    _look_again(engine)


def load_deals(engine: Engine, size: Size) -> None:
    """The deals, whose companies and contacts are there. Four in five belong to the company's rep."""
    deals = range(size.deals)
    _load(
        engine,
        Deal,
        (
            "id",
            "source_id",
            "name",
            "company_id",
            "owner_id",
            "pipeline",
            "outcome",
            "created_at",
            "created_on",
            "thread_only",
        ),
        (_deal(n, size) for n in deals),
    )
    _load(
        engine,
        DealContact,
        ("deal_id", "contact_id", "role", "source"),
        ((n + 1, contact + 1, "buyer", BY_PEOPLE) for n in deals for contact in _roles(n, size)),
    )
    _load(
        engine, Product, ("id", "source_id", "name"), ((n, name, name) for n, name in enumerate(PRODUCTS, 1))
    )
    _load(
        engine,
        DealProduct,
        ("deal_id", "product_id"),
        ((n + 1, PRODUCTS.index(product_of_deal(n)) + 1) for n in deals[::2]),
    )
    _load(
        engine,
        DealReference,
        ("deal_id", "value"),
        ((n + 1, number) for n in deals if (number := reference_of_deal(n))),
    )
    _look_again(engine)


def _deal(number: int, size: Size) -> tuple[Any, ...]:
    company = company_of_deal(number, size)
    created = _CREATED + timedelta(hours=number % 8_000)
    owner = (rep_of_company(company) + (number % 5 == 0)) % REPS + 1
    name = f"Nordwerk {company} {product_of_deal(number)} {created.year}"
    return (
        number + 1, f"deal {number}", name, company + 1, owner, "default", OPEN, created, created.date(), False
    )  # fmt: skip


def _roles(deal: int, size: Size) -> Iterator[int]:
    """Nobody on one deal in four, else one or two of the company's contacts."""
    company = company_of_deal(deal, size)
    of_company = range(company, size.contacts, size.companies)
    wanted = (0, 1, 2, 2)[deal % 4]
    return islice((of_company[(deal + turn) % len(of_company)] for turn in range(len(of_company))), wanted)


def _load(
    engine: Engine, model: type[SQLModel], names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Rows that are made while they are loaded, in one transaction: as COPY where there is one."""
    with writing(engine) as session:
        if engine.dialect.name == "postgresql":
            cursor = session.connection().connection.cursor()
            listed = ", ".join(names)
            with cursor.copy(f"COPY {table_of(model).name} ({listed}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        waiting = iter(rows)
        while chunk := list(islice(waiting, _ROWS)):
            insert_tuples(session, model, names, chunk)


def _look_again(engine: Engine) -> None:
    """As an import ends."""
    with writing(engine) as session:
        look_again(session)
