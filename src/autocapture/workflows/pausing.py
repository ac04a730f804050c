"""Pausing: nothing of an account is read until somebody says so again. What was captured of it stays."""

from __future__ import annotations

from sqlmodel import Session

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.accounts import LONG_AGO, Account
from autocapture.store import leases
from autocapture.store.engine import writing
from autocapture.workflows.audit import PAUSED, RESUMED, note
from autocapture.workflows.waking import wake_channels

_NOT_CAPTURED = {
    "pending": "waits for its owner's choice; nothing of it is captured",
    "disconnected": "is disconnected; nothing of it is captured",
}


def pause(app: Application, account_id: int, *, actor_id: int | None = None) -> None:
    """What is being read of the account now is not stored any more; what its provider promised to tell of is ended by whoever
    looks after subscriptions. Raises InputError for an account that is unknown, pending or disconnected."""
    with writing(app.engine) as session:
        account = _require(session, account_id)
        if account.state in _NOT_CAPTURED:
            raise InputError(f"account {account_id} {_NOT_CAPTURED[account.state]}")
        if account.state != "paused":
            note(session, app.clock.now(), PAUSED, actor_id=actor_id, user_id=account.user_id)
        account.state, account.why = "paused", None
        session.add(account)
        session.flush()
        leases.revoke(session, account_id)


def resume(app: Application, account_id: int, *, actor_id: int | None = None) -> None:
    """What came in meanwhile is read. Raises InputError for an account that is unknown or not paused."""
    with writing(app.engine) as session:
        account = _require(session, account_id)
        if account.state != "paused":
            raise InputError(f"account {account_id} is not paused")
        account.state, account.throttle_until, account.fails = "active", LONG_AGO, 0
        session.add(account)
        wake_channels(session, account_id, anew=False)
        note(session, app.clock.now(), RESUMED, actor_id=actor_id, user_id=account.user_id)


def _require(session: Session, account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise InputError(f"there is no account {account_id}")
    return account
