"""Pausing: nothing of an account is read until somebody says so again. What was captured of it stays."""

from __future__ import annotations

from sqlmodel import Session

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.accounts import LONG_AGO, Account
from autocapture.store import leases
from autocapture.store.engine import writing
from autocapture.workflows.audit import PAUSED, RESUMED, note
from autocapture.workflows.connect_account import wake_channels
from autocapture.workflows.subscriptions import end_subscriptions


def pause(app: Application, account_id: int) -> None:
    """What is being read of the account now is not stored any more. Raises InputError for an unknown or a pending account."""
    with writing(app.engine) as session:
        account = _require(session, account_id)
        if account.state == "pending":
            raise InputError(f"account {account_id} waits for its owner's choice; nothing of it is captured")
        if account.state != "paused":
            note(session, app.clock.now(), PAUSED, user_id=account.user_id)
        account.state, account.why = "paused", None
        session.add(account)
        session.flush()
        leases.revoke(session, account_id)
    end_subscriptions(app, account_id)


def resume(app: Application, account_id: int) -> None:
    """What came in meanwhile is read. Raises InputError for an account that is unknown or not paused."""
    with writing(app.engine) as session:
        account = _require(session, account_id)
        if account.state != "paused":
            raise InputError(f"account {account_id} is not paused")
        account.state, account.throttle_until, account.fails = "active", LONG_AGO, 0
        session.add(account)
        wake_channels(session, account_id, anew=False)
        note(session, app.clock.now(), RESUMED, user_id=account.user_id)


def _require(session: Session, account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise InputError(f"there is no account {account_id}")
    return account
