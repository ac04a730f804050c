"""Gmail's messages (resource `users.messages`) to `EmailRecord`, and the text of those that are read whole."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from autocapture.errors import RecordUnusable
from autocapture.formats.mime import body_text, parse_headers
from autocapture.records import EmailRecord

LEFT_OUT = frozenset({"DRAFT", "CHAT", "SPAM", "TRASH"})
"""Labels of what is never captured."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253_402_214_400_000  # the end of the year 9999, less a day for any zone
_PARTS_LIMIT = 1_000
_BREAK = re.compile(r"[\r\n\0]+[ \t]*")
_SAFE = re.compile(r"[A-Za-z0-9/._:+=;\" -]{1,200}")

Json = dict[str, Any]


def is_left_out(message: Json) -> bool:
    labels = message.get("labelIds")
    return isinstance(labels, list) and not LEFT_OUT.isdisjoint(filter(_is_text, labels))


def received_at(message: Json) -> datetime | None:
    """`internalDate`, in milliseconds; None where it is missing or nonsense."""
    text = str(message.get("internalDate", ""))
    if not text.isascii() or not text.isdigit() or len(text) > 15 or int(text) > _LATEST_MS:
        return None
    return _EPOCH + timedelta(milliseconds=int(text))


def email_record(message: Json) -> EmailRecord:
    """The record of a message that was asked for with its headers. Raises RecordUnusable.

    Gmail gives header values as they are on the wire, or decoded: both are read by the same parser, as bytes in UTF-8.
    """
    payload = message.get("payload")
    headers = payload.get("headers") if isinstance(payload, dict) else None
    if not isinstance(headers, list):
        raise RecordUnusable("Gmail gives no headers of it")
    size = message.get("sizeEstimate")
    thread = message.get("threadId")
    return parse_headers(
        "".join(_lines(headers)).encode("utf-8", "replace"),
        received_at=received_at(message),
        size=size if isinstance(size, int) and 0 <= size < 2**31 else 0,
        provider_thread=thread if isinstance(thread, str) and thread else None,
    )


def _lines(headers: list[Any]) -> Iterator[str]:
    """A value stays on one line: what a sender wrote into it must not become a header of its own."""
    for header in headers:
        name, value = header.get("name"), header.get("value")
        if _is_text(name) and _is_text(value):
            yield f"{_BREAK.sub(' ', name)}: {_BREAK.sub(' ', value)}\r\n"


def text_of(message: Json) -> str:
    """The readable text of a message that was read whole: its first text/plain part that is no attachment, else its first
    text/html; "" where there is none. At most 64 KiB."""
    chosen: Json | None = None
    for part in _parts(message.get("payload")):
        kind = part.get("mimeType")
        if kind == "text/plain":
            chosen = part
            break
        if kind == "text/html" and chosen is None:
            chosen = part
    return "" if chosen is None else _text(chosen)


def _parts(payload: Any) -> Iterator[Json]:
    """Every part that is no attachment, in the order of the message; forwarded messages are not entered."""
    waiting = [payload]
    for _ in range(_PARTS_LIMIT):
        if not waiting:
            return
        part = waiting.pop()
        if not isinstance(part, dict):
            continue
        children = part.get("parts")
        if isinstance(children, list) and part.get("mimeType") != "message/rfc822":
            waiting += reversed(children[:_PARTS_LIMIT])
        elif not part.get("filename"):
            yield part


def _text(part: Json) -> str:
    body = part.get("body")
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, str):
        return ""
    try:
        raw = urlsafe_b64decode(data + "=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return ""
    head = f"Content-Type: {_content_type(part, raw)}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    try:
        return body_text(head.encode() + raw).strip()
    except RecordUnusable:
        return ""


def _content_type(part: Json, raw: bytes) -> str:
    """As the part names it. Gmail hands most texts over in UTF-8, whatever they were written in: what reads as UTF-8 is."""
    kind = "text/html" if part.get("mimeType") == "text/html" else "text/plain"
    headers = part.get("headers")
    named = [
        header["value"]
        for header in (headers if isinstance(headers, list) else ())
        if isinstance(header, dict)
        and str(header.get("name")).lower() == "content-type"
        and _is_text(header.get("value"))
    ]
    written = _BREAK.sub(" ", named[0]) if named else ""
    if "iso-2022" not in written.lower() and _is_utf_8(raw):
        return f"{kind}; charset=utf-8"
    return written if _SAFE.fullmatch(written) and written.lower().startswith(kind) else kind


def _is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
