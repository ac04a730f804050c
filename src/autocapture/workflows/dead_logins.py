"""Logins that died: the owner of each is mailed once, with a link to the page where it is connected again.

A login dies when its provider no longer takes it: a grant that was withdrawn, a password that was changed. The engine stops the
account at once and asks no more (`workflows.outcome`). Which mail is due follows from the rows alone: an account that must be
connected again, and no notice about its last connecting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import structlog
from sqlalchemy import func, update
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import without_codes
from autocapture.model.accounts import Account, Channel, Credential
from autocapture.model.connecting import ReconnectNotice
from autocapture.model.organization import User
from autocapture.report.reader import Reader
from autocapture.report.render import shown
from autocapture.report.smtp import FAILED, SENT, UNKNOWN, Handover, MailServer, hand_over
from autocapture.store.engine import insert_for, reading, writing
from autocapture.workflows.delegation import is_delegated
from autocapture.workflows.summarize import mail_server

log = structlog.get_logger()

SENDING = "sending"
GIVEN_UP_AFTER = timedelta(minutes=10)
"""A process that has been sending for so long died; whether its mail arrived, nobody knows."""

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
Through = Callable[[MailServer, EmailMessage, str], Handover]

_LAST = (
    select(func.max(Channel.last_ok_at)).where(col(Channel.account_id) == col(Account.id)).scalar_subquery()
)
_SUBJECT = "autocapture can no longer read your {what}"
_TEXT = """\
Hello {name},

autocapture is no longer let in to {what}: {why}.
{last} Connect it again, and what has come in since is read too:

{address}

This mail comes once.
"""
_TEXT_OF_ORGANISATION = """\
Hello {name},

autocapture is no longer let in to {what}: {why}.
{last} Your organisation granted this mailbox, so there is nothing to sign in to: whoever runs autocapture can connect it
again, and what has come in since is read too. It stands here:

{address}

This mail comes once.
"""


@dataclass(frozen=True, slots=True)
class Dead:
    """An account that its owner must connect again. `connected_at`: when somebody last did; `last`: when it was
    last captured. `why` is in words for its owner, who can sign in again but where it is `delegated` by the organisation."""

    account_id: int
    user_id: int
    connected_at: datetime
    email: str
    name: str
    reader: Reader
    what: str
    why: str
    last: datetime | None
    delegated: bool = False


def tell_of_dead_logins(app: Application, *, through: Through = hand_over) -> int:
    """Mails the owners who were not told yet; the number of mails that were handed over. Nothing where no mail server is set:
    the pages and `autocapture accounts` tell it anyway. Raises SetupError for mail settings that cannot be used."""
    dead = dead_logins(app)
    if not dead or not app.settings.smtp.host:
        return 0
    server, sent = mail_server(app), 0
    for each in dead:
        notice_id = _claim(app, each)
        if notice_id is None:
            continue
        outcome = through(server, _mail(app, each, server), each.email)
        _mark(app, notice_id, outcome)
        log.info("dead_login_told", account_id=each.account_id, state=outcome.state)
        sent += outcome.state == SENT
    return sent


def dead_logins(app: Application) -> list[Dead]:
    """The accounts whose owners are to connect them again, but for those of disabled people."""
    with reading(app.engine) as session:
        rows = session.exec(
            select(Account, User, Credential.updated_at, _LAST)
            .join(User, col(User.id) == col(Account.user_id))
            .join(Credential, col(Credential.account_id) == col(Account.id))
            .where(Account.state == "needs_reconnect", col(User.active))
            .order_by(col(Account.id))
        ).all()
        return [
            Dead(
                account.id or 0,
                account.user_id,
                when,
                user.email,
                user.name,
                Reader(user.locale, user.time_zone),
                account.address or account.connector,
                without_codes(account.why or "the sign-in is no longer accepted"),
                last,
                is_delegated(account),
            )
            for account, user, when, last in rows
        ]


def _claim(app: Application, dead: Dead) -> int | None:
    """The notice to be sent now, claimed and committed; None where it was sent, is being sent, or may have been."""
    now = app.clock.now()
    row = {
        "account_id": dead.account_id,
        "connected_at": dead.connected_at,
        "state": SENDING,
        "first_tried_at": now,
        "claimed_at": now,
    }
    with writing(app.engine) as session:
        insert = insert_for(session)(ReconnectNotice).values(row).on_conflict_do_nothing()
        new: int | None = session.execute(insert.returning(col(ReconnectNotice.id))).scalar_one_or_none()
        return new if new is not None else _claim_again(session, dead, now)


def _claim_again(session: Session, dead: Dead, now: datetime) -> int | None:
    """A mail that was refused is tried again, each time after as long as has gone by since the first time."""
    notice = session.exec(
        select(ReconnectNotice)
        .where(
            ReconnectNotice.account_id == dead.account_id, ReconnectNotice.connected_at == dead.connected_at
        )
        .with_for_update()
    ).one()
    if notice.state == SENDING and now - notice.claimed_at > GIVEN_UP_AFTER:
        notice.state, notice.error = (
            UNKNOWN,
            "the process ended while the mail was being sent; it is not sent again",
        )
        session.add(notice)
    wait = min(max(notice.claimed_at - notice.first_tried_at, FIRST_WAIT), LONGEST_WAIT)
    if notice.state != FAILED or now < notice.claimed_at + wait:
        return None
    notice.state, notice.claimed_at = SENDING, now
    session.add(notice)
    return notice.id


def _mark(app: Application, notice_id: int, outcome: Handover) -> None:
    with writing(app.engine) as session:
        session.execute(
            update(ReconnectNotice)
            .where(col(ReconnectNotice.id) == notice_id, col(ReconnectNotice.state) == SENDING)
            .values(state=outcome.state, error=outcome.error)
        )


def _mail(app: Application, dead: Dead, server: MailServer) -> EmailMessage:
    now = app.clock.now()
    mail = EmailMessage()
    mail["From"] = Address("autocapture", addr_spec=server.sender)
    mail["To"] = Address(shown(dead.name), addr_spec=dead.email)
    mail["Subject"] = _SUBJECT.format(what=shown(dead.what))
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    text = (_TEXT_OF_ORGANISATION if dead.delegated else _TEXT).format(
        name=shown(dead.name),
        what=shown(dead.what),
        why=shown(dead.why).rstrip("."),
        last=f"It was last captured on {dead.reader.moment(dead.last)}."
        if dead.last
        else "It was never captured.",
        address=f"{app.settings.web.address}/accounts/{dead.account_id}",
    )
    mail.set_content(text, cte="8bit")
    return mail
