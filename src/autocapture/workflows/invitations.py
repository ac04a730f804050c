"""Links that let our people in: made for one person, mailed to the address by which they are known, or told to whoever asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from sqlmodel import Session, select

from autocapture.application import Application
from autocapture.crm.cells import Unreadable, parse_mailbox
from autocapture.errors import InputError
from autocapture.model.organization import User
from autocapture.report.reader import Reader
from autocapture.report.render import shown
from autocapture.report.smtp import Handover, MailServer, hand_over
from autocapture.store.engine import reading, writing
from autocapture.workflows.audit import INVITED, RESET_ASKED, ROLE_CHANGED, note
from autocapture.workflows.sign_in import typed_address
from autocapture.workflows.sign_in_links import Link, Purpose, make_link
from autocapture.workflows.sign_in_sessions import an_admin_can_sign_in, is_closed
from autocapture.workflows.sign_in_tries import link_buckets, take
from autocapture.workflows.summarize import mail_server

_TEXT = {
    "invitation": """\
Hello {name},

{organization} uses autocapture: your mail, meetings and calls count without being logged by hand. With this link you choose
how you sign in. It works once, until {until}:

{address}

Your sign-in name is {email}. If you did not expect this, leave it: without the link nobody can sign in as you.
""",
    "reset": """\
Hello {name},

somebody, presumably you, asked for a new password for autocapture. With this link you choose one. It works once, until
{until}:

{address}

If it was not you, leave it: your password stays as it is.
""",
}
_SUBJECT = {"invitation": "Your sign-in for autocapture", "reset": "A new password for autocapture"}


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link made for `email`. `handover` is what became of its mail, None where none was sent: then `address` must be told."""

    email: str
    address: str
    expires_at: datetime
    handover: Handover | None = None


def users_to_invite(app: Application, email: str | None) -> list[User]:
    """The user of that address; or where None is given, everybody active who cannot sign in yet, holds no working link and is not
    about to be mailed one.

    Raises InputError for an address that is nobody's, or of somebody who was disabled.
    """
    from autocapture.workflows.people_access import list_access

    with reading(app.engine) as session:
        if email is None:
            waiting = [one.user_id for one in list_access(app) if one.lacks_invitation]
            found = [session.get_one(User, user_id) for user_id in waiting]
        else:
            found = [_user(session, email)]
        session.expunge_all()
        return found


def make_admin(app: Application, email: str) -> None:
    """Gives the user of that address the role admin, and makes the user where there is none. For the command line, whose user
    can read the database anyway. Raises InputError for what is no address."""
    try:
        email = parse_mailbox(email)
    except Unreadable:
        raise InputError(f"{email!r} is not an e-mail address") from None
    name = email.partition("@")[0]
    with writing(app.engine) as session:
        user = session.exec(select(User).where(User.email == email)).first() or User(email=email, name=name)
        before, user.role = user.role, "admin"
        is_new = user.id is None
        session.add(user)
        session.flush()
        if is_new or before != "admin":
            detail = "new admin" if is_new else f"{before} to admin"
            note(session, app.clock.now(), ROLE_CHANGED, user_id=user.id, detail=detail)


def invite(app: Application, user: User, *, actor_id: int | None = None, by_mail: bool = True) -> Invitation:
    """Makes a link for `user` and mails it, where a mail server is set and `by_mail` asks for it.

    Before an admin can sign in, only admins are invited: as soon as anybody can sign in, the pages need it. Raises InputError.
    """
    require_invitable(app, user)
    with writing(app.engine) as session:
        link = link_for(session, user, app.clock.now(), actor_id=actor_id)
    made = Invitation(user.email, link.address(_reached_at(app)), link.expires_at)
    if not by_mail or not can_mail(app):
        return made
    return replace(made, handover=mail_link(app, mail_server(app), user, link, "invitation"))


def require_invitable(app: Application, user: User) -> None:
    """Raises InputError where this person may not be invited now."""
    if user.role != "admin" and not an_admin_can_sign_in(app):
        raise InputError(
            "nobody is an admin yet who can sign in: invite one first, `autocapture users invite EMAIL --admin`"
        )
    if not user.active:
        raise InputError(f"{user.email} is disabled")


def link_for(session: Session, user: User, now: datetime, *, actor_id: int | None) -> Link:
    """An invitation's link, in the transaction of `session`, and the note of who invited."""
    note(session, now, INVITED, actor_id=actor_id, user_id=user.id)
    return make_link(session, user.id or 0, "invitation", now)


def ask_for_reset(app: Application, email: str, source: str) -> tuple[User, Link] | None:
    """The link for a forgotten password, to be given to `send_reset` once the browser has its answer; None where nobody is
    known by that address, where it was asked for too often, or where no mail can be sent. The browser is told the same always.
    """
    email, now = typed_address(email), app.clock.now()
    with writing(app.engine) as session:
        allowed = take(session, link_buckets(email, source), now) is None
        user = session.exec(select(User).where(User.email == email, User.active == True)).first()  # noqa: E712  SQL
        if user is None or user.id is None or not allowed or not can_mail(app):
            return None
        link = make_link(session, user.id, "reset", now)
        note(session, now, RESET_ASKED, user_id=user.id)
    return user, link


def send_reset(app: Application, user: User, link: Link) -> Handover:
    return mail_link(app, mail_server(app), user, link, "reset")


def can_mail(app: Application) -> bool:
    """Whether a mail server is set."""
    return bool(app.settings.smtp.host and app.settings.smtp.sender)


def mail_link(app: Application, server: MailServer, user: User, link: Link, purpose: Purpose) -> Handover:
    """Mails a link to the address by which its owner is known."""
    now = app.clock.now()
    domain = server.sender.rpartition("@")[2]
    mail = EmailMessage()
    mail["From"] = Address("autocapture", addr_spec=server.sender)
    mail["To"] = Address(shown(user.name), addr_spec=user.email)
    mail["Subject"] = _SUBJECT[purpose]
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=domain)
    mail["Auto-Submitted"] = "auto-generated"
    text = _TEXT[purpose].format(
        name=shown(user.name),
        organization=app.settings.organization.name,
        email=user.email,
        until=Reader(user.locale, user.time_zone).moment(link.expires_at),
        address=link.address(_reached_at(app)),
    )
    mail.set_content(text, cte="8bit")
    return hand_over(server, mail, user.email)


def _reached_at(app: Application) -> str:
    """Until the first person can sign in, nothing is answered under the public name."""
    web = app.settings.web
    return web.address if is_closed(app) else web.own_address


def _user(session: Session, email: str) -> User:
    user = session.exec(select(User).where(User.email == email.strip().lower())).first()
    if user is None:
        raise InputError(f"there is no user {email}; `autocapture users import` brings users in")
    return user
