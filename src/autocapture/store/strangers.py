"""Addresses and numbers from outside that no contact has, found where they took part: nothing else is kept of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, select
from sqlmodel import Session

from autocapture.formats.domains import organization_domains
from autocapture.model.activities import Activity, Match, Participant, Participation
from autocapture.model.created import COMPANY, CONTACT, Stranger
from autocapture.model.crm import ContactHandle
from autocapture.model.directory import untagged
from autocapture.store.bulk import among, rows_of, table_of
from autocapture.store.created import is_created

CROWD = 25
"""Who took part among more outsiders than these was in an audience: such a meeting is no reason to know anybody."""

_ACTIVITY, _PARTY = table_of(Activity).c, table_of(Participant).c
_PART, _MATCH, _HANDLE = table_of(Participation).c, table_of(Match).c, table_of(ContactHandle).c
_TOOK_PART = table_of(Participant).join(table_of(Activity), _ACTIVITY.id == _PARTY.activity_id)
_FROM_OUTSIDE = and_(
    _PARTY.user_id.is_(None), _PARTY.resource.is_(False), _ACTIVITY.external, _ACTIVITY.business
)


def newest_change(session: Session) -> datetime | None:
    """When any activity changed last."""
    found: datetime | None = session.scalar(
        select(func.max(_ACTIVITY.changed_at, type_=_ACTIVITY.changed_at.type))
    )
    return found


def unknown_addresses(session: Session, since: datetime | None) -> set[str]:
    """The addresses without a contact in activities that changed since (None: in all)."""
    statement = (
        select(_PARTY.address)
        .select_from(_TOOK_PART)
        .where(_FROM_OUTSIDE, _PARTY.contact_id.is_(None), _PARTY.address.like("%@%"))
        .distinct()
    )
    if since is not None:
        statement = statement.where(_ACTIVITY.changed_at >= since)
    return {address for (address,) in rows_of(session, statement)}


def addresses_of_created(session: Session, since: datetime | None) -> set[str]:
    """The addresses, in activities that changed since, of contacts that autocapture created."""
    statement = (
        select(_PARTY.address)
        .select_from(_TOOK_PART)
        .where(
            _PARTY.user_id.is_(None), _PARTY.contact_id.is_not(None), is_created(CONTACT, _PARTY.contact_id)
        )
        .distinct()
    )
    if since is not None:
        statement = statement.where(_ACTIVITY.changed_at >= since)
    return {address for (address,) in rows_of(session, statement)}


def strangers(session: Session, addresses: Collection[str] | None = None) -> list[Stranger]:
    """What was captured of these addresses, or of every address and number that no contact has; one for a person, whatever tags
    their address had, in the order of addresses. Some may be known by now: see `known_handles`."""
    if addresses is not None and not addresses:
        return []
    statement = _counted()
    if addresses is None:
        statement = statement.where(_PARTY.contact_id.is_(None))
    else:
        statement = statement.where(among(session, _PARTY.address, sorted(addresses)))
    found: dict[str, Stranger] = {}
    for row in rows_of(session, statement):
        one = Stranger(untagged(row[0]), *row[1:])
        known = found.get(one.address)
        found[one.address] = one if known is None else known.with_tagged(one)
    return [found[address] for address in sorted(found)]


def _counted() -> Select[Any]:
    kind, way = _ACTIVITY.kind, _ACTIVITY.direction
    human = _ACTIVITY.nature == "human"
    ours = and_(kind == "email", human, way == "outbound")
    theirs = and_(kind == "email", human, way == "inbound", _PARTY.role == "from")
    mail, call = kind == "email", kind == "call"
    return (
        select(
            _PARTY.address,
            _number_of(mail),
            _number_of(kind == "meeting"),
            _number_of(call),
            _number_of(and_(ours, _PARTY.role == "to")),
            _number_of(and_(ours, _PARTY.role != "from")),
            _number_of(theirs),
            _number_of(_was_met()),
            func.min(_ACTIVITY.occurred_at, type_=_ACTIVITY.occurred_at.type),
            func.max(_ACTIVITY.occurred_at, type_=_ACTIVITY.occurred_at.type),
        )
        .select_from(_TOOK_PART)
        .where(_FROM_OUTSIDE)
        .group_by(_PARTY.address)
    )


def _number_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, _ACTIVITY.id)).distinct())


def _was_met() -> ColumnElement[bool]:
    """The meeting was held with them there, and counts for one of us: an entry of whole days counts for nobody."""
    others = table_of(Participant).alias("others").c
    crowd = (
        select(func.count())
        .where(others.activity_id == _ACTIVITY.id, others.user_id.is_(None), others.resource.is_(False))
        .correlate(table_of(Activity))
        .scalar_subquery()
    )
    counts = (
        select(_PART.user_id)
        .where(_PART.activity_id == _ACTIVITY.id, _PART.counts)
        .correlate(table_of(Activity))
        .exists()
    )
    return and_(
        _ACTIVITY.kind == "meeting",
        _ACTIVITY.status == "held",
        func.coalesce(_PARTY.response, "") != "declined",
        counts,
        crowd <= CROWD,
    )


def known_handles(session: Session, addresses: Collection[str]) -> set[str]:
    """Those of these addresses that contacts have."""
    statement = select(_HANDLE.value).where(
        _HANDLE.kind == "email", among(session, _HANDLE.value, sorted(addresses))
    )
    return {value for (value,) in rows_of(session, statement.distinct())} if addresses else set()


def names_of(session: Session, addresses: Collection[str]) -> list[tuple[str, bool, str, int, datetime]]:
    """By address and whether they wrote it themselves: the latest name in headers, with its activity and that one's time."""
    if not addresses:
        return []
    own = case((_PARTY.role.in_(("from", "organizer")), 1), else_=0)
    newest = func.row_number().over(
        partition_by=(_PARTY.address, own), order_by=(_ACTIVITY.occurred_at.desc(), _ACTIVITY.id.desc())
    )
    named = (
        select(
            _PARTY.address,
            own.label("own"),
            _PARTY.name,
            _ACTIVITY.id,
            _ACTIVITY.occurred_at,
            newest.label("place"),
        )
        .select_from(_TOOK_PART)
        .where(
            among(session, _PARTY.address, sorted(addresses)),
            _PARTY.user_id.is_(None),
            _PARTY.name != "",
            _PARTY.name.not_like("%@%"),
        )
        .subquery()
    )
    rows = rows_of(session, select(named).where(named.c.place == 1).order_by(named.c.address, named.c.own))
    return [(address, bool(by_self), name, key, at) for address, by_self, name, key, at, _ in rows]


def companies_beside(session: Session, addresses: Collection[str]) -> dict[str, set[int]]:
    """By address: the companies to which what they took part in is matched, but those that autocapture created."""
    if not addresses:
        return {}
    statement = (
        select(_PARTY.address, _MATCH.target_id)
        .join(table_of(Match), _MATCH.activity_id == _PARTY.activity_id)
        .where(
            among(session, _PARTY.address, sorted(addresses)),
            _PARTY.user_id.is_(None),
            _MATCH.target.concat("") == COMPANY,  # no key: what is matched to companies is nearly everything
            ~is_created(COMPANY, _MATCH.target_id),
        )
        .distinct()
    )
    found: dict[str, set[int]] = {}
    for address, company_id in rows_of(session, statement):
        found.setdefault(untagged(address), set()).add(company_id)
    return found


def tagged_forms(session: Session, addresses: Collection[str]) -> set[str]:
    """The addresses that took part and are these with a tag."""
    outside = select(_PARTY.address).where(_PARTY.user_id.is_(None)).distinct()
    found: set[str] = set()
    if (
        session.get_bind().dialect.name == "sqlite"
    ):  # compares texts byte by byte, so a beginning is found by its index
        between = outside.where(_PARTY.address > bindparam("first"), _PARTY.address < bindparam("last"))
        for address in addresses:
            local = address.partition("@")[0]
            given = {"first": f"{local}+", "last": f"{local}{chr(ord('+') + 1)}"}
            found.update(each for (each,) in rows_of(session, between, given))
    else:
        found.update(each for (each,) in rows_of(session, outside.where(_PARTY.address.like("%+%@%"))))
    return {each for each in found if untagged(each) in addresses}


def addresses_on(session: Session, domains: Set[str]) -> set[str]:
    """The addresses from outside on these domains, or below them."""
    statement = select(_PARTY.address).where(_PARTY.user_id.is_(None), _PARTY.address.like("%@%")).distinct()
    return {
        address
        for (address,) in rows_of(session, statement)
        if not domains.isdisjoint(organization_domains(address.rpartition("@")[2]))
    }


def activities_with(session: Session, addresses: Iterable[str]) -> list[int]:
    """The activities in which one of these addresses or numbers from outside took part."""
    statement = (
        select(_PARTY.activity_id)
        .where(among(session, _PARTY.address, sorted(addresses)), _PARTY.user_id.is_(None))
        .distinct()
    )
    return sorted(activity_id for (activity_id,) in rows_of(session, statement))
