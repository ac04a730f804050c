"""The readable text of a message (MIME, RFC 2045 to 2049)."""

from __future__ import annotations

import email
from email.message import Message
from email.policy import compat32

from autocapture.formats.charsets import decode
from autocapture.formats.guard import run_guarded
from autocapture.formats.html_text import html_to_text

TEXT_LIMIT = 65_536

_READ_LIMIT = 16 << 20
_USUAL_SIZE = 1 << 20
_USUAL_HEADERS = 64 << 10
_USUAL_SEMICOLONS = 500
_USUAL_MULTIPARTS = 16
_USUAL_DELIMITERS = 500
_PARTS_LIMIT = 1_000
_MARKUP_FACTOR = 4
_REPORTS = ("message/delivery-status", "message/global-delivery-status")


def body_text(raw: bytes, limit: int = TEXT_LIMIT) -> str:
    """Plain text of a whole message, at most `limit` bytes of UTF-8: its first text/plain part, else its
    HTML stripped. The fields of a delivery report (RFC 3464) follow it.

    Empty when there is neither. Attachments are not text. Unusually large or nested messages are read in a
    guarded child, of the first 16 MiB; raises RecordUnusable when even that is too costly.
    """
    raw = raw[:_READ_LIMIT]
    data = _text_bytes(raw) if _is_usual(raw) else run_guarded("body:_text_bytes", raw)
    return data[:limit].decode("utf-8", "ignore")


def _is_usual(raw: bytes) -> bool:
    if len(raw) > _USUAL_SIZE:
        return False
    head = raw[: _USUAL_HEADERS + 4]
    return (
        (b"\n\n" in head or b"\n\r\n" in head or len(raw) <= _USUAL_HEADERS)
        and head.count(b";") <= _USUAL_SEMICOLONS
        and raw.lower().count(b"multipart/") <= _USUAL_MULTIPARTS
        and raw.count(b"\n--") <= _USUAL_DELIMITERS
    )


def _text_bytes(raw: bytes) -> bytes:
    """UTF-8 of the first readable text part and of a delivery report, each cut at `TEXT_LIMIT`."""
    message = email.message_from_bytes(raw, policy=compat32)
    report = _report(message).encode()[:TEXT_LIMIT]
    text = _first_text(message)
    return text + b"\n\n" + report if report else text


def _first_text(message: Message) -> bytes:
    plain, html = _text_parts(message)
    if plain is not None:
        text = _part_text(plain, TEXT_LIMIT)
        if text.strip() or html is None:
            return text.encode()[:TEXT_LIMIT]
    if html is not None:
        return html_to_text(_part_text(html, TEXT_LIMIT * _MARKUP_FACTOR)).encode()[:TEXT_LIMIT]
    return b""


def _report(message: Message) -> str:
    """The fields of a delivery report, a group for each recipient; empty for any other mail."""
    parts = message.get_payload() if message.is_multipart() else None
    for part in parts[:_PARTS_LIMIT] if isinstance(parts, list) else ():
        if isinstance(part, Message) and part.get_content_type() in _REPORTS:
            if not part.is_multipart():
                return _part_text(part, TEXT_LIMIT)
            groups = [each for each in part.get_payload() if isinstance(each, Message)][:_PARTS_LIMIT]
            return "\n\n".join(
                "\n".join(f"{name}: {value}" for name, value in each.items()) for each in groups
            )
    return ""


def _text_parts(message: Message) -> tuple[Message | None, Message | None]:
    """The first text/plain and the first text/html part that are not attachments, of the first thousand
    parts.
    """
    plain = html = None
    waiting: list[Message] = [message]
    for _ in range(_PARTS_LIMIT):
        if not waiting or plain is not None:
            break
        part = waiting.pop()
        payload = part.get_payload() if part.is_multipart() else None
        if isinstance(payload, list):
            children = payload[:_PARTS_LIMIT]
            waiting.extend(each for each in reversed(children) if isinstance(each, Message))
        elif _is_attachment(part):
            continue
        elif part.get_content_type() == "text/plain":
            plain = part
        elif part.get_content_type() == "text/html" and html is None:
            html = part
    return plain, html


def _is_attachment(part: Message) -> bool:
    return str(part.get("content-disposition", "")).strip().lower().startswith("attachment")


def _part_text(part: Message, limit: int) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    return decode(payload[: limit * 2], _charset(part)).replace("\r\n", "\n").replace("\r", "\n")[:limit]


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except (LookupError, ValueError, TypeError, AttributeError):  # broken RFC 2231 parameters
        return None
