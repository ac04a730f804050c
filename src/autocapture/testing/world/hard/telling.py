"""What a careful person could tell of a conversation: its deal, that it is about none, or that nobody can tell.

The generator knows what each conversation is about. This decides only whether that can be seen in the world: from what is said,
from who takes part, from when it was.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from autocapture.evaluate.world import ACCOUNT_ONLY, AMBIGUOUS
from autocapture.testing.world.hard.model import Book, Firm, Person, Sale

_NEAR = timedelta(days=14)
"""Nobody would think of a deal that was entered later, or closed earlier, than this."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: about `sale`, or None: about no deal. `names_it`: it says what it is about, by the deal's words or its
    kind of matter; `by_number`: by the number of a quote, which no other deal has."""

    firm: Firm
    sale: Sale | None
    at: datetime
    people: tuple[Person, ...]
    ours: Collection[str]
    names_it: bool
    by_number: bool = False

    @property
    def keys(self) -> set[str]:
        return {person.key for person in self.people if person.key}


def verdict(book: Book, talk: Talk) -> str:
    """The deal's key, `ACCOUNT_ONLY` or `AMBIGUOUS`."""
    rivals = _rivals(book, talk)
    if talk.sale is None:
        return ACCOUNT_ONLY if talk.names_it or not rivals else AMBIGUOUS
    if not all(_is_told_from(talk, talk.sale, rival) for rival in rivals):
        return AMBIGUOUS
    if not talk.names_it and (not _is_near(talk.sale, talk.at) or not _is_no_account_matter(talk, talk.sale)):
        return AMBIGUOUS
    return talk.sale.deal.key


def misleads(book: Book, talk: Talk) -> bool:
    """Whether who takes part would make anybody think of another deal, and nothing that is said corrects it."""
    if talk.names_it or talk.sale is None:
        return False
    return any(_favours(talk, rival, talk.sale) for rival in _rivals(book, talk))


def _rivals(book: Book, talk: Talk) -> list[Sale]:
    """The other deals that one would think of: of the company, and of whoever writes from elsewhere."""
    own = talk.firm.company.domains
    elsewhere = [person.key for person in talk.people if person.address.rpartition("@")[2] not in own]
    found = [*talk.firm.sales, *(sale for key in elsewhere for sale in book.by_contact.get(key, ()))]
    return [sale for sale in dict.fromkeys(found) if sale is not talk.sale and _is_near(sale, talk.at)]


def _is_near(sale: Sale, at: datetime) -> bool:
    closed = sale.deal.closed_at
    return sale.deal.created_at - _NEAR <= at and (closed is None or at <= closed + _NEAR)


def _is_told_from(talk: Talk, about: Sale, rival: Sale) -> bool:
    if talk.by_number or (talk.names_it and about.words != rival.words):
        return True
    return _favours(talk, about, rival)


def _favours(talk: Talk, one: Sale, other: Sale) -> bool:
    """Whether who takes part speaks for the first: somebody with a role on it and nobody with one on the other, or its owner
    and not the other's."""
    by_role = bool(talk.keys & one.roles) and not talk.keys & other.roles
    by_owner = one.owner.email in talk.ours and other.owner.email not in talk.ours
    against_role = bool(talk.keys & other.roles) and not talk.keys & one.roles
    against_owner = other.owner.email in talk.ours and one.owner.email not in talk.ours
    return (by_role or by_owner) and not (against_role or against_owner)


def _is_no_account_matter(talk: Talk, sale: Sale) -> bool:
    """Whether a customer can only be meant to speak of this deal: its seller does not look after them, or whoever takes part
    works on it and on nothing that was bought."""
    bought = [each for each in talk.firm.sales if each.deal.outcome == "won" and each is not sale]
    bought = [each for each in bought if each.deal.closed_at is not None and each.deal.closed_at < talk.at]
    if not bought:
        return True
    if sale.owner.email in talk.ours and talk.firm.manager.email not in talk.ours:
        return sale.owner is not talk.firm.manager
    return bool(talk.keys & sale.roles) and not any(talk.keys & each.roles for each in bought)
