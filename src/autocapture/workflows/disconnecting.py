"""Disconnecting: the one place where a sign-in is forgotten, after all that is done with its help.

The account's row stays, with its channels and its ledger, so that what was captured and what became of it can be told. Killed
anywhere, the account is not captured any more, and disconnecting it once more does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, delete, select

from autocapture.application import Application
from autocapture.connect.credentials import StoredGrant, open_credential
from autocapture.errors import AutocaptureError, InputError
from autocapture.model.accounts import Account, Credential
from autocapture.model.directory import Organization
from autocapture.store import leases
from autocapture.store.engine import reading, take_turn, writing
from autocapture.store.unreachable import forget_bounced
from autocapture.workflows import out_of_scope
from autocapture.workflows.audit import DISCONNECTED, note
from autocapture.workflows.capture_level import lower_level
from autocapture.workflows.change_scope import holds_anything
from autocapture.workflows.granting import label_of
from autocapture.workflows.people import our_people
from autocapture.workflows.subscriptions import end_subscriptions
from autocapture.workflows.waking import wake_channels

WHY = "nothing of it is captured until it is connected again"
_STAYS = "the permission given at {provider} stays there until its owner takes it back: {where}"
_BY_HAND = {
    "google": "https://myaccount.google.com/connections",
    "microsoft": "https://myapps.microsoft.com, Manage your application; or an administrator of Entra",
}


@dataclass(frozen=True, slots=True)
class Disconnected:
    """`stays`: what is left at the provider and where to take it back by hand, in words; empty where nothing is. `removed`: the
    items that were taken out of the database."""

    stays: str = ""
    removed: int = 0


def disconnect(
    app: Application, account_id: int, *, purge: bool | None = None, actor_id: int | None = None
) -> Disconnected:
    """Captures of an account stop, what its provider promised to tell of is ended, the grant is taken back there, and then the
    sign-in is deleted here. Connected again, it is the same account. Of one that is disconnected, what was kept is purged.

    `purge` says whether what was captured is taken out of the database, where nobody else's account saw it too, or kept.
    Raises InputError for an unknown account, or where that is not said though something was captured.
    """
    with reading(app.engine) as session:
        if session.get(Account, account_id) is None:
            raise InputError(f"there is no account {account_id}")
    if purge is None and holds_anything(app, account_id):
        raise InputError("say whether what was captured is kept or purged (--keep, --purge)")
    with writing(app.engine) as session:
        connected_at = _stop(session, account_id)
    end_subscriptions(app, account_id)
    stays, organization = _left_there(app, account_id), our_people(app)
    with writing(app.engine) as session:
        take_turn(session)
        session.exec(
            delete(Credential).where(
                col(Credential.account_id) == account_id,
                col(Credential.updated_at) == connected_at,  # not a newer one: somebody connected meanwhile
            )
        )
        account = session.get_one(Account, account_id)
        if account.state == "disconnected" and connected_at is not None:
            account.why = f"{WHY}; {stays}" if stays else WHY
            session.add(account)
        removed = _purge(session, account, organization, app.clock.now()) if purge else 0
        detail = {True: "purged", False: "kept", None: ""}[purge]
        note(
            session, app.clock.now(), DISCONNECTED, actor_id=actor_id, user_id=account.user_id, detail=detail
        )
    return Disconnected(stays, removed)


def _stop(session: Session, account_id: int) -> datetime | None:
    """When the account was connected, where it has a sign-in. What is being read of it is not stored any more."""
    account, credential = session.get_one(Account, account_id), session.get(Credential, account_id)
    if account.state != "disconnected":
        account.state, account.why = "disconnected", WHY
        session.add(account)
        session.flush()
    leases.revoke(session, account_id)
    return None if credential is None else credential.updated_at


def _left_there(app: Application, account_id: int) -> str:
    """What is left at the provider once its grant was asked to be taken back. What is stored may have been renewed while the
    subscriptions were ended."""
    with reading(app.engine) as session:
        account, stored = session.get_one(Account, account_id), session.get(Credential, account_id)
        connector, is_shared = account.connector, _is_shared(session, account)
    if stored is None:
        return ""
    provider = ""
    try:
        provider = app.registry.get(connector).auth.provider
        grant = open_credential(app.vault, account_id, stored.sealed)
        if not isinstance(grant, StoredGrant) or grant.by != "owner":
            return ""  # nobody granted anything that could be given back
        if is_shared:
            return "the permission stays at the provider, since another account here is captured with it"
        if app.clients.get(grant.provider).revoke(grant.refresh_token):
            return ""
    except AutocaptureError:
        if not provider:
            return ""
    return _STAYS.format(provider=label_of(provider), where=_BY_HAND.get(provider, "in its settings there"))


def _is_shared(session: Session, account: Account) -> bool:
    """Whether another account has a sign-in of the same login: Google ends with one grant all that they granted our client."""
    others = (
        select(Account.id)
        .join(Credential, col(Credential.account_id) == col(Account.id))
        .where(Account.subject == account.subject, Account.connector == account.connector)
        .where(Account.id != account.id)
    )
    return session.exec(others.limit(1)).first() is not None


def _purge(session: Session, account: Account, organization: Organization, now: datetime) -> int:
    """The number of items. Texts and subjects go first, of what another account shows too and keeps less of. Whoever connects
    the account again has everything read anew."""
    account_id = account.id or 0
    account.kept_since = None
    session.add(account)
    lower_level(session, account_id, "metadata")
    removed = out_of_scope.purge(session, account, organization, now, everything=True)
    forget_bounced(session)
    wake_channels(session, account_id, anew=True)
    return removed
