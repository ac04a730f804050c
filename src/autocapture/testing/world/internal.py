"""Mail among ourselves, mail that never left or was thrown away, and a rep's own mailing to many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from autocapture.testing.world.conversations import Cast
from autocapture.testing.world.dates import stream
from autocapture.testing.world.deals import PRODUCTS
from autocapture.testing.world.language import fill, phrases
from autocapture.testing.world.model import (
    Contact,
    Delivery,
    Folder,
    Message,
    Party,
    Size,
    Truth,
    User,
)
from autocapture.testing.world.people import ORGANISATION
from autocapture.testing.world.writing import (
    Subject,
    dressed,
    letter,
    message_id,
    our_signature,
    quotation,
    references,
    reply_subject,
    title,
)


def internal_mail(seed: int, size: Size, cast: Cast) -> list[Message]:
    """About one thread a week from everybody to one or two colleagues of the team."""
    made: list[Message] = []
    for user in cast.users.values():
        for week in range(-size.weeks, 0):
            rng = stream(seed, "internal mail", user.email, week)
            colleagues = cast.colleagues(user)
            if colleagues and rng.random() < 0.85:
                made += _internal_thread(
                    rng, cast, user, rng.sample(colleagues, k=min(len(colleagues), 2)), week
                )
    return made


def _internal_thread(rng: Random, cast: Cast, user: User, others: Sequence[User], week: int) -> list[Message]:
    diary = cast.diaries[user.email]
    moment = diary.some_time(rng, week)
    pair, thread = (user, others[0]), list[Message]()
    copied = others[1:] if rng.random() < 0.4 else ()
    for turn in range(rng.choice((1, 1, 2, 3))):
        if moment >= diary.end:
            break
        sender, receiver = pair[turn % 2], pair[(turn + 1) % 2]
        thread.append(_note(rng, cast, sender, receiver, copied, moment, thread[-1] if thread else None))
        moment = diary.after(rng, moment, 3)
    return thread


def _note(
    rng: Random,
    cast: Cast,
    sender: User,
    receiver: User,
    copied: Sequence[User],
    moment: datetime,
    earlier: Message | None,
) -> Message:
    words = phrases(sender.locale)
    companies = cast.territories[sender.email] or cast.territories[receiver.email]
    company = rng.choice(companies).name if companies else ORGANISATION
    slots = {"company": company, "product": rng.choice(PRODUCTS).name, "us": ORGANISATION}
    text = fill(rng, sender.locale, rng.choice(words.internal_text), **slots) + our_signature(rng, sender)
    users = (sender, receiver, *copied)
    return Message(
        message_id=message_id(rng, moment, sender.email.split("@")[1]),
        sent_at=moment,
        sender=Party(sender.email, sender.name),
        to=(Party(receiver.email, receiver.name),),
        cc=tuple(Party(user.email, user.name) for user in copied),
        subject=reply_subject(earlier.subject)
        if earlier
        else fill(rng, sender.locale, rng.choice(words.internal), **slots),
        text=text + (quotation(sender.locale, earlier) if earlier else ""),
        in_reply_to=earlier.message_id if earlier else None,
        references=references(earlier) if earlier else (),
        copies=(
            Delivery(sender.email, "Sent", moment),
            *(Delivery(user.email, "INBOX", moment + timedelta(seconds=4)) for user in users[1:]),
        ),
        truth=Truth(
            "email", "internal", False, "internal", (), tuple(u.email for u in users), None, None, False
        ),
    )


_ASIDE: tuple[tuple[Folder, int], ...] = (("Drafts", 2), ("Trash", 3), ("Junk", 3))


def left_aside(seed: int, size: Size, cast: Cast) -> list[Message]:
    """A few mails of every rep that lie only in drafts, trash or junk."""
    made: list[Message] = []
    for user in cast.users.values():
        people = cast.customers(user)
        for folder, count in _ASIDE:
            for number in range(count if people else 0):
                rng = stream(seed, "aside", user.email, folder, number)
                made.append(_aside(rng, cast, user, rng.choice(people), folder, size))
    return made


def _aside(rng: Random, cast: Cast, user: User, contact: Contact, folder: Folder, size: Size) -> Message:
    moment = cast.diaries[user.email].some_time(rng, -rng.randrange(1, size.weeks + 1))
    company = cast.companies[contact.company]
    about = Subject(company.language, "outreach", company.name, rng.choice(PRODUCTS).name)
    ours, theirs = Party(user.email, user.name), Party(contact.emails[0], contact.name)
    if folder == "Junk":
        theirs = Party(f"prize{rng.randrange(99)}@lucky-draw.invalid", "Lucky Draw")
    outbound = folder == "Drafts"
    sender, receiver = (ours, theirs) if outbound else (theirs, ours)
    return Message(
        message_id=message_id(rng, moment, sender.email.split("@")[1]),
        sent_at=moment,
        sender=sender,
        to=(receiver,),
        subject="You have been chosen" if folder == "Junk" else title(rng, about),
        text=letter(rng, about, by_rep=outbound, to=receiver),
        copies=(Delivery(user.email, folder, moment),),
        truth=Truth(
            "email",
            "outbound" if outbound else "inbound",
            False,
            "folder",
            (),
            (user.email,),
            None,
            None,
            False,
        ),
    )


def mailings(seed: int, size: Size, cast: Cast) -> list[Message]:
    """Now and then a rep writes to all contacts at once, with the headers of a mailing: kept, but no outreach."""
    made: list[Message] = []
    for user in cast.users.values():
        rng = stream(seed, "mailing", user.email)
        people = cast.customers(user)
        if not people or rng.random() > 0.4:
            continue
        week = -rng.randrange(1, size.weeks + 1)
        moment = cast.diaries[user.email].some_time(rng, week)
        about = Subject(user.locale, "outreach", ORGANISATION, rng.choice(PRODUCTS).name)
        for contact in people[:8]:
            made.append(_mailing(rng, user, contact, about, moment))
            moment += timedelta(seconds=3)
    return made


def _mailing(rng: Random, user: User, contact: Contact, about: Subject, moment: datetime) -> Message:
    receiver = Party(contact.emails[0], contact.name)
    text = letter(rng, about, by_rep=True, to=receiver) + our_signature(rng, user)
    leave = f"<mailto:{user.email}?subject=unsubscribe>"
    return dressed(
        rng,
        Message(
            message_id=message_id(rng, moment, user.email.split("@")[1]),
            sent_at=moment,
            sender=Party(user.email, user.name),
            to=(receiver,),
            subject=f"{about.product} 2.0",
            text=text,
            headers=(("Precedence", "bulk"), ("List-Unsubscribe", leave)),
            copies=(Delivery(user.email, "Sent", moment),),
            truth=Truth(
                "email", "outbound", True, None, (contact.key,), (user.email,), contact.company, None, False
            ),
        ),
    )
