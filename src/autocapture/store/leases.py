"""The lease on an account, and its fence.

One worker at a time works on an account. A lease that ran out may be taken over; `lease_no` rises at each claim, and a page
commits only while its writer's number is still the account's: a worker that slept through its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select, update
from sqlmodel import Session, col

from autocapture.errors import LeaseLost
from autocapture.model.accounts import LONG_AGO, Account
from autocapture.store.bulk import table_of
from autocapture.store.due import comes, far_ahead, has_come

LEASE_FOR = timedelta(minutes=5)
_ALLOWED_FOR = 2 * LEASE_FOR  # since the clocks of two hosts may differ

# Made once, and past the ORM: a pass over an idle account spends more on making statements than on running them.
_ACCOUNT = table_of(Account)
_MINE = _ACCOUNT.c.id == bindparam("of")
_HELD = _MINE & (_ACCOUNT.c.lease_no == bindparam("number"))
FREE = or_(
    comes(_ACCOUNT.c.lease_until, "lease_ahead"),
    _ACCOUNT.c.lease_owner.in_(bindparam("dead", expanding=True)),
)
"""`is_free` in a statement that is made once; its parameters are `free_by`."""

_CLAIM = (
    _ACCOUNT.update()
    .where(_MINE, FREE)
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"), lease_no=_ACCOUNT.c.lease_no + 1)
    .returning(_ACCOUNT.c.lease_no)
)
_RENEW = _ACCOUNT.update().where(_HELD).values(lease_until=bindparam("until")).returning(_ACCOUNT.c.id)
_RELEASE = _ACCOUNT.update().where(_HELD).values(lease_owner=None, lease_until=LONG_AGO)


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
    """The condition that an account may be claimed: its lease ran out, or its owner is known to be `dead`."""
    return or_(has_come(col(Account.lease_until), now, _ALLOWED_FOR), col(Account.lease_owner).in_(dead))


def free_by(now: datetime, dead: Collection[str] = ()) -> dict[str, Any]:
    return {"now": now, "lease_ahead": far_ahead(now, _ALLOWED_FOR), "dead": list(dead)}


def claim(
    session: Session, account_id: int, owner: str, now: datetime, dead: Collection[str] = ()
) -> Lease | None:
    """The lease, or None while somebody else holds it. An owner in `dead` does not come back: no need to wait for it."""
    values = {"of": account_id, "owner": owner, "until": now + LEASE_FOR, **free_by(now, dead)}
    taken = session.connection().execute(_CLAIM, values).scalar_one_or_none()
    return None if taken is None else Lease(account_id, owner, taken)


def renew(session: Session, lease: Lease, now: datetime) -> None:
    """Extends the lease inside the page's transaction; LeaseLost rolls the page back."""
    values = {"of": lease.account_id, "number": lease.number, "until": now + LEASE_FOR}
    if session.connection().execute(_RENEW, values).scalar_one_or_none() is None:
        raise LeaseLost(f"account {lease.account_id} was taken over by another worker")


def release(session: Session, lease: Lease) -> None:
    """Hands the lease back, if it is still ours."""
    session.connection().execute(_RELEASE, {"of": lease.account_id, "number": lease.number})


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
