"""One-time links: whoever follows one may choose how that person signs in. Only its hash is stored, and it works once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import update
from sqlmodel import Session, col, delete, select

from autocapture.model.organization import User
from autocapture.model.sign_in import SignInLink
from autocapture.workflows.sign_in_sessions import fingerprint, new_id

Purpose = Literal["invitation", "reset"]
HOLDS: dict[Purpose, timedelta] = {"invitation": timedelta(days=7), "reset": timedelta(hours=1)}
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Link:
    """A link just made: `token` is in its address and nowhere else."""

    token: str
    expires_at: datetime

    def address(self, base: str) -> str:
        """`base` is where the pages are, without a slash at its end."""
        return f"{base}/link/{self.token}"


def make_link(session: Session, user_id: int, purpose: Purpose, now: datetime) -> Link:
    """A new link for a user. The ones made before it for the same purpose no longer work; an invitation stays, since anybody
    can ask for a new password for somebody."""
    session.exec(delete(SignInLink).where(col(SignInLink.expires_at) < now - _KEPT))
    end_links(session, user_id, now, purpose)
    link = Link(new_id(), now + HOLDS[purpose])
    session.add(
        SignInLink(
            token_hash=fingerprint(link.token),
            user_id=user_id,
            purpose=purpose,
            made_at=now,
            expires_at=link.expires_at,
        )
    )
    return link


def owner_of(session: Session, token_hash: str, now: datetime) -> tuple[SignInLink, User] | None:
    """Whom the link with the `fingerprint` of its token is for, while it works: not used, not over, its owner active."""
    return session.exec(
        select(SignInLink, User)
        .join(User, col(User.id) == col(SignInLink.user_id))
        .where(
            SignInLink.token_hash == token_hash,
            col(SignInLink.used_at).is_(None),
            SignInLink.expires_at > now,
            col(User.active),
        )
    ).first()


def use_link(session: Session, token_hash: str, now: datetime) -> User | None:
    """Whom a link is for, and from now on it is used, and their others are over; None where it does not work. Of two at once,
    one gets it."""
    found = owner_of(session, token_hash, now)
    if found is None:
        return None
    link, user = found
    once = (
        update(SignInLink)
        .where(col(SignInLink.token_hash) == link.token_hash, col(SignInLink.used_at).is_(None))
        .values(used_at=now)
    )
    if session.execute(once).rowcount != 1:  # type: ignore[attr-defined]
        return None
    end_links(session, link.user_id, now)
    return user


def end_links(session: Session, user_id: int, now: datetime, purpose: Purpose | None = None) -> None:
    """Ends the links of a user that were not used: those of one purpose, or all."""
    unused = update(SignInLink).where(
        col(SignInLink.user_id) == user_id,
        col(SignInLink.used_at).is_(None),
        col(SignInLink.expires_at) > now,
    )
    if purpose is not None:
        unused = unused.where(col(SignInLink.purpose) == purpose)
    session.execute(unused.values(expires_at=now))
