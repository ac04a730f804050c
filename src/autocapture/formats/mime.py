"""Internet messages (RFC 5322, MIME) to `EmailRecord`. Bytes in, values out; headers cheaply, bodies only on
demand.

The header parser is on the hot path of every capture: it reads the block once, looks only at the fields of
`HEADER_FIELDS`, and leaves encoded words, odd addresses and odd dates to slower functions that are called
when needed. Every step takes time linear in the block, so no header can stop the process.
"""

from __future__ import annotations

import re
from datetime import datetime

from autocapture.errors import RecordUnusable
from autocapture.formats.addresses import parse_addresses
from autocapture.formats.body import body_text
from autocapture.formats.charsets import without_unwanted
from autocapture.formats.encoded_words import decode_words
from autocapture.formats.mail_dates import parse_date
from autocapture.records import EmailRecord

__all__ = ["HEADER_FIELDS", "HEADER_LIMIT", "body_text", "header_block", "parse_headers", "parse_message"]

HEADER_LIMIT = 1 << 20
"""Bytes of a header block; a longer one is `RecordUnusable`."""

_SUBJECT_LIMIT = 4_000
_VALUE_LIMIT = 2_000
_ID_LIMIT = 998
_REFERENCES_LIMIT = 1_000

_ADDRESSED = ("From", "Sender", "Reply-To", "To", "Cc", "Bcc")
_PARSED = (*_ADDRESSED, "Subject", "Date", "Message-ID", "In-Reply-To", "References")
_KEPT = (
    *("Auto-Submitted", "Precedence", "List-Id", "List-Unsubscribe", "Feedback-ID", "Return-Path"),
    *("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "X-Loop", "X-Failed-Recipients"),
    *(
        "X-Google-Original-From",
        "X-Original-From",
        "Content-Type",
        "Content-Class",
        "Sensitivity",
        "X-Spam-Flag",
    ),
)

HEADER_FIELDS: tuple[str, ...] = _PARSED + _KEPT
"""Exactly the header fields that `parse_headers` reads; a connector fetches no others."""

_NAMES = {
    spelled: name.lower()
    for name in (*HEADER_FIELDS, "Message-Id", "CC", "Reply-to", "Content-type")
    for spelled in (name, name.lower())
}
"""Field names as nearly all programs spell them; for others see `_wanted`."""

_JOINED = {"to": ", ", "cc": ", ", "bcc": ", ", "reply-to": ", ", "references": " ", "in-reply-to": " "}

_AT_ONCE = 1 << 16  # bytes that are read whole; of more, the header block is sought first
_EMPTY_LINES = (b"\n\r\n", b"\n\n", b"\r\r")
_FOLD = re.compile(r"\n[ \t]+")
_BRACKETED = re.compile(r"<([^<>]*)>")


def parse_headers(
    raw: bytes, *, received_at: datetime | None = None, size: int = 0, provider_thread: str | None = None
) -> EmailRecord:
    """The record of one header block; what follows its first empty line is ignored, so a whole message
    serves too.

    The first of repeated fields counts, except address lists and references, which are joined. Eight-bit
    values are read as UTF-8, else Latin-1. Raises RecordUnusable when the block is longer than
    `HEADER_LIMIT`.
    """
    fields = _fields(raw)
    take = fields.pop
    subject = take("subject", "")
    return EmailRecord(
        message_id=_message_id(take("message-id", "")),
        subject=decode_words(subject)[:_SUBJECT_LIMIT] if "=?" in subject else subject[:_SUBJECT_LIMIT],
        from_=parse_addresses(take("from", "")),
        to=parse_addresses(take("to", "")),
        cc=parse_addresses(take("cc", "")),
        bcc=parse_addresses(take("bcc", "")),
        sender=parse_addresses(take("sender", "")),
        reply_to=parse_addresses(take("reply-to", "")),
        sent_at=parse_date(take("date", "")),
        received_at=received_at,
        in_reply_to=_message_ids(take("in-reply-to", "")),
        references=_message_ids(take("references", "")),
        headers={name: value[:_VALUE_LIMIT] for name, value in fields.items()},  # what is parsed is taken
        size=size,
        provider_thread=provider_thread,
    )


def parse_message(
    raw: bytes,
    *,
    received_at: datetime | None = None,
    size: int | None = None,
    provider_thread: str | None = None,
) -> EmailRecord:
    """The record of a whole message; its body is not looked at (see `body_text`). `size` is that of `raw`
    unless given.
    """
    return parse_headers(
        raw, received_at=received_at, size=len(raw) if size is None else size, provider_thread=provider_thread
    )


def header_block(raw: bytes) -> bytes:
    """The bytes before the first empty line (all of them when there is none). Raises RecordUnusable over
    `HEADER_LIMIT`.
    """
    if raw.startswith((b"\n", b"\r\n")):
        return b""
    end = len(raw)
    for mark in _EMPTY_LINES:
        position = raw.find(mark, 0, min(end + len(mark) - 1, HEADER_LIMIT + 4))
        end = position if position >= 0 else end
    if end > HEADER_LIMIT:
        raise RecordUnusable(f"its header block is longer than {HEADER_LIMIT} bytes")
    return raw[:end]


def _lines(raw: bytes) -> tuple[list[str], bool]:
    """The unfolded lines before the first empty one, and whether they are ASCII alone."""
    if len(raw) <= _AT_ONCE:
        text = raw.decode("utf-8", "surrogateescape")
        lines = text.split("\r\n")
        ends_alike = text.count("\r") == text.count("\n") == len(lines) - 1
        if ends_alike and "\0" not in text:  # as servers send it
            if "" in lines:
                del lines[lines.index("") :]
            if "\r\n " in text or "\r\n\t" in text:
                lines = _FOLD.sub(" ", "\n".join(lines)).split("\n")
            return lines, text.isascii()
    text = header_block(raw).decode("utf-8", "surrogateescape")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return _FOLD.sub(" ", text).split("\n"), text.isascii()


def _wanted(spelled: str) -> str | None:
    """The field so named in any mixture of capitals, white space before the colon (obsolete, still seen: RFC 5322, 4.5)."""
    return _NAMES.get(spelled.lower().rstrip())


def _fields(raw: bytes) -> dict[str, str]:
    """Trimmed values of the wanted fields by lower-case name."""
    lines, plain = _lines(raw)
    fields: dict[str, str] = {}
    for line in lines:
        spelled, _, value = line.partition(":")
        name = _NAMES.get(spelled) or _wanted(spelled)
        if name is None:
            continue
        value = value.strip()
        if not plain:
            value = _eight_bit(value)
        if name not in fields:
            fields[name] = value
        elif name in _JOINED and value:
            fields[name] += _JOINED[name] + value
    return fields


def _eight_bit(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        value = value.encode("utf-8", "surrogateescape").decode("latin-1")
    return without_unwanted(value)


def _message_id(value: str) -> str | None:
    """Angle brackets and inner white space removed, cut at 998, case kept; None when nothing is left."""
    bracketed = _BRACKETED.search(value)
    inner = bracketed[1] if bracketed else value.strip("<> \t")
    return "".join(inner.split())[:_ID_LIMIT] or None


def _message_ids(value: str) -> tuple[str, ...]:
    """The ids of References or In-Reply-To, oldest first, each once; the newest `_REFERENCES_LIMIT` of them.

    Old mailers write prose into In-Reply-To ("Your message of ..."): without brackets only words with an @
    count.
    """
    if not value:
        return ()
    words = value.split()
    found = _BRACKETED.findall("".join(words)) or [word.strip("<>") for word in words if "@" in word]
    ids = [each[:_ID_LIMIT] for each in found[-_REFERENCES_LIMIT:]]
    return tuple(dict.fromkeys(filter(None, ids)))
