"""Disconnecting: the one place where a sign-in is forgotten, after all that is done with its help."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, delete

from autocapture.application import Application
from autocapture.connect.credentials import StoredGrant, open_credential
from autocapture.errors import AutocaptureError, InputError
from autocapture.model.accounts import Account, Credential
from autocapture.store import leases
from autocapture.store.engine import reading, writing
from autocapture.workflows.audit import DISCONNECTED, note
from autocapture.workflows.subscriptions import end_subscriptions

WHY = "disconnected; nothing of it is captured until it is connected again"


def disconnect(app: Application, account_id: int, *, actor_id: int | None = None) -> bool:
    """Captures of an account stop, what its provider promised to tell of is ended, the grant is taken back there, and then the
    sign-in is deleted here. What was captured stays; connected again it is the same account.

    Whether nothing is left at the provider: a grant stays there where it has no way to give it back, or cannot be asked now.
    Raises InputError for an account that is unknown or has no sign-in.
    """
    with writing(app.engine) as session:
        connected_at = _stop(session, account_id)
    end_subscriptions(app, account_id)
    taken_back = _taken_back(app, account_id)
    with writing(app.engine) as session:
        user_id = session.get_one(Account, account_id).user_id
        session.exec(
            delete(Credential).where(
                col(Credential.account_id) == account_id,
                col(Credential.updated_at) == connected_at,  # not a newer one: somebody connected meanwhile
            )
        )
        note(session, app.clock.now(), DISCONNECTED, actor_id=actor_id, user_id=user_id)
    return taken_back


def _stop(session: Session, account_id: int) -> datetime:
    """When the account was connected. What is being read of it is not stored any more."""
    account, credential = session.get(Account, account_id), session.get(Credential, account_id)
    if account is None:
        raise InputError(f"there is no account {account_id}")
    if credential is None:
        raise InputError(
            f"account {account_id} has no sign-in to forget; `autocapture accounts pause` stops it"
        )
    if account.state in ("active", "needs_reconnect"):
        account.state, account.why = "needs_reconnect", WHY
        session.add(account)
        session.flush()
    leases.revoke(session, account_id)
    return credential.updated_at


def _taken_back(app: Application, account_id: int) -> bool:
    """What is stored may have been renewed while the subscriptions were ended."""
    with reading(app.engine) as session:
        stored = session.get_one(Credential, account_id)
    try:
        grant = open_credential(app.vault, account_id, stored.sealed)
        if not isinstance(grant, StoredGrant) or grant.by != "owner":
            return True  # nobody granted anything that could be given back
        return app.clients.get(grant.provider).revoke(grant.refresh_token)
    except AutocaptureError:
        return False
