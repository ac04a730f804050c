"""Whether this installation can work: each check says what it found and, where that is a problem, the remedy."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.connector import ListsInPart
from autocapture.errors import AutocaptureError, ReconnectNeeded, SetupError, TryLater
from autocapture.model.accounts import Account, Channel
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User
from autocapture.store import schema
from autocapture.store.engine import BUSY_TIMEOUT_MS, database_file, reading, writing
from autocapture.workflows.account_health import health_of
from autocapture.workflows.capture import OWNER_DISABLED
from autocapture.workflows.delegation import as_whose_it_is, is_delegated
from autocapture.workflows.delegation_checks import delegation_checks
from autocapture.workflows.exclusions import load_exclusions
from autocapture.workflows.open_account import open_account
from autocapture.workflows.rules_apply import waiting
from autocapture.workflows.rules_in_force import rules_of_files
from autocapture.workflows.summarize import mail_server

OLDEST_PYTHON = (3, 11)
CLOCK_TOLERANCE = timedelta(seconds=60)
FREE_SHARE = 0.05
"""Below this share of free space, nothing should be started that writes."""

_PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": BUSY_TIMEOUT_MS}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `doctor`. `found` is what was seen; a problem's `found` ends with its remedy."""

    name: str
    ok: bool
    found: str


def readiness(app: Application) -> Iterator[Check]:
    """What must hold for work to be taken: cheap, asked by the health page too."""
    yield _check("home", lambda: _home(app))
    yield _check("key file", lambda: _key_file(app))
    yield _check("database", lambda: _database(app))
    yield _check("disk", lambda: _disk(app))


def diagnosis(app: Application) -> Iterator[Check]:
    """Everything `doctor` looks at. Opens each account's connection; reads no mail."""
    yield _check("python", _python)
    ready = list(readiness(app))
    yield from ready
    yield _check("privacy", lambda: _private(app))
    if all(check.ok for check in ready if check.name == "database"):
        yield _check("clock", lambda: _clock(app))
        if app.settings.capture.exclusions_file is not None:
            yield _check("exclusions", lambda: _exclusions(app))
        yield _check("rules", lambda: _rules(app))
    if app.settings.smtp.host:
        yield _check("mail", lambda: _mail(app))
    for name in app.registry.names():
        yield _check(f"connector {name}", lambda name=name: _connector(app, name))  # type: ignore[misc]
    for name in app.clients.names():
        yield _check(f"sign-in {name}", lambda name=name: _client(app, name))  # type: ignore[misc]
    for name, look in delegation_checks(app):
        yield _check(name, look)
    yield from _accounts(app)
    yield from _proofs(app)


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, found=look())
    except TryLater as problem:
        return Check(name, ok=False, found=f"{problem}; it is tried again by itself")
    except AutocaptureError as problem:
        return Check(name, ok=False, found=str(problem))


def _python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        raise SetupError(f"Python {version}; install {'.'.join(map(str, OLDEST_PYTHON))} or later")
    return version


def _home(app: Application) -> str:
    home = app.settings.home
    if not home.is_dir():
        raise SetupError(f"there is no folder {home}; run `autocapture init`")
    if not os.access(home, os.W_OK | os.X_OK):
        raise SetupError(f"{home} cannot be written; change its owner or mode")
    return f"{home} can be written"


def _key_file(app: Application) -> str:
    app.vault.check()
    vault = app.settings.vault
    if vault.key.get_secret_value() or vault.kms:
        return f"the key comes from {'the environment' if not vault.kms else vault.kms}"
    return f"{app.settings.key_file} is readable by its owner alone"


def _private(app: Application) -> str:
    """Home and database hold what people wrote: for their owner alone. SQLite keeps changes in two files beside the database."""
    file = database_file(app.engine)
    beside = [] if file is None else [Path(f"{file}{suffix}") for suffix in ("", "-wal", "-shm")]
    for path in [app.settings.home, *beside]:
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            wanted = "700" if path.is_dir() else "600"
            raise SetupError(f"{path} is open to others (mode {mode:04o}); run `chmod {wanted} {path}`")
    return "home and database are readable by their owner alone"


def _database(app: Application) -> str:
    schema.require_head(app.engine)
    with writing(app.engine) as session:
        if app.engine.dialect.name == "sqlite":
            _check_pragmas(session)
        session.add(User(email="health check, rolled back", name=""))
        session.flush()
        session.rollback()
    return f"{app.engine.dialect.name} at revision {schema.newest()}, takes writes"


def _check_pragmas(session: Session) -> None:
    connection = session.connection()
    for pragma, wanted in _PRAGMAS.items():
        found = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()
        in_memory = pragma == "journal_mode" and found == "memory"
        if found != wanted and not in_memory:
            raise SetupError(
                f"SQLite has {pragma}={found} instead of {wanted}; keep the database on a local disk, not a network share"
            )


def _disk(app: Application) -> str:
    try:
        usage = shutil.disk_usage(app.settings.home)
    except OSError as problem:
        raise SetupError(f"the disk of {app.settings.home} cannot be read: {problem.strerror}") from problem
    share = usage.free / usage.total
    if share < FREE_SHARE:
        raise SetupError(f"only {share:.1%} of the disk of {app.settings.home} is free; make room")
    return f"{share:.0%} free"


def _clock(app: Application) -> str:
    now = app.clock.now()
    with reading(app.engine) as session:
        newest = session.exec(select(func.max(LedgerEntry.updated_at))).one_or_none()
    if newest is not None and newest > now + CLOCK_TOLERANCE:
        raise SetupError(f"the clock says {now:%Y-%m-%d %H:%M} UTC, before the last capture; set it right")
    return f"{now:%Y-%m-%d %H:%M:%S} UTC"


def _exclusions(app: Application) -> str:
    """Whether everything that is captured was judged by the never-log list as it is now."""
    path = app.settings.capture.exclusions_file
    load_exclusions(path)
    if path is None:
        raise TypeError("asked only where there is a list")
    changed_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    earlier = (
        select(func.count())
        .select_from(LedgerEntry)
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .join(Account, col(Account.id) == col(Channel.account_id))
        .where(
            col(LedgerEntry.updated_at) < changed_at,
            col(LedgerEntry.gone_at).is_(None),
            col(Channel.enabled),
            col(Account.state) == "active",
        )
    )
    with reading(app.engine) as session:
        count = session.exec(earlier).one()
    if count:
        raise SetupError(
            f"{path} was changed at {changed_at:%Y-%m-%d %H:%M} UTC, and {count} items were judged before; "
            "run `autocapture capture --resync`"
        )
    return f"{path} is what everything captured was judged by"


def _rules(app: Application) -> str:
    """Whether history is matched by the rules as their files are now."""
    if (why := waiting(app)) is not None:
        raise SetupError(why)
    return f"version {rules_of_files(app).matching.version} is what everything is matched by"


def _mail(app: Application) -> str:
    """Nothing is sent: a mail server cannot be asked whether it would take a mail."""
    server, web = mail_server(app), app.settings.web
    alone = "" if web.public_url else ", which opens on this machine alone; see web.public_url"
    return f"from {server.sender} through {server.host}; links lead to {web.address}{alone}"


def _client(app: Application, name: str) -> str:
    """Before anybody has gone through a consent that could not be taken."""
    app.clients.get(name).require_proof()
    return "our client's secret or certificate can be read"


def _connector(app: Application, name: str) -> str:
    return ", ".join(sorted(app.registry.get(name).kinds))


def _accounts(app: Application) -> Iterator[Check]:
    try:
        with reading(app.engine) as session:
            accounts = session.exec(
                select(Account, User).where(col(Account.user_id) == col(User.id)).order_by(col(Account.id))
            ).all()
    except AutocaptureError:
        return  # the database's own check has said so
    for account, user in accounts:
        yield _check(
            f"account {account.id} ({account.connector} of {user.email})",
            lambda account=account, user=user: _account(app, account, user),  # type: ignore[misc]
        )


def _proofs(app: Application) -> Iterator[Check]:
    """What is wrong with accounts although their captures end well."""
    try:
        with reading(app.engine) as session:
            ids = [found for found in session.exec(select(Account.id).order_by(col(Account.id))) if found]
            found = health_of(session, ids, app.clock.now())
    except AutocaptureError:
        return  # the database's own check has said so
    for account_id, health in found.items():
        if health.alerts:
            said = "; ".join(health.alerts)
            yield Check(f"account {account_id} fresh and whole", False, f"{said}; see docs/how-to/push.md")
        elif health.counted is not None:
            yield Check(
                f"account {account_id} fresh and whole",
                True,
                f"{health.counted.words} of what is at the source is here",
            )


def _account(app: Application, account: Account, owner: User) -> str:
    if not owner.active:
        return OWNER_DISABLED
    if account.state == "pending":
        return f"waits for its owner's choice, on its page or with `autocapture accounts scope {account.id}`"
    if account.state == "paused":
        return f"is paused; `autocapture accounts resume {account.id}` captures it again"
    if account.state == "disconnected":
        return f"is disconnected: {account.why or 'nothing of it is captured'}"
    if account.state != "active":
        how = f" with `autocapture connect {account.connector} --user {owner.email} --delegated`"
        raise SetupError(
            f"{account.state.replace('_', ' ')}: {account.why or 'no reason given'}; connect it again"
            f"{how if is_delegated(account) else ''}"
        )
    try:
        return _opened(app, account)
    except ReconnectNeeded as problem:
        raise as_whose_it_is(app, account, problem) from None


def _opened(app: Application, account: Account) -> str:
    with open_account(app, account) as connection:
        channels = connection.channels()
        for problem in (connection.unlisted() if isinstance(connection, ListsInPart) else {}).values():
            raise problem
        return f"opens, {len(channels)} channels"
