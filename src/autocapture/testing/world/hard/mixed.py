"""Mail in which one thread is about two deals, and mail of those who work on a deal that is about none.

What a mail names itself is what it is about; what it only mentions beside is not; what names nothing is about what it answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from autocapture.evaluate.world import ACCOUNT_ONLY, AMBIGUOUS, Activity, Truth, User
from autocapture.testing.world.hard import wording
from autocapture.testing.world.hard.cast import OURS
from autocapture.testing.world.hard.model import DAYS, START, Book, Firm, Person, Sale, on_day
from autocapture.testing.world.hard.telling import Talk, verdict

_SAID = Sequence[tuple[wording.Matter, str]]


@dataclass(slots=True)
class _Exchange:
    """One thread between a person and a seller, mail by mail."""

    book: Book
    rng: Random
    firm: Firm
    person: Person
    user: User
    at: datetime
    case: str
    subject: str
    last: Activity | None = field(default=None)

    def write(self, said: _SAID, deal: str, *, by_us: bool = False) -> None:
        """The next mail, which says this, and what it is about."""
        rng, person, user, last = self.rng, self.person, self.user, self.last
        own, theirs = f"{user.name} <{user.email}>", person.written
        text = wording.letter_of(rng, self.firm, said, *((user, person) if by_us else (person, user)))
        if last is not None and rng.random() < 0.8:
            text += wording.quoted(
                self.firm, f"{last.at:%Y-%m-%d %H:%M}", last.from_.partition(" <")[0], last.text
            )
        number = self.book.key("A")
        self.last = Activity(
            id=number,
            kind="email",
            at=self.at,
            mailbox=user.email,
            message_id=f"{number.lower()}.{rng.getrandbits(48):012x}@{OURS}",
            in_reply_to=last.message_id if last else "",
            subject=f"Re: {self.subject}" if last else self.subject,
            text=text,
            headers={"references": f"<{last.message_id}>"} if last else {},
            from_=own if by_us else theirs,
            to=(theirs if by_us else own,),
        )
        people = (person.key,) if person.key else ()
        self.book.add(self.last, Truth("", people, (self.firm.company.key,), deal, cases=(self.case,)))
        self.at += timedelta(hours=rng.choice((1, 3, 20, 60)))

    def told(self, sale: Sale, *, names_it: bool) -> str:
        return verdict(
            self.book, Talk(self.firm, sale, self.at, (self.person,), {self.user.email}, names_it=names_it)
        )


def mixed_mail(book: Book) -> None:
    """Written after everything else, with chance of its own."""
    for firm in book.firms:
        rng = book.stream("mixed", firm.company.key)
        for one, other in _beside(firm):
            begins, ends = max(one.begins, other.begins, START), min(one.ends, other.ends, on_day(DAYS - 10))
            days = (ends - begins) / timedelta(days=1)
            people = [person for person in one.people if person in other.people] or one.people
            for write in (_two_deals, _one_beside, _which):
                at = on_day((begins - START) / timedelta(days=1) + rng.uniform(0, max(days, 1)))
                if days > 1 and rng.random() < 0.6:
                    write(book, rng, firm, (one, other), rng.choice(people), at)
        for sale in firm.sales:
            if rng.random() < 0.25:
                _no_business(book, rng, firm, sale)


def _beside(firm: Firm) -> Iterator[tuple[Sale, Sale]]:
    """Deals that are talked about at the same time and share no word of their names, each once."""
    for index, one in enumerate(firm.sales):
        for other in firm.sales[index + 1 :]:
            if set(one.words.split()).isdisjoint(other.words.split()):
                yield one, other


def _two_deals(
    book: Book, rng: Random, firm: Firm, sales: tuple[Sale, Sale], person: Person, at: datetime
) -> None:
    """A thread about one deal, under whose subject another is brought up; what names nothing goes on with what was named."""
    one, other = sales
    subject = wording.subject(rng, firm, "named", one.words)
    thread = _Exchange(book, rng, firm, person, one.owner, at, "a thread about two deals", subject)
    thread.write([("named", one.words)], one.deal.key)
    thread.write([("bland", "")], one.deal.key, by_us=True)
    said: list[tuple[wording.Matter, str]] = [("named", other.words)]
    if rng.random() < 0.6:
        said.append(("beside", one.words))
    thread.write(said, other.deal.key)
    thread.write([("bland", "")], other.deal.key, by_us=True)


def _one_beside(
    book: Book, rng: Random, firm: Firm, sales: tuple[Sale, Sale], person: Person, at: datetime
) -> None:
    """A mail about one deal that says that the other is not meant."""
    one, other = sales if rng.random() < 0.5 else sales[::-1]
    subject = wording.subject(rng, firm, "bland")
    thread = _Exchange(book, rng, firm, person, one.owner, at, "another deal is mentioned beside", subject)
    thread.write([("named", one.words), ("beside", other.words)], one.deal.key)
    if rng.random() < 0.5:
        thread.write([("bland", "")], one.deal.key, by_us=True)


def _which(
    book: Book, rng: Random, firm: Firm, sales: tuple[Sale, Sale], person: Person, at: datetime
) -> None:
    """Something is asked that names nothing, we ask which deal is meant, and are told."""
    one, other = sales if rng.random() < 0.5 else sales[::-1]
    subject = wording.subject(rng, firm, "bland")
    thread = _Exchange(book, rng, firm, person, one.owner, at, "which of two is meant", subject)
    thread.write([("bland", "")], thread.told(one, names_it=False))
    thread.write([("which", f"{one.words}/{other.words}")], AMBIGUOUS, by_us=True)
    thread.write([("named", one.words)], one.deal.key)


def _no_business(book: Book, rng: Random, firm: Firm, sale: Sale) -> None:
    """Somebody who works on a deal invites its seller to dinner, or asks for next year's prices."""
    begins, ends = max(sale.begins, START), min(sale.ends, on_day(DAYS))
    if ends <= begins:
        return
    at = on_day((begins - START) / timedelta(days=1) + rng.uniform(0, (ends - begins) / timedelta(days=1)))
    matter: wording.Matter = rng.choice(("social", "terms"))
    case = "an invitation" if matter == "social" else "terms and price lists"
    subject = wording.subject(rng, firm, matter)
    thread = _Exchange(book, rng, firm, rng.choice(sale.people), sale.owner, at, case, subject)
    thread.write([(matter, "")], ACCOUNT_ONLY)
