"""Which accounts are to be captured now. Asked every second, so the statement is made once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select
from sqlmodel import Session

from autocapture.model.accounts import Account, Channel
from autocapture.store import leases
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.captured import is_captured
from autocapture.store.due import comes, far_ahead

_ACCOUNT, _CHANNEL = table_of(Account).c, table_of(Channel).c
_OF_IT = _CHANNEL.account_id == _ACCOUNT.id
_ANOTHER = table_of(Channel).alias().c
_ALL_ARE_OFF = ~select(_ANOTHER.id).where(_ANOTHER.account_id == _ACCOUNT.id, _ANOTHER.enabled).exists()
_HAS_A_DUE_ONE = (
    select(_CHANNEL.id)
    .where(_OF_IT, or_(_CHANNEL.enabled, _ALL_ARE_OFF), comes(_CHANNEL.wake_at, "wake_ahead"))
    .exists()
)
_HAS_NONE = ~select(_CHANNEL.id).where(_OF_IT).exists()
_MOST_OVERDUE = (
    select(_CHANNEL.wake_at)
    .where(_OF_IT, _CHANNEL.enabled)
    .order_by(_CHANNEL.wake_at)
    .limit(1)
    .scalar_subquery()
)
_DUE = (
    select(_ACCOUNT.id)
    .where(
        is_captured(),
        comes(_ACCOUNT.throttle_until, "wait_ahead"),
        _ACCOUNT.throttle_until >= bindparam("waited_until"),
        leases.FREE,
        or_(_HAS_A_DUE_ONE, _HAS_NONE),
    )
    .order_by(_MOST_OVERDUE, _ACCOUNT.id)
)


def due_accounts(
    session: Session,
    now: datetime,
    dead: Collection[str],
    *,
    longest_rest: timedelta,
    longest_wait: timedelta,
    waited_until: datetime,
) -> list[int]:
    """The most overdue first: captured at all, not throttled any more though perhaps until `waited_until` or later, not leased by
    anybody alive, with a channel that is due, or none at all yet. Where every channel is switched off, those say when to look
    again."""
    values = {
        "wake_ahead": far_ahead(now, longest_rest),
        "wait_ahead": far_ahead(now, longest_wait),
        "waited_until": waited_until,
        **leases.free_by(now, dead),
    }
    return [account_id for (account_id,) in rows_of(session, _DUE, values)]
