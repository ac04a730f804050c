"""Who is signed in: sessions kept here, of which a browser holds nothing but a random id."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, or_, select

from autocapture.application import Application
from autocapture.errors import StoreBusy
from autocapture.model.organization import User
from autocapture.model.sign_in import Identity, Password, WebSession
from autocapture.store.engine import reading, writing
from autocapture.workflows.audit import SIGNED_IN, SIGNED_OUT, note

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
_TOLD_EVERY = timedelta(minutes=5)  # so that reading pages writes next to nothing


def new_id() -> str:
    """A random id of 256 bits, for a browser to keep."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """What is kept of an id or a link: whoever reads the database cannot use it."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def open_session(session: Session, user: User, now: datetime, how: str) -> str:
    """Signs `user` in, in the transaction of `session`, and gives the id for the browser. What has ended is swept away.

    `how` is told in the audit: by password, by a link, or by the name of a provider.
    """
    if user.id is None:
        raise TypeError("a stored user has its id")
    session.exec(delete(WebSession).where(_over(now)))
    fresh = new_id()
    session.add(
        WebSession(id_hash=fingerprint(fresh), user_id=user.id, role=user.role, opened_at=now, seen_at=now)
    )
    note(session, now, SIGNED_IN, actor_id=user.id, user_id=user.id, detail=how)
    return fresh


def signed_in(app: Application, session_id: str) -> User | None:
    """Whose session it is, as long as it holds: not idle for too long, not too old, its owner active and in the same role."""
    now = app.clock.now()
    with reading(app.engine) as session:
        found = session.exec(
            select(WebSession, User)
            .join(User, col(User.id) == col(WebSession.user_id))
            .where(
                WebSession.id_hash == fingerprint(session_id), col(User.active), WebSession.role == User.role
            )
        ).first()
        if found is None:
            return None
        held, user = found
        if held.seen_at <= now - IDLE or held.opened_at <= now - LONGEST:
            return None
        session.expunge(user)
    if held.seen_at <= now - _TOLD_EVERY:
        _seen(app, session_id, now)
    return user


def end_session(app: Application, session_id: str) -> None:
    """Signs out. Harmless where nobody is signed in."""
    with writing(app.engine) as session:
        held = session.get(WebSession, fingerprint(session_id))
        if held is not None:
            note(session, app.clock.now(), SIGNED_OUT, actor_id=held.user_id, user_id=held.user_id)
            session.delete(held)


def end_sessions(session: Session, user_id: int | None = None) -> int:
    """Ends every session of a user, of everybody where None is given; how many there were."""
    ended = delete(WebSession)
    if user_id is not None:
        ended = ended.where(col(WebSession.user_id) == user_id)
    return session.exec(ended).rowcount


def is_closed(app: Application) -> bool:
    """Whether pages need sign-in: from when on anybody can sign in. It never turns back, whoever is disabled later."""
    with reading(app.engine) as session:
        return any(
            session.exec(select(table.user_id).limit(1)).first() is not None for table in (Password, Identity)
        )


def an_admin_can_sign_in(app: Application) -> bool:
    with reading(app.engine) as session:
        ways = [select(table.user_id) for table in (Password, Identity)]
        found = select(User.id).where(
            User.role == "admin", col(User.active), or_(*(col(User.id).in_(way) for way in ways))
        )
        return session.exec(found.limit(1)).first() is not None


def _seen(app: Application, session_id: str, now: datetime) -> None:
    try:
        with writing(app.engine) as session:
            held = session.get(WebSession, fingerprint(session_id))
            if held is not None:
                held.seen_at = now
                session.add(held)
    except StoreBusy:
        return  # the page can be read all the same; the next one tells it


def _over(now: datetime) -> ColumnElement[bool]:
    return or_(col(WebSession.seen_at) <= now - IDLE, col(WebSession.opened_at) <= now - LONGEST)
