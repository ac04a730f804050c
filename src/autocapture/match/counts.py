"""How many of something: the quantity that tells ``6 ovens`` from ``4 ovens``, said in digits or in words.

A small number alone says nothing: dates, prices and doors are full of them. It counts where deals of one customer differ in their
quantity, and it stands before what they name, or alone behind an article: ``the six``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from autocapture.formats.words import stem

_IN_NAME = re.compile(r"(?:^|[^\w\s]\s+)([0-9]{1,3})\s+(?=[^\W\d_]{3})")
"""A number that begins a name, or a part of it, before a word."""
_TOKEN = re.compile(r"(\w+)(\W*)")
_SPELLED = {
    number: words.split()
    for number, words in {
        "2": "two twee zwei deux dos två",
        "3": "three drie drei trois tres tre",
        "4": "four vier quatre cuatro fyra",
        "5": "five vijf fünf cinq cinco fem",
        "6": "six zes sechs seis sex",
        "7": "seven zeven sieben sept siete sju",
        "8": "eight acht huit ocho åtta",
        "9": "nine negen neun neuf nueve nio",
        "10": "ten tien zehn dix diez tio",
        "11": "eleven elf elva",
        "12": "twelve twaalf zwölf douze doce tolv",
    }.items()
}
_NUMBER = {word: number for number, words in _SPELLED.items() for word in words}
_ARTICLES, _JOINING = (
    frozenset(words.split())
    for words in (
        "the these those our your de die der den onze jullie uw unsere ihre les ces nos vos los las estos estas nuestros "
        "vuestros dessa våra era",
        "and or in at to for from with en of voor van bij naar met und oder im am für bei mit von et ou au à dans pour de y o "
        "para con och eller i på till",
    )
)
"""What stands before a quantity that stands alone, and what may follow it."""


@lru_cache(maxsize=4_096)
def quantities_of(name: str) -> frozenset[str]:
    """The quantities in the name of a deal, each as a code: ``#6``."""
    return frozenset([f"#{int(each)}" for each in _IN_NAME.findall(name)])


def quantities_said(text: str, wanted: Collection[str], stems: Collection[str]) -> frozenset[str]:
    """Which of the quantities `wanted` are said, before a word of the deals (`stems`) or alone behind an article."""
    return frozenset([each for each in _said(text, stems) if each in wanted])


def _said(text: str, stems: Collection[str]) -> Iterable[str]:
    before, tokens = "", [(word.casefold(), between) for word, between in _TOKEN.findall(text)]
    for index, (word, between) in enumerate(tokens):
        number = _NUMBER.get(word, word)
        if number.isdecimal():
            after = tokens[index + 1][0] if index + 1 < len(tokens) else ""
            is_alone = between.strip() != "" or not after or after in _JOINING
            if stem(after) in stems or (is_alone and before in _ARTICLES):
                yield f"#{number}"
        before = word
