"""What capture stored, read back from the database in the same form as the truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select
from tests.acceptance.truth import Key, Story

from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, Match, Participant, Participation
from autocapture.model.crm import Company, Contact, Deal
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User


@dataclass(frozen=True, slots=True)
class Held:
    """One stored activity: its story, its deal with the method, the question it left for review, and its subject."""

    story: Story
    deal: str | None
    method: str | None
    review: str | None
    subject: str | None


def stored_activities(session: Session) -> dict[Key, Held]:
    users = _texts(session, select(col(User.id), col(User.email)))
    people = _texts(session, select(col(Contact.id), col(Contact.source_id)))
    deals = _texts(session, select(col(Deal.id), col(Deal.source_id)))
    companies = _texts(session, select(col(Company.id), col(Company.name)))
    took_part = _sets(session.exec(select(Participation.activity_id, Participation.user_id)), users)
    contacts = _sets(session.exec(select(Participant.activity_id, Participant.contact_id)), people)
    links = select(Match.activity_id, Match.target_id).where(Match.target == "company")
    company_names = _sets(session.exec(links), companies)
    matched = {
        row.activity_id: (deals[row.target_id], row.method)
        for row in session.exec(select(Match).where(Match.target == "deal"))
    }
    found: dict[Key, Held] = {}
    for row in session.exec(select(Activity)):
        deal, method = matched.get(row.id, (None, None))
        story = Story(
            direction=row.direction,
            nature=row.nature,
            status=row.status,
            occurred_at=row.occurred_at,
            users=frozenset(took_part[row.id]),
            people=frozenset(contacts[row.id]),
            companies=frozenset(company_names[row.id]),
        )
        found[_key(row)] = Held(story, deal, method, row.review, row.subject)
    return found


def _key(row: Activity) -> Key:
    if row.kind == "email":
        return row.kind, row.dedupe_key, None
    _, _, identity = row.dedupe_key.partition(":")
    if row.kind == "call":
        return row.kind, identity, None
    uid, _, original = identity.partition("#")
    return row.kind, uid, datetime.fromisoformat(original).astimezone(UTC) if original else None


def _texts(session: Session, statement: Any) -> dict[int, str]:
    return dict(session.exec(statement).all())


def _sets(rows: Iterable[tuple[int, int | None]], names: dict[int, str]) -> defaultdict[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for activity_id, other in rows:
        if other is not None:
            found[activity_id].add(names[other])
    return found


def ledger_rows(session: Session, kind: str) -> dict[tuple[str, str, str], tuple[str, str | None]]:
    """By user, channel and source id: outcome and reason."""
    rows = session.execute(
        sql_select(*(col(each) for each in (User.email, Channel.name, LedgerEntry.source_id)))
        .add_columns(col(LedgerEntry.outcome), col(LedgerEntry.reason))
        .join(Account, col(Account.user_id) == User.id)
        .join(Channel, col(Channel.account_id) == Account.id)
        .join(LedgerEntry, col(LedgerEntry.channel_id) == Channel.id)
        .where(col(Channel.kind) == kind)
    )
    return {
        (user, channel, source_id): (outcome, reason) for user, channel, source_id, outcome, reason in rows
    }
