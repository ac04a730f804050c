"""The phrases of one language, read from `phrases/`: what sales mail says, by the stage of the deal."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

from autocapture.testing.world.model import Language


@dataclass(frozen=True, slots=True)
class Topic:
    """Subjects, and sentences of the two sides. Slots: company, product, us, first, name, weekday, amount, n."""

    subjects: tuple[str, ...]
    rep: tuple[str, ...]
    buyer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrases:
    language: Language
    weekdays: tuple[str, ...]
    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    quote: str
    titles: tuple[str, ...]
    followups: tuple[str, ...]
    closers: tuple[str, ...]
    files: tuple[str, ...]
    private: tuple[str, ...]
    internal: tuple[str, ...]
    internal_text: tuple[str, ...]
    topics: dict[str, Topic]
    away_subjects: tuple[str, ...]
    away_text: str


@cache
def phrases(language: Language) -> Phrases:
    raw = tomllib.loads(
        (files("autocapture.testing.world") / "phrases" / f"{language}.toml").read_text(encoding="utf-8")
    )
    away = raw.pop("away")
    topics = {
        name: Topic(tuple(topic["subjects"]), tuple(topic["rep"]), tuple(topic["buyer"]))
        for name, topic in raw.pop("topics").items()
    }
    quote = raw.pop("quote")
    return Phrases(
        language=language,
        quote=quote,
        topics=topics,
        away_subjects=tuple(away["subjects"]),
        away_text=away["text"],
        **{name: tuple(values) for name, values in raw.items()},
    )


def fill(rng: Random, language: Language, template: str, **slots: str) -> str:
    """The template with its slots filled; `weekday` and `n` are drawn."""
    weekday = rng.choice(phrases(language).weekdays)
    return template.format(weekday=weekday, n=rng.randrange(2, 9) * 5, **slots)
