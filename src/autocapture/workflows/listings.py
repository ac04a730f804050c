"""What is stored, as plain rows for commands and exports: accounts, ledger, activities.

People, companies and deals are named by the keys under which they were imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, Match, Participant, Participation
from autocapture.model.crm import Company, Contact, Deal
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User
from autocapture.store.bulk import in_chunks
from autocapture.store.engine import reading
from autocapture.workflows.account_health import AccountHealth, health_of

Row = dict[str, Any]


def list_accounts(app: Application) -> list[Row]:
    """Every connected account with its state, `disabled` where its owner is, and the outcomes its ledger holds."""
    with reading(app.engine) as session:
        outcomes: dict[int, dict[str, int]] = defaultdict(dict)
        counted = session.execute(
            select(col(Channel.account_id), col(LedgerEntry.outcome), func.count())
            .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
            .group_by(col(Channel.account_id), col(LedgerEntry.outcome))
        )
        for account_id, outcome, count in counted:
            outcomes[account_id][outcome] = count
        oldest = session.execute(
            select(col(Channel.account_id), func.min(col(Channel.last_ok_at)))
            .where(col(Channel.enabled))
            .group_by(col(Channel.account_id))
        )
        last_ok = dict(oldest.all())
        accounts = session.execute(
            select(Account, User).join(User, col(User.id) == col(Account.user_id)).order_by(col(Account.id))
        ).all()
        ids = [account.id for account, _ in accounts if account.id is not None]
        health = health_of(session, ids, app.clock.now())
        return [
            {
                "id": account.id,
                "user": user.email,
                "connector": account.connector,
                "subject": account.subject,
                "address": account.address or None,
                "state": account.state if user.active else "disabled",
                "why": account.why,
                "level": account.capture_level,
                "since": account.since,
                "last_ok_at": last_ok.get(account.id),
                "captured": outcomes[account.id or 0].get("captured", 0),
                "skipped": outcomes[account.id or 0].get("skipped", 0),
                "quarantined": outcomes[account.id or 0].get("quarantined", 0),
                **_proof(health[account.id or 0]),
            }
            for account, user in accounts
        ]


def _proof(health: AccountHealth) -> Row:
    """Shares between 0 and 1, delays in seconds."""
    counted, delays = health.counted, health.delays
    return {
        "coverage": None if counted is None else counted.share,
        "counted_at": None if counted is None else counted.at,
        "fresh_items": 0 if delays is None else delays.count,
        **{
            f"fresh_{name}_s": None if delays is None else round(getattr(delays, name).total_seconds(), 1)
            for name in ("p50", "p95", "p99")
        },
        "alerts": list(health.alerts),
    }


def list_ledger(app: Application, outcome: str | None, account_id: int | None) -> Iterator[Row]:
    """The ledger, item by item, in the order of account, channel and source id."""
    statement = (
        select(LedgerEntry, Channel)
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .order_by(col(Channel.account_id), col(Channel.id), col(LedgerEntry.source_id))
    )
    if outcome is not None:
        statement = statement.where(col(LedgerEntry.outcome) == outcome)
    if account_id is not None:
        statement = statement.where(col(Channel.account_id) == account_id)
    with reading(app.engine) as session:
        for entry, channel in session.execute(statement.execution_options(yield_per=1_000)):
            yield {
                "account": channel.account_id,
                "channel": channel.name,
                "source_id": entry.source_id,
                "outcome": entry.outcome,
                "reason": entry.reason,
                "rule": entry.rule,
                "activity": _id(entry.activity_id),
                "occurred_at": entry.occurred_at,
                "first_seen_at": entry.first_seen_at,
                "updated_at": entry.updated_at,
                "gone_at": entry.gone_at,
                "message_hash": entry.message_hash,
            }


@dataclass(frozen=True, slots=True)
class Selection:
    """Which activities: by kind, by one of our people, by day (inclusive, in the organisation's time zone)."""

    kind: str | None = None
    user_email: str | None = None
    first: date | None = None
    last: date | None = None


def list_activities(app: Application, selection: Selection) -> Iterator[Row]:
    """Activities with participants, matches and sightings, oldest first; without what somebody said to be no business."""
    zone = ZoneInfo(app.settings.organization.time_zone)
    statement = select(col(Activity.id)).order_by(col(Activity.occurred_at), col(Activity.id))
    statement = statement.where(col(Activity.business))
    if selection.kind is not None:
        statement = statement.where(col(Activity.kind) == selection.kind)
    if selection.user_email is not None:
        took_part = (
            select(col(Participation.activity_id))
            .join(User, col(User.id) == col(Participation.user_id))
            .where(col(User.email) == selection.user_email.strip().lower())
        )
        statement = statement.where(col(Activity.id).in_(took_part))
    if selection.first is not None:
        statement = statement.where(col(Activity.occurred_at) >= _midnight(selection.first, zone))
    if selection.last is not None:
        after = selection.last + timedelta(days=1)
        statement = statement.where(col(Activity.occurred_at) < _midnight(after, zone))
    with reading(app.engine) as session:
        ids = session.scalars(statement).all()
        for chunk in in_chunks(ids):
            yield from activity_rows(session, chunk)


def activity_rows(session: Session, ids: Sequence[int]) -> list[Row]:
    """These activities as rows, in the order of `ids`."""
    found = {a.id: a for a in session.scalars(select(Activity).where(col(Activity.id).in_(ids)))}
    participants = _participants(session, ids)
    companies, deals = _matches(session, ids)
    sightings = _sightings(session, found.values())
    return [
        {
            "id": _id(activity.id),
            "kind": activity.kind,
            "occurred_at": activity.occurred_at,
            "ends_at": activity.ends_at,
            "duration_s": activity.duration_s,
            "direction": activity.direction,
            "nature": activity.nature,
            "status": activity.status,
            "moved": activity.moved_count,
            "meeting": _id(activity.meeting_id),
            "evidence": [_sign(each) for each in activity.evidence or ()],
            "subject": activity.subject,
            "thread": _id(activity.thread_id),
            "dedupe_key": activity.dedupe_key,
            "participants": participants[activity.id],
            "companies": companies[activity.id],
            "deals": deals[activity.id],
            "review": activity.review,
            "sightings": sightings[activity.id],
        }
        for activity in (found[key] for key in ids if key in found)
    ]


def _sign(row: Row) -> Row:
    return {**row, "activity": _id(row.get("activity")), "who": row.get("who", [])}


def _participants(session: Session, ids: Collection[int]) -> dict[int, list[Row]]:
    rows = session.execute(
        select(Participant, col(Contact.source_id), col(User.email))
        .outerjoin(Contact, col(Contact.id) == col(Participant.contact_id))
        .outerjoin(User, col(User.id) == col(Participant.user_id))
        .where(col(Participant.activity_id).in_(ids))
        .order_by(col(Participant.activity_id), col(Participant.role), col(Participant.address))
    )
    result: dict[int, list[Row]] = defaultdict(list)
    for party, contact, user in rows:
        result[party.activity_id].append(
            {
                "role": party.role,
                "address": party.address,
                "name": party.name,
                "contact": contact,
                "user": user,
                "response": party.response,
                "resource": party.resource,
            }
        )
    return result


def _matches(session: Session, ids: Collection[int]) -> tuple[dict[int, list[str]], dict[int, list[Row]]]:
    rows = session.execute(
        select(Match, col(Company.source_id), col(Deal.source_id))
        .outerjoin(Company, and_(col(Match.target) == "company", col(Company.id) == col(Match.target_id)))
        .outerjoin(Deal, and_(col(Match.target) == "deal", col(Deal.id) == col(Match.target_id)))
        .where(col(Match.activity_id).in_(ids))
        .order_by(col(Match.activity_id), col(Match.target), col(Match.target_id))
    )
    companies: dict[int, list[str]] = defaultdict(list)
    deals: dict[int, list[Row]] = defaultdict(list)
    for match, company, deal in rows:
        if match.target == "company":
            companies[match.activity_id].append(company)
        else:
            deals[match.activity_id].append({"deal": deal, "weight": match.weight, "method": match.method})
    return companies, deals


def _sightings(session: Session, found: Collection[Activity]) -> dict[int, list[Row]]:
    by_series: dict[int, list[int]] = defaultdict(list)
    for activity in found:
        if activity.kind == "meeting" and activity.series_id is not None:
            by_series[activity.series_id].append(activity.id)
    rows = session.execute(
        select(LedgerEntry, Channel)
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .where(
            or_(
                col(LedgerEntry.activity_id).in_([activity.id for activity in found]),
                col(LedgerEntry.series_id).in_(list(by_series)),
            )
        )
        .order_by(col(LedgerEntry.channel_id), col(LedgerEntry.source_id))
    )
    result: dict[int, list[Row]] = defaultdict(list)
    for entry, channel in rows:
        seen = {"account": channel.account_id, "channel": channel.name, "source_id": entry.source_id}
        targets = [entry.activity_id] if entry.activity_id is not None else by_series[entry.series_id or 0]
        for activity_id in targets:
            result[activity_id].append(seen)
    return result


def _id(value: int | None) -> str | None:
    """Ids leave as text: 63 bits do not fit the numbers of every JSON reader."""
    return None if value is None else str(value)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
