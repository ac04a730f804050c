"""A text as words, as stems that endings do not tell apart, and with its codes kept whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"\w+")
_CODE = re.compile(
    r"(?<![^\W_])([^\W\d_]{1,20}+)(?=( ?[-–] ?|[ .]?)\n?([0-9]{1,4}+(?![^\W_])|[A-HJ-Z](?![^\W_]|[ -]?[0-9])))"
)
"""A word, what stands between, and a number or letter, be it on the next line; that may be the word of another: ``Hall B 2``."""
_ENDS_CODE = re.compile(r"[0-9]|\b[A-HJ-Z](?![^\W_])")
"""One of these is in each code: most subjects have none."""
_SHORT = 2
"""Letters before a number that are a code's only in capitals, where a space is between: ``P 41``, not ``to 41``."""
_ENDINGS = (
    "erna", "arna", "orna", "ens", "ets", "en", "et", "er", "es", "ar", "or", "em", "s", "e", "n", "a",
)  # fmt: skip
"""Of nouns in Swedish, Dutch, German, English, French and Spanish, the longest first."""
_STEM = 5


class Code(NamedTuple):
    """A number or letter with the word before it: ``P-41``, ``Lot 2``, ``Hall B``. `joined` is case-folded, without what stands
    between: ``p41``."""

    before: str
    after: str

    @property
    def joined(self) -> str:
        return self.before + self.after


def words_in(text: str) -> list[str]:
    """The words of a text in their order, case-folded."""
    return _WORD.findall(text.casefold())


def joined(text: str) -> str:
    """The text as numbers of quotes are compared: case and what stands between their parts aside."""
    return "".join(words_in(text))


def codes_in(text: str) -> Iterator[Code]:
    """The codes of a text. A letter is one only in capitals, and ``I`` never."""
    if _ENDS_CODE.search(text) is None:
        return
    for before, between, after in _CODE.findall(text):
        if _is_code(before, between, after):
            yield Code(before.casefold(), after.casefold())


def _is_code(before: str, between: str, after: str) -> bool:
    if after.isalpha():
        return between != ""
    return between != " " or len(before) > _SHORT or before.isupper()


def spelled(name: str, found: frozenset[str]) -> list[str]:
    """The words and codes of a name, as it spells them, whose stems or joined codes are among those found."""
    told: list[str] = []
    before: re.Match[str] | None = None
    for word in _WORD.finditer(name):
        if before is not None and (before[0] + word[0]).casefold() in found:
            if told and told[-1] == before[0]:
                told.pop()
            told.append(name[before.start() : word.end()])
        elif stem(word[0].casefold()) in found:
            told.append(word[0])
        before = word
    return told


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """A case-folded word without its endings, of which at least five letters stay: ``serviceavtalet`` and ``serviceavtal`` are
    the same, as are ``jackets`` and ``jacket``. A stem is for comparing, and need not be a word."""
    while True:
        ending = next(
            (each for each in _ENDINGS if word.endswith(each) and len(word) - len(each) >= _STEM), None
        )
        if ending is None:
            return word
        word = word[: -len(ending)]
        if word[-1] == word[-2] and len(word) > _STEM:
            word = word[:-1]
