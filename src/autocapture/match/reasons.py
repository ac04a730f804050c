"""What speaks for a deal or against it, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_WORDS: Mapping[str, str] = {
    "no deal": "",  # where every option begins
    "mute": "",
    "several companies": "several companies take part",
    "customer": "they have bought before, and may mean that",
    "role on what was bought": "who takes part has a role on what was bought",
    "nothing said": "no deal is named",
    "not in the subject": "no deal is named in the subject",
    "not in the title": "no deal is named in the title",
    "unanswered": "nobody has answered it",
    "another product": "a product is named that no deal of theirs has",
    "bought under that name": "what is named has been bought before",
    "service": "it reads like a bill, a ticket or an invitation",
    "perhaps service": "it may be about a delivery, support or a repair",
    "social": "it invites people",
    "terms": "it is about price lists or terms",
    "partner": "a partner writes, whose customers these deals are",
    "of a closed deal": "what is named is that of a deal that was closed",
    "another matter": "it says that it is about something else",
    "role": "who takes part has a role on it",
    "role, text unread": "its text was not read, which may name another deal",
    "more roles": "several who take part have a role on it",
    "role on a rival": "who takes part has a role on another deal",
    "others have roles": "none of its contacts takes part",
    "owner": "its owner takes part",
    "owner of a rival": "the owner of another deal takes part",
    "words": "its name or products are mentioned",
    "own words": "words that are its own are mentioned",
    "own words in the subject": "its words stand in the subject, those of another deal only below",
    "words of a rival": "words of another deal are mentioned",
    "key": "its key in the CRM is given",
    "number": "the number of its quote or order is mentioned",
    "only deal": "the company never had another deal",
    "they have it": "they have bought what it is about, and may mean that",
    "weeks before": "it was entered only later",
    "weeks after": "it was closed before",
}
_SAID_BY: Mapping[str, tuple[str, ...]] = {"words": ("own words", "number"), "role": ("more roles",)}
_NAMING = ("words", "own words")
_LEAST = 0.05
"""Log-odds below which nothing is said of an evidence."""


def in_words(evidence: Mapping[str, float], named: Sequence[str] = ()) -> tuple[str, ...]:
    """The evidence of an option (log-odds by name) as parts of a sentence: what speaks for it, the weightiest first, then what
    speaks against it. What hardly counts is left out, and what another part says already. `named` are the words of its name and
    products that stand in a subject or title."""
    spoken = sorted(evidence.items(), key=lambda each: (-abs(each[1]), each[0]))
    said = {name for name, amount in spoken if abs(amount) >= _LEAST}
    told = [
        (amount > 0, words)
        for name, amount in spoken
        if name in said and said.isdisjoint(_SAID_BY.get(name, ())) and (words := _told(name, named))
    ]
    speaks_for = [words for is_for, words in told if is_for]
    against = [words for is_for, words in told if not is_for]
    if speaks_for and against:
        against[0] = f"but {against[0]}"
    return (*speaks_for, *against)


def _told(name: str, named: Sequence[str]) -> str:
    words = _WORDS.get(name, name)
    if name not in _NAMING or not named:
        return words
    return f"{words}: {', '.join([f'“{each}”' for each in named])} in the subject"
