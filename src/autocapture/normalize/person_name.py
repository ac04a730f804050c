"""A person's name as the header of a mail gives it, written as one would address them."""

from __future__ import annotations

import re

from autocapture.formats.machine_mail import role_sign
from autocapture.formats.shared_addresses import is_role
from autocapture.records import Address

_BRACKETED = re.compile(r"\s*[(\[{<][^)\]}>]{0,80}[)\]}>]?\s*")
_AFTER = re.compile(r"\s+(?:via|at|@|\|)\s+.*|\s+[-–—|]\s+.*|\s*/\s.*", re.IGNORECASE)
_TITLES = re.compile(
    r"(?:(?:prof|dr|mr|mrs|ms|dipl|ing|mag|herr|frau|mme|sra?|dhr|mevr)\b\.?(?:-\w{1,6}\.?)?\s+){1,3}",
    re.IGNORECASE,
)
_DEGREES = re.compile(r"(?:,\s*(?:ph\.?d|mba|m\.?sc|b\.?sc|cpa|pmp|esq)\b\.?)+$", re.IGNORECASE)
_LOCAL = re.compile(r"([^\W\d_]{2,20})[._]([^\W\d_]{2,30})(?:[._]([^\W\d_]{2,30}))?\d{0,3}")
_LONGEST = 80


def person_name(address: Address) -> str:
    """The name in the order in which it is spoken, without titles, company and quotes; empty where none is known.

    ``Weber, Anna (Purchasing)`` gives ``Anna Weber``; capitals alone are set in small letters. Without a display name, a
    local part of two words (``anna.weber``) gives one; the names of roles and machines give none.
    """
    shown = " ".join(address.name.replace("_", " ").split()).strip("'\" \t,")
    if not shown or "@" in shown:
        return _from_local_part(address.email.partition("@")[0])
    shown = _AFTER.sub("", _BRACKETED.sub(" ", shown)).strip("'\" ,")
    shown = _without_titles(_DEGREES.sub("", shown))
    last, comma, first = shown.partition(",")
    if comma and first.strip() and "," not in first:
        shown = f"{_without_titles(first.strip())} {last.strip()}"
    words = shown.split()
    if not words or len(shown) > _LONGEST:
        return ""
    if shown.isupper() or shown.islower():
        words = [_capitalised(word) for word in words]
    return " ".join(words)


def _without_titles(shown: str) -> str:
    found = _TITLES.match(shown)
    return shown[found.end() :] if found else shown


def _from_local_part(local: str) -> str:
    found = _LOCAL.fullmatch(local)
    if found is None or role_sign(local.lower()) is not None:
        return ""
    words = [word for word in found.groups() if word]
    if any(is_role(word.casefold()) for word in words):
        return ""
    return " ".join(map(_capitalised, words))


def _capitalised(word: str) -> str:
    return "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))
