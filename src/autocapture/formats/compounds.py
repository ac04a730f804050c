"""Long words said short, as German, Dutch and Swedish put words together: ``Zelle`` for ``Kühlzelle``, ``Kippkessel`` for
``Kippkochkessel``."""

from __future__ import annotations

from functools import lru_cache

from autocapture.formats.words import stem, words_in

_HEAD, _TAIL, _LEFT = 4, 5, 3
"""Letters that at least stay of a long word's beginning where its middle is left out, of its end, and that are left out."""
_SHORTEST_TAIL = 4


@lru_cache(maxsize=8_192)
def short_forms(name: str) -> frozenset[str]:
    """The stems of what the words of a name may be shortened to."""
    return frozenset([stem(each) for word in words_in(name) if word.isalpha() for each in _short(word)])


def _short(word: str) -> list[str]:
    ends = range(_LEFT, len(word) - _SHORTEST_TAIL + 1)
    tails = [word[start:] for start in ends]
    middles = [
        word[:head] + word[tail:]
        for head in range(_HEAD, len(word))
        for tail in range(head + _LEFT, len(word) - _TAIL + 1)
    ]
    return tails + middles


def is_long_enough(short: str) -> bool:
    """Whether a short form says something in the middle of a text: what has four letters is too often a word of its own."""
    return len(short) > _SHORTEST_TAIL
