"""Whether what a summary tells of has been captured: before that it would tell of nothing, as if nothing had happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session, col, select

from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity
from autocapture.model.crm import Deal, Lead
from autocapture.model.organization import User

FIRST_CAPTURE_WITHIN = timedelta(days=1)
"""So long a new account is waited for; one that has not come through by then is told of under *Not known*."""
_DAY = timedelta(days=1)


def sourced(session: Session, reps: Sequence[User], as_of: datetime) -> bool:
    """Whether the accounts of `reps` have been captured: at least one of them, and all that work and were connected lately."""
    accounts = _accounts(session, reps)
    whole: defaultdict[int | None, list[bool]] = defaultdict(list)
    channels = select(Channel).where(
        col(Channel.account_id).in_([account.id for account in accounts]), col(Channel.enabled)
    )
    for channel in session.exec(channels):
        whole[channel.account_id].append(channel.backfilled)
    return any(any(whole[account.id]) for account in accounts) and not any(
        account.state == "active"
        and as_of - account.created_at < FIRST_CAPTURE_WITHIN
        and not (whole[account.id] and all(whole[account.id]))
        for account in accounts
    )


def last_connected(session: Session, reps: Sequence[User]) -> datetime | None:
    """When the newest account of `reps` was connected."""
    return max((account.created_at for account in _accounts(session, reps)), default=None)


def unconnected(session: Session, reps: Sequence[User]) -> tuple[str, ...]:
    """Names of those of whom no account is connected."""
    connected = set(session.exec(select(Account.user_id).where(Account.state != "disconnected")).all())
    return tuple(rep.name for rep in reps if rep.id not in connected)


def anything_until(session: Session, day: date) -> bool:
    """Whether anything at all is known to have happened by the end of `day`: an activity, a deal or a lead."""
    end = datetime.combine(day, time(), UTC) + _DAY
    known = (
        select(Activity.id).where(col(Activity.occurred_at) < end),
        select(Deal.id).where(col(Deal.created_on) <= day),
        select(Lead.id).where(col(Lead.created_at) < end),
    )
    return any(session.exec(statement.limit(1)).first() is not None for statement in known)


def _accounts(session: Session, reps: Sequence[User]) -> Sequence[Account]:
    """Those from which something is to come: paused and disconnected ones are left alone."""
    return session.exec(
        select(Account).where(
            col(Account.user_id).in_([rep.id for rep in reps]),
            col(Account.state).not_in(("paused", "disconnected")),
        )
    ).all()
