"""Messages as they are when matching is asked about them: a rep and two people from outside, in threads."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from autocapture.model.draft import Draft, Part, Party
from autocapture.store.activities import NOT_YET, Stored
from autocapture.testing.bench.match.crm import (
    Size,
    contact_address,
    contact_name,
    deals_of_companies,
    domain,
    product_of_deal,
    reference_of_deal,
    rep_address,
    rep_of_company,
)

_BEGINS, _SPAN = datetime(2026, 1, 5, 8, tzinfo=UTC), timedelta(days=300)
_WORDS = (
    "offer", "delivery", "contract", "invoice", "schedule", "meeting", "question", "feedback", "pilot", "budget", "approval",
    "sample", "shipment", "figures", "support", "training", "workshop", "agreement", "timeline", "visit",
)  # fmt: skip


class Writers:
    """Writes threads, the same ones from the same seed."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._deals: Mapping[int, Sequence[int]] = deals_of_companies(size)

    def batches(self, seed: int, messages: int, most: int) -> Iterator[list[Stored]]:
        """So many messages in threads, which are whole in the batches of about `most` of them."""
        chance = random.Random(seed)
        batch: list[Stored] = []
        made = 0
        while made < messages:
            thread = self._thread(chance, (seed << 32) + made + 1)[: messages - made]
            made += len(thread)
            batch += thread
            if len(batch) >= most:
                yield batch
                batch = []
        if batch:
            yield batch

    def _thread(self, chance: random.Random, first_id: int) -> list[Stored]:
        """One to eight messages between a rep, a contact, and somebody else of whom, three times in five, the CRM knows."""
        size = self._size
        buyer = chance.randrange(size.contacts - 1)
        company = buyer % size.companies
        rep = chance.randrange(200) if chance.random() < 0.2 else rep_of_company(company)
        ours = Party("from", rep_address(rep), f"Rep {rep}", user_id=rep + 1)
        theirs = Party("from", contact_address(buyer, size), contact_name(buyer))
        other = self._somebody(chance, company, first_id)
        subject = self._subject(chance, company)
        at = _BEGINS + _SPAN * chance.random()
        outbound = chance.random() < 0.5
        found: list[Stored] = []
        for turn in range(min(8, 1 + int(chance.expovariate(0.45)))):
            author, reader = (ours, theirs) if outbound else (theirs, ours)
            parties = (author, _as("to", reader), _as("cc", other))
            found.append(_stored(first_id, turn, at, parties, rep, subject))
            outbound = not outbound
            at += timedelta(hours=1 + chance.expovariate(1 / 20))
        return found

    def _somebody(self, chance: random.Random, company: int, number: int) -> Party:
        drawn = chance.random()
        if drawn < 0.2:
            return Party("cc", f"guest{number}@mail{number % 5_000}.example", f"Guest {number}")
        if drawn < 0.4:
            return Party("cc", f"new{number}@{domain(company)}", f"New {number}")
        at_theirs = range(company, self._size.contacts - 1, self._size.companies)
        contact = chance.choice(at_theirs) if drawn < 0.9 else chance.randrange(self._size.contacts - 1)
        return Party("cc", contact_address(contact, self._size), contact_name(contact))

    def _subject(self, chance: random.Random, company: int) -> str:
        """Two times in five it says what one of the company's deals is about, and once in twenty the number of its quote."""
        words = " ".join(chance.sample(_WORDS, 2)).capitalize()
        deals = self._deals.get(company, ())
        if not deals:
            return words
        deal, drawn = chance.choice(deals), chance.random()
        if drawn < 0.05 and (reference := reference_of_deal(deal)):
            return f"{words} {reference}"
        return f"{words} {product_of_deal(deal)}" if drawn < 0.4 else words


def _as(role: str, party: Party) -> Party:
    return Party(role, party.address, party.name, user_id=party.user_id)  # type: ignore[arg-type]


def _stored(
    first_id: int, turn: int, at: datetime, parties: tuple[Party, ...], rep: int, subject: str
) -> Stored:
    outbound = parties[0].user_id is not None
    draft = Draft(
        dedupe_key=f"email:{first_id + turn}@bench.example",
        kind="email",
        occurred_at=at,
        direction="outbound" if outbound else "inbound",
        parties=parties,
        parts=(Part(rep + 1, at.date(), "sender" if outbound else "recipient"),),
        subject="Re: " * bool(turn) + subject,
    )
    return Stored(first_id + turn, draft, NOT_YET, at, thread_id=first_id)
