"""A text as words."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")


def words_in(text: str) -> list[str]:
    """The words of a text in their order, case-folded."""
    return _WORD.findall(text.casefold())
