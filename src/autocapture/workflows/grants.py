"""From a stored grant to a token that is good now.

A renewal is one process's at a time: its row says until when. A refresh token that the provider replaced is stored before the
access token that came with it is used, so the newest is always the stored one. A process that dies between the answer and the
commit leaves a refresh token that the provider may not take again: then the account's owner is asked to sign in, once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.connect.access_tokens import ANY
from autocapture.connect.credentials import By, StoredGrant, open_credential, seal_credential
from autocapture.connect.id_tokens import Identity
from autocapture.connect.providers import LABELS
from autocapture.connect.token_endpoint import Tokens
from autocapture.connector import Grant
from autocapture.errors import (
    CredentialRejected,
    DelegationRefused,
    RateLimited,
    ReconnectNeeded,
    ScopeMissing,
    SetupError,
    StoreBusy,
    codes_of,
)
from autocapture.model.accounts import LONG_AGO, Credential
from autocapture.store.due import has_come
from autocapture.store.engine import reading, writing

log = structlog.get_logger()

RENEW_WITHIN = timedelta(seconds=90)
"""Longer than an exchange with a token endpoint can last; a process that died in one is waited for no longer."""

LOOK_AGAIN = timedelta(seconds=2)
_STORE_TRIES = 3


def grant_of(app: Application, account_id: int, stored: StoredGrant) -> Grant:
    """The grant as a connector uses it. Each thread tells of its own token that it was refused."""
    last = threading.local()

    def access_token(fresh: bool) -> str:
        refused = getattr(last, "token", ANY) if fresh else None
        last.token = app.tokens.get(
            account_id, stored.granted_at, lambda: renew(app, account_id), refused=refused
        )
        return str(last.token)

    return Grant(stored.subject, stored.address, stored.scopes, access_token)


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant that is not stored yet, with the tokens that came with it; None where an organisation gave it."""

    stored: StoredGrant
    tokens: Tokens | None = None


def granted(app: Application, provider: str, tokens: Tokens, who: Identity) -> Granted:
    """What `who` granted with `tokens`. Raises ReconnectNeeded where it would not last."""
    if not tokens.refresh_token:
        raise ReconnectNeeded(
            f"{LABELS.get(provider, provider)} gave no lasting grant; sign in again and agree to everything asked"
        )
    stored = StoredGrant(
        provider=provider,
        subject=who.subject,
        address=who.address,
        scopes=tokens.scopes,
        granted_at=app.clock.now().isoformat(),
        refresh_token=tokens.refresh_token,
    )
    return Granted(stored, tokens)


def granted_by_organisation(app: Application, provider: str, mailbox: str, scopes: Iterable[str]) -> Granted:
    """What the organisation granted for `mailbox`, which must be listed in the settings. Raises SetupError."""
    by: By = "delegate" if provider == "google" else "application"
    now = app.clock.now().isoformat()
    stored = StoredGrant(provider, f"{by}:{mailbox.casefold()}", mailbox, frozenset(scopes), now, by)
    _require_listed(app, stored)
    return Granted(stored)


def first_grant(app: Application, new: Granted) -> Grant:
    """The grant before it is stored: what it opens is tried with the token that came with it."""
    stored, tokens = new.stored, new.tokens

    def access_token(fresh: bool) -> str:
        if tokens is None:
            return ask(app, stored).access_token
        if fresh:
            raise ReconnectNeeded("the provider refused the token that it had just given; sign in again")
        return tokens.access_token

    return Grant(stored.subject, stored.address, stored.scopes, access_token)


def renew(app: Application, account_id: int) -> Tokens:
    """New tokens for a stored grant. Raises CredentialRejected where it is dead, RateLimited and Unreachable where the
    endpoint is not to be had or another process is asking it, StoreBusy."""
    until = app.clock.now() + RENEW_WITHIN
    with writing(app.engine) as session:
        sealed = _claimed(session, account_id, app.clock.now(), until)
    stored = open_credential(app.vault, account_id, sealed)
    if not isinstance(stored, StoredGrant):
        raise SetupError(f"account {account_id} has a password and no grant")
    kept = sealed
    if stored.by != "owner":
        log.info("stood_in_for_a_mailbox", account_id=account_id, provider=stored.provider)
    try:
        tokens = _asked(app, account_id, stored, sealed)
        if tokens.refresh_token and tokens.refresh_token != stored.refresh_token:
            kept = seal_credential(app.vault, account_id, replace(stored, refresh_token=tokens.refresh_token))
    finally:
        _let_go(app, account_id, until, was=sealed, kept=kept)
    return tokens


def _asked(app: Application, account_id: int, stored: StoredGrant, sealed: bytes) -> Tokens:
    try:
        return ask(app, stored)
    except ReconnectNeeded:
        with reading(app.engine) as session:
            if session.get_one(Credential, account_id).sealed == sealed:
                raise
        raise RateLimited("this sign-in was replaced by a newer one", LOOK_AGAIN) from None


def ask(app: Application, stored: StoredGrant) -> Tokens:
    """Asks the provider for tokens, as who granted gave them to be asked for. Raises DelegationRefused where an organisation gave
    them and they are not to be had, and its owner can do nothing about it."""
    if stored.by == "owner":
        return app.clients.get(stored.provider).refresh(stored.refresh_token, stored.scopes)
    label = LABELS.get(stored.provider, stored.provider)
    try:
        return _ask_for_organisation(app, stored)
    except SetupError as problem:
        raise DelegationRefused(str(problem)) from None
    except (CredentialRejected, ScopeMissing) as problem:
        raise DelegationRefused(
            f"{label} does not let the application in{codes_of(str(problem))}: look at its permissions, and who consented to them"
        ) from None


def _ask_for_organisation(app: Application, stored: StoredGrant) -> Tokens:
    oauth = app.clients.get(stored.provider)
    _require_listed(app, stored)
    if stored.by == "application":
        return oauth.for_organisation(app.settings.microsoft.whatever_was_consented)
    key_file = app.settings.google.service_account_file
    if key_file is None:
        raise SetupError("google.service_account_file is not set, so nobody can be stood in for")
    return oauth.in_place_of(stored.address, stored.scopes, key_file)


def _require_listed(app: Application, stored: StoredGrant) -> None:
    """What an organisation grants reaches everybody's mailbox; ours to read are those that the operator lists."""
    settings = app.settings.google if stored.provider == "google" else app.settings.microsoft
    listed = {mailbox.casefold() for mailbox in settings.mailboxes}
    if stored.address and stored.address.casefold() not in listed:
        raise SetupError(f"the mailbox {stored.address} is not listed in {stored.provider}.mailboxes")


def _claimed(session: Session, account_id: int, now: datetime, until: datetime) -> bytes:
    """The sealed grant, if nobody else is renewing it."""
    sealed: bytes | None = session.execute(
        update(Credential)
        .where(col(Credential.account_id) == account_id)
        .where(has_come(col(Credential.renewing_until), now, RENEW_WITHIN))
        .values(renewing_until=until)
        .returning(col(Credential.sealed))
    ).scalar_one_or_none()
    if sealed is not None:
        return sealed
    if session.get(Credential, account_id) is None:
        raise ReconnectNeeded(f"account {account_id} has no grant; connect it again")
    raise RateLimited("another process is renewing this sign-in", LOOK_AGAIN)


def _let_go(app: Application, account_id: int, until: datetime, *, was: bytes, kept: bytes) -> None:
    """Stores what is `kept` where the row still holds what it `was`: a newer grant is never replaced by an older one."""
    for tries_left in reversed(range(_STORE_TRIES)):
        try:
            with writing(app.engine) as session:
                mine = col(Credential.account_id) == account_id
                if kept != was:
                    session.execute(
                        update(Credential).where(mine, col(Credential.sealed) == was).values(sealed=kept)
                    )
                session.execute(
                    update(Credential)
                    .where(mine, col(Credential.renewing_until) == until)
                    .values(renewing_until=LONG_AGO)
                )
        except StoreBusy:
            if not tries_left:
                raise
        else:
            return
