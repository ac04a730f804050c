"""Addresses that mail does not reach: marked by hard bounces, until somebody writes from there again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, Participant
from autocapture.model.crm import BouncedAddress
from autocapture.model.ledger import LedgerEntry
from autocapture.store.bulk import among, delete_where_in, upsert


def mark_bounced(session: Session, told: Mapping[str, tuple[datetime, str]]) -> None:
    """Stores when mail to these canonical addresses bounced, and with which status; an older report changes nothing."""
    known = {row.address: row.bounced_at for row in _rows(session, told)}
    newer = {
        address: (at, status)
        for address, (at, status) in told.items()
        if address not in known or known[address] < at
    }
    upsert(
        session,
        BouncedAddress,
        [{"address": address, "bounced_at": at, "status": status} for address, (at, status) in newer.items()],
    )


def unreachable(session: Session, addresses: Collection[str]) -> dict[str, datetime]:
    """Which of these addresses bounced and have not written since, with the time of the bounce."""
    marked = {row.address: row.bounced_at for row in _rows(session, addresses)}
    statement = (
        select(col(Participant.address), col(Activity.occurred_at))
        .join(Activity, col(Activity.id) == col(Participant.activity_id))
        .where(among(session, col(Participant.address), marked), col(Participant.user_id).is_(None))
        .where(col(Participant.role) == "from")
    )
    alive = (
        {address for address, at in session.execute(statement) if at > marked[address]} if marked else set()
    )
    return {address: at for address, at in marked.items() if address not in alive}


def forget_bounced(session: Session) -> None:
    """Takes out the marks of addresses that no account at level *full* has written to or heard from: after a purge, what told
    them is not kept, and nobody keeps it who could have been told the same."""
    marked = set(session.scalars(select(col(BouncedAddress.address))))
    if not marked:
        return
    shown = (
        select(col(Participant.address))
        .join(LedgerEntry, col(LedgerEntry.activity_id) == col(Participant.activity_id))
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .join(Account, col(Account.id) == col(Channel.account_id))
        .where(among(session, col(Participant.address), marked), col(Participant.user_id).is_(None))
        .where(col(Account.capture_level) == "full")
        .distinct()
    )
    delete_where_in(session, BouncedAddress, "address", sorted(marked - set(session.scalars(shown))))


def _rows(session: Session, addresses: Collection[str]) -> list[BouncedAddress]:
    if not addresses:
        return []
    statement = select(BouncedAddress).where(among(session, col(BouncedAddress.address), addresses))
    return list(session.scalars(statement))
