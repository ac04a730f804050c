"""Who there is in a hard world: our people, firms of every shape, and the people there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from autocapture.evaluate.world import Company, User
from autocapture.testing.world import names
from autocapture.testing.world.hard.model import DAYS, LANGUAGES, Book, Firm, Language, Person, on_day

OURS = "halvorin.example"
_ALSO_OURS = "halvorin-systems.example"
_ZONES: dict[Language, str] = {"en": "Europe/London", "nl": "Europe/Amsterdam", "de": "Europe/Berlin"}
_REPS_A_LANGUAGE = 4
_SHAPES = (
    *("one deal",) * 13,
    *("customer buys again",) * 5,
    *("two deals, two owners", "different contacts", "different product words") * 3,
    *("renewal and new business",) * 4,
    *("one after another",) * 4,
    *("customer",) * 4,
    *("prospect",) * 3,
    *("same everything",) * 2,
    *("closed in between",) * 2,
    *("opens later",) * 2,
    *("partner",) * 2,
)
"""Of fifty firms so many of each shape: sixteen, a third, have deals beside each other."""


def our_people(book: Book) -> None:
    """In each language four who sell and one who keeps customers: number, extension and second address each."""
    rng = book.stream("users")
    taken: set[str] = set()
    for language in LANGUAGES:
        for seat in range(_REPS_A_LANGUAGE + 1):
            name = _unlike(rng, language, taken)
            keeps = seat == _REPS_A_LANGUAGE
            number = len(book.users)
            book.users.append(
                User(
                    email=f"{name.local_part}@{OURS}",
                    name=name.full,
                    aliases=(f"{name.local_part}@{_ALSO_OURS}",),
                    team=f"{'Customers' if keeps else 'Sales'} {language}",
                    phones=(names.phone(language, 20 + number) or "", f"ext:{201 + number}"),
                    time_zone=_ZONES[language],
                )
            )


def firms(book: Book, number: int) -> None:
    """So many firms, with three to five people each; their order and shapes depend on the seed."""
    shapes = [_SHAPES[index % len(_SHAPES)] for index in range(number)]
    book.stream("shapes").shuffle(shapes)
    lines = dict.fromkeys(LANGUAGES, 100)
    for index, shape in enumerate(shapes):
        language = LANGUAGES[index % len(LANGUAGES)]
        rng = book.stream("firm", index)
        name, label = names.company(index // len(LANGUAGES), language)
        staff = [user for user in book.users if user.team.endswith(language)]
        firm = Firm(
            company=Company(book.key("F"), name, (f"{label}.example",), shape == "partner"),
            language=language,
            rep=rng.choice(staff[:-1]),
            manager=staff[-1],
            shape=shape,
            dialect=book.seed % 2,
        )
        firm.switchboard = names.phone(language, lines[language]) or ""
        for _ in range(rng.choice((3, 3, 4, 5))):
            lines[language] += 1
            person = new_person(rng, firm, names.phone(language, lines[language]) or "")
            if rng.random() < 0.15:
                person = replace(person, phone=firm.switchboard if rng.random() < 0.6 else "")
            entered = on_day(rng.randrange(-500, -30) if rng.random() < 0.93 else rng.randrange(DAYS))
            firm.people.append(book.add_contact(person, firm.company.key, entered))
        lines[language] += 1
        book.firms.append(firm)
        book.companies.append(firm.company)


def new_person(rng: Random, firm: Firm, phone: str = "") -> Person:
    """Somebody at the firm whose address nobody there has; the CRM does not know them yet."""
    taken = {person.address.partition("@")[0] for person in firm.people}
    name = _unlike(rng, firm.language, taken)
    return Person(name.full, f"{name.local_part}@{firm.company.domains[0]}", phone)


def _unlike(rng: Random, language: Language, taken: set[str]) -> names.PersonName:
    name = names.person(rng, language)
    while name.local_part in taken:
        name = names.person(rng, language)
        if name.local_part in taken and rng.random() < 0.2:
            name = replace(name, local_part=f"{name.local_part}{rng.randrange(2, 99)}")
    taken.add(name.local_part)
    return name


def colleague_of(book: Book, user: User, rng: Random) -> User:
    """Somebody else of the same team, or whoever keeps customers."""
    others: Sequence[User] = [
        each for each in book.users if each.team.split()[-1] == user.team.split()[-1] and each is not user
    ]
    return rng.choice(others)
