"""Passwords: which are good enough, and how they are kept (argon2id, RFC 9106). No rule asks for kinds of characters."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 256
_ENOUGH = 4  # letters or digits that are left of a password without what is guessed first

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(
    2
)  # each takes the memory above: many sign-ins at once must not take all there is

_ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
)
_GUESSED_FIRST = """
    password passwort wachtwoord losenord motdepasse contrasena welcome willkommen welkom valkommen bienvenue letmein login
    admin administrator root user guest test testing demo secret geheim hemligt changeme change default temp temporary
    iloveyou love hello monkey dragon football baseball basketball soccer hockey sunshine princess superman batman starwars
    pokemon shadow master killer trustno summer winter spring autumn fall january february march april june july august
    september october november december monday tuesday wednesday thursday friday saturday sunday company office sales
    crm autocapture my me is in the and you your our for now new
"""
_LOOKS_LIKE = str.maketrans(
    {"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"}
)


def trouble(password: str, about: Iterable[str]) -> str | None:
    """Why `password` is not taken, as words that follow "the password"; None where it is good enough.

    `about` are texts that anybody knows of its owner: address and name.
    """
    plain = _plain(password)
    if len(plain) < SHORTEST:
        return f"needs at least {SHORTEST} characters"
    if len(plain) > LONGEST:
        return f"may have at most {LONGEST} characters"
    folded = plain.casefold()
    known = sorted(
        {word for text in about for word in re.split(r"[\W_]+", text.casefold()) if len(word) > 2}, key=len
    )
    for word in reversed(known):
        folded = folded.replace(word, " ")
    folded = re.sub(r"(19|20)\d\d", " ", folded)
    if min(_left(folded), _left(folded.translate(_LOOKS_LIKE))) < _ENOUGH:
        return "is among those that are guessed first; choose one that has nothing to do with you"
    return None


def make_hash(password: str) -> str:
    """The hash that is kept of `password`, with salt and parameters in it."""
    with _AT_ONCE:
        return _HASHER.hash(_plain(password))


def agrees(kept: str | None, password: str) -> bool:
    """Whether `password` is the one behind `kept`. Takes as long where there is none, so that time does not tell."""
    nobodys = _nobodys()
    with _AT_ONCE:
        try:
            return _HASHER.verify(kept or nobodys, _plain(password)[: 4 * LONGEST]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether `kept` was made with other parameters than are used now."""
    return _HASHER.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody's password")


def _plain(password: str) -> str:
    """One form for what looks the same, however a keyboard makes it (NIST SP 800-63B section 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _left(text: str) -> int:
    """How many letters and digits remain without common words, rows of the keyboard and repetitions."""
    rest = re.sub(r"(.)\1{2,}", " ", _guessed().sub(" ", text))
    return sum(letter.isalnum() for letter in rest)


@cache
def _guessed() -> re.Pattern[str]:
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    runs = {
        row[start:end] for row in rows for start in range(len(row)) for end in range(start + 3, len(row) + 1)
    }
    return re.compile("|".join(sorted({*runs, *_GUESSED_FIRST.split()}, key=len, reverse=True)))
