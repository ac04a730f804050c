"""A team's week told once: published from the metrics, delivered to its managers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import InputError, SetupError, StoreBusy
from autocapture.measure.period import Period, iso_week, parse_period
from autocapture.model.measures import Delivery, Publication
from autocapture.model.organization import Team, User
from autocapture.report.assemble import build_summary
from autocapture.report.message import Envelope, Links, message
from autocapture.report.publication import is_final, prove, store, stored, summary_of
from autocapture.report.reader import Reader
from autocapture.report.smtp import FAILED, SENT, UNKNOWN, Handover, MailServer, hand_over
from autocapture.report.sources import anything_until
from autocapture.report.summary import Summary
from autocapture.report.team import roster
from autocapture.store.engine import insert_for, reading, writing
from autocapture.workflows.adjustments import mark_due, settle_adjustments

SENDING = "sending"
GIVEN_UP_AFTER = timedelta(minutes=15)
"""A claim older than this was left by a process that died: longer than any hand-over can take (`smtp.TIMEOUT_S` a step)."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=4)

HandOver = Callable[[MailServer, EmailMessage, str], Handover]


def publish(application: Application, *, team_id: int, week: str) -> Publication:
    """The summary of a team and ISO week: made and stored at the first call, the same one returned ever after.

    One that was made before the team's accounts were captured is counted anew, until it is mailed. Raises InputError for a week
    that is not over yet (in the organisation's zone), for one of which nothing is known, or a team that does not exist.
    """
    _require_over(application, week, application.clock.now())
    with reading(application.engine) as session:
        kept = stored(session, team_id, week)
        if kept is not None and is_final(session, kept):
            session.expunge(kept)
            return kept
        team = session.get(Team, team_id)
        if team is None:
            raise InputError(f"there is no team {team_id}")
        if not anything_until(session, parse_period(week).end):
            raise InputError(f"nothing was captured or imported for {week}")
    _look_again(application)
    with reading(application.engine) as session:
        team = session.get_one(Team, team_id)
        summary = build_summary(session, team, week, application.clock.now())
        proofs = prove(session, summary)
    with writing(application.engine) as session:
        publication = store(session, summary, proofs)
        session.expunge(publication)
        return publication


def _look_again(application: Application) -> None:
    """What changed of weeks that were told is told with the next one."""
    with writing(application.engine) as session:
        mark_due(session, application.clock.now())
    settle_adjustments(application)


def deliver(
    application: Application,
    publication: Publication,
    *,
    through: HandOver = hand_over,
    patient: bool = False,
) -> tuple[Delivery, ...]:
    """Mails the publication to each manager of its team, at most once each, and tells what became of every mail.

    The claim is committed before the mail is handed over and marked after: whoever dies in between leaves a claim that turns
    `unknown`, is shown, and is never mailed again. A clean refusal is `failed` and is tried again by the next call; where that is
    `patient`, only from `retry_at` on. Raises SetupError where no mail server is set, StoreBusy where the publication was
    counted anew meanwhile.
    """
    server = mail_server(application)
    summary = summary_of(publication)
    now = application.clock.now()
    settled = {
        one.recipient
        for one in deliveries(application, publication)
        if one.state != FAILED or (patient and now < retry_at(one, publication))
    }
    for manager in _managers(application, summary):
        if manager.email in settled:
            continue
        mail = _mail(application, publication, summary, manager, server)
        delivery_id = _claim(application, publication, manager.email)
        if delivery_id is not None:
            _mark(application, delivery_id, through(server, mail, manager.email))
    return deliveries(application, publication)


def retry_at(refused: Delivery, publication: Publication) -> datetime:
    """When a refused mail is tried again without being asked: after as long again as has gone by since the publication, so that
    the waits double from `FIRST_WAIT` to `LONGEST_WAIT` without a count of attempts."""
    gone_by = refused.claimed_at - publication.as_of
    return refused.claimed_at + min(max(gone_by, FIRST_WAIT), LONGEST_WAIT)


def deliveries(application: Application, publication: Publication) -> tuple[Delivery, ...]:
    """What became of the mails of a publication; claims left by a process that died are `unknown` from here on."""
    give_up = (
        update(Delivery)
        .where(
            col(Delivery.state) == SENDING,
            col(Delivery.claimed_at) < application.clock.now() - GIVEN_UP_AFTER,
        )
        .values(state=UNKNOWN, error="the process ended while the mail was being sent; it is not sent again")
    )
    with writing(application.engine) as session:
        session.execute(give_up)
        found = session.exec(
            select(Delivery)
            .where(Delivery.publication_id == publication.id)
            .order_by(col(Delivery.recipient))
        ).all()
        session.expunge_all()
        return tuple(found)


def mail_server(application: Application) -> MailServer:
    """The operator's mail server. Raises SetupError where it is not set."""
    smtp = application.settings.smtp
    if not smtp.host or not smtp.sender:
        raise SetupError("no mail can be sent: set smtp.host and smtp.sender")
    return MailServer(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        sender=smtp.sender,
        username=smtp.username or None,
        password=smtp.password() or None,
    )


def links(application: Application, publication: Publication) -> Links:
    """Where the rows behind the numbers of a publication are shown."""
    assert publication.id is not None  # noqa: S101  a stored row has its key
    return Links(application.settings.web.address, publication.id)


def _require_over(application: Application, week: str, now: datetime) -> None:
    period = _week(week)
    if now.astimezone(ZoneInfo(application.settings.organization.time_zone)).date() <= period.end:
        raise InputError(f"week {week} is not over yet; it ends on {period.end}")


def _week(text: str) -> Period:
    try:
        period = parse_period(text)
    except InputError:
        period = None
    if period is None or iso_week(period.start) != text:
        raise InputError(f"there is no ISO week {text!r}; write it like 2026-W46")
    return period


def _managers(application: Application, summary: Summary) -> tuple[User, ...]:
    with reading(application.engine) as session:
        team = session.get(Team, summary.team_id)
        if team is None:
            return ()
        found = roster(session, team, summary.period_start, summary.period_end).managers
        session.expunge_all()
        return found


def _claim(application: Application, publication: Publication, recipient: str) -> int | None:
    """The delivery to be made now, claimed and committed; None where it is made, being made or unknown."""
    now = application.clock.now()
    row = {"publication_id": publication.id, "recipient": recipient, "state": SENDING, "claimed_at": now}
    with writing(application.engine) as session:
        as_of = select(Publication.as_of).where(Publication.id == publication.id).with_for_update()
        if session.exec(as_of).one() != publication.as_of:
            raise StoreBusy("this summary was counted anew meanwhile; send it again")
        insert = insert_for(session)
        new = insert(Delivery).values(row).on_conflict_do_nothing().returning(col(Delivery.id))
        claimed = session.execute(new).scalar_one_or_none()
        return claimed if claimed is not None else _claim_again(session, publication, recipient, now)


def _claim_again(session: Session, publication: Publication, recipient: str, now: datetime) -> int | None:
    again = (
        update(Delivery)
        .where(
            col(Delivery.publication_id) == publication.id,
            col(Delivery.recipient) == recipient,
            col(Delivery.state) == FAILED,
        )
        .values(state=SENDING, claimed_at=now, error=None)
        .returning(col(Delivery.id))
    )
    return session.execute(again).scalar_one_or_none()


def _mail(
    application: Application, publication: Publication, summary: Summary, manager: User, server: MailServer
) -> EmailMessage:
    envelope = Envelope(server.sender, manager.email, manager.name, application.clock.now())
    reader = Reader(manager.locale, manager.time_zone, application.fiscal_calendar)
    return message(summary, reader, links(application, publication), envelope)


def _mark(application: Application, delivery_id: int, outcome: Handover) -> None:
    at = application.clock.now() if outcome.state == SENT else None
    values = {"state": outcome.state, "error": outcome.error, "sent_at": at}
    done = (
        update(Delivery).where(col(Delivery.id) == delivery_id, col(Delivery.state) == SENDING).values(values)
    )
    with writing(application.engine) as session:
        session.execute(done)
