"""How conversations are worded: subjects, titles and letters that name their matter, or do not."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Literal, get_args

from autocapture.evaluate.world import User
from autocapture.testing.world.hard.model import Firm, Language, Person

Matter = Literal["named", "bland", "account", "general", "beside", "which", "social", "terms"]


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language; those of a matter by its word."""

    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    weekdays: tuple[str, ...]
    quote: str
    subjects: dict[Matter, tuple[str, ...]]
    titles: dict[Matter, tuple[str, ...]]
    lines: dict[Matter, tuple[str, ...]]


@cache
def words_of(language: Language, dialect: int) -> Words:
    """Every other phrase of the language, beginning with the first (`dialect` 0) or the second (1)."""
    everything = tomllib.loads(
        (files("autocapture.testing.world.hard") / "words.toml").read_text(encoding="utf-8")
    )
    told = everything[language]

    def of(part: str) -> dict[Matter, tuple[str, ...]]:
        return {
            matter: tuple(told[matter][part][dialect::2])
            for matter in get_args(Matter)
            if part in told[matter]
        }

    return Words(
        tuple(told["greetings"]),
        tuple(told["closings"]),
        tuple(told["weekdays"]),
        told["quote"],
        of("subjects"),
        of("titles"),
        of("lines"),
    )


def subject(rng: Random, firm: Firm, matter: Matter, product: str = "") -> str:
    return _filled(rng, firm, rng.choice(words_of(firm.language, firm.dialect).subjects[matter]), product)


def title(rng: Random, firm: Firm, matter: Matter, product: str = "") -> str:
    return _filled(rng, firm, rng.choice(words_of(firm.language, firm.dialect).titles[matter]), product)


def letter(
    rng: Random, firm: Firm, matter: Matter, product: str, sender: Person | User, receiver: Person | User
) -> str:
    """Greeting, one or two sentences on the matter, one on nothing, and who writes."""
    words = words_of(firm.language, firm.dialect)
    lines = rng.sample(words.lines[matter], k=rng.choice((1, 2)))
    if matter != "bland" and rng.random() < 0.6:
        lines.append(rng.choice(words.lines["bland"]))
    return _filled(rng, firm, _signed(rng, firm, lines, sender, receiver), product)


def letter_of(
    rng: Random,
    firm: Firm,
    said: Sequence[tuple[Matter, str]],
    sender: Person | User,
    receiver: Person | User,
) -> str:
    """Greeting, one sentence on each matter with its product, and who writes. ``one/other`` are the two that a question is
    about."""
    lines = []
    for matter, product in said:
        one, _, other = product.partition("/")
        line = rng.choice(words_of(firm.language, firm.dialect).lines[matter])
        lines.append(line.replace("{product}", one).replace("{other}", other))
    return _filled(rng, firm, _signed(rng, firm, lines, sender, receiver), "")


def _signed(
    rng: Random, firm: Firm, lines: Sequence[str], sender: Person | User, receiver: Person | User
) -> str:
    words = words_of(firm.language, firm.dialect)
    greeting = rng.choice(words.greetings).replace("{first}", receiver.name.split(" ")[0])
    return "\n".join([greeting, "", *lines, "", rng.choice(words.closings), sender.name])


def quoted(firm: Firm, date: str, name: str, text: str) -> str:
    """The text as an answer quotes it."""
    lead = words_of(firm.language, firm.dialect).quote.format(date=date, name=name)
    return "\n".join(["", "", lead, *(f"> {line}".rstrip() for line in text.splitlines())])


def _filled(rng: Random, firm: Firm, text: str, product: str) -> str:
    weekday = rng.choice(words_of(firm.language, firm.dialect).weekdays)
    number = str(rng.randrange(10_000, 99_999))
    return (
        text.replace("{weekday}", weekday)
        .replace("{product}", product)
        .replace("{company}", firm.company.name)
        .replace("{number}", number)
    )
