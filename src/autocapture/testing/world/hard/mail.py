"""Threads of mail in a hard world: who writes to whom, what about, and what of that is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from autocapture.evaluate.world import Activity, Truth, User
from autocapture.testing.world.hard import wording
from autocapture.testing.world.hard.cast import colleague_of, new_person
from autocapture.testing.world.hard.model import DAYS, START, Book, Firm, Person, Sale, on_day
from autocapture.testing.world.hard.sales import PRODUCTS
from autocapture.testing.world.hard.telling import Talk, misleads, verdict
from autocapture.testing.world.names import FREE_MAIL

Said = Literal["subject", "text", "number", "never"]
"""Where a thread says what it is about."""

_DAYS_A_THREAD = 19
_TURNS = (1, 1, 2, 2, 3, 3, 4, 6)
_PLACES: tuple[Said, ...] = ("subject", "text", "never")
_MOST_OTHER = {"customer": 9, "partner": 7, "prospect": 6}
"""By the firm's shape, the most threads about no deal; at other firms one."""


@dataclass(slots=True)
class Thread:
    """One thread before it is written. The first of `people` writes; `odd` is another address that they answer from. Where it
    says what it is about, it does so as `matter` does, and by `words`."""

    firm: Firm
    sale: Sale | None
    user: User
    people: tuple[Person, ...]
    at: datetime
    said: Said
    turns: int
    matter: wording.Matter = "named"
    words: str = ""
    copied: tuple[User, ...] = ()
    cases: tuple[str, ...] = ()
    odd: str = ""
    opened_by_us: bool = True
    answers: Activity | None = None
    """The message of an older thread that its first one answers."""
    subject: str = ""
    written: list[Activity] = field(default_factory=list)

    @property
    def talk(self) -> Talk:
        ours = {self.user.email, *(user.email for user in self.copied)}
        names_it, by_number = self.said != "never", self.said == "number"
        return Talk(self.firm, self.sale, self.at, self.people, ours, names_it, by_number)


def mail(book: Book) -> list[Thread]:
    """Every thread about a deal, and about none; all are written down."""
    threads = [thread for firm in book.firms for sale in firm.sales for thread in _of_sale(book, sale)]
    threads += [thread for firm in book.firms for thread in _of_account(book, firm)]
    for thread in threads:
        write(book, thread)
    return threads


def write(book: Book, thread: Thread) -> None:
    """Writes the thread down, message by message. Where those who take part would make anybody think of another deal, it says in
    its text what it is about."""
    rng = book.stream("thread", len(book.activities))
    if misleads(book, thread.talk):
        thread.said = "text"
    truth = _truth(book, thread)
    moment, by_us = thread.at, thread.opened_by_us
    for number in range(thread.turns):
        message = _message(book, rng, thread, moment, by_us=by_us)
        thread.written.append(message)
        book.add(message, truth)
        by_us = not by_us if rng.random() < 0.85 else by_us
        moment = _later(rng, moment, hours=rng.choice((1, 4, 20, 50)) * (1 + number / 3))


def _truth(book: Book, thread: Thread) -> Truth:
    of_sale = thread.sale.cases if thread.sale else ()
    return Truth(
        activity="",
        people=tuple(dict.fromkeys(person.key for person in thread.people if person.key)),
        company=(thread.firm.company.key,),
        deal=verdict(book, thread.talk),
        cases=book.cases_of(thread.at, thread.people, *thread.cases, *of_sale),
    )


def _message(book: Book, rng: Random, thread: Thread, moment: datetime, *, by_us: bool) -> Activity:
    earlier = thread.written[-1] if thread.written else thread.answers
    person, user = thread.people[0], thread.user
    theirs = person.written
    if not by_us and thread.odd and thread.written:
        theirs = f"{person.name} <{thread.odd}>"
    address = rng.choice(user.aliases) if user.aliases and rng.random() < 0.06 else user.email
    own = f"{user.name} <{address}>"
    copies = [each.written for each in thread.people[1:]]
    copies += [f"{each.name} <{each.email}>" for each in thread.copied]
    first = not thread.written
    text = _text(rng, thread, first, by_us=by_us)
    if earlier is not None and rng.random() < 0.8:
        sender = earlier.from_.partition(" <")[0]
        text += wording.quoted(thread.firm, f"{earlier.at:%Y-%m-%d %H:%M}", sender, earlier.text)
    if first:
        thread.subject = thread.subject or _subject(rng, thread)
    subject = thread.subject if first else f"Re: {thread.subject.removeprefix('Re: ')}"
    number = book.key("A")
    domain = (address if by_us else person.address).rpartition("@")[2]
    references = f"{earlier.headers.get('references', '')} <{earlier.message_id}>".strip() if earlier else ""
    return Activity(
        id=number,
        kind="email",
        at=moment,
        mailbox=user.email,
        message_id=f"{number.lower()}.{rng.getrandbits(48):012x}@{domain}",
        in_reply_to=earlier.message_id if earlier else "",
        subject=subject,
        text=text,
        headers={"references": references} if references else {},
        from_=own if by_us else theirs,
        to=(theirs if by_us else own,),
        cc=tuple(copies),
    )


def _subject(rng: Random, thread: Thread) -> str:
    if thread.said == "number" and thread.sale is not None:
        return f"{thread.sale.deal.references[0]}"
    matter: wording.Matter = thread.matter if thread.said == "subject" else "bland"
    return wording.subject(rng, thread.firm, matter, thread.words)


def _text(rng: Random, thread: Thread, first: bool, *, by_us: bool) -> str:
    """The first message says in its text what it is about, unless the thread never does; later ones now and then."""
    says = thread.said in ("subject", "text") and (first or rng.random() < 0.4)
    matter: wording.Matter = thread.matter if says else "bland"
    sender: Person | User = thread.user if by_us else thread.people[0]
    receiver: Person | User = thread.people[0] if by_us else thread.user
    return wording.letter(rng, thread.firm, matter, thread.words, sender, receiver)


def _later(rng: Random, moment: datetime, hours: float) -> datetime:
    days = (moment - START) / timedelta(days=1) + hours * rng.uniform(0.5, 1.8) / 24
    return on_day(days) + timedelta(seconds=rng.randrange(3600))


def _of_sale(book: Book, sale: Sale) -> list[Thread]:
    """A thread about every other week while the deal is talked about, and one right at its beginning."""
    begins, ends = max(sale.begins, START), min(sale.ends, on_day(DAYS))
    days = (ends - begins) / timedelta(days=1)
    if days < 1:
        return []
    rng = book.stream("mail", sale.deal.key)
    first = (begins - START) / timedelta(days=1)
    moments = [
        first + rng.uniform(0, days) for _ in range(round(days / _DAYS_A_THREAD * rng.uniform(0.6, 1.4)))
    ]
    if sale.begins >= START:
        moments.append(first)
    return [_about(book, rng, sale, on_day(day)) for day in moments]


def _about(book: Book, rng: Random, sale: Sale, at: datetime) -> Thread:
    said: Said = rng.choices(_PLACES, weights=(55, 33, 12))[0]
    cases: list[str] = []
    closed = sale.deal.closed_at
    if at < sale.deal.created_at or (closed is not None and at > closed):
        said = "subject" if rng.random() < 0.6 else "text"
    if closed is not None and at > closed:
        cases.append("closed 5 days ago")
    if said == "subject" and sale.deal.references and rng.random() < 0.07:
        said = "number"
        cases.append("quote number")
    main = sale.people[0] if rng.random() < 0.6 else rng.choice(sale.people)
    others = [person for person in sale.people if person is not main and person.address != main.address]
    people = [main, *(person for person in others if rng.random() < 0.3)]
    if sale.partner and rng.random() < 0.4:
        people.append(sale.partner)
        cases.append("partner on the thread")
    draw, odd, user = rng.random(), "", sale.owner
    if draw < 0.05:
        people.append(new_person(rng, sale.firm))
        cases.append("unknown address on the thread")
    elif draw < 0.08:
        odd = f"{main.address.partition('@')[0]}{rng.randrange(70, 99)}@{rng.choice(FREE_MAIL)}"
        cases.append("reply from an unknown address")
    elif draw < 0.10 and "@" in main.address:
        local, _, domain = main.address.partition("@")
        people[0] = replace(main, address=f"{local}+halvorin@{domain}")
        cases.append("plus address")
    elif draw < 0.14:
        user = colleague_of(book, sale.owner, rng)
        cases.append("rep replaced by a colleague")
    copied = (colleague_of(book, sale.owner, rng),) if user is sale.owner and rng.random() < 0.12 else ()
    return Thread(
        firm=sale.firm,
        sale=sale,
        user=user,
        people=tuple(people),
        at=at,
        said=said,
        turns=rng.choice(_TURNS),
        words=sale.words,
        copied=copied,
        cases=tuple(cases),
        odd=odd,
        opened_by_us=rng.random() < 0.65,
    )


def _of_account(book: Book, firm: Firm) -> list[Thread]:
    """What is about no deal: a customer's questions, first letters to prospects, what partners write, what everybody is sent."""
    rng = book.stream("account", firm.company.key)
    bought = [sale for sale in firm.sales if sale.deal.outcome == "won"]
    threads = []
    for _ in range(rng.randrange(_MOST_OTHER.get(firm.shape, 1) + 1) + (rng.randrange(12) if bought else 0)):
        at = on_day(rng.uniform(0, DAYS))
        customer = any(sale.deal.closed_at is not None and sale.deal.closed_at < at for sale in bought)
        threads.append(_account_thread(rng, firm, at, customer=customer))
    for sale in bought:
        if sale.deal.closed_at is not None and sale.deal.closed_at > START:
            at = on_day((sale.deal.closed_at - START) / timedelta(days=1) + rng.uniform(18, 40))
            threads.append(
                replace(_account_thread(rng, firm, at, customer=True), cases=("closed 20 days ago",))
            )
    return threads


def _account_thread(rng: Random, firm: Firm, at: datetime, *, customer: bool) -> Thread:
    user: User = firm.manager if customer and rng.random() < 0.6 else firm.rep
    main = rng.choice(firm.people)
    others: Sequence[Person] = [each for each in firm.people if each.address != main.address]
    people = (main, rng.choice(others)) if others and rng.random() < 0.2 else (main,)
    matter: wording.Matter = "account" if customer or firm.shape == "partner" else "general"
    if firm.shape == "prospect":
        matter = "named"
    # what is sent unasked says so in its subject; whoever has bought answers an old mail, or asks "a quick question"
    weights = (97, 2, 1) if matter == "general" else (75, 22, 3)
    return Thread(
        firm=firm,
        sale=None,
        user=user,
        people=people,
        at=at,
        said=rng.choices(_PLACES, weights=weights)[0],
        turns=rng.choice((1, 1, 1, 2) if matter == "general" else (1, 1, 2, 3)),
        matter=matter,
        words=rng.choice(PRODUCTS),
        cases=("partner",) if firm.shape == "partner" else ("none",),
        opened_by_us=matter == "general" or rng.random() < 0.5,
    )
