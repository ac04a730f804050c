"""Address lists of mail headers (RFC 5322, 3.4) to `Address` values."""

from __future__ import annotations

import email.utils
import re
from functools import lru_cache

from autocapture.formats.encoded_words import decode_words
from autocapture.formats.keys import ADDRESS_LENGTH
from autocapture.records import Address

ADDRESS_LIMIT = 10_000
"""Addresses read of one field; what follows is ignored."""

_ODD_LIMIT = 250_000  # characters of a field that are read by the slow way; what follows is ignored
_REMEMBERED_LENGTH = 200  # most fields name the same few people as the mail before
_NAME_LIMIT = 998

_ATOM = r"""[^\s<>@",;:()\[\]\\]++"""
_SIMPLE = re.compile(
    rf"""[ \t]*+(?:
        (?: "([^"\\]*+)"[ \t]*+ | ([^",;:()<>@\[\]\\]*+) ) <[ \t]*+ ({_ATOM}@{_ATOM}) [ \t]*+>
        | ({_ATOM}@{_ATOM})
    )[ \t]*+(?:,|\Z)""",
    re.VERBOSE,
)
_USABLE = re.compile(r"""(?:"[^"\r\n]+"|[^\s<>@",;:()\\\x00-\x1f]+)@[^\s<>@",;:()\\\x00-\x1f]+""")

# Newer Pythons reject a whole field when its counts look odd; older ones know no such argument. The lenient
# form is the same everywhere, and `_USABLE` refuses what it makes up.
_LENIENT: dict[str, bool] = (
    {"strict": False} if getattr(email.utils, "supports_strict_parsing", False) else {}
)


def parse_addresses(value: str) -> tuple[Address, ...]:
    """The addresses of one unfolded field value, at most `ADDRESS_LIMIT`. Never raises.

    Names are decoded after the list is split, so that an encoded comma or address inside a name stays a
    name. Groups give their members; `undisclosed-recipients:;`, entries without a host and unreadable ones
    give nothing.
    """
    if len(value) <= _REMEMBERED_LENGTH:
        return _remembered(value) if value else ()
    return _parsed(value)


def _parsed(value: str) -> tuple[Address, ...]:
    found: list[Address] = []
    position, length = 0, len(value)
    match = _SIMPLE.match
    while position < length and len(found) < ADDRESS_LIMIT:
        simple = match(value, position)
        if simple is None:
            found.extend(_parse_odd(value[position:], ADDRESS_LIMIT - len(found)))
            break
        quoted, plain, angled, bare = simple.groups()
        address = angled if bare is None else bare
        if len(address) <= ADDRESS_LENGTH:
            found.append(Address(address, _name(quoted or plain or "")))
        position = simple.end()
    return tuple(found)


_remembered = lru_cache(maxsize=16_384)(_parsed)


def _parse_odd(value: str, limit: int) -> list[Address]:
    """The stdlib's reading: comments, groups, routes, escapes, missing commas."""
    try:
        pairs = email.utils.getaddresses([value[:_ODD_LIMIT]], **_LENIENT)
    except (RecursionError, ValueError, IndexError):  # thousands of nested comments, or a parser's own slip
        return []
    usable = (
        Address(address, _name(name))
        for name, address in pairs
        if len(address) <= ADDRESS_LENGTH and _USABLE.fullmatch(address)
    )
    return [address for address, _ in zip(usable, range(limit), strict=False)]


def _name(raw: str) -> str:
    if "=?" in raw:
        return decode_words(raw[:_NAME_LIMIT])
    return raw[:_NAME_LIMIT].strip()
