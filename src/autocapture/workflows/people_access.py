"""Our people as those who let them in see them: who can sign in and how, who is signed in, who is invited."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, delete, func, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.accounts import Account
from autocapture.model.organization import User
from autocapture.model.sign_in import AuditEntry, Identity, InvitationMail, Password, SignInLink, WebSession
from autocapture.store import leases
from autocapture.store.engine import reading, writing
from autocapture.workflows.audit import DISABLED, ENABLED, SESSIONS_ENDED, SIGNED_IN, note
from autocapture.workflows.invitation_mails import SENDING, WAITING
from autocapture.workflows.sign_in_links import end_links
from autocapture.workflows.sign_in_providers import label_of_issuer
from autocapture.workflows.sign_in_sessions import end_sessions


@dataclass(frozen=True, slots=True)
class Access:
    """One person. `ways`: password, or the issuers bound; `invited_until`: how long a link works that was not used yet;
    `mail`: the invitation that is to be mailed to them, or was last."""

    user_id: int
    email: str
    name: str
    role: str
    active: bool
    ways: tuple[str, ...]
    invited_until: datetime | None
    last_sign_in: datetime | None
    sessions: int
    mail: InvitationMail | None

    @property
    def is_mailed(self) -> bool:
        """Whether an invitation is on its way to the mail server."""
        return self.mail is not None and self.mail.state in (WAITING, SENDING)

    @property
    def lacks_invitation(self) -> bool:
        """Whether they can neither sign in nor are about to be able to."""
        return self.active and not self.ways and self.invited_until is None and not self.is_mailed


def list_access(app: Application) -> list[Access]:
    """Everybody, by name."""
    now = app.clock.now()
    with reading(app.engine) as session:
        ways = _ways(app, session)
        invited, last, sessions = _invited(session, now), _last_sign_ins(session), _sessions(session)
        mails = {mail.user_id: mail for mail in session.exec(select(InvitationMail))}
        session.expunge_all()
        users = session.exec(select(User).order_by(func.lower(User.name), col(User.id))).all()
        return [
            Access(
                user_id=user.id or 0,
                email=user.email,
                name=user.name,
                role=user.role,
                active=user.active,
                ways=tuple(ways[user.id or 0]),
                invited_until=invited.get(user.id or 0),
                last_sign_in=last.get(user.id),
                sessions=sessions.get(user.id or 0, 0),
                mail=mails.get(user.id or 0),
            )
            for user in users
        ]


def access_of(app: Application, user_id: int) -> Access:
    """One person. Raises InputError for nobody."""
    for one in list_access(app):
        if one.user_id == user_id:
            return one
    raise InputError("there is no such user")


def set_active(app: Application, user_id: int, active: bool, *, actor_id: int | None = None) -> None:
    """Disables somebody, who is signed out everywhere at once and whose links are over
    and whose accounts are captured no more, or enables them again. Raises InputError
    for nobody, and for who would disable themselves."""
    if user_id == actor_id and not active:
        raise InputError("Nobody can disable themselves.")
    with writing(app.engine) as session:
        user, now = _existing(session, user_id), app.clock.now()
        if user.active != active:
            end_links(session, user_id, now)
            waiting = delete(InvitationMail).where(col(InvitationMail.state) == WAITING)
            session.exec(waiting.where(col(InvitationMail.user_id) == user_id))
        user.active = active
        session.add(user)
        if not active:
            end_sessions(session, user_id)
            for account_id in session.exec(select(Account.id).where(Account.user_id == user_id)).all():
                leases.revoke(session, account_id or 0)  # what is being read is not stored any more
        note(session, now, ENABLED if active else DISABLED, actor_id=actor_id, user_id=user_id)


def sign_out_everywhere(app: Application, user_id: int | None, *, actor_id: int | None = None) -> int:
    """Ends the sessions of one person, of everybody where None is given; how many there were. Raises InputError for nobody."""
    with writing(app.engine) as session:
        if user_id is not None:
            _existing(session, user_id)
        ended = end_sessions(session, user_id)
        detail = "of everybody" if user_id is None else ""
        note(session, app.clock.now(), SESSIONS_ENDED, actor_id=actor_id, user_id=user_id, detail=detail)
        return ended


def user_id_of(app: Application, email: str) -> int:
    """Raises InputError where nobody is known by that address."""
    with reading(app.engine) as session:
        found = session.exec(select(User.id).where(User.email == email.strip().lower())).first()
    if found is None:
        raise InputError(f"there is no user {email}; `autocapture users list` lists them")
    return found


def _existing(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise InputError("there is no such user")
    return user


def _ways(app: Application, session: Session) -> defaultdict[int, list[str]]:
    ways: defaultdict[int, list[str]] = defaultdict(list)
    for user_id in session.exec(select(Password.user_id)):
        ways[user_id].append("password")
    for user_id, issuer in session.exec(
        select(Identity.user_id, Identity.issuer).order_by(col(Identity.issuer))
    ):
        ways[user_id].append(label_of_issuer(app, issuer))
    return ways


def _invited(session: Session, now: datetime) -> dict[int, datetime]:
    working = select(SignInLink.user_id, func.max(SignInLink.expires_at)).where(
        col(SignInLink.used_at).is_(None), SignInLink.expires_at > now, SignInLink.purpose == "invitation"
    )
    return dict(session.exec(working.group_by(col(SignInLink.user_id))).all())


def _last_sign_ins(session: Session) -> dict[int | None, datetime]:
    newest = select(AuditEntry.user_id, func.max(AuditEntry.at)).where(AuditEntry.action == SIGNED_IN)
    return dict(session.exec(newest.group_by(col(AuditEntry.user_id))).all())


def _sessions(session: Session) -> dict[int, int]:
    counted = select(WebSession.user_id, func.count()).group_by(col(WebSession.user_id))
    return dict(session.exec(counted).all())
