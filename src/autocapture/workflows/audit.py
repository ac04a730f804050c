"""What was done about access, written down in the transaction that did it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, select

from autocapture.application import Application
from autocapture.model.organization import User
from autocapture.model.sign_in import AuditEntry
from autocapture.store.engine import reading
from autocapture.workflows.sign_in_tries import refusal_buckets, take

SIGNED_IN, SIGN_IN_REFUSED, SIGNED_OUT = "signed in", "sign-in refused", "signed out"
INVITED, RESET_ASKED, LINK_USED = "invited", "new password asked for", "link used"
PASSWORD_SET, IDENTITY_BOUND = "password set", "identity bound"
ROLE_CHANGED, DISABLED, ENABLED, SESSIONS_ENDED = "role changed", "disabled", "enabled", "sessions ended"
PAUSED, RESUMED = "account paused", "account resumed"
CONNECTED, CONNECTION_REFUSED, DISCONNECTED = (
    "account connected",
    "connecting refused",
    "account disconnected",
)
SCOPE_CHANGED, CONSENT_ANSWERED = "what is captured changed", "consent of the organisation answered"

REFUSALS_KEPT = timedelta(days=90)


def note(
    session: Session,
    at: datetime,
    action: str,
    *,
    actor_id: int | None = None,
    user_id: int | None = None,
    detail: str = "",
) -> None:
    """Adds an entry to the transaction of `session`. `detail` holds words of our own, never an address or a content."""
    session.add(AuditEntry(at=at, action=action, actor_id=actor_id, user_id=user_id, detail=detail))


def note_refused(
    session: Session,
    at: datetime,
    action: str,
    *,
    actor_id: int | None = None,
    user_id: int | None = None,
    detail: str = "",
) -> None:
    """Notes a refusal, which anybody may bring about as often as they like: of each person, and of all strangers together, so
    many an hour are noted and no more, and each is kept for `REFUSALS_KEPT`."""
    if take(session, refusal_buckets(user_id), at) is not None:
        return
    refusals = col(AuditEntry.action).in_((SIGN_IN_REFUSED, CONNECTION_REFUSED))
    session.exec(delete(AuditEntry).where(col(AuditEntry.at) < at - REFUSALS_KEPT, refusals))
    note(session, at, action, actor_id=actor_id, user_id=user_id, detail=detail)


@dataclass(frozen=True, slots=True)
class Event:
    """What was done, by whom (None: at the command line, or nobody known) and to whom, in names."""

    at: datetime
    action: str
    actor: str | None
    user: str | None
    detail: str


def recent(app: Application, most: int) -> list[Event]:
    """The newest entries, newest first."""
    actor, user = aliased(User), aliased(User)
    wanted = (
        select(AuditEntry, actor.name, user.name)
        .outerjoin(actor, col(AuditEntry.actor_id) == actor.id)
        .outerjoin(user, col(AuditEntry.user_id) == user.id)
        .order_by(col(AuditEntry.id).desc())
        .limit(most)
    )
    with reading(app.engine) as session:
        return [
            Event(entry.at, entry.action, by, whom, entry.detail) for entry, by, whom in session.exec(wanted)
        ]
