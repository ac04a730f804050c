"""Setting up: home, key file and database, readable by their owner alone."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, case, delete, inspect, literal, update
from sqlmodel import col, select

from autocapture.application import Application
from autocapture.connect.vault import create_key
from autocapture.errors import SetupError
from autocapture.model.accounts import Account, Credential
from autocapture.model.kept_keys import KeptKey
from autocapture.model.ledger import LedgerEntry
from autocapture.store import schema
from autocapture.store.engine import make_database_folder, reading, writing

KEY_REPLACED = "the key under which its sign-in was kept here was replaced; sign in again"
REPLACED_BEFORE_CHOICE = f"{KEY_REPLACED}, and choose then what is captured"
"""Of an account that was pending: it is pending again once its owner has signed in."""


def set_up(app: Application, *, new_key: bool = False) -> None:
    """Makes what is missing of home, key file and database, and brings the database to the newest revision.

    A missing key is made only for a database in which nothing depends on the old one. `new_key` makes one all the same:
    accounts with a stored sign-in, begun or not, then need to be connected again. Raises SetupError, also where a key is there
    already.
    """
    _make_home(app.settings.home)
    make_database_folder(app.engine)
    key_file = app.settings.key_file
    elsewhere = app.settings.vault.key.get_secret_value() or app.settings.vault.kms
    if elsewhere and new_key:
        raise SetupError("the key comes from elsewhere (see [vault]): make another there")
    if elsewhere or (key_file.exists() and not new_key):
        app.vault.check()
    else:
        lost = not key_file.exists() and _depends_on_a_key(app.engine)
        if lost and not new_key:
            raise SetupError(
                f"the key of this database is missing; put {key_file} back, or, where it is lost for good, run "
                "`autocapture init --new-key` (accounts must then be connected again)"
            )
        create_key(key_file)
    schema.upgrade(app.engine)
    if new_key:
        _ask_for_passwords(app.engine)


def has_accounts(app: Application) -> bool:
    with reading(app.engine) as session:
        return session.exec(select(Account.id).limit(1)).first() is not None


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise SetupError(f"the folder {home} cannot be made: {problem.strerror}") from problem


def _depends_on_a_key(engine: Engine) -> bool:
    """Whether passwords are sealed, or skipped items hashed, with a key. Knows databases of any revision."""
    with reading(engine) as session:
        there = set(inspect(session.connection()).get_table_names())
        return any(
            session.exec(select(literal(1)).select_from(table).limit(1)).first() is not None
            for table in (Credential, LedgerEntry)
            if table.__tablename__ in there
        )


def _ask_for_passwords(engine: Engine) -> None:
    """Keys kept under the lost one are lost with it; new ones are made when needed. A paused account stays paused, without a
    sign-in: whoever resumes it is asked for one."""
    with writing(engine) as session:
        session.execute(delete(KeptKey))
        paused = select(Account.id).where(col(Account.state) == "paused")
        session.execute(delete(Credential).where(col(Credential.account_id).in_(paused)))
        sealed = select(Credential.account_id)
        session.execute(
            update(Account)
            .where(col(Account.id).in_(sealed))
            .values(
                state="needs_reconnect",
                why=case((col(Account.state) == "pending", REPLACED_BEFORE_CHOICE), else_=KEY_REPLACED),
            )
        )
