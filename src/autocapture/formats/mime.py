"""Internet messages (RFC 5322, MIME) to `EmailRecord`. Bytes in, values out; headers cheaply, bodies only on
demand.

The header parser is on the hot path of every capture: it reads the block once, looks only at the fields of
`HEADER_FIELDS`, and leaves encoded words, odd addresses and odd dates to slower functions that are called
when needed. Every step takes time linear in the block, so no header can stop the process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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

_WANTED = frozenset(name.lower() for name in HEADER_FIELDS)
_KEPT_NAMES = frozenset(name.lower() for name in _KEPT)
_JOINED = {"to": ", ", "cc": ", ", "bcc": ", ", "reply-to": ", ", "references": " ", "in-reply-to": " "}

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
    fields = _fields(header_block(raw))
    get = fields.get
    subject = get("subject", "")
    message_id = get("message-id")
    return EmailRecord(
        message_id=_message_id(message_id) if message_id else None,
        subject=decode_words(subject)[:_SUBJECT_LIMIT] if "=?" in subject else subject[:_SUBJECT_LIMIT],
        from_=parse_addresses(get("from", "")),
        to=parse_addresses(get("to", "")),
        cc=parse_addresses(get("cc", "")),
        bcc=parse_addresses(get("bcc", "")),
        sender=parse_addresses(get("sender", "")),
        reply_to=parse_addresses(get("reply-to", "")),
        sent_at=parse_date(get("date", "")),
        received_at=received_at,
        in_reply_to=_message_ids(get("in-reply-to", "")),
        references=_message_ids(get("references", "")),
        headers=_kept(fields),
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


def _fields(block: bytes) -> dict[str, str]:
    """Unfolded, trimmed values of the wanted fields by lower-case name."""
    text = block.decode("utf-8", "surrogateescape")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    plain = text.isascii()
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        name = name.lower()
        if name not in _WANTED:
            name = name.rstrip()  # white space before the colon: obsolete, still seen (RFC 5322, 4.5)
            if name not in _WANTED:
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


def _kept(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: fields[name][:_VALUE_LIMIT] for name in fields if name in _KEPT_NAMES}


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
    found = _BRACKETED.findall(value) or [word.strip("<>") for word in value.split() if "@" in word]
    ids = ["".join(each.split())[:_ID_LIMIT] for each in found[-_REFERENCES_LIMIT:]]
    return tuple(dict.fromkeys(filter(None, ids)))
