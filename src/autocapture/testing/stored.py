"""What capture has stored, read so that it can be compared with the source."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import Session, SQLModel, col

from autocapture.model.accounts import Channel
from autocapture.model.activities import Activity, CalendarItem, Participant
from autocapture.model.ledger import CAPTURED, QUARANTINED, LedgerEntry

OF_THE_RUN = frozenset({"lease_until", "lease_no", "lease_owner", "wake_at", "last_ok_at"})
"""Columns that every run writes."""

IS_CALLEE = and_(
    col(Participant.activity_id) == col(Activity.id),
    col(Participant.role) == "callee",
)


def channels(session: Session, account_id: int) -> list[Channel]:
    """The account's channels in use, in the source's order."""
    found = session.scalars(
        select(Channel).where(col(Channel.account_id) == account_id, col(Channel.enabled))
    )
    return sorted(found, key=lambda channel: channel.source_id)


def held(session: Session, account_id: int) -> list[Counter[str]]:
    """The contents held live, by channel."""
    return [Counter(_contents(session, channel)) for channel in channels(session, account_id)]


def quarantined(session: Session, account_id: int) -> list[list[str]]:
    """The ids in quarantine, by channel."""
    source_id = col(LedgerEntry.source_id)
    return [
        sorted(session.scalars(select(source_id).where(_live(channel, QUARANTINED))))
        for channel in channels(session, account_id)
    ]


def activities(session: Session) -> dict[str, list[int]]:
    """The activities by content."""
    found = defaultdict(list)
    columns = (col(Activity.id), col(Activity.subject), col(Activity.duration_s), col(Participant.address))
    for activity_id, subject, seconds, callee in session.execute(
        select(*columns).outerjoin(Participant, IS_CALLEE)
    ):
        found[_content(subject, seconds, callee)].append(activity_id)
    return found


def rows(session: Session, left_out: frozenset[str]) -> dict[str, list[Any]]:
    """Every row of every table, in the database's own form, without the columns `left_out`."""
    connection = session.connection()
    return {
        table: sorted(map(repr, connection.exec_driver_sql(statement)))
        for table, statement in _selects(left_out)
    }


@cache
def _selects(left_out: frozenset[str]) -> Sequence[tuple[str, str]]:
    named = [
        (table, ", ".join(f'"{column.name}"' for column in table.c if column.name not in left_out))
        for table in SQLModel.metadata.sorted_tables
    ]
    return [(table.name, f'SELECT {columns} FROM "{table.name}"') for table, columns in named]  # noqa: S608


def _live(channel: Channel, outcome: str) -> ColumnElement[bool]:
    return and_(
        col(LedgerEntry.channel_id) == channel.id,
        col(LedgerEntry.outcome) == outcome,
        col(LedgerEntry.gone_at).is_(None),
    )


def _contents(session: Session, channel: Channel) -> list[str]:
    if channel.kind == "event":
        is_item = and_(
            col(LedgerEntry.channel_id) == col(CalendarItem.channel_id),
            col(LedgerEntry.source_id) == col(CalendarItem.source_id),
        )
        statement = (
            select(col(CalendarItem.data))
            .join(LedgerEntry, is_item)
            .where(_live(channel, CAPTURED), col(CalendarItem.gone_at).is_(None))
        )
        return [data["title"] for data in session.scalars(statement)]
    told = (
        select(col(Activity.subject), col(Activity.duration_s), col(Participant.address))
        .join(LedgerEntry, col(LedgerEntry.activity_id) == col(Activity.id))
        .outerjoin(Participant, IS_CALLEE)
        .where(_live(channel, CAPTURED))
    )
    return [_content(*row) for row in session.execute(told)]


def _content(subject: str | None, seconds: int | None, callee: str | None) -> str:
    return f"{callee}:{seconds}" if callee is not None else subject or ""
