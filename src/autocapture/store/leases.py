"""The lease on an account, and its fence.

One worker at a time works on an account. A lease that ran out may be taken over; `lease_no` rises at each claim, and a page
commits only while its writer's number is still the account's: a worker that slept through its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlmodel import Session, col

from autocapture.errors import LeaseLost
from autocapture.model.accounts import LONG_AGO, Account
from autocapture.store.bulk import table_of
from autocapture.store.due import has_come

LEASE_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Lease:
    account_id: int
    owner: str
    number: int


def holders(session: Session) -> set[str]:
    """The owners of leases that were not handed back."""
    owners = session.scalars(select(col(Account.lease_owner)).distinct())
    return {owner for owner in owners if owner is not None}


def is_free(now: datetime, dead: Collection[str] = ()) -> ColumnElement[bool]:
    """The condition that an account may be claimed: its lease ran out, or its owner is known to be `dead`.

    Twice the length of a lease is allowed for, since the clocks of two hosts may differ."""
    return or_(has_come(col(Account.lease_until), now, 2 * LEASE_FOR), col(Account.lease_owner).in_(dead))


def claim(
    session: Session, account_id: int, owner: str, now: datetime, dead: Collection[str] = ()
) -> Lease | None:
    """The lease, or None while somebody else holds it. An owner in `dead` does not come back: no need to wait for it."""
    taken = session.execute(
        update(Account)
        .where(col(Account.id) == account_id, is_free(now, dead))
        .values(lease_owner=owner, lease_until=now + LEASE_FOR, lease_no=Account.lease_no + 1)
        .returning(col(Account.lease_no))
    ).scalar_one_or_none()
    return None if taken is None else Lease(account_id, owner, taken)


def renew(session: Session, lease: Lease, now: datetime) -> None:
    """Extends the lease inside the page's transaction; LeaseLost rolls the page back."""
    account = table_of(Account)  # past the ORM, which takes as long again: this is done for every page
    kept = session.execute(
        account.update()
        .where(account.c.id == lease.account_id, account.c.lease_no == lease.number)
        .values(lease_until=now + LEASE_FOR)
        .returning(account.c.id)
    ).scalar_one_or_none()
    if kept is None:
        raise LeaseLost(f"account {lease.account_id} was taken over by another worker")


def release(session: Session, lease: Lease) -> None:
    """Hands the lease back, if it is still ours."""
    session.execute(
        update(Account)
        .where(col(Account.id) == lease.account_id, col(Account.lease_no) == lease.number)
        .values(lease_owner=None, lease_until=LONG_AGO)
    )


def revoke(session: Session, account_id: int) -> None:
    """Takes the lease from whoever holds it: what they read so far is not stored, and the account is free at once."""
    session.execute(
        update(Account)
        .where(col(Account.id) == account_id)
        .values(lease_owner=None, lease_until=LONG_AGO, lease_no=Account.lease_no + 1)
    )


def release_all(session: Session, owner: str) -> int:
    """Hands back every lease of one process; the number of leases it held."""
    released = session.execute(
        update(Account)
        .where(col(Account.lease_owner) == owner)
        .values(lease_owner=None, lease_until=LONG_AGO)
        .returning(col(Account.id))
    )
    return len(released.all())
