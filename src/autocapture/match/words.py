"""What deals are called, and whether that is said: words of names and products, numbers of quotes and orders.

No pattern is run for a deal: what was said is a set of words, made once for each activity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from autocapture.formats.words import words_in
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.matching import MatchingRules

_SHORTEST_REFERENCE = 4
_STEM, _LONGEST = 6, 20
_READ_LIMIT = 20_000
"""Characters of a text that are read."""


class Content(NamedTuple):
    """What is said: its words, and what might be a number of a quote. `has_text`: not the subject alone was read."""

    words: frozenset[str]
    numbers: frozenset[str]
    has_subject: bool = False
    has_text: bool = False


NOTHING = Content(frozenset(), frozenset())


class DealWords(NamedTuple):
    """`phrases` are the words of its name, without the company's, and of each product; `every` is all of them."""

    phrases: tuple[frozenset[str], ...]
    every: frozenset[str]
    numbers: frozenset[str]


def content_of(subject: str | None, text: str | None) -> Content:
    """What an activity says. Numbers are words with a digit, alone and joined with the word before: ``PO 4711``."""
    said = _said_in_subject(subject) if subject else NOTHING
    if not text:
        return said
    words = words_in(text[:_READ_LIMIT])
    return Content(
        said.words.union(words), said.numbers.union(_numbers(words)), said.has_subject, has_text=True
    )


@lru_cache(maxsize=8_192)  # each answer of a thread has the same subject
def _said_in_subject(subject: str) -> Content:
    words = words_in(subject[:_READ_LIMIT])
    return Content(frozenset(words), frozenset(_numbers(words)), has_subject=True)


def together(contents: Sequence[Content]) -> Content:
    """What several activities say between them."""
    if len(contents) == 1:
        return contents[0]
    return Content(
        frozenset().union(*[each.words for each in contents]),
        frozenset().union(*[each.numbers for each in contents]),
        any(each.has_subject for each in contents),
        any(each.has_text for each in contents),
    )


def deal_words(deal: KnownDeal, directory: Directory, rules: MatchingRules) -> DealWords:
    """What the deal is called, made once in each directory."""
    found: DealWords | None = directory.words.get(deal.deal_id)
    if found is None:
        found = directory.words[deal.deal_id] = _deal_words(deal, directory, rules)
    return found


def _deal_words(deal: KnownDeal, directory: Directory, rules: MatchingRules) -> DealWords:
    named = _telling(deal.name, rules.common)
    company = directory.company_names.get(deal.company_id or 0)
    phrases = [
        named.difference(_words(company)) if company else named,
        *[_telling(each, rules.common) for each in deal.products],
    ]
    told = tuple(dict.fromkeys([phrase for phrase in phrases if phrase]))
    numbers = ["".join(words_in(each)) for each in deal.references]
    return DealWords(
        told, frozenset().union(*told), frozenset([each for each in numbers if _is_number(each)])
    )


@lru_cache(maxsize=8_192)  # a company has several deals, and a product is in many
def _words(name: str) -> frozenset[str]:
    return frozenset(words_in(name))


@lru_cache(maxsize=8_192)
def _telling(name: str, common: frozenset[str]) -> frozenset[str]:
    """The words of a name that tell it from others."""
    return frozenset(
        [
            each
            for each in _words(name)
            if len(each) > 1 and each not in common and not (each.isdigit() and len(each) <= 4)
        ]
    )


def _numbers(words: Sequence[str]) -> Iterable[str]:
    for index, word in enumerate(words):
        if any(map(str.isdigit, word)):
            if len(word) >= _SHORTEST_REFERENCE:
                yield word
            if index and len(joined := words[index - 1] + word) >= _SHORTEST_REFERENCE:
                yield joined
                if index > 1:
                    yield words[index - 2] + joined


def _is_number(text: str) -> bool:
    return len(text) >= _SHORTEST_REFERENCE and any(map(str.isdigit, text))


def is_service(content: Content, rules: MatchingRules) -> bool:
    """Whether a word is one of what is no sale, or begins with one of six letters or more: ``Schulungstermine``."""
    if not content.words.isdisjoint(rules.service):
        return True
    return any(
        word[:end] in rules.service
        for word in content.words
        for end in range(_STEM, min(len(word), _LONGEST))
    )


def names_product(content: Content, directory: Directory) -> bool:
    """Whether something is named that we sell."""
    return any(
        phrase <= content.words for word in content.words for phrase in directory.products.get(word, ())
    )


class Said(NamedTuple):
    """How much is said of a deal, 0 to 1: at all, by words that no other candidate has, and by one of its numbers."""

    at_all: float
    alone: float
    number: float


UNSAID = Said(0.0, 0.0, 0.0)


def said_of(content: Content, candidates: Mapping[int, DealWords]) -> dict[int, Said]:
    """What the content says of each candidate. Words that all of them share say nothing for one of them."""
    if not content.words:
        return dict.fromkeys(candidates, UNSAID)
    return {deal_id: _said(content, deal_id, candidates) for deal_id in candidates}


def _said(content: Content, deal_id: int, candidates: Mapping[int, DealWords]) -> Said:
    called = candidates[deal_id]
    is_named = not called.every.isdisjoint(content.words)
    is_numbered = not called.numbers.isdisjoint(content.numbers)
    if not (is_named or is_numbered):
        return UNSAID
    rivals = [each for key, each in candidates.items() if key != deal_id]
    number = is_numbered and not any(called.numbers & rival.numbers & content.numbers for rival in rivals)
    if not is_named:
        return Said(0.0, 0.0, float(number))
    at_all = max(len(phrase & content.words) / len(phrase) for phrase in called.phrases) ** 2
    alone = 1.0 if rivals else 0.0
    if rivals:
        others: frozenset[str] = frozenset().union(*[rival.every for rival in rivals])
        own = [phrase - others for phrase in called.phrases]
        alone = max((len(each & content.words) / len(each) for each in own if each), default=0.0)
    return Said(at_all, alone, float(number))
