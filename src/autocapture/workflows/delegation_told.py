"""The mail to who runs the service when what an organisation granted lets accounts in no more: one for all that fail alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import structlog
from sqlalchemy import func, update
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.model.accounts import LONG_AGO, Account
from autocapture.model.connecting import ReconnectNotice
from autocapture.model.organization import User
from autocapture.report.render import shown
from autocapture.report.smtp import FAILED, SENT, Handover, MailServer, hand_over
from autocapture.store.engine import writing
from autocapture.workflows.delegation import DUE, LAST_GOOD, TOLD, label_of
from autocapture.workflows.summarize import mail_server

log = structlog.get_logger()

OPERATORS = ("ops", "admin")
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
MOST_NAMED = 20

Through = Callable[[MailServer, EmailMessage, str], Handover]

_SUBJECT = "autocapture is no longer let in at {label}"
_TEXT = """\
Hello {name},

what your organisation granted at {label} no longer lets autocapture in. Not captured are:

{accounts}

{reason}

They are tried again by themselves, at least once an hour, and go on where they were once it is mended; nothing is lost. Nobody
has to sign in, and their owners were not told. `autocapture doctor` says whether it is mended.

{address}

This mail comes once for all of them.
"""


@dataclass(frozen=True, slots=True)
class _Told:
    """Accounts that fail alike, and the notices that say so."""

    label: str
    reason: str
    accounts: tuple[str, ...]
    notices: tuple[int, ...]


def tell_operators(app: Application, *, through: Through = hand_over) -> int:
    """Mails who runs the service of accounts that the organisation's grant no longer opens; the number of mails that were handed
    over. Nothing where no mail server is set or nobody runs it: the pages and `doctor` tell it anyway. Raises SetupError for mail
    settings that cannot be used."""
    if not app.settings.smtp.host:
        return 0
    server = mail_server(app)
    with writing(app.engine) as session:
        people = session.exec(
            select(User).where(col(User.active), col(User.role).in_(OPERATORS)).order_by(col(User.id))
        ).all()
        groups = _claimed(app, session) if people else []
        session.flush()
        session.expunge_all()
    sent = 0
    for told in groups:
        outcomes = [through(server, _mail(app, told, one, server), one.email) for one in people]
        sent += sum(outcome.state == SENT for outcome in outcomes)
        if all(outcome.state == FAILED for outcome in outcomes):
            _put_off(app, told)
        log.info("refused_delegation_told", accounts=len(told.accounts), operators=len(people))
    return sent


def _claimed(app: Application, session: Session) -> list[_Told]:
    """What is to be told now, marked as told in this transaction. What fails as another account does that was told of, and still
    does, is told already."""
    now = app.clock.now()
    ongoing = session.exec(
        select(ReconnectNotice, Account)
        .join(Account, col(Account.id) == col(ReconnectNotice.account_id))
        .where(
            col(ReconnectNotice.state).in_((DUE, TOLD)),
            col(ReconnectNotice.connected_at) == func.coalesce(LAST_GOOD, LONG_AGO),
            Account.state == "active",
            Account.fails > 0,
        )
        .order_by(col(Account.id))
        .with_for_update(of=ReconnectNotice)
    ).all()
    alike: dict[tuple[str, str], list[tuple[ReconnectNotice, Account]]] = defaultdict(list)
    for notice, account in ongoing:
        alike[label_of(app, account), notice.error or ""].append((notice, account))
    found = []
    for (label, reason), group in alike.items():
        due = [notice for notice, _ in group if notice.state == DUE]
        if not due or not all(_is_time(notice, now) for notice in due):
            continue
        if len(due) == len(group):
            names = tuple(account.address or account.connector for _, account in group)
            found.append(_Told(label, reason, names, tuple(notice.id or 0 for notice in due)))
        for notice in due:
            notice.state = TOLD
            session.add(notice)
    return found


def _is_time(notice: ReconnectNotice, now: datetime) -> bool:
    """A mail that was refused is tried again, each time after as long as has gone by since the first time."""
    tried_for = notice.claimed_at - notice.first_tried_at
    return not tried_for or now >= notice.claimed_at + min(max(tried_for, FIRST_WAIT), LONGEST_WAIT)


def _put_off(app: Application, told: _Told) -> None:
    with writing(app.engine) as session:
        session.execute(
            update(ReconnectNotice)
            .where(col(ReconnectNotice.id).in_(told.notices), col(ReconnectNotice.state) == TOLD)
            .values(state=DUE, claimed_at=app.clock.now())
        )


def _mail(app: Application, told: _Told, to: User, server: MailServer) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = Address("autocapture", addr_spec=server.sender)
    mail["To"] = Address(shown(to.name), addr_spec=to.email)
    mail["Subject"] = _SUBJECT.format(label=told.label)
    mail["Date"] = format_datetime(app.clock.now())
    mail["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    text = _TEXT.format(
        name=shown(to.name),
        label=told.label,
        accounts="\n".join(_named(told.accounts)),
        reason=f"{shown(told.reason)}.",
        address=f"{app.settings.web.address}/accounts",
    )
    mail.set_content(text, cte="8bit")
    return mail


def _named(accounts: Sequence[str]) -> Iterable[str]:
    for account in accounts[:MOST_NAMED]:
        yield f"  {shown(account)}"
    if len(accounts) > MOST_NAMED:
        yield f"  and {len(accounts) - MOST_NAMED} more"
