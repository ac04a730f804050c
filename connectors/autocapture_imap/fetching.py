"""UID FETCH answers, read straight from the buffer.

imapclient reads responses byte by byte in Python, which halves the speed of a whole capture. The reader here knows FETCH
alone, and all of it: literals and quoted strings in any place, NIL, nested lists, answers nobody asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from autocapture.errors import Unreachable
from autocapture_imap.faults import passing, server_faults
from autocapture_imap.wire import Wire

Value = bytes | None | list["Value"]
"""A parsed value: atoms, numbers and strings are bytes, NIL is None, a parenthesised list is a list."""

_NESTING = 100
"""Lists below this depth are read and forgotten: one message of a thousand parts within parts must not stop a folder."""

_TOKEN = re.compile(
    rb' *(?:"((?:[^"\\\r\n]|\\.)*)"'  # 1 quoted string
    rb"|~?\{(\d+)\+?\}\r\n"  # 2 literal, its bytes kept aside
    rb"|([()])"  # 3
    rb'|([^ ()"\[{\r\n]+(?:\[[^\]\r\n]*\](?:<\d+>)?)?))'  # 4 atom or number; BODY[...]<0> is one
)
_USUAL = re.compile(  # one literal, all else in the order in which this connector asks; `fetch` reads it at once
    rb'\* \d+ FETCH \(UID (\d+) INTERNALDATE "([^"\\\r\n]*)" RFC822\.SIZE (\d+) (BODY\[[^\]"{}\r\n]*\]) \{(\d{1,6})\}\r\n'
)
_FETCH = re.compile(rb"\* \d+ FETCH \(", re.IGNORECASE)
_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n\Z")
_STATUS = re.compile(rb"\* (OK|NO|BAD|BYE|PREAUTH)\b", re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)")


class Refusal(str):
    """The text of a NO or BAD that ended a FETCH."""

    __slots__ = ()


def fetch(wire: Wire, uid_set: str, items: str) -> Iterator[dict[bytes, Value] | Refusal]:
    """Every FETCH answer to the command, attribute names in upper case; a `Refusal` comes last where there is one.

    Answers may concern messages that were not asked for, and lack what was. The generator must be read to its end before
    the next command. Raises Unreachable.
    """
    with server_faults():
        tag = wire._command("UID", "FETCH", uid_set, items)
        end = tag + b" "
        while True:
            if usual := wire.take_whole(_USUAL, b")\r\n"):
                (uid, date, size, section, _), literal = usual
                yield {b"UID": uid, b"INTERNALDATE": date, b"RFC822.SIZE": size, section.upper(): literal}
                continue
            text, literals = _response(wire)
            if _FETCH.match(text):
                yield _attributes(text, literals)
            elif text.startswith(end):
                del wire.tagged_commands[tag]
                word, _, rest = text[len(end) :].strip().partition(b" ")
                if word.upper() != b"OK":
                    yield Refusal(rest.decode("utf-8", "replace"))
                return
            elif text[:5].upper() == b"* BYE":
                raise passing(text.decode("utf-8", "replace")) or Unreachable(
                    "the IMAP server closed the connection"
                )
            elif not text.startswith(b"* "):
                raise Unreachable("the IMAP server's answer cannot be understood")


def _response(wire: Wire) -> tuple[bytes, list[bytes]]:
    """One response: its text with the literals cut out after their markers, and the literals in order."""
    line = wire.readline()
    literals: list[bytes] = []
    if line.endswith(b"}\r\n") and not _STATUS.match(line):
        pieces = [line]
        while found := _LITERAL.search(pieces[-1][-24:]):
            literals.append(wire.read(int(found[1])))
            pieces.append(wire.readline())
        line = b"".join(pieces)
    if not line.endswith(b"\n"):
        raise ConnectionError("the connection ended")
    return line, literals


def _attributes(text: bytes, literals: Sequence[bytes]) -> dict[bytes, Value]:
    """Names and values of `* n FETCH (name value ...)`; read as one flat list with a stack for nested ones."""
    remaining = iter(literals)
    top: list[Value] = []
    stack = [top]
    position = text.index(b"(") + 1
    match = _TOKEN.match
    while stack:
        found = match(text, position)
        if found is None:
            raise Unreachable("the IMAP server's answer cannot be understood")
        position = found.end()
        kind = found.lastindex
        if kind == 4:
            atom = found[4]
            stack[-1].append(None if atom in (b"NIL", b"nil") else atom)
        elif kind == 2:
            stack[-1].append(next(remaining))
        elif kind == 1:
            word = found[1]
            stack[-1].append(_ESCAPED.sub(rb"\1", word) if b"\\" in word else word)
        elif found[3] == b")":
            stack.pop()
        else:
            inner: list[Value] = []
            if len(stack) < _NESTING:
                stack[-1].append(inner)
            stack.append(inner)
    names = top[::2]
    return {
        name.upper(): value for name, value in zip(names, top[1::2], strict=False) if isinstance(name, bytes)
    }


_MONTHS = {
    b"jan": 1, b"feb": 2, b"mar": 3, b"apr": 4, b"may": 5, b"jun": 6,
    b"jul": 7, b"aug": 8, b"sep": 9, b"oct": 10, b"nov": 11, b"dec": 12,
}  # fmt: skip


def internal_date(value: Value) -> datetime | None:
    """INTERNALDATE (RFC 3501, date-time: `"17-Jul-1996 02:44:25 -0700"`); None where it is missing or nonsense."""
    if not isinstance(value, bytes):
        return None
    try:
        day, month, rest = value.strip().split(b"-", 2)
        year, clock, zone = rest.split()
        hour, minute, second = clock.split(b":")
        return datetime(
            int(year),
            _MONTHS[month.lower()],
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),
            tzinfo=_zone(zone),
        )
    except (ValueError, KeyError):
        return None


@lru_cache(maxsize=256)
def _zone(text: bytes) -> timezone:
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return UTC if minutes == 0 else timezone(timedelta(minutes=-minutes if text[:1] == b"-" else minutes))


def number(value: Value) -> int:
    """A number of an answer; 0 where it is missing or nonsense."""
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) < 19 else 0
