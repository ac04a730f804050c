"""LIST and STATUS answers (RFC 3501, 7.2; RFC 5258) as imaplib hands them over: lines, and tuples where a literal stood.

imapclient's parser stops at a folder called `a[b`, and with it the whole account would stop.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autocapture_imap.folders import Listed

Part = bytes | tuple[bytes, bytes] | None

_QUOTED = rb'"((?:[^"\\]|\\.)*)"'
_LIST = re.compile(rb"\(([^()]*)\) +(NIL|" + _QUOTED + rb") +(.*)", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(_QUOTED + rb"|\{\d+\}|[^ ]+")
_STATUS_ITEM = re.compile(rb"([A-Z-]+) +(\d+)", re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A folder at one moment. `uid_validity` and `uid_next` are None where the server does not tell."""

    uid_validity: int | None
    uid_next: int | None
    messages: int

    @property
    def top(self) -> int:
        """The highest UID given so far."""
        return (self.uid_next or 1) - 1


def parse_list(data: Sequence[Part]) -> list[Listed]:
    """Every folder whose name can be spoken: printable ASCII, as modified UTF-7 is (RFC 3501, 5.1.3)."""
    found: list[Listed] = []
    for line, literal in _answers(data):
        match = _LIST.fullmatch(line)
        name = None if match is None else _name(match[4], literal)
        if match is None or name is None or not (name.isascii() and name.isprintable()):
            _log.warning(
                "a folder is left out: the IMAP server's LIST answer cannot be read or its name not be sent"
            )
            continue
        flags = frozenset(flag.decode("latin-1").lower() for flag in match[1].split())
        found.append(Listed(name, flags, _unescaped(match[3] or b"")))
    return found


def parse_status(data: Sequence[Part]) -> dict[str, Numbers]:
    """Numbers by folder name; an answer without MESSAGES is left out, since nothing can be concluded from it."""
    found: dict[str, Numbers] = {}
    for line, literal in _answers(data):
        name = _name(line, literal)
        items = {key.upper(): int(value) for key, value in _STATUS_ITEM.findall(line[line.rfind(b"(") :])}
        if name is not None and b"MESSAGES" in items:
            found[name] = Numbers(
                items.get(b"UIDVALIDITY") or None, items.get(b"UIDNEXT") or None, items[b"MESSAGES"]
            )
    return found


def _answers(data: Sequence[Part]) -> Iterator[tuple[bytes, bytes | None]]:
    """Each answer as one line, with the literal it held; the marker stays in the line."""
    line, literal = b"", None
    for part in data:
        if isinstance(part, tuple):
            line, literal = line + part[0], part[1]
        elif part is not None:
            if line or part:
                yield line + part, literal
            line, literal = b"", None


def _name(text: bytes, literal: bytes | None) -> str | None:
    match = _NAME.match(text)
    if match is None:
        return None
    if literal is not None and match[0].startswith(b"{"):
        return literal.decode("latin-1")
    return _unescaped(match[1]) if match[1] is not None else match[0].decode("latin-1")


def _unescaped(text: bytes) -> str:
    return _ESCAPED.sub(rb"\1", text).decode("latin-1")
