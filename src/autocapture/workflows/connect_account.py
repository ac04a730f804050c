"""Connecting an account: the login is tried first, and only what opened is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from sqlmodel import Session, select

from autocapture.application import Application
from autocapture.connect.credentials import StoredGrant, seal_credential
from autocapture.connector import (
    CaptureLevel,
    Channel,
    Connector,
    Credential,
    Grant,
    ListsInPart,
    PasswordCredential,
    Tools,
)
from autocapture.errors import InputError
from autocapture.model.accounts import LONG_AGO, Account
from autocapture.model.accounts import Channel as StoredChannel
from autocapture.model.accounts import Credential as SealedCredential
from autocapture.model.directory import Organization
from autocapture.model.organization import User
from autocapture.store.engine import reading, writing
from autocapture.store.rate_buckets import AccountMeter
from autocapture.workflows.audit import CONNECTED, note
from autocapture.workflows.change_scope import Scope, set_scope
from autocapture.workflows.connected_reps import not_connected
from autocapture.workflows.file_subjects import subject_of_files
from autocapture.workflows.grants import Granted, first_grant
from autocapture.workflows.open_account import addressed, tools_for, validated_options
from autocapture.workflows.patience import Patience
from autocapture.workflows.people import our_people
from autocapture.workflows.set_up import REPLACED_BEFORE_CHOICE
from autocapture.workflows.waking import wake_channels

DAYS_BACK = timedelta(days=90)
"""How far back a new account is captured unless somebody says otherwise."""

_MAPPING = "mapping"

PATIENCE = timedelta(seconds=20)
"""How long one exchange with a provider may take while somebody is connecting; `Patience` bounds all of them."""


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody asks to connect. `options` are the connector's own.

    `credential` is a password; what an owner or an organisation granted is `granted`.

    `since` bounds the backfill. None leaves it, and `capture_level` None leaves the level, as they are on an account that
    exists; a new one captures everything, or where it is `bounded` as far back as `DAYS_BACK`, at level *subject*. With
    `start` False a new account stays pending until its owner says what is to be captured. `purge` says what becomes of what
    was captured and no longer would be.
    """

    user_email: str
    connector: str
    options: Mapping[str, Any]
    credential: Credential = None
    since: date | None = None
    capture_level: CaptureLevel | None = None
    granted: Granted | None = None
    start: bool = True
    actor_id: int | None = None
    bounded: bool = False
    purge: bool | None = None


@dataclass(frozen=True, slots=True)
class Connected:
    """`is_paused`: nothing of it is captured until somebody resumes it. `removed`: the items that were taken out of the
    database."""

    account_id: int
    is_new: bool
    channels: tuple[Channel, ...]
    is_paused: bool = False
    removed: int = 0


def connect_account(app: Application, login: Login, patience: Patience | None = None) -> Connected:
    """Opens the account, lists its channels, and stores it with its sealed credential.

    The same user, connector and login, or files by the same options, again is the same account: options and credential are
    replaced, its channels wake, its state is active, unless it is paused, which it stays. Raises InputError for an unknown
    user, a wrong option, files that another account of the user reads by the same option, channels of somebody who is not
    connected, or where a lower level does not keep what is stored and `purge` is not said; SetupError where a part of what is
    named cannot be listed, Unreachable where the server takes longer than `patience` lasts, and what the connector raises on
    opening.
    """
    connector = app.registry.get(login.connector)
    options = validated_options(connector, addressed(app, connector, login.options))
    if login.granted is not None:
        login = replace(login, credential=first_grant(app, login.granted))
    user = user_of(app, login.user_email)
    with reading(app.engine) as session:
        known = _known(session, login, user, options)
        tools = _impatient(app, user, login, None if known is None else known.id)
    opening = partial(_listed, connector, options, login.credential, tools)
    channels = (patience or Patience(app.clock)).wait_for(opening)
    _require_connected(app, login.connector, channels)
    organization = our_people(app)
    with writing(app.engine) as session:
        _one_at_a_time(session, user)
        account = _known(session, login, user, options)
        is_new = account is None
        if is_new:
            _require_unread(session, login, user, options)
        account = account or _blank(app, login, user, options)
        removed, read_so = 0, account.options
        if not is_new:
            removed = _change_scope(session, account, login, organization, app.clock.now())
        account_id, is_paused = _store(session, account, login, options), account.state == "paused"
        _store_credential(app, session, account_id, login)
        wake_channels(session, account_id, anew=not is_new and read_so != account.options)
        detail = _detail(login, is_new)
        note(session, app.clock.now(), CONNECTED, actor_id=login.actor_id, user_id=user.id, detail=detail)
    if login.granted is not None and login.granted.tokens is not None:
        app.tokens.put(account_id, login.granted.stored.granted_at, login.granted.tokens)
    return Connected(account_id, is_new, channels, is_paused, removed)


def _listed(
    connector: Connector[Any], options: BaseModel, credential: Credential, tools: Tools
) -> tuple[Channel, ...]:
    with connector.open(options, credential, tools) as connection:
        channels = tuple(connection.channels())
        unlisted = connection.unlisted() if isinstance(connection, ListsInPart) else {}
    for problem in unlisted.values():
        raise problem
    return channels


def _require_connected(app: Application, connector: str, channels: tuple[Channel, ...]) -> None:
    """Raises InputError where a channel belongs to somebody who is not connected here."""
    with reading(app.engine) as session:
        refused = not_connected(session, connector, channels)
    if refused:
        raise InputError(
            f"{'; '.join(refused.values())}: this account is for active users with a connected account of their own"
        )


def _change_scope(
    session: Session, account: Account, login: Login, organization: Organization, now: datetime
) -> int:
    before = Scope.of(account)
    scope = before.with_(login.since, login.capture_level)
    if scope == before:
        return 0
    return set_scope(session, account, scope, organization, now, purge=login.purge, actor_id=login.actor_id)


def _impatient(app: Application, user: User, login: Login, account_id: int | None) -> Tools:
    """Tools for a try that somebody waits for: no exchange takes long, and the reserve of the project's budget is theirs too."""
    meter = AccountMeter(app.engine, app.clock, app.settings.rate_limits, account_id, backfill=False)
    level = login.capture_level or "subject"
    return tools_for(app, user.time_zone, since=login.since, level=level, meter=meter, patience=PATIENCE)


def _detail(login: Login, is_new: bool) -> str:
    """What the audit says: an account that nobody signed in to stands out."""
    unasked = login.granted is not None and login.granted.stored.by != "owner"
    return ", ".join(
        [login.connector, *(["without sign-in"] if unasked else []), *([] if is_new else ["again"])]
    )


def _store_credential(app: Application, session: Session, account_id: int, login: Login) -> None:
    secret = login.granted.stored if login.granted is not None else login.credential
    if isinstance(secret, PasswordCredential | StoredGrant):
        sealed = seal_credential(app.vault, account_id, secret)
        session.merge(SealedCredential(account_id=account_id, sealed=sealed, updated_at=app.clock.now()))


def user_of(app: Application, email: str) -> User:
    """Raises InputError for an address that is nobody's."""
    with reading(app.engine) as session:
        user = session.exec(select(User).where(User.email == email.strip().lower())).one_or_none()
    if user is None:
        raise InputError(
            f"there is no user {email}; import users first (`autocapture users import FILE.csv`)"
        )
    return user


def _stored_id(row: Account | User) -> int:
    if row.id is None:
        raise ValueError("the row has not been stored")
    return row.id


def _one_at_a_time(session: Session, user: User) -> None:
    """A form that was sent twice connects one account: the second finds what the first stored."""
    session.exec(select(User.id).where(User.id == user.id).with_for_update(key_share=True))


def _known(session: Session, login: Login, user: User, options: BaseModel) -> Account | None:
    mine = select(Account).where(Account.user_id == user.id, Account.connector == login.connector)
    wanted = {name: str(path) for name, path in _files(options)} if login.credential is None else {}
    if wanted:
        return next((each for each in session.exec(mine) if _stored_files(each, options) == wanted), None)
    subject = subject_of(options, login.credential)
    return session.exec(mine.where(Account.subject == subject)).one_or_none()


def _stored_files(account: Account, options: BaseModel) -> dict[str, str]:
    """What `account`, of the connector of `options`, reads by which option; however its subject was written."""
    fields = type(options).model_fields.items()
    names = {name for name, field in fields if Path in (field.annotation, *get_args(field.annotation))}
    return {name: path for name, path in account.options.items() if name in names - {_MAPPING}}


def _require_unread(session: Session, login: Login, user: User, options: BaseModel) -> None:
    """Raises InputError where another account of the user reads one of the files: each item would be there twice."""
    wanted = {name: path.resolve() for name, path in _files(options)}
    others = session.exec(
        select(Account).where(Account.user_id == user.id, Account.connector == login.connector)
    )
    for other in others:
        for name, path in wanted.items():
            held = other.options.get(name)
            if held is not None and Path(held).resolve() == path:
                raise InputError(
                    f"account {other.id} of {user.email} reads {held} already; leave --{name.replace('_', '-')} out"
                )


def _files(options: BaseModel) -> Iterator[tuple[str, Path]]:
    """The files an account reads. A column mapping only says how they are read."""
    return ((name, value) for name, value in options if isinstance(value, Path) and name != _MAPPING)


def _blank(app: Application, login: Login, user: User, options: BaseModel) -> Account:
    return Account(
        user_id=_stored_id(user),
        connector=login.connector,
        subject=subject_of(options, login.credential),
        options={},
        since=None if login.start and not login.bounded else app.clock.now().date() - DAYS_BACK,
        created_at=app.clock.now(),
    )


def _store(session: Session, account: Account, login: Login, options: BaseModel) -> int:
    account.options = options.model_dump(mode="json", exclude_none=True)
    account.subject = subject_of(options, login.credential)
    waits = not login.start and _is_unchosen(session, account)
    if account.state != "paused":  # only who paused it, or who may, has it go on
        account.state = "pending" if waits else "active"
    account.why, account.counted = None, None
    account.address = _address(login.credential) or account.address
    account.throttle_until, account.fails = LONG_AGO, 0
    account.capture_level = login.capture_level or account.capture_level
    account.since = login.since or account.since
    session.add(account)
    session.flush()
    return _stored_id(account)


def _is_unchosen(session: Session, account: Account) -> bool:
    """Whether its owner never said what is to be captured: one that was disconnected before that has no channel yet."""
    if account.state != "disconnected":
        return account.id is None or account.state == "pending" or account.why == REPLACED_BEFORE_CHOICE
    known = select(StoredChannel.id).where(StoredChannel.account_id == account.id)
    return session.exec(known.limit(1)).first() is None


def _address(credential: Credential) -> str:
    if isinstance(credential, Grant):
        return credential.address
    return credential.username if credential is not None and "@" in credential.username else ""


def subject_of(options: BaseModel, credential: Credential) -> str:
    """What makes an account the same when it is connected again: the login, or the files it reads, each by its option.

    A login that is no address is made one with its host. A column mapping only says how files are read, so correcting it
    does not make another account.
    """
    if isinstance(credential, Grant):
        return credential.subject
    if credential is not None:
        host = getattr(options, "host", "")
        return (
            credential.username if "@" in credential.username or not host else f"{credential.username}@{host}"
        )
    return subject_of_files(_files(options))
