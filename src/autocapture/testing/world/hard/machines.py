"""Mail of machines around a hard world's threads: absence notes, bounces, invitations, newsletters, notices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from autocapture.evaluate.world import Activity, Truth, User
from autocapture.testing.world.hard.mail import Thread
from autocapture.testing.world.hard.meetings import Meeting
from autocapture.testing.world.hard.model import DAYS, Book, Language, on_day

_AWAY: Mapping[Language, tuple[str, str]] = {
    "en": ("Automatic reply: {subject}", "I am out of the office until Monday and read mail now and then."),
    "nl": ("Automatisch antwoord: {subject}", "Ik ben afwezig tot maandag en lees mijn mail beperkt."),
    "de": (
        "Automatische Antwort: {subject}",
        "Ich bin bis Montag nicht im Büro und lese Mails nur ab und zu.",
    ),
}
_AWAY_HEADERS: Sequence[dict[str, str]] = (
    {"auto-submitted": "auto-replied", "x-auto-response-suppress": "All"},
    {"auto-submitted": "auto-replied", "precedence": "bulk"},
    {"x-autoreply": "yes", "auto-submitted": "auto-generated"},
)
_NEWS = ("Plant & Process Weekly", "Revenue Notes", "Messe Kalender", "Vakblad Techniek")
_NOTICES = (
    "Your booking {n} is confirmed",
    "A file was shared with you ({n})",
    "Expense report {n} was approved",
)


def machine_mail(book: Book, threads: Sequence[Thread], held: Sequence[tuple[Meeting, Activity]]) -> None:
    """None of it is an activity."""
    for thread in threads:
        for message in thread.written:
            if message.from_.endswith(f"<{thread.user.email}>"):
                _answered_by_a_machine(book, thread, message)
    for meeting, activity in held:
        _invitation(book, meeting, activity)
    _unasked(book)


def _add(
    book: Book,
    user: User,
    sender: str,
    at: datetime,
    subject: str,
    headers: Mapping[str, str],
    *,
    reason: str,
    case: str,
    text: str = "",
    in_reply_to: str = "",
) -> None:
    number = book.key("A")
    domain = sender.rstrip(">").rpartition("@")[2]
    activity = Activity(
        id=number,
        kind="email",
        at=at,
        mailbox=user.email,
        message_id=f"{number.lower()}.auto@{domain}",
        in_reply_to=in_reply_to,
        subject=subject,
        text=text,
        headers=headers,
        from_=sender,
        to=(f"{user.name} <{user.email}>",),
    )
    book.add(activity, Truth("", admitted=False, reason=reason, cases=(case,)))


def _answered_by_a_machine(book: Book, thread: Thread, message: Activity) -> None:
    rng = book.stream("machine", message.id)
    draw, person = rng.random(), thread.people[0]
    at = message.at + timedelta(seconds=rng.randrange(4, 90))
    if draw < 0.06:
        subject, text = _AWAY[thread.firm.language]
        _add(
            book,
            thread.user,
            person.written,
            at,
            subject.format(subject=message.subject),
            {**rng.choice(_AWAY_HEADERS), "references": f"<{message.message_id}>"},
            reason="auto_reply",
            case="out of office",
            text=text,
            in_reply_to=message.message_id,
        )
    elif draw < 0.085:
        domain = person.address.rpartition("@")[2]
        _add(
            book,
            thread.user,
            f"Mail Delivery System <MAILER-DAEMON@{domain}>",
            at,
            "Undelivered Mail Returned to Sender",
            {
                "content-type": "multipart/report; report-type=delivery-status",
                "auto-submitted": "auto-replied",
                "return-path": "<>",
            },
            reason="bounce",
            case="bounce",
            text=f"<archive@{domain}>: 550 5.1.1 User unknown",
        )


def _invitation(book: Book, meeting: Meeting, activity: Activity) -> None:
    """What the calendar sends: the customer's invitation, or the guest's answer to ours."""
    rng = book.stream("invitation", activity.id)
    if meeting.hidden or meeting.series or rng.random() > 0.35:
        return
    _add(
        book,
        meeting.user,
        meeting.people[0].written,
        meeting.at - timedelta(days=rng.uniform(1, 8)),
        f"{'Invitation' if meeting.by_them else 'Accepted'}: {activity.subject}",
        {"content-type": f"text/calendar; method={'REQUEST' if meeting.by_them else 'REPLY'}"},
        reason="calendar_mail",
        case="calendar invite mail",
    )


def _unasked(book: Book) -> None:
    """Newsletters and notices, a few a month for everybody."""
    for user in book.users:
        rng = book.stream("unasked", user.email)
        for _ in range(max(1, len(book.firms) // 15)):
            write: Callable[[Book, User, Random], None] = rng.choice((_newsletter, _notice))
            write(book, user, rng)


def _newsletter(book: Book, user: User, rng: Random) -> None:
    name = rng.choice(_NEWS)
    host = f"{''.join(letter for letter in name.lower() if letter.isalpha())}.example"
    _add(
        book,
        user,
        f"{name} <news@{host}>",
        on_day(rng.uniform(0, DAYS)),
        f"{name}: news of the week",
        {"list-id": f"<weekly.{host}>", "list-unsubscribe": f"<mailto:leave@{host}>"},
        reason="newsletter",
        case="newsletter",
    )


def _notice(book: Book, user: User, rng: Random) -> None:
    _add(
        book,
        user,
        "No reply <no-reply@traveldesk.example>",
        on_day(rng.uniform(0, DAYS)),
        rng.choice(_NOTICES).format(n=rng.randrange(1000, 9999)),
        {"auto-submitted": "auto-generated"},
        reason="notification",
        case="notification",
    )
