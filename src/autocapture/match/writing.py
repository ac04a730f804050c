"""What somebody wrote in a mail, without what stands below their name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from autocapture.formats.words import words_in
from autocapture.model.matching import MatchingRules, Occurrence

_SIGNATURE = 15
"""Lines below a name that are a signature's, with the line of the name."""
_TITLES = 3
"""Words besides the name that the line of a name may have: a greeting, a title."""
_WORD = re.compile(r"\w+(?:-\w+)*")
_SHORT = 3
"""Letters of words that a denial passes over: ``not in the``."""
_CLAUSE = re.compile(r"[,;:!?()\n]+|\.(?=\s|$)|\s[-–—]\s")


def written_in(occurrence: Occurrence) -> str | None:
    """The text of an activity down to where its writer signs: a line that is their name. What follows, an address, a slogan, a
    department, says nothing of what the mail is about. None where no text is kept."""
    text = occurrence.text
    if not text or "\n" not in text:
        return text
    name = next((party.name for party in occurrence.draft.parties if party.role == "from"), "")
    parts = frozenset([word for word in words_in(name) if len(word) > 1])
    return _unsigned(text, parts) if parts else text


def _unsigned(text: str, name: frozenset[str]) -> str:
    """Without the first of the last lines that is the name, or begins with it, and what follows it; the first line stays."""
    lines = text.split("\n")
    for index in range(max(1, len(lines) - _SIGNATURE), len(lines)):
        line = lines[index].casefold()
        if any(each in line for each in name) and _signs(words_in(line), name):
            return "\n".join(lines[:index])
    return text


def _signs(words: list[str], name: frozenset[str]) -> bool:
    """Whether a line is a name: nothing but words of it, or all of it with little besides."""
    if len(words) > len(name) + _TITLES:
        return False
    said = frozenset(words)
    return bool(said) and (said <= name or said >= name)


def turns_away(texts: Iterable[str | None], words: frozenset[str], phrases: frozenset[str]) -> bool:
    """Whether one of the texts has one of the phrases, such as ``off topic``, ``helt annat``. `words` are all of theirs."""
    spaced, every = _spaced(phrases)
    near = () if words.isdisjoint(every) else [phrase for of_phrase, phrase in spaced if of_phrase <= words]
    if not near:
        return False
    said = [f" {' '.join(words_in(text))} " for text in texts if text]
    return any(phrase in text for phrase in near for text in said)


@lru_cache(maxsize=8)
def _spaced(phrases: frozenset[str]) -> tuple[tuple[tuple[frozenset[str], str], ...], frozenset[str]]:
    """Each phrase with its words, and with spaces around it; and the words of all."""
    spaced = tuple([(frozenset(each.split()), f" {each} ") for each in sorted(phrases)])
    return spaced, frozenset().union(*[of_phrase for of_phrase, _ in spaced])


def without_asides(text: str, rules: MatchingRules) -> str:
    """The text without what it mentions only to say that it is not meant, stays as it is, or comes later, clause by clause:
    ``Leeds is unaffected``, ``nicht die Halle``."""
    kept = [_without_denied(clause, rules) for clause in _CLAUSE.split(text) if not _is_aside(clause, rules)]
    return "\n".join(kept)


def _is_aside(clause: str, rules: MatchingRules) -> bool:
    return turns_away([clause], frozenset(words_in(clause)), rules.aside)


def _without_denied(clause: str, rules: MatchingRules) -> str:
    """Without the first longer word after a ``not``, and the capitals that follow it: ``not the Boreal Scan``."""
    if rules.denied.isdisjoint(words_in(clause)):
        return clause
    kept: list[str] = []
    state = ""
    for written in _WORD.findall(clause):
        word = written.casefold()
        if word in rules.denied:
            state = "denied"
        elif state == "denied" and len(word) > _SHORT and word not in rules.common:
            state = "name"
        elif not (state == "name" and written[0].isupper()):
            state = state if state == "denied" else ""
            kept.append(written)
    return " ".join(kept)
