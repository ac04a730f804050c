"""What befalls threads: hijacks, blind copies, lists, partners, forwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from autocapture.evaluate.world import Activity, Truth
from autocapture.testing.world.hard import wording
from autocapture.testing.world.hard.cast import OURS, colleague_of
from autocapture.testing.world.hard.mail import Thread, write
from autocapture.testing.world.hard.model import DAYS, START, Book, Sale, on_day
from autocapture.testing.world.hard.telling import Talk, verdict

_LIST = f"sales@{OURS}"


def partners_take_part(book: Book) -> None:
    """Done before anything is written: on every seventh deal somebody of a partner works too."""
    partners = [firm for firm in book.firms if firm.shape == "partner"]
    for firm in book.firms:
        for sale in firm.sales:
            rng = book.stream("partner", sale.deal.key)
            if partners and rng.random() < 0.14:
                sale.partner = rng.choice(rng.choice(partners).people)


def twists(book: Book, threads: Sequence[Thread]) -> None:
    rng = book.stream("twists")
    of_sales = [thread for thread in threads if thread.sale is not None and thread.written]
    _hijack(book, rng, of_sales)
    _write_to_a_list(book, rng, of_sales)
    _write_via_a_list(book, rng, of_sales)
    _tell_two_customers(book, rng)
    _forward(book, rng, of_sales)


def _hijack(book: Book, rng: Random, threads: Sequence[Thread]) -> None:
    """An old thread is answered to begin another matter: another deal that is open by then, mostly under its own subject."""
    last = {thread.firm.company.key: thread for thread in threads if not thread.odd}
    for old in last.values():
        message = old.written[-1]
        at = on_day((message.at - START) / timedelta(days=1) + rng.uniform(32, 50))
        others = [sale for sale in old.firm.sales if sale is not old.sale and _is_talked_of(sale, at)]
        if not others or at > on_day(DAYS - 5):
            continue
        about = rng.choice(others)
        same_subject = rng.random() < 0.15
        thread = Thread(
            firm=old.firm,
            sale=about,
            user=old.user,
            people=old.people[:1],
            at=at,
            said="text" if same_subject else "subject",
            turns=2,
            words=about.words,
            cases=("thread hijacked for a new deal",),
            opened_by_us=False,
            answers=message,
            subject=f"Re: {old.subject}" if same_subject else "",
        )
        write(book, thread)


def _is_talked_of(sale: Sale, at: datetime) -> bool:
    return sale.begins <= at <= sale.ends


def _write_to_a_list(book: Book, rng: Random, threads: Sequence[Thread]) -> None:
    """A customer writes to our list; a copy lies in the seller's mailbox."""
    for thread in rng.sample(list(threads), k=min(len(threads), len(book.firms) // 12)):
        _write_once(
            book,
            rng,
            thread,
            from_=thread.people[0].written,
            to=(f"Sales <{_LIST}>",),
            headers={"list-id": f"Sales <sales.{OURS}>", "precedence": "list"},
            case="mailing list copy",
        )


def _write_via_a_list(book: Book, rng: Random, threads: Sequence[Thread]) -> None:
    """The same, where the list put itself in the author's place, as lists do for senders with a strict policy (DMARC)."""
    for thread in rng.sample(list(threads), k=min(len(threads), len(book.firms) // 20)):
        person = thread.people[0]
        _write_once(
            book,
            rng,
            thread,
            from_=f"{person.name} via Sales <{_LIST}>",
            to=(f"Sales <{_LIST}>",),
            headers={
                "list-id": f"Sales <sales.{OURS}>",
                "reply-to": person.written,
                "x-original-from": person.written,
            },
            case="rewritten by a list",
        )


def _write_once(
    book: Book,
    rng: Random,
    thread: Thread,
    *,
    from_: str,
    to: tuple[str, ...],
    headers: dict[str, str],
    case: str,
) -> None:
    """One mail on the matter of the thread, days later, which names it."""
    sale, person = thread.sale, thread.people[0]
    if sale is None:
        return
    at = on_day((thread.at - START) / timedelta(days=1) + rng.uniform(0.5, 3))
    talk = Talk(thread.firm, sale, at, (person,), {thread.user.email}, names_it=True)
    number = book.key("A")
    activity = Activity(
        id=number,
        kind="email",
        at=at,
        mailbox=thread.user.email,
        message_id=f"{number.lower()}.{rng.getrandbits(48):012x}@{person.address.rpartition('@')[2]}",
        subject=wording.subject(rng, thread.firm, "named", sale.words),
        text=wording.letter(rng, thread.firm, "named", sale.words, person, thread.user),
        headers=headers,
        from_=from_,
        to=to,
    )
    people = (person.key,) if person.key else ()
    cases = (case, *sale.cases)
    book.add(activity, Truth("", people, (thread.firm.company.key,), verdict(book, talk), cases=cases))


def _tell_two_customers(book: Book, rng: Random) -> None:
    """One mail with two customers in blind copy: news for both, about no deal."""
    firms = [firm for firm in book.firms if firm.shape != "partner"]
    for _ in range(len(book.firms) // 15):
        one = rng.choice(firms)
        other = rng.choice([firm for firm in firms if firm is not one])
        people = (rng.choice(one.people), rng.choice(other.people))
        own = f"{one.rep.name} <{one.rep.email}>"
        number = book.key("A")
        activity = Activity(
            id=number,
            kind="email",
            at=on_day(rng.uniform(0, DAYS)),
            mailbox=one.rep.email,
            message_id=f"{number.lower()}.{rng.getrandbits(48):012x}@{OURS}",
            subject=wording.subject(rng, one, "general"),
            text=wording.letter(rng, one, "general", "", one.rep, people[0]),
            from_=own,
            to=(own,),
            bcc=tuple(person.written for person in people),
        )
        keys = tuple(dict.fromkeys(person.key for person in people if person.key))
        companies = (one.company.key, other.company.key)
        book.add(activity, Truth("", keys, companies, cases=("blind copy to two customers",)))


def _forward(book: Book, rng: Random, threads: Sequence[Thread]) -> None:
    """A seller forwards what a customer wrote to a colleague: among ourselves."""
    for thread in rng.sample(list(threads), k=min(len(threads), len(book.firms) // 6)):
        message = thread.written[0]
        other = colleague_of(book, thread.user, rng)
        number = book.key("A")
        forwarded = replace(
            message,
            id=number,
            at=message.at + timedelta(minutes=rng.randrange(5, 90)),
            message_id=f"{number.lower()}.{rng.getrandbits(48):012x}@{OURS}",
            in_reply_to=message.message_id,
            subject=f"Fwd: {message.subject}",
            headers={"references": f"<{message.message_id}>"},
            from_=f"{thread.user.name} <{thread.user.email}>",
            to=(f"{other.name} <{other.email}>",),
            cc=(),
        )
        book.add(forwarded, Truth("", admitted=False, reason="internal", cases=("forward to a colleague",)))
