"""Signing in with an identity from elsewhere: Google, Microsoft, any OpenID Connect issuer that the operator set up.

A link binds an identity to its owner, where the provider vouches that the address of both is the same. From then on the identity
alone counts, by issuer and subject: addresses are given to others one day, those two never.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session

from autocapture.application import Application
from autocapture.connect.id_tokens import Identity as Proven
from autocapture.connect.providers import LABELS
from autocapture.errors import AutocaptureError, InputError
from autocapture.model.organization import User
from autocapture.model.sign_in import Identity
from autocapture.store.engine import writing
from autocapture.workflows.asked_consents import Awaited, keep, take
from autocapture.workflows.audit import IDENTITY_BOUND, LINK_USED, SIGN_IN_REFUSED, note, note_refused
from autocapture.workflows.sign_in import LINK_IS_OVER
from autocapture.workflows.sign_in_links import owner_of, use_link
from autocapture.workflows.sign_in_sessions import end_sessions, open_session
from autocapture.workflows.sign_in_tries import provider_buckets
from autocapture.workflows.sign_in_tries import take as take_try

NOT_AWAITED = "This answer was not awaited here, or came too late. Start again."
_ANY_TENANT = ("organizations", "common", "consumers")


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider that people may sign in with: its name in addresses, and how it is called."""

    name: str
    label: str


def choices(app: Application) -> tuple[Choice, ...]:
    """The providers that the settings name."""
    labels = LABELS | {name: one.label for name, one in app.settings.oidc.items() if one.label}
    return tuple(Choice(name, labels.get(name, name)) for name in app.clients.names())


def label_of_issuer(app: Application, issuer: str) -> str:
    """Who signs in people under this name, as people call them; its host where the settings name it no more."""
    google, microsoft = app.settings.google.issuer, app.settings.microsoft.login_url
    for name, company in app.settings.oidc.items():
        if issuer.rstrip("/") == company.issuer.rstrip("/"):
            return company.label or name
    host = urlsplit(issuer).netloc or issuer
    if host == urlsplit(google).netloc:  # Google leaves out the scheme at times
        return LABELS["google"]
    return LABELS["microsoft"] if host == urlsplit(microsoft).netloc else host


def label_of(app: Application, name: str) -> str:
    """Raises InputError for a provider that is not set up."""
    for choice in choices(app):
        if choice.name == name:
            return choice.label
    raise InputError("nobody signs in with that here")


@dataclass(frozen=True, slots=True)
class Browser:
    """Whose browser it is as far as is known: its id, and the address it asks from."""

    id: str
    source: str


def ask(app: Application, name: str, redirect_uri: str, browser: Browser, about: Mapping[str, Any]) -> str:
    """The address at the provider to which the browser is to be sent. `about`: the hash of a link that is to be used, under
    ``link``, and the page that is wanted afterwards, under ``next``. Raises InputError for a provider that is not set up, and
    where too much is asked; SetupError, Unreachable and RateLimited where its addresses cannot be found."""
    label_of(app, name)
    now = app.clock.now()
    asked = app.clients.get(name).ask(redirect_uri, (), sign_in=True)
    with writing(app.engine) as session:
        if take_try(session, provider_buckets(browser.source), now) is not None:
            raise InputError("Those were too many tries. Wait some minutes, then try again.")
        keep(session, asked, provider=name, browser_id=browser.id, about=about, now=now)
    return asked.url


def answered(app: Application, name: str, query: Mapping[str, str], browser: Browser) -> tuple[str, str]:
    """The id of a new session for whoever the answer of a provider proves, and the page that they wanted.

    Raises InputError where the answer is not the one to a question from this browser, or where nobody here is known by that
    identity; CredentialRejected where consent was not given or nothing is proved; Unreachable, RateLimited, SetupError.
    """
    now = app.clock.now()
    with writing(app.engine) as session:
        awaited = take(session, query.get("state", ""), provider=name, browser_id=browser.id, now=now)
    if awaited is None:
        raise InputError(NOT_AWAITED)
    try:
        oauth = app.clients.get(name)
        tokens = oauth.exchange(oauth.code_of(query, awaited.asked), awaited.asked)
        who = oauth.identity(tokens, awaited.asked.nonce)
        with writing(app.engine) as session:
            user = _user(session, who, awaited, _vouches(app, name, who), now)
            return open_session(session, user, now, name), str(awaited.about.get("next", "/"))
    except AutocaptureError:
        with writing(app.engine) as session:
            note_refused(session, now, SIGN_IN_REFUSED, detail=name)
        raise


def _vouches(app: Application, name: str, who: Proven) -> bool:
    """Whether the provider says that the address is theirs. Entra never does, but in a tenant that is the operator's own, its
    administrators gave the addresses."""
    return who.address_verified or (name == "microsoft" and app.settings.microsoft.tenant not in _ANY_TENANT)


def _user(session: Session, who: Proven, awaited: Awaited, vouched: bool, now: datetime) -> User:
    bound = session.get(Identity, (who.issuer, who.subject))
    if "link" in awaited.about:
        return _bind(session, who, bound, str(awaited.about["link"]), vouched, now)
    user = None if bound is None else session.get(User, bound.user_id)
    if user is None or not user.active:
        raise InputError(
            "Nobody here signs in with this account. Follow your invitation first, or ask for one."
        )
    return user


def _bind(
    session: Session, who: Proven, bound: Identity | None, token_hash: str, vouched: bool, now: datetime
) -> User:
    """The owner of a link, who signs in with this identity from now on. The link is used only where everything fits."""
    found = owner_of(session, token_hash, now)
    if found is None:
        raise InputError(LINK_IS_OVER)
    user = found[1]
    if not vouched:
        raise InputError(
            "That account does not prove its address. Follow your invitation again, and choose a password or another account."
        )
    if who.address != user.email:
        raise InputError(
            f"That account has another address than {user.email}. Follow your invitation again, with the account of that address."
        )
    if bound is not None and bound.user_id != user.id:
        raise InputError("Somebody else here signs in with that account.")
    if use_link(session, token_hash, now) is None:
        raise InputError(LINK_IS_OVER)
    end_sessions(session, user.id)
    session.merge(Identity(issuer=who.issuer, subject=who.subject, user_id=user.id or 0, bound_at=now))
    note(session, now, LINK_USED, actor_id=user.id, user_id=user.id)
    note(session, now, IDENTITY_BOUND, actor_id=user.id, user_id=user.id)
    return user
