"""What mails tell of people, by address: of each thing the latest mail that says so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from autocapture.model.created import SINGLE, AddressDetail
from autocapture.store.bulk import among, delete_where_in, insert, rows_of, table_of

_DETAIL = table_of(AddressDetail).c


class Told(NamedTuple):
    """Ordered by what is kept: of two with one address and kind, the greater."""

    address: str
    kind: str
    said_at: datetime
    activity_id: int
    value: str


def told_of(session: Session, addresses: Collection[str]) -> list[Told]:
    """What is kept of these addresses, in order."""
    if not addresses:
        return []
    columns = (_DETAIL.address, _DETAIL.kind, _DETAIL.said_at, _DETAIL.activity_id, _DETAIL.value)
    rows = rows_of(session, select(*columns).where(among(session, _DETAIL.address, sorted(addresses))))
    return sorted(Told(*row) for row in rows)


def keep(session: Session, told: Iterable[Told]) -> list[Told]:
    """Keeps what is later than what is kept, in whatever order it comes; gives what changed.

    A name, a title, a company takes the place of the one before; numbers and links stand beside each other.
    """
    given = {_place(each): each for each in sorted(told)}
    before = {_place(each): each for each in told_of(session, {each.address for each in given.values()})}
    newer = [each for place, each in given.items() if place not in before or before[place] < each]
    for each in newer:
        if (old := before.get(_place(each))) is not None:
            _delete(session, old)
    insert(session, AddressDetail, [each._asdict() for each in newer])
    return newer


def forget(session: Session, addresses: Collection[str]) -> None:
    """Nothing is kept of these addresses any more."""
    delete_where_in(session, AddressDetail, "address", sorted(addresses))


def forget_told_by(session: Session, activity_ids: Sequence[int]) -> None:
    """Forgets what the texts of these told; what their headers did stays."""
    detail = table_of(AddressDetail)
    if activity_ids:
        session.connection().execute(
            detail.delete().where(
                among(session, detail.c.activity_id, activity_ids), detail.c.kind.not_in(("name", "called"))
            )
        )


def _place(told: Told) -> tuple[str, ...]:
    return (told.address, told.kind) if told.kind in SINGLE else (told.address, told.kind, told.value)


def _delete(session: Session, told: Told) -> None:
    detail = table_of(AddressDetail)
    session.connection().execute(
        detail.delete().where(
            detail.c.address == told.address, detail.c.kind == told.kind, detail.c.value == told.value
        )
    )
