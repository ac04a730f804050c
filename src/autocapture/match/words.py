"""What deals are called, and whether that is said: words of names and products, codes, numbers of quotes and orders.

No pattern is run for a deal: what was said is a set of words, made once for each activity. Words are compared by their stems.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from autocapture.formats.words import codes_in, spelled, stem, words_in
from autocapture.match.counts import quantities_of, quantities_said
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.matching import MatchingRules

_SHORTEST_REFERENCE = 4
_STEM, _LONGEST = 6, 20
_READ_LIMIT = 20_000
"""Characters of a text that are read."""
_LEFT_OVER = 3
"""Letters before a number that are no word beside the code that they are part of: ``Lot 2``."""
_SHORT_NUMBER = 4
_YEARS = range(1900, 2100)
_NEAR = 5
"""So many years around that in which a deal was entered are spoken of."""


class Content(NamedTuple):
    """What is said: its words, the stems of these with the codes, and what might be a number of a quote. `title` are the words of
    subjects and titles, `titled` their stems and codes. `has_text`: not the subject alone was read."""

    words: frozenset[str]
    numbers: frozenset[str]
    stems: frozenset[str] = frozenset()
    title: frozenset[str] = frozenset()
    titled: frozenset[str] = frozenset()
    has_subject: bool = False
    has_text: bool = False


NOTHING = Content(frozenset(), frozenset())


class Phrase(NamedTuple):
    """The name of a deal or of a product, as stems and codes: what tells it, said in part or whole."""

    stems: frozenset[str]
    codes: frozenset[str]

    def said(self, found: frozenset[str], but: frozenset[str] = frozenset()) -> float:
        """Which part of it is among the stems found, 0 to 1, what is in `but` aside; a code stands for all of it."""
        if not self.codes.isdisjoint(found) and not (self.codes & found) <= but:
            return 1.0
        own = self.stems - but if but else self.stems
        return len(own & found) / len(own) if own else 0.0


class DealWords(NamedTuple):
    """`phrases` are its name, without the company's words, and each product; `every` is all of their stems and codes,
    `quantities` those of these codes that say how many."""

    phrases: tuple[Phrase, ...]
    every: frozenset[str]
    numbers: frozenset[str]
    quantities: frozenset[str] = frozenset()


@lru_cache(maxsize=2_048)  # each answer of a thread has the same subject
def content_of_subject(subject: str) -> Content:
    """What a subject or title says."""
    words, numbers, stems = _read(subject)
    return Content(words, numbers, stems, title=words, titled=stems, has_subject=bool(subject))


def content_of_text(text: str) -> Content:
    """What a text says. Numbers are words with a digit, alone and joined with the word before: ``PO 4711``."""
    return Content(*_read(text), has_text=bool(text))


def _read(text: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Words, numbers, and stems with codes."""
    read = text[:_READ_LIMIT]
    in_order = words_in(read)
    words = frozenset(in_order)
    stems = frozenset([*map(stem, words), *[each.joined for each in codes_in(read)]])
    return words, frozenset(_numbers(in_order)), stems


def together(contents: Sequence[Content]) -> Content:
    """What several activities say between them."""
    first, *others = {id(each): each for each in contents}.values()  # of answers the subject is one value
    if not others:
        return first
    has_text = any(each.has_text for each in contents)
    words = first.words.union(*[each.words for each in others])
    stems = first.stems.union(*[each.stems for each in others])
    return Content(
        words,
        first.numbers.union(*[each.numbers for each in others]),
        stems,
        first.title.union(*[each.title for each in others]) if has_text else words,
        first.titled.union(*[each.titled for each in others]) if has_text else stems,
        any(each.has_subject for each in contents),
        has_text,
    )


def deal_words(deal: KnownDeal, directory: Directory, rules: MatchingRules) -> DealWords:
    """What the deal is called, made once in each directory."""
    found: DealWords | None = directory.words.get(deal.deal_id)
    if found is None:
        found = directory.words[deal.deal_id] = _deal_words(deal, directory, rules)
    return found


def _deal_words(deal: KnownDeal, directory: Directory, rules: MatchingRules) -> DealWords:
    company = directory.company_names.get(deal.company_id or 0, "")
    name, quantities = _phrase(deal.name, _words(company), rules.common), quantities_of(deal.name)
    phrases = [
        name._replace(codes=name.codes | quantities),
        *[_product_phrase(each, rules.common) for each in deal.products],
    ]
    told = tuple(dict.fromkeys([phrase for phrase in phrases if phrase.stems or phrase.codes]))
    every = frozenset().union(*[part for phrase in told for part in phrase])
    return DealWords(told, every, frozenset(_numbers_of(deal.references, deal.created_at.year)), quantities)


@lru_cache(maxsize=4_096)  # a product is in many deals
def _product_phrase(name: str, common: frozenset[str]) -> Phrase:
    return _phrase(name, frozenset(), common)


@lru_cache(maxsize=2_048)
def customer_words(name: str, common: frozenset[str]) -> Phrase:
    """The name of a company, as words."""
    return _phrase(name, frozenset(), common)


def _phrase(name: str, but: frozenset[str], common: frozenset[str]) -> Phrase:
    """The name without the words in `but`, and what is left of a code."""
    codes = [each for each in codes_in(name) if each.before not in but]
    left_over = {each.before for each in codes if len(each.before) <= _LEFT_OVER}
    stems: set[str] = set()
    whole = {each.joined for each in codes}
    for word in {*words_in(name)}.difference(but, left_over):
        if not word.isdecimal() or len(word) > _SHORT_NUMBER:
            if len(word) > 1 and word not in common:
                stems.add(stem(word))
        elif len(word) > 2 and not _is_year(word):
            whole.add(word)
    return Phrase(frozenset(stems), frozenset(whole))


@lru_cache(maxsize=4_096)  # a company has several deals
def _words(name: str) -> frozenset[str]:
    return frozenset(words_in(name))


def _is_year(digits: str) -> bool:
    return int(digits) in _YEARS


def _numbers_of(references: Iterable[str], year: int) -> Iterable[str]:
    """The numbers, each whole and by its last part, as people say it: ``0415`` of ``OF-26-0415``. What may be a year is none,
    unless it is far from the `year` of the deal and the reference has another number: ``2044`` of ``OF-26-2044``."""
    for reference in references:
        parts = words_in(reference)
        counts_on = sum(any(map(str.isdigit, part)) for part in parts) > 1
        for number in ("".join(parts), *parts[-1:]):
            if not _is_number(number):
                continue
            is_year = number.isdecimal() and _is_year(number)
            if not is_year or (counts_on and abs(int(number) - year) > _NEAR):
                yield number


def with_quantities(content: Content, text: str | None, called: Collection[DealWords]) -> Content:
    """The content with what its text says of quantities, where deals differ in theirs."""
    told = [each.quantities for each in called if each.quantities]
    if len(told) < 2 or not text or all(each == told[0] for each in told):
        return content
    stems = frozenset().union(*[each.every for each in called])
    said = quantities_said(text, frozenset().union(*told), stems)
    return content._replace(stems=content.stems | said) if said else content


def _numbers(words: Sequence[str]) -> Iterable[str]:
    for index, word in enumerate(words):
        if not word.isalpha() and any(map(str.isdigit, word)):
            if len(word) >= _SHORTEST_REFERENCE:
                yield word
            if index and len(joined := words[index - 1] + word) >= _SHORTEST_REFERENCE:
                yield joined
                if index > 1:
                    yield words[index - 2] + joined
                if index > 2:
                    yield words[index - 3] + words[index - 2] + joined


def _is_number(text: str) -> bool:
    return len(text) >= _SHORTEST_REFERENCE and any(map(str.isdigit, text))


def with_beginnings(words: frozenset[str]) -> frozenset[str]:
    """The words with their beginnings of six letters or more, by which a list knows them too: ``Schulungstermine``."""
    return words.union(
        [word[:end] for word in words if len(word) > _STEM for end in range(_STEM, min(len(word), _LONGEST))]
    )


def named_products(content: Content, directory: Directory) -> list[frozenset[str]]:
    """What is named of all that we sell, each as its stems."""
    if not directory.products:
        return []
    begun = [directory.products[word] for word in content.words if word in directory.products]
    return [_stems(phrase) for phrases in begun for phrase in phrases if phrase <= content.words]


@lru_cache(maxsize=1_024)
def _stems(phrase: frozenset[str]) -> frozenset[str]:
    return frozenset(map(stem, phrase))


def named_in(deal: KnownDeal, titled: frozenset[str]) -> list[str]:
    """What subjects and titles say of a deal, in the words of its name and its products."""
    return list(
        dict.fromkeys([each for name in (deal.name, *deal.products) for each in spelled(name, titled)])
    )


class Said(NamedTuple):
    """How much is said of a deal, 0 to 1: at all, by words that no other candidate has, and by one of its numbers.

    `titled`: words that no other candidate has stand in a subject or title. `bought`: what is said of it is as much the name of
    what they bought lately, and says nothing.
    """

    at_all: float
    alone: float
    number: float
    titled: bool = False
    bought: bool = False


UNSAID = Said(0.0, 0.0, 0.0)


def said_of(
    content: Content,
    candidates: Mapping[int, DealWords],
    *,
    bought: Sequence[DealWords] = (),
    products: Sequence[frozenset[str]] = (),
) -> dict[int, Said]:
    """What the content says of each candidate. Words that all of them share say nothing for one of them, those that `bought`
    deals share nothing at all, nor the part of a name that is said because another product is (`products`, all that are named).
    """
    if not content.words:
        return dict.fromkeys(candidates, UNSAID)
    return {key: _said(content, key, candidates, bought, products) for key in candidates}


def _said(
    content: Content,
    deal_id: int,
    candidates: Mapping[int, DealWords],
    bought: Sequence[DealWords],
    products: Sequence[frozenset[str]],
) -> Said:
    called = candidates[deal_id]
    found = called.every & content.stems
    if found and products:
        found = _without_others(found, called, products)
    is_numbered = not called.numbers.isdisjoint(content.numbers)
    if not (found or is_numbered):
        return UNSAID
    rivals = [each for key, each in candidates.items() if key != deal_id]
    number = is_numbered and not any(called.numbers & rival.numbers & content.numbers for rival in rivals)
    if not found:
        return Said(0.0, 0.0, float(number))
    if not number and any(found <= each.every for each in bought):
        return Said(0.0, 0.0, 0.0, bought=True)
    at_all = max([phrase.said(found) for phrase in called.phrases]) ** 2
    if not rivals:
        return Said(at_all, 0.0, float(number))
    others = frozenset().union(*[rival.every for rival in rivals])
    alone = max([phrase.said(found, others) for phrase in called.phrases])
    titled = not (found - others).isdisjoint(content.titled)
    return Said(at_all, alone, float(number), titled)


def _without_others(
    found: frozenset[str], called: DealWords, products: Sequence[frozenset[str]]
) -> frozenset[str]:
    """What is found of a deal, without words that are said only as part of a product that it does not have."""
    own = [phrase.stems for phrase in called.phrases]
    for product in products:
        if not product.isdisjoint(found) and not any(product <= stems for stems in own):
            whole = [stems for stems in own if stems <= found]
            found = found - product.difference(*whole) if whole else found - product
    return found


def as_much(said: Mapping[int, Said], named: Collection[int]) -> Mapping[int, Said]:
    """What is said, with as much of each deal that is named beside others: how many words a name has says nothing of what is
    meant."""
    level = [key for key in named if key in said and said[key].alone]
    if len(level) < 2:
        return said
    at_all, alone = (max(getattr(said[key], name) for key in level) for name in ("at_all", "alone"))
    return {**said, **{key: said[key]._replace(at_all=at_all, alone=alone) for key in level}}
