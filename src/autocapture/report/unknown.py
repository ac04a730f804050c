"""What a summary cannot know: connections that are down, activities matched to nothing, items that could not be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, exists, func, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, Match, Participation
from autocapture.model.created import COMPANY
from autocapture.model.ledger import QUARANTINED, LedgerEntry
from autocapture.model.organization import User
from autocapture.model.watching import Census, Stall
from autocapture.report.summary import AccountTrouble, Coverage
from autocapture.store.captured import is_captured, of_somebody_active
from autocapture.store.created import is_created

KINDS = ("email", "event", "call")
SILENT_AFTER = timedelta(days=2)


def coverage(session: Session, reps: Sequence[User], as_of: datetime) -> tuple[Coverage, ...]:
    """For each kind of capture: how many of `reps` have an account from which it comes."""
    alive: dict[str, set[int]] = {kind: set() for kind in KINDS}
    for account, channel in _channels(session, reps):
        if account.state == "active" and channel.enabled and not _silent(channel, as_of):
            alive.setdefault(channel.kind, set()).add(account.user_id)
    return tuple(Coverage(kind, len(users), len(reps)) for kind, users in alive.items())


def troubles(session: Session, reps: Sequence[User], as_of: datetime) -> tuple[AccountTrouble, ...]:
    """Accounts of `reps` from which nothing new comes: to be reconnected, paused, or silent for two days. Of who is
    disabled nothing is to come, nor of what was disconnected."""
    names = {user.id: user.name for user in reps}
    newest: dict[int, datetime | None] = {}
    for account, channel in _channels(session, reps):
        assert account.id is not None  # noqa: S101  a stored row has its key
        seen = [at for at in (newest.get(account.id), channel.last_ok_at) if at is not None]
        newest[account.id] = max(seen, default=None)
    found = []
    accounts = session.exec(
        select(Account)
        .where(col(Account.user_id).in_(names), of_somebody_active(), Account.state != "disconnected")
        .order_by(col(Account.id))
    )
    for account in accounts:
        last = newest.get(account.id or 0)
        if account.state != "active" or last is None or as_of - last > SILENT_AFTER:
            user = names[account.user_id]
            found.append(AccountTrouble(user, account.connector, account.state, account.why, last))
    return tuple(sorted(found, key=lambda trouble: (trouble.user.casefold(), trouble.connector)))


def outside(user_ids: Collection[int], start: date, end: date) -> SelectOfScalar[int]:
    """The ids of these people's activities with people outside."""
    theirs = (
        select(col(Participation.activity_id))
        .where(
            col(Participation.user_id).in_(user_ids),
            col(Participation.local_date).between(start, end),
            col(Participation.counts).is_(True),
        )
        .distinct()
    )
    return (
        select(col(Activity.id))
        .where(col(Activity.id).in_(theirs), col(Activity.external).is_(True), Activity.nature == "human")
        .where(col(Activity.business))
    )


def unmatched(user_ids: Collection[int], start: date, end: date) -> SelectOfScalar[int]:
    """Those of them that are matched to no company and no deal of the CRM."""
    of_the_crm = or_(Match.target == "deal", ~is_created(COMPANY, col(Match.target_id)))
    return outside(user_ids, start, end).where(
        ~exists().where(col(Match.activity_id) == col(Activity.id), of_the_crm)
    )


def how_many(session: Session, ids: SelectOfScalar[int]) -> int:
    return session.exec(select(func.count()).select_from(ids.subquery())).one()


def quarantined(session: Session, reps: Sequence[User]) -> int:
    """Items of the reps' accounts that could not be read and are still there."""
    return session.exec(
        select(func.count())
        .select_from(LedgerEntry)
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .join(Account, col(Account.id) == col(Channel.account_id))
        .where(
            LedgerEntry.outcome == QUARANTINED,
            col(LedgerEntry.gone_at).is_(None),
            col(Account.user_id).in_([user.id for user in reps]),
        )
    ).one()


def stalled(session: Session, reps: Sequence[User]) -> tuple[str, ...]:
    """Names of reps an account of whom stands still although its captures end well."""
    flagged = (
        select(Account.user_id)
        .join(Stall, col(Stall.account_id) == col(Account.id))
        .where(is_captured(), col(Stall.since).is_not(None))
    )
    users = set(session.exec(flagged).all())
    return tuple(user.name for user in reps if user.id in users)


def counted(session: Session, reps: Sequence[User]) -> tuple[int, int]:
    """Of the reps' items at their sources, by the last census of each account: how many were missing here, and how many there
    were."""
    missing, listed = session.exec(
        select(func.sum(Census.missing), func.sum(Census.listed))
        .join(Account, col(Account.id) == col(Census.account_id))
        .where(col(Account.user_id).in_([user.id for user in reps]), col(Census.counted_at).is_not(None))
    ).one()
    return int(missing or 0), int(listed or 0)


def begun_late(session: Session, reps: Sequence[User], start: date) -> tuple[str, ...]:
    """Names of reps one of whose accounts captures only from a day after `start`."""
    late = select(Account.user_id).where(col(Account.since) > start)
    users = set(session.exec(late).all())
    return tuple(user.name for user in reps if user.id in users)


def _channels(session: Session, reps: Sequence[User]) -> Iterable[tuple[Account, Channel]]:
    return session.exec(
        select(Account, Channel)
        .join(Channel, col(Channel.account_id) == col(Account.id))
        .where(col(Account.user_id).in_([user.id for user in reps]))
        .order_by(col(Channel.id))
    ).all()


def _silent(channel: Channel, as_of: datetime) -> bool:
    return channel.last_ok_at is None or as_of - channel.last_ok_at > SILENT_AFTER
