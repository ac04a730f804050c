"""From somebody's consent at a provider to a connected account: the right question, the right person, the right mailbox.

The same for a browser that comes back to our pages, one that comes back to a command on its own machine, and a code typed in on
another screen. Nothing is stored before everything was checked: an answer that is refused leaves a note and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import structlog
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.connect.credentials import StoredGrant, open_credential
from autocapture.connect.id_tokens import Identity
from autocapture.connect.oauth import Asked, OAuth
from autocapture.connect.providers import LABELS
from autocapture.connect.token_endpoint import Tokens
from autocapture.connector import CaptureLevel, Connector
from autocapture.errors import AutocaptureError, InputError, ReconnectNeeded, SetupError
from autocapture.formats.handles import canonical_email
from autocapture.model.accounts import Account, Credential
from autocapture.model.organization import User, UserHandle
from autocapture.store.engine import reading, writing
from autocapture.workflows.audit import CONNECTION_REFUSED, note_refused
from autocapture.workflows.capture_level import is_lower
from autocapture.workflows.change_scope import Scope, require_said
from autocapture.workflows.connect_account import Connected, Login, connect_account, user_of
from autocapture.workflows.delegation_checks import require_bounded
from autocapture.workflows.grants import Granted, ask, granted, granted_by_organisation
from autocapture.workflows.patience import Patience

_TO_BE_SET_UP = {
    "google": "an administrator registers an OAuth client at Google and sets google.client_id and "
    "google.client_secret_file (docs/providers/google.md)",
    "microsoft": "an administrator registers an application in Entra and sets microsoft.tenant, microsoft.client_id and "
    "microsoft.certificate_file (docs/providers/microsoft.md)",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody is asked to grant, and for which account.

    `account_id` names an account that is connected again: then only its own mailbox will do. `level` None is that of the
    account, or *subject*. `any_address` admits a mailbox that is not known to be the user's. `start` False leaves a new account
    pending. `options` are the connector's own. `purge` is as in `Login`.
    """

    user_email: str
    connector: str
    level: CaptureLevel | None = None
    since: date | None = None
    account_id: int | None = None
    any_address: bool = False
    start: bool = True
    actor_id: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    purge: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The account, and what its owner did not grant, in words."""

    connected: Connected
    address: str
    not_granted: tuple[str, ...] = ()


def label_of(provider: str) -> str:
    """A provider as people call it."""
    return LABELS.get(provider, provider)


def client_of(app: Application, connector: Connector[Any]) -> OAuth:
    """The operator's client at the connector's provider. Raises SetupError, saying what an administrator has to do."""
    provider = connector.auth.provider
    if provider not in app.clients.names():
        todo = _TO_BE_SET_UP.get(provider, f"see [{provider}] in the settings")
        raise SetupError(f"{label_of(provider)} is not set up here: {todo}")
    return app.clients.get(provider)


def scopes_of(app: Application, wanted: Wanted) -> tuple[str, ...]:
    """The scopes that the wanted level needs."""
    level = wanted.level
    if level is None and wanted.account_id is not None:
        with reading(app.engine) as session:
            account = session.get(Account, wanted.account_id)
            level = None if account is None else cast(CaptureLevel, account.capture_level)
    return app.registry.get(wanted.connector).auth.scopes[level or "subject"]


def require_known(app: Application, wanted: Wanted) -> None:
    """Raises InputError where the user, or the account to be connected again, is none of ours, or where it is to be said what
    becomes of what was captured: before anybody consents."""
    user = user_of(app, wanted.user_email)
    with reading(app.engine) as session:
        for account in _meant(session, wanted, user, user.email):
            scope = Scope.of(account).with_(wanted.since, wanted.level)
            require_said(session, account, scope, wanted.purge)


def question(app: Application, wanted: Wanted, redirect_uri: str) -> Asked:
    """What the browser is to be sent with. Raises InputError for who and what is unknown here, SetupError, and what finding the
    provider raises."""
    require_known(app, wanted)
    client = client_of(app, app.registry.get(wanted.connector))
    return client.ask(redirect_uri, scopes_of(app, wanted), login_hint=_hint(app, wanted))


def answered(app: Application, wanted: Wanted, query: Mapping[str, str], asked: Asked) -> Outcome:
    """The account that an answer to `asked` connects.

    Raises InputError where it is no answer to this question, or of the wrong mailbox; ReconnectNeeded where nothing was granted
    that could be used; and what the provider's endpoints and the connector raise. What is refused is noted, not stored.
    """
    patience = Patience(app.clock)
    try:
        client = client_of(app, app.registry.get(wanted.connector))
        code = client.code_of(query, asked)
        tokens = patience.wait_for(lambda: client.exchange(code, asked))
    except AutocaptureError:
        refused(app, wanted)
        raise
    return connect_granted(app, wanted, tokens, nonce=asked.nonce, asked_for=asked.scopes, patience=patience)


def connect_granted(
    app: Application,
    wanted: Wanted,
    tokens: Tokens,
    *,
    nonce: str,
    asked_for: Iterable[str],
    patience: Patience | None = None,
) -> Outcome:
    """The account that `tokens` connect, once it is known whose they are. Raises what `answered` does."""
    try:
        return _connect_granted(
            app, wanted, tokens, nonce, frozenset(asked_for), patience or Patience(app.clock)
        )
    except AutocaptureError:
        refused(app, wanted)
        raise


def connect_delegated(app: Application, wanted: Wanted, mailbox: str) -> Outcome:
    """The account of a mailbox that the organisation granted, without its owner's sign-in: by Google's domain-wide delegation,
    by Microsoft's application permission. `mailbox` is empty for what is the whole organisation's, such as Teams calls.

    Raises InputError for a mailbox that is not the user's, SetupError for one that the operator did not list, and where the grant
    reaches further than it may.
    """
    connector = app.registry.get(wanted.connector)
    if mailbox:
        _require_own(app, wanted, mailbox)
    provider = connector.auth.provider
    of_all = (app.settings.microsoft.whatever_was_consented,)
    scopes = of_all if provider == "microsoft" else scopes_of(app, wanted)
    options = dict(wanted.options)
    if mailbox and "mailbox" in connector.options.model_fields:
        options |= {"mailbox": mailbox, "allowed_mailboxes": [mailbox]}
    given = granted_by_organisation(app, provider, mailbox, scopes)
    if mailbox:
        require_bounded(app, provider)
    if connector.auth.by_organisation:
        ask(app, given.stored)  # nothing is read on opening, so nothing else would tell that it opens nothing
    return Outcome(connect_account(app, _login(wanted, given, options)), mailbox)


def not_granted(app: Application, account: Account) -> tuple[str, ...]:
    """What the account's owner did not tick of what its level asks for, or of what a higher one does, which they may have
    granted before; in words; nothing of accounts without a grant."""
    connector = app.registry.get(account.connector)
    with reading(app.engine) as session:
        stored = session.get(Credential, account.id)
    if connector.auth.method != "oauth" or stored is None or account.id is None:
        return ()
    grant = open_credential(app.vault, account.id, stored.sealed)
    if not isinstance(grant, StoredGrant) or grant.by != "owner":
        return ()
    client, scopes = client_of(app, connector), connector.auth.scopes
    enough = [scopes[level] for level in scopes if not is_lower(level, account.capture_level)]
    return min((_in_words(client.missing(grant.scopes, asked_for)) for asked_for in enough), key=len)


def refused(app: Application, wanted: Wanted) -> None:
    """Notes that an answer was not taken."""
    with writing(app.engine) as session:
        user = session.exec(select(User).where(User.email == wanted.user_email)).first()
        user_id = None if user is None else user.id
        note_refused(
            session,
            app.clock.now(),
            CONNECTION_REFUSED,
            actor_id=wanted.actor_id,
            user_id=user_id,
            detail=wanted.connector,
        )


def _connect_granted(
    app: Application,
    wanted: Wanted,
    tokens: Tokens,
    nonce: str,
    asked_for: frozenset[str],
    patience: Patience,
) -> Outcome:
    connector = app.registry.get(wanted.connector)
    client = client_of(app, connector)
    who = patience.wait_for(lambda: client.identity(tokens, nonce))
    try:
        _require_mailbox(app, wanted, who)
        missing = client.missing(tokens.scopes, asked_for)
        if missing == client.missing((), asked_for):
            raise ReconnectNeeded(
                f"nothing was granted that could be read; start again, and leave the boxes at "
                f"{label_of(connector.auth.provider)} ticked"
            )
        given = granted(app, connector.auth.provider, tokens, who)
        connected = connect_account(app, _login(wanted, given, wanted.options), patience)
    except AutocaptureError:
        _give_back(app, client, tokens, who)
        raise
    return Outcome(connected, who.address, _in_words(missing))


def _give_back(app: Application, client: OAuth, tokens: Tokens, who: Identity) -> None:
    """Asks the provider to forget what was granted and connects nothing; where it cannot be asked now, its owner can
    take it back there. Google ends with one grant all that this person granted our client, so nothing is given back of who is
    connected here already."""
    signed_in = select(Account.id).join(Credential, col(Credential.account_id) == col(Account.id))
    with reading(app.engine) as session:
        connected = session.exec(signed_in.where(Account.subject == who.subject).limit(1)).first()
    if connected is not None:
        return
    try:
        client.revoke(tokens.refresh_token or tokens.access_token)
    except AutocaptureError as problem:
        structlog.get_logger().info("grant_not_given_back", error=type(problem).__name__)


def _login(wanted: Wanted, given: Granted, options: Mapping[str, Any]) -> Login:
    return Login(
        user_email=wanted.user_email,
        connector=wanted.connector,
        options=options,
        since=wanted.since,
        capture_level=wanted.level,
        granted=given,
        start=wanted.start,
        actor_id=wanted.actor_id,
        bounded=True,
        purge=wanted.purge,
    )


def _hint(app: Application, wanted: Wanted) -> str:
    """The address that the provider's page is to offer: that of the account, where one is connected again."""
    if wanted.account_id is None:
        return wanted.user_email
    with reading(app.engine) as session:
        account = session.get(Account, wanted.account_id)
        return (account.address if account is not None else "") or wanted.user_email


def _require_mailbox(app: Application, wanted: Wanted, who: Identity) -> None:
    """Raises InputError where `who` granted another mailbox than the one that was meant. A mailbox is known by the provider's
    name of its login: addresses are given to others one day. Where the account was disconnected, another login of its address
    is a mailbox that was made anew, and becomes an account of its own."""
    user, is_new = user_of(app, wanted.user_email), wanted.account_id is None
    with reading(app.engine) as session:
        for account in _meant(session, wanted, user, who.address):
            if account.subject == who.subject:
                continue
            if account.state != "disconnected" or not _is_address_of(account, who.address):
                raise InputError(_is_another(account, who.address))
            is_new = True
    if is_new:
        _require_own(app, wanted, who.address)


def _is_address_of(account: Account, address: str) -> bool:
    return bool(address) and canonical_email(address) == canonical_email(account.address)


def _is_another(account: Account, address: str) -> str:
    if address and address == account.address:
        return (
            f"{address} is another login now than when account {account.id} was connected, and opens another mailbox; "
            "where that is right, disconnect the account first"
        )
    named = f" ({account.address})" if account.address else ""
    return (
        f"{address or 'that login'} is another mailbox than the one connected as account {account.id}{named}; "
        "sign in with that one"
    )


def _meant(session: Session, wanted: Wanted, user: User, address: str = "") -> list[Account]:
    """The account that is connected again; else those of the user that have this address. A delegated one has no login."""
    mine = select(Account).where(Account.user_id == user.id, Account.connector == wanted.connector)
    if wanted.account_id is None:
        owned = ~col(Account.subject).startswith("application:") & ~col(Account.subject).startswith(
            "delegate:"
        )
        return list(session.exec(mine.where(Account.address == address, Account.address != "", owned)))
    named = list(session.exec(mine.where(Account.id == wanted.account_id)))
    if not named:
        raise InputError(f"account {wanted.account_id} is not one of {user.email} at {wanted.connector}")
    return named


def _require_own(app: Application, wanted: Wanted, address: str) -> None:
    user = user_of(app, wanted.user_email)
    with reading(app.engine) as session:
        handles = session.exec(
            select(UserHandle.value).where(UserHandle.user_id == user.id, UserHandle.kind == "email")
        )
        known = {canonical_email(user.email), *map(canonical_email, handles)}
    if not wanted.any_address and canonical_email(address) not in known:
        raise InputError(
            f"{address or 'a login without an address'} is not known to be an address of {user.email}; sign in with one that "
            "is, or ask an administrator, who can import it as an alias or connect it all the same at the command line"
        )


def _in_words(scopes: Iterable[str]) -> tuple[str, ...]:
    """What is not captured for want of these scopes, without the names that only programs use."""
    names = {scope.rpartition("/")[2].lower() for scope in scopes}
    lists = {name for name in names if "calendarlist" in name}
    events = {name for name in names - lists if "calendar" in name}
    told = {
        "mail": any("mail" in name for name in names - lists - events),
        "calendars": events,
        "calendars other than the first": lists and not events,
    }
    return tuple(word for word, is_missing in told.items() if is_missing)
