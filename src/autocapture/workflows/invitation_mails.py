"""Invitations that are mailed once whoever asked for them has their page: what is waiting is in the rows, one for each person.

A mail is claimed before it is handed over and marked after, so it is sent at most once; of one whose process died nobody knows
whether it arrived. One that was refused is tried again with a new link, for as long as an invitation would hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from sqlmodel import col, select

from autocapture.application import Application
from autocapture.model.organization import User
from autocapture.model.sign_in import InvitationMail
from autocapture.report.smtp import FAILED, SENT, UNKNOWN, Handover
from autocapture.store.due import has_come
from autocapture.store.engine import reading, writing
from autocapture.workflows.dead_logins import FIRST_WAIT, GIVEN_UP_AFTER, LONGEST_WAIT
from autocapture.workflows.invitations import can_mail, link_for, mail_link, require_invitable
from autocapture.workflows.sign_in_links import HOLDS, Link, end_links
from autocapture.workflows.summarize import mail_server

WAITING, SENDING = "waiting", "sending"
_NOBODY_KNOWS = "the process ended while the mail was being sent; it is not sent again"

log = structlog.get_logger()


def ask_for_invitations(app: Application, users: Sequence[User], *, actor_id: int | None = None) -> None:
    """Has these people mailed a link each, soon; who waits for one already is mailed one. Raises InputError where one of them may
    not be invited: then nobody is."""
    for user in users:
        require_invitable(app, user)
    now = app.clock.now()
    with writing(app.engine) as session:
        for user in users:
            asked = InvitationMail(
                user_id=user.id or 0, asked_at=now, asked_by=actor_id, state=WAITING, due_at=now
            )
            session.merge(asked)


def invitations_wait(app: Application) -> bool:
    """Whether a mail is to be sent now."""
    return can_mail(app) and bool(_due(app))


def send_invitations(app: Application, *, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Mails what waits; the number of mails that were handed over. After a refusal the others wait for the next call: where the
    server is away, each would take a minute. Raises SetupError for mail settings that cannot be used."""
    if not can_mail(app):
        return 0
    server, sent = mail_server(app), 0
    for user_id in _due(app):
        claimed = None if should_stop() else _claim(app, user_id)
        if claimed is None:
            continue
        outcome = mail_link(app, server, *claimed, "invitation")
        _mark(app, user_id, outcome)
        log.info("invitation_mailed", state=outcome.state)
        sent += outcome.state == SENT
        if outcome.state == FAILED:
            break
    return sent


def _due(app: Application) -> list[int]:
    """Whose mail waits and may be sent now, and whose was being sent by a process that died."""
    open_still = col(InvitationMail.state).in_((WAITING, SENDING))
    come = has_come(col(InvitationMail.due_at), app.clock.now(), LONGEST_WAIT)
    with reading(app.engine) as session:
        found = select(InvitationMail.user_id).where(open_still, come).order_by(col(InvitationMail.asked_at))
        return list(session.exec(found))


def _claim(app: Application, user_id: int) -> tuple[User, Link] | None:
    """Whom to mail which link, claimed and committed; None where there is nothing to send any more."""
    now = app.clock.now()
    come = has_come(col(InvitationMail.due_at), now, LONGEST_WAIT)
    with writing(app.engine) as session:
        mine = select(InvitationMail).where(InvitationMail.user_id == user_id, come).with_for_update()
        mail, user = session.exec(mine).first(), session.get_one(User, user_id)
        if mail is None or mail.state not in (WAITING, SENDING):
            return None
        if not user.active:
            session.delete(mail)
            return None
        if mail.state == SENDING:
            mail.state, mail.error = UNKNOWN, _NOBODY_KNOWS
            return None
        mail.state, mail.due_at = SENDING, now + GIVEN_UP_AFTER
        link = link_for(session, user, now, actor_id=mail.asked_by)
        session.flush()
        session.expunge(user)
        return user, link


def _mark(app: Application, user_id: int, outcome: Handover) -> None:
    """A link whose mail was refused reached nobody, and ends."""
    now = app.clock.now()
    with writing(app.engine) as session:
        mail = session.get_one(InvitationMail, user_id, with_for_update=True)
        if mail.state != SENDING:
            return
        mail.state, mail.error = outcome.state, outcome.error
        if outcome.state == FAILED:
            end_links(session, user_id, now, "invitation")
            if now - mail.asked_at < HOLDS["invitation"]:
                mail.state, mail.due_at = (
                    WAITING,
                    now + min(max(now - mail.asked_at, FIRST_WAIT), LONGEST_WAIT),
                )
