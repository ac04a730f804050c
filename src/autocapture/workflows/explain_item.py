"""Why is this mail not here? From the ledger alone: of what is skipped nothing else is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from autocapture.admit.reasons import REASONS
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, ActivityAlias
from autocapture.model.columns import stable_id
from autocapture.model.directory import Organization
from autocapture.model.ledger import ASKED_AGAIN, CAPTURED, QUARANTINED, TEXT_UNREAD, LedgerEntry
from autocapture.model.organization import User
from autocapture.normalize.email import key_of
from autocapture.workflows.staging import hashed_identity

_UNDER_WAY = frozenset({ASKED_AGAIN, TEXT_UNREAD})
_MOST = 50


@dataclass(frozen=True, slots=True)
class Line:
    """What the ledger says of one item: whose, where, and in one sentence what became of it. `at` is when it happened, where the
    item says that."""

    owner: str
    account_id: int
    connector: str
    channel: str
    source_id: str
    outcome: str
    sentence: str
    rule: str
    at: datetime | None
    judged_at: datetime
    gone_at: datetime | None
    activity_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """An account in which nothing of the kind was seen: since which day it is captured, and when it was captured last."""

    owner: str
    account_id: int
    connector: str
    state: str
    since: str
    last_ok_at: datetime | None


def identity_of(text: str) -> str:
    """A Message-ID, UID or call id as it is compared: without brackets and space."""
    return "".join(text.strip().strip("<>").split())


def activities_known_as(session: Session, text: str) -> list[int]:
    """The activities with this number, or captured from a mail with this Message-ID."""
    identity = identity_of(text)
    keys = {stable_id(key_of(identity)), stable_id(f"call:{identity}")}
    if identity.isdecimal() and int(identity) < 2**63:
        keys.add(int(identity))
    copies = session.exec(select(ActivityAlias.activity_id).where(col(ActivityAlias.key).in_(keys))).all()
    found = select(Activity.id).where(col(Activity.id).in_({*keys, *copies}))
    return sorted(session.exec(found))


def lines_of(
    session: Session, organization: Organization, text: str, owners: Collection[int] | None
) -> list[Line]:
    """What the ledger holds under a Message-ID, a UID, a call's id or an id at the source; of the accounts of `owners` (None: of
    everybody). Of what is skipped it holds a keyed hash of the id alone."""
    identity = identity_of(text)
    statement = (
        select(LedgerEntry, Channel, Account, User)
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .join(Account, col(Account.id) == col(Channel.account_id))
        .join(User, col(User.id) == col(Account.user_id))
        .where(
            or_(
                LedgerEntry.message_hash == hashed_identity(identity, organization.hash_key),
                col(LedgerEntry.source_id).in_({text.strip(), identity}),
            )
        )
        .order_by(col(Account.id), col(Channel.id), col(LedgerEntry.source_id))
        .limit(_MOST)
    )
    if owners is not None:
        statement = statement.where(col(Account.user_id).in_(owners))
    return [
        _line(session, entry, channel, account, user)
        for entry, channel, account, user in session.exec(statement)
    ]


def sources(session: Session, owners: Collection[int] | None) -> list[Source]:
    """The accounts in which an item would have been seen."""
    statement = (
        select(Account, User).join(User, col(User.id) == col(Account.user_id)).order_by(col(Account.id))
    )
    if owners is not None:
        statement = statement.where(col(Account.user_id).in_(owners))
    found = []
    for account, user in session.exec(statement):
        visits = select(Channel.last_ok_at).where(
            Channel.account_id == account.id, col(Channel.enabled).is_(True)
        )
        last = [at for at in session.exec(visits) if at is not None]
        found.append(
            Source(
                owner=user.name,
                account_id=account.id or 0,
                connector=account.connector,
                state=account.state,
                since=f"{account.since}" if account.since else "the beginning",
                last_ok_at=max(last, default=None),
            )
        )
    return found


def _line(session: Session, entry: LedgerEntry, channel: Channel, account: Account, user: User) -> Line:
    return Line(
        owner=user.name,
        account_id=account.id or 0,
        connector=account.connector,
        channel=channel.name,
        source_id=entry.source_id,
        outcome=entry.outcome,
        sentence=_sentence(entry),
        rule=entry.rule or "",
        at=entry.occurred_at,
        judged_at=entry.updated_at,
        gone_at=entry.gone_at,
        activity_ids=_activities(session, entry),
    )


def _sentence(entry: LedgerEntry) -> str:
    reason = entry.reason or ""
    if entry.outcome == CAPTURED:
        return f"it is here; {reason}" if reason in _UNDER_WAY else "it is here"
    if entry.outcome == QUARANTINED:
        return f"it could not be read, and is tried again: {reason}"
    return f"it was left out as {reason.replace('_', ' ')}: {REASONS.get(reason, 'for a reason of an earlier release')}"


def _activities(session: Session, entry: LedgerEntry) -> tuple[int, ...]:
    if entry.activity_id is not None:
        return (entry.activity_id,)
    if entry.series_id is None:
        return ()
    of_series = select(Activity.id).where(Activity.series_id == entry.series_id, Activity.kind == "meeting")
    return tuple(session.exec(of_series.order_by(col(Activity.occurred_at)).limit(_MOST)))
