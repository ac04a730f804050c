"""Encoded words in header values (RFC 2047), as lenient as real mail needs."""

from __future__ import annotations

import binascii
import re

from autocapture.formats.charsets import decode, one_line

_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")

DECODE_LIMIT = 16_384
"""Characters of a value that are looked at. A value is cut here first, which also bounds the search for
words.
"""


def decode_words(value: str) -> str:
    """`value` with its encoded words decoded, on one line; what is not a valid word stays as written. Never
    raises.

    White space between two words is dropped (RFC 2047, 6.2). Neighbours of one charset are joined as bytes
    before they are decoded, because many senders cut a multi-byte character in two, against section 5.
    """
    value = value[:DECODE_LIMIT]
    pieces: list[str] = []
    pending, charset, end = b"", "", 0
    for match in _WORD.finditer(value):
        data = _word_bytes(match[2], match[3])
        if data is None:
            continue
        between = value[end : match.start()]
        adjoining = bool(pending) and not between.strip()
        # Raw characters inside a word were already read as text: its label no longer says what its bytes are.
        named = match[1].lower() if match[3].isascii() else "utf-8"
        if not adjoining or named != charset:
            pieces.append(decode(pending, charset))
            pending, charset = b"", named
        if not adjoining:
            pieces.append(between)
        pending += data
        end = match.end()
    pieces.append(decode(pending, charset))
    pieces.append(value[end:])
    return one_line("".join(pieces))


def _word_bytes(encoding: str, text: str) -> bytes | None:
    raw = text.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return _HEX.sub(lambda found: bytes.fromhex(found[1].decode()), raw.replace(b"_", b" "))
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw.rstrip(b"=")) % 4))
    except binascii.Error:
        return None
