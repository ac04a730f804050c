"""The mirror of the CRM between the database and the plain values of `autocapture.crm`: loaded whole, changed in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, update
from sqlmodel import Session, SQLModel, col, select

from autocapture.crm.learned_domains import learned_domains
from autocapture.crm.merges import Merges
from autocapture.crm.number_blocks import Shared, number_blocks
from autocapture.crm.plan import Plan
from autocapture.crm.rows import Change, Key, KnownUser, Mirror, State, Values
from autocapture.model.crm import (
    Company,
    CompanyDomain,
    Contact,
    ContactHandle,
    Deal,
    DealContact,
    DealProduct,
    DealReference,
    DealState,
    Lead,
    LeadChange,
    Product,
    StageChange,
)
from autocapture.model.organization import User, UserHandle
from autocapture.store.activities import mark_dirty
from autocapture.store.bulk import insert, insert_missing, table_of
from autocapture.store.created import ours
from autocapture.store.learned_domains import keep, known_domains, written_from
from autocapture.store.merged import merge_companies, merge_contacts
from autocapture.store.number_blocks import keep_blocks, shared_beginnings
from autocapture.workflows.handing_over import hand_over, own_numbers, settle_with_crm

Ids = dict[str, dict[str, int]]
"""Ids by source id (users: by address), by table."""

_SCALARS: Mapping[str, tuple[type[SQLModel], tuple[str, ...]]] = {
    "company": (Company, ("name", "partner")),
    "product": (Product, ("name",)),
    "contact": (Contact, ("name", "title", "created_at")),
    "lead": (Lead, ("source", "created_at", "assigned_at", "status")),
    "deal": (
        Deal,
        (
            "name",
            "pipeline",
            "stage",
            "outcome",
            "amount_minor",
            "currency",
            "created_at",
            "created_on",
            "expected_close_on",
            "closed_at",
            "closed_on",
            "thread_only",
        ),
    ),
}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "company": {"partner": False},
    "deal": {"pipeline": "default", "outcome": "open", "thread_only": False},
}
_REFERENCES = {
    "contact": {"company": "company"},
    "lead": {"contact": "contact", "owner": "user"},
    "deal": {"company": "company", "owner": "user"},
}
"""By table: column in natural keys = the table whose id `<column>_id` holds."""


@dataclass(frozen=True, slots=True)
class Loaded:
    mirror: Mirror
    ids: Ids


def load_mirror(session: Session) -> Loaded:
    """Everything of the CRM that the database holds, in natural keys, and the ids behind them; without what autocapture created
    or found out itself."""
    own = {table: ours(session, table).keys() for table in ("company", "contact")}
    ids: Ids = {
        table: {
            key: number for key, number in _ids(session, model).items() if number not in own.get(table, ())
        }
        for table, (model, _) in _SCALARS.items()
    }
    users = _users(session)
    ids["user"] = {user.email: user_id for user_id, user in users.items()}
    names = {table: {number: key for key, number in keys.items()} for table, keys in ids.items()}
    tables = {table: _named_rows(session, table, names) for table in _SCALARS}
    _attach(
        tables["company"], _pairs(session, CompanyDomain, "company_id", "domain"), names["company"], "domains"
    )
    numbers = own_numbers(session)
    for kind in ("email", "phone"):
        handles = session.exec(
            select(ContactHandle.contact_id, ContactHandle.value).where(ContactHandle.kind == kind)
        ).all()
        of_crm = [(number, value) for number, value in handles if value not in numbers.get(number, ())]
        _attach(tables["contact"], of_crm, names["contact"], f"{kind}s")
    products = [
        (deal, names["product"][product])
        for deal, product in _pairs(session, DealProduct, "deal_id", "product_id")
    ]
    _attach(tables["deal"], products, names["deal"], "products")
    _attach(tables["deal"], _pairs(session, DealReference, "deal_id", "value"), names["deal"], "references")
    details = _details(session, names)
    mirror = Mirror(
        tables={**tables, **details},
        users={user.email: user for user in users.values()},
        states=_states(session, names),
    )
    return Loaded(mirror, ids)


def apply_plan(session: Session, plan: Plan, ids: Ids, now: datetime) -> None:
    """Writes the plan in the session's transaction. `ids` gains the new rows'."""
    hand_over(session, plan.changes, ids, now)
    changes: dict[str, list[Change]] = defaultdict(list)
    for change in plan.changes:
        changes[change.table].append(change)
    for table in ("company", "product", "contact", "lead", "deal"):
        _write_named(session, table, changes[table], ids)
        _write_sets(session, table, changes[table], ids)
    _write_details(session, changes, ids)
    _remove_moved(session, plan.moved, ids)
    _merge(session, plan.merges, ids)
    settle_with_crm(session, plan.changes, ids["contact"], now)
    if plan.changes or plan.merges:
        keep(session, learned_domains(written_from(session), known_domains(session)))
        keep_blocks(session, number_blocks(Shared(*each) for each in shared_beginnings(session)))
    _write_states(session, plan.states, ids, now)
    mark_dirty(session, ((ids["user"][email], day) for email, day in plan.dirty))


def _ids(session: Session, model: Any) -> dict[str, int]:
    return dict(session.exec(select(model.source_id, model.id)).all())


def _users(session: Session) -> dict[int, KnownUser]:
    aliases: dict[int, list[str]] = defaultdict(list)
    for user_id, value in session.exec(
        select(UserHandle.user_id, UserHandle.value).where(UserHandle.kind == "email")
    ):
        aliases[user_id].append(value)
    rows = session.exec(select(User.id, User.email, User.name, User.time_zone)).all()
    return {
        user_id: KnownUser(email, name, ZoneInfo(zone), tuple(aliases[user_id]))
        for user_id, email, name, zone in rows
        if user_id is not None
    }


def _named_rows(
    session: Session, table: str, names: Mapping[str, Mapping[int, str]]
) -> dict[Key, dict[str, Any]]:
    model, scalars = _SCALARS[table]
    references = _REFERENCES.get(table, {})
    columns = [
        getattr(model, name) for name in ("source_id", *scalars, *(f"{name}_id" for name in references))
    ]
    rows: dict[Key, dict[str, Any]] = {}
    known = set(names[table].values())
    for source_id, *cells in session.execute(select(*columns)):
        if source_id not in known:
            continue
        values = dict(zip(scalars, cells, strict=False))
        for (name, target), number in zip(references.items(), cells[len(scalars) :], strict=True):
            values[name] = names[target].get(number)  # a company of our own making is none of the CRM's
        rows[(source_id,)] = values
    return rows


def _pairs(session: Session, model: type[SQLModel], *columns: str) -> Sequence[Any]:
    return session.execute(select(*(getattr(model, name) for name in columns))).all()


def _attach(
    rows: dict[Key, dict[str, Any]], pairs: Iterable[tuple[int, str]], names: Mapping[int, str], column: str
) -> None:
    found: dict[Key, list[str]] = defaultdict(list)
    for number, value in pairs:
        if number in names:
            found[(names[number],)].append(value)
    for key, values in rows.items():
        values[column] = tuple(sorted(found.get(key, ())))


def _details(session: Session, names: Mapping[str, Mapping[int, str]]) -> dict[str, dict[Key, Values]]:
    details: dict[str, dict[Key, Values]] = {"lead_change": {}, "stage_change": {}, "deal_contact": {}}
    for lead, at, status in session.exec(
        select(LeadChange.lead_id, LeadChange.at, LeadChange.status).order_by(col(LeadChange.id))
    ):
        details["lead_change"][(names["lead"][lead], at.isoformat(), status)] = {}
    for deal, at, stage in session.exec(
        select(StageChange.deal_id, StageChange.at, StageChange.stage).order_by(col(StageChange.id))
    ):
        details["stage_change"][(names["deal"][deal], at.isoformat(), stage)] = {}
    for link in session.exec(select(DealContact)):
        key = (names["deal"][link.deal_id], names["contact"][link.contact_id])
        details["deal_contact"][key] = {"role": link.role, "since": link.since, "source": link.source}
    return details


def _states(session: Session, names: Mapping[str, Mapping[int, str]]) -> dict[str, tuple[State, ...]]:
    found: dict[str, list[State]] = defaultdict(list)
    rows = session.exec(
        select(DealState).where(col(DealState.known_to).is_(None)).order_by(col(DealState.valid_from))
    )
    for row in rows:
        state = State(
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            stage=row.stage,
            outcome=row.outcome,
            owner=None if row.owner_id is None else names["user"][row.owner_id],
            amount_minor=row.amount_minor,
            currency=row.currency,
            expected_close_on=row.expected_close_on,
            pipeline=row.pipeline,
        )
        found[names["deal"][row.deal_id]].append(state)
    return {deal: tuple(states) for deal, states in found.items()}


def _write_named(session: Session, table: str, changes: Sequence[Change], ids: Ids) -> None:
    """New rows in one statement, changed ones in one statement for each set of columns."""
    model, _ = _SCALARS[table]
    fresh: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    changed: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        columns = _columns(table, change.after, ids)
        if change.key[0] not in ids[table]:
            fresh[frozenset(columns)].append({**_defaults(table), **columns, "source_id": change.key[0]})
        elif columns:
            changed[frozenset(columns)].append({**columns, "row_id": ids[table][change.key[0]]})
    for rows in fresh.values():
        insert(session, model, rows)
    for names, rows in changed.items():
        statement = update(table_of(model)).where(table_of(model).c.id == bindparam("row_id"))
        session.connection().execute(statement.values({name: bindparam(name) for name in names}), rows)
    if fresh:
        ids[table] |= _ids(session, model)


def _columns(table: str, values: Values, ids: Ids) -> dict[str, Any]:
    _, scalars = _SCALARS[table]
    columns: dict[str, Any] = {name: values[name] for name in scalars if name in values}
    for name, target in _REFERENCES.get(table, {}).items():
        if name in values:
            key = values[name]
            columns[f"{name}_id"] = ids[target][key] if isinstance(key, str) else None
    return columns


def _defaults(table: str) -> Mapping[str, Any]:
    return _DEFAULTS.get(table, {})


_SETS: Mapping[str, tuple[tuple[str, type[SQLModel], str, str, Mapping[str, str]], ...]] = {
    "company": (("domains", CompanyDomain, "company_id", "domain", {}),),
    "contact": (
        ("emails", ContactHandle, "contact_id", "value", {"kind": "email"}),
        ("phones", ContactHandle, "contact_id", "value", {"kind": "phone"}),
    ),
    "deal": (
        ("products", DealProduct, "deal_id", "product_id", {}),
        ("references", DealReference, "deal_id", "value", {}),
    ),
}
"""By table: the columns that hold several values, and the rows they become."""


def _write_sets(session: Session, table: str, changes: Sequence[Change], ids: Ids) -> None:
    for column, model, owner, member, constants in _SETS.get(table, ()):
        gone, fresh = [], []
        for change in changes:
            if column not in change.after:
                continue
            before, after = _members(change.before, column), _members(change.after, column)
            number = ids[table][change.key[0]]
            gone += [_member(owner, number, member, value, constants, ids) for value in before - after]
            fresh += [
                _member(owner, number, member, value, constants, ids) for value in sorted(after - before)
            ]
        if gone:
            target = table_of(model)
            conditions = [target.c[name] == bindparam(f"old_{name}") for name in gone[0]]
            rows = [{f"old_{name}": value for name, value in row.items()} for row in gone]
            session.connection().execute(target.delete().where(*conditions), rows)
        insert_missing(session, model, fresh)  # a signature may have told a number already


def _members(values: Values | None, column: str) -> set[str]:
    found = (values or {}).get(column)
    return set(found) if isinstance(found, tuple) else set()


def _member(
    owner: str, number: int, member: str, value: str, constants: Mapping[str, str], ids: Ids
) -> dict[str, Any]:
    return {owner: number, member: ids["product"][value] if member == "product_id" else value, **constants}


def _write_details(session: Session, changes: Mapping[str, Sequence[Change]], ids: Ids) -> None:
    for table, model, parent, word in (
        ("lead_change", LeadChange, "lead", "status"),
        ("stage_change", StageChange, "deal", "stage"),
    ):
        rows = [
            {
                f"{parent}_id": ids[parent][change.key[0]],
                "at": datetime.fromisoformat(change.key[1]),
                word: change.key[2],
            }
            for change in changes.get(table, ())
        ]
        insert(session, model, rows)
    for change in changes.get("deal_contact", ()):
        deal, contact = ids["deal"][change.key[0]], ids["contact"][change.key[1]]
        columns: dict[str, Any] = dict(change.after)
        session.merge(DealContact(deal_id=deal, contact_id=contact, **columns))
    session.flush()


def _remove_moved(session: Session, moved: Sequence[Key], ids: Ids) -> None:
    """Takes away the stage changes that the CRM dates otherwise by now."""
    for deal, at, stage in moved:
        session.execute(
            delete(StageChange).where(
                col(StageChange.deal_id) == ids["deal"][deal],
                col(StageChange.at) == datetime.fromisoformat(at),
                col(StageChange.stage) == stage,
            )
        )


def _merge(session: Session, merges: Merges, ids: Ids) -> None:
    """Makes what hangs on rows that are gone in the CRM hang on those that they became part of."""
    for table, become_part in (("contact", merge_contacts), ("company", merge_companies)):
        into = {ids[table][key]: ids[table][other] for key, other in merges.get(table, {}).items()}
        if into:
            become_part(session, into)
        for key in merges.get(table, {}):
            del ids[table][key]


def _write_states(session: Session, states: Mapping[str, tuple[State, ...]], ids: Ids, now: datetime) -> None:
    """Closes what was known of the deals until now and adds what is known from now on; what was known for no time goes."""
    deals = [ids["deal"][deal] for deal in states]
    table = table_of(DealState)
    current = (table.c.deal_id == bindparam("deal"), table.c.known_to.is_(None))
    if deals:
        numbers = [{"deal": number} for number in deals]
        session.connection().execute(table.delete().where(*current, table.c.known_from >= now), numbers)
        session.connection().execute(update(table).where(*current).values(known_to=now), numbers)
    rows = []
    for deal, intervals in states.items():
        for state in intervals:
            columns = asdict(state)
            owner = columns.pop("owner")
            columns["owner_id"] = None if owner is None else ids["user"][owner]
            rows.append({**columns, "deal_id": ids["deal"][deal], "known_from": now, "known_to": None})
    insert(session, DealState, rows)
