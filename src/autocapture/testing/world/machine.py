"""Mail that no person wrote: newsletters, notices of systems, out-of-office answers, bounces, calendar mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from autocapture.testing.world.conversations import Cast
from autocapture.testing.world.dates import stream
from autocapture.testing.world.language import fill, phrases
from autocapture.testing.world.model import (
    Bounce,
    Delivery,
    Direction,
    Event,
    Folder,
    Invitation,
    Message,
    Party,
    Size,
    SkipReason,
    Truth,
    User,
)
from autocapture.testing.world.writing import as_html, message_id

_NEWSLETTERS = (
    ("Plant & Process Weekly", "news@plantprocess.example", "News of the week: maintenance, sensors, people"),
    ("Revenue Notes", "hello@revenuenotes.example", "Five questions to ask before a demo"),
    ("Messe Kalender", "info@messekalender.example", "Termine und Aussteller im Überblick"),
    ("Vakblad Techniek", "redactie@vakbladtechniek.example", "Deze week: énergiek vooruit"),
)
_NOTICES = (
    ("Travel desk", "no-reply@traveldesk.example", "Your booking {n} is confirmed"),
    ("Shared drive", "notifications@shareddrive.example", "A file was shared with you ({n})"),
    ("Telephone system", "pbx@halvorin.example", "Missed call, extension {n}"),
    ("Expenses", "noreply@expensetool.example", "Expense report {n} was approved"),
)
_AUTO_HEADERS = (
    (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All")),
    (("Auto-Submitted", "auto-replied"), ("Precedence", "bulk")),
    (("X-Autoreply", "yes"), ("Auto-Submitted", "auto-generated")),
)


def _skipped(reason: SkipReason, users: Sequence[str], direction: Direction = "inbound") -> Truth:
    return Truth("email", direction, False, reason, (), tuple(users), None, None, False)


def _arriving(
    rng: Random,
    user: User,
    moment: datetime,
    sender: Party,
    subject: str,
    text: str,
    reason: SkipReason,
    headers: Sequence[tuple[str, str]],
    folder: Folder = "INBOX",
) -> Message:
    return Message(
        message_id=message_id(rng, moment, sender.email.split("@")[1]),
        sent_at=moment,
        sender=sender,
        to=(Party(user.email, user.name),),
        subject=subject,
        text=text,
        headers=tuple(headers),
        copies=(Delivery(user.email, folder, moment + timedelta(seconds=rng.randrange(2, 60))),),
        truth=_skipped(reason, (user.email,)),
    )


def newsletters(seed: int, size: Size, cast: Cast) -> list[Message]:
    made: list[Message] = []
    for user in cast.users.values():
        for week in range(-size.weeks, 0):
            for number in range(size.newsletters_per_week):
                rng = stream(seed, "newsletter", user.email, week, number)
                name, address, subject = rng.choice(_NEWSLETTERS)
                host = address.split("@")[1]
                moment = cast.diaries[user.email].at(
                    week, rng.randrange(6), 5 + rng.randrange(3), rng.randrange(60)
                )
                text = f"{subject}\n\n" + "\n".join(
                    f"* https://{host}/{rng.randrange(9999)}" for _ in range(6)
                )
                headers = [
                    ("List-Id", f"<weekly.{host}>"),
                    (
                        "List-Unsubscribe",
                        f"<mailto:leave@{host}>, <https://{host}/leave?u={rng.randrange(10**6)}>",
                    ),
                    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                ]
                if rng.random() < 0.5:
                    headers.append(("Precedence", "bulk"))
                letter = _arriving(
                    rng, user, moment, Party(address, name), subject, text, "newsletter", headers
                )
                made.append(replace(letter, html=as_html(text)))
    return made


def notices(seed: int, size: Size, cast: Cast) -> list[Message]:
    made: list[Message] = []
    for user in cast.users.values():
        for week in range(-size.weeks, 0):
            for number in range(size.notifications_per_week):
                rng = stream(seed, "notice", user.email, week, number)
                name, address, subject = rng.choice(_NOTICES)
                subject = subject.format(n=rng.randrange(1000, 9999))
                moment = cast.diaries[user.email].some_time(rng, week)
                made.append(
                    _arriving(
                        rng,
                        user,
                        moment,
                        Party(address, name),
                        subject,
                        f"{subject}.\n\nPlease do not answer.",
                        "notification",
                        [("Auto-Submitted", "auto-generated")],
                    )
                )
    return made


def answers(seed: int, cast: Cast, sent: Sequence[Message]) -> list[Message]:
    """Out-of-office answers and bounces to some of the mail that our reps sent."""
    made: list[Message] = []
    for message in sent:
        if message.truth.direction != "outbound":
            continue
        rng = stream(seed, "answer", message.message_id)
        draw = rng.random()
        user = cast.users[message.truth.users[0]]
        if message.sent_at + timedelta(minutes=2) >= cast.diaries[user.email].end:
            continue
        if draw < 0.09:
            made.append(_away(rng, cast, message, user))
        elif draw < 0.12:
            made.append(_bounced(rng, message, user))
    return made


def _away(rng: Random, cast: Cast, message: Message, user: User) -> Message:
    language = cast.contacts[message.truth.people[0]].language
    words = phrases(language)
    subject = rng.choice(words.away_subjects).format(subject=message.subject)
    text = fill(rng, language, words.away_text)
    moment = message.sent_at + timedelta(seconds=rng.randrange(5, 90))
    answer = _arriving(
        rng, user, moment, message.to[0], subject, text, "auto_reply", rng.choice(_AUTO_HEADERS)
    )
    return replace(
        answer, in_reply_to=message.message_id, references=(*message.references, message.message_id)
    )


def _bounced(rng: Random, message: Message, user: User) -> Message:
    """Their server passes the mail on to an address that no longer exists; the contact got it and may answer."""
    domain = message.to[0].email.split("@")[1]
    failed = f"accounts.payable@{domain}"
    bounce = Bounce(
        f"mx1.{domain}", failed, "5.1.1", "550 5.1.1 User unknown", message.message_id, message.subject
    )
    text = f"This is the mail system at host mx1.{domain}.\n\nYour message could not be delivered to:\n<{failed}>"
    moment = message.sent_at + timedelta(seconds=rng.randrange(3, 100))
    sender = Party(f"MAILER-DAEMON@{domain}", "Mail Delivery System")
    headers = [("Auto-Submitted", "auto-replied"), ("Return-Path", "<>")]
    returned = _arriving(
        rng, user, moment, sender, "Undelivered Mail Returned to Sender", text, "bounce", headers
    )
    return replace(returned, bounce=bounce)


def calendar_mail(seed: int, cast: Cast, events: Sequence[Event]) -> list[Message]:
    """What calendars send around: invitations of customers' meetings to the rep, guests' answers to the rep's."""
    made: list[Message] = []
    for event in events:
        if event.organizer is None or not isinstance(event.starts_at, datetime) or event.private:
            continue
        rng = stream(seed, "calendar mail", event.uid)
        user = cast.users[event.calendars[0]]
        guests = [guest for guest in event.guests if not guest.room and guest.email not in cast.users]
        if event.organizer.email not in cast.users:
            made.append(
                _invitation(rng, user, event, "REQUEST", Party(event.organizer.email, event.organizer.name))
            )
            if event.cancelled:
                made.append(
                    _invitation(
                        rng, user, event, "CANCEL", Party(event.organizer.email, event.organizer.name)
                    )
                )
            continue
        for guest in guests:
            if guest.response != "NEEDS-ACTION" and rng.random() < 0.8:
                made.append(
                    _invitation(rng, user, event, "REPLY", Party(guest.email, guest.name), guest.response)
                )
    return [message for message in made if message.sent_at < cast.diaries[message.truth.users[0]].end]


def _invitation(
    rng: Random,
    user: User,
    event: Event,
    method: Literal["REQUEST", "REPLY", "CANCEL"],
    sender: Party,
    response: str = "NEEDS-ACTION",
) -> Message:
    assert event.organizer is not None
    assert isinstance(event.starts_at, datetime)
    assert isinstance(event.ends_at, datetime)
    later = {
        "REQUEST": timedelta(minutes=1),
        "REPLY": timedelta(hours=rng.randrange(1, 6)),
        "CANCEL": timedelta(0),
    }
    words = {"REQUEST": "Invitation", "CANCEL": "Cancelled", "REPLY": response.capitalize()}
    basis = event.modified_at if method == "CANCEL" else event.created_at
    moment = basis + later[method]
    mine = Party(user.email, user.name)
    subject = f"{words[method]}: {event.title}"
    text = f"{event.title}\n{event.starts_at:%Y-%m-%d %H:%M} ({event.time_zone})\n{event.location}"
    alone = rng.random() < 0.35
    headers = [] if alone else [("Content-Class", "urn:content-classes:calendarmessage")]
    message = _arriving(rng, user, moment, sender, subject, text, "calendar_mail", headers)
    organizer = Party(event.organizer.email, event.organizer.name)
    return replace(
        message,
        invitation=Invitation(
            method=method,
            uid=event.uid,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            title=event.title,
            organizer=organizer,
            attendee=sender if method == "REPLY" else mine,
            response=response,
            alone=alone,
        ),
    )
