"""Signing in with a password, and choosing one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.organization import User
from autocapture.model.sign_in import Password
from autocapture.store.engine import reading, writing
from autocapture.workflows.audit import LINK_USED, PASSWORD_SET, SIGN_IN_REFUSED, note, note_refused
from autocapture.workflows.passwords import agrees, is_outdated, make_hash, trouble
from autocapture.workflows.sign_in_links import owner_of, use_link
from autocapture.workflows.sign_in_sessions import end_sessions, fingerprint, open_session
from autocapture.workflows.sign_in_tries import give_back, password_buckets, remember, take

LINK_IS_OVER = "This link does not work any more. Ask for another."


@dataclass(frozen=True, slots=True)
class Refused:
    """Not signed in. `wait`: too many tries, and when the next one is looked at; None: address and password do not belong
    together, whichever of them is wrong."""

    wait: timedelta | None = None


def sign_in(app: Application, email: str, password: str, source: str) -> str | Refused:
    """The id of a new session for the browser at the address `source`, or why there is none."""
    user = _proven(app, email, password, source)
    if isinstance(user, Refused):
        return user
    with writing(app.engine) as session:
        return open_session(session, user, app.clock.now(), "password")


def choose_password(app: Application, token: str, password: str) -> str:
    """The owner of a link sets a password with it and is signed in: the id of the new session. All older ones end.

    Raises InputError where the link does not work, or for a password that is not good enough; then the link still works.
    """
    token_hash, now = fingerprint(token), app.clock.now()
    with reading(app.engine) as session:
        found = owner_of(session, token_hash, now)
    if found is None:
        raise InputError(LINK_IS_OVER)
    _require_good(found[1], password)
    hashed = make_hash(password)
    with writing(app.engine) as session:
        user = use_link(session, token_hash, now)
        if user is None:
            raise InputError(LINK_IS_OVER)
        note(session, now, LINK_USED, actor_id=user.id, user_id=user.id)
        _replace(session, user, hashed, now)
        return open_session(session, user, now, "link")


def change_password(app: Application, user: User, current: str, password: str, source: str) -> str | Refused:
    """As `sign_in`, after which the password is `password`. Raises InputError for one that is not good enough."""
    _require_good(user, password)
    proven = _proven(app, user.email, current, source)
    if isinstance(proven, Refused):
        return proven
    hashed, now = make_hash(password), app.clock.now()
    with writing(app.engine) as session:
        _replace(session, proven, hashed, now)
        return open_session(session, proven, now, "password")


def _proven(app: Application, email: str, password: str, source: str) -> User | Refused:
    """Whose password it is. What is asked of the database, and how long it takes, is the same for whoever is unknown."""
    email, now = typed_address(email), app.clock.now()
    with writing(app.engine) as session:
        buckets = password_buckets(session, email, source, now)
        wait = take(session, buckets, now)
    if wait is not None:
        return Refused(wait)
    user, kept = _kept(app, email)
    agreed = agrees(kept, password)
    if user is None or not agreed or not user.active:
        with writing(app.engine) as session:
            note_refused(session, now, SIGN_IN_REFUSED, user_id=user.id if user else None)
        return Refused()
    newer = make_hash(password) if kept is not None and is_outdated(kept) else None
    with writing(app.engine) as session:
        give_back(session, buckets, now)
        remember(session, email, source, now)
        if newer is not None:
            session.merge(Password(user_id=user.id or 0, hash=newer, changed_at=now))
    return user


def typed_address(text: str) -> str:
    """An address as it is stored; empty for what no address is, and no database should be asked for."""
    text = text.strip().lower()
    return text if text.isprintable() else ""


def _kept(app: Application, email: str) -> tuple[User | None, str | None]:
    with reading(app.engine) as session:
        found = session.exec(
            select(User, Password.hash)
            .outerjoin(Password, col(Password.user_id) == col(User.id))
            .where(User.email == email)
        ).first()
        session.expunge_all()
    return found or (None, None)


def _require_good(user: User, password: str) -> None:
    why = trouble(password, (user.email, user.name))
    if why is not None:
        raise InputError(f"The password {why}.")


def _replace(session: Session, user: User, hashed: str, now: datetime) -> None:
    end_sessions(session, user.id)
    session.merge(Password(user_id=user.id or 0, hash=hashed, changed_at=now))
    note(session, now, PASSWORD_SET, actor_id=user.id, user_id=user.id)
