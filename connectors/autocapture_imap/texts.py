"""The readable text of a message, found through BODYSTRUCTURE and read alone: attachments never cross the wire."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from autocapture.errors import RecordUnusable
from autocapture.formats.mime import body_text
from autocapture_imap.fetching import Refusal, Value, fetch, number
from autocapture_imap.uids import format_ranges, members, pieces, ranges_of
from autocapture_imap.wire import Wire

_BYTES = 65_536
_AT_ONCE = 100
_PARTS_LIMIT = 1_000
_REPORTS = (b"message/delivery-status", b"message/global-delivery-status")
_SAFE = re.compile(rb"[A-Za-z0-9._:+-]{1,60}")

_Part = tuple[str, bytes]
"""Part number (RFC 3501, 6.4.5) and the MIME header that describes it."""


def read_texts(wire: Wire, uids: Sequence[int]) -> dict[int, str]:
    """Text by UID, of the open folder, with the fields of a delivery report; a message without readable text is left out.
    Raises Unreachable."""
    by_section: defaultdict[_Part, list[int]] = defaultdict(list)
    reports: defaultdict[_Part, list[int]] = defaultdict(list)
    for uid, answer in _answers(wire, uids, "(UID BODYSTRUCTURE)"):
        structure = answer.get(b"BODYSTRUCTURE")
        if part := text_part(structure):
            by_section[part].append(uid)
        if part := report_part(structure):
            reports[part].append(uid)
    texts = _read(wire, by_section)
    for uid, report in _read(wire, reports).items():
        texts[uid] = f"{texts[uid]}\n\n{report}" if uid in texts else report
    return texts


def _read(wire: Wire, by_section: Mapping[_Part, Sequence[int]]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for (section, header), holders in by_section.items():
        for uid, answer in _answers(wire, holders, f"(UID BODY.PEEK[{section}]<0.{_BYTES}>)"):
            raw = answer.get(f"BODY[{section}]<0>".encode(), answer.get(f"BODY[{section}]".encode()))
            if isinstance(raw, bytes) and (text := _decoded(header, raw[:_BYTES])):
                texts[uid] = text
    return texts


def _answers(wire: Wire, uids: Sequence[int], items: str) -> Iterator[tuple[int, dict[bytes, Value]]]:
    for part in pieces(ranges_of(uids), _AT_ONCE):
        asked = set(members(part))
        for answer in fetch(wire, format_ranges(part), items):
            if not isinstance(answer, Refusal) and (uid := number(answer.get(b"UID"))) in asked:
                yield uid, answer


def _decoded(header: bytes, raw: bytes) -> str:
    try:
        return body_text(header + b"\r\n\r\n" + raw).strip()
    except RecordUnusable:
        return ""


def text_part(structure: Value) -> _Part | None:
    """The first text/plain part that is no attachment, else the first text/html; forwarded messages are not entered."""
    html: _Part | None = None
    waiting: list[tuple[str, Value]] = [("", structure)]
    for _ in range(_PARTS_LIMIT):
        if not waiting:
            break
        section, body = waiting.pop()
        if not isinstance(body, list) or not body:
            continue
        if isinstance(body[0], list):
            parts = [part for part in body if isinstance(part, list)][: _leading_lists(body)]
            numbered = [
                (f"{section}.{index}" if section else str(index), part) for index, part in enumerate(parts, 1)
            ]
            waiting += reversed(numbered)
            continue
        kind = _media_type(body)
        if kind not in (b"text/plain", b"text/html") or _is_attachment(body):
            continue
        found = (section or "1", _mime_header(kind, body))
        if kind == b"text/plain":
            return found
        html = html or found
    return html


def report_part(structure: Value) -> _Part | None:
    """The fields of a delivery report (RFC 3464), which stand in the second part of a multipart/report."""
    if not isinstance(structure, list) or not structure or not isinstance(structure[0], list):
        return None
    count = _leading_lists(structure)
    subtype = structure[count] if count < len(structure) else None
    if not isinstance(subtype, bytes) or subtype.lower() != b"report":
        return None
    for index, part in enumerate(structure[:count], 1):
        if isinstance(part, list) and _media_type(part) in _REPORTS:
            return str(index), _mime_header(b"text/plain", part)
    return None


def _leading_lists(body: list[Value]) -> int:
    """A multipart lists its parts first; the lists after the subtype are parameters."""
    return next((index for index, value in enumerate(body) if not isinstance(value, list)), len(body))


def _media_type(body: list[Value]) -> bytes:
    words = [value.lower() for value in body[:2] if isinstance(value, bytes)]
    return b"/".join(words)


def _is_attachment(body: list[Value]) -> bool:
    """Text parts carry size, lines, MD5, then the disposition (RFC 3501, 7.4.2)."""
    disposition = body[9] if len(body) > 9 else None
    return (
        isinstance(disposition, list)
        and bool(disposition)
        and isinstance(disposition[0], bytes)
        and disposition[0].lower() == b"attachment"
    )


def _mime_header(kind: bytes, body: list[Value]) -> bytes:
    parameters = body[2] if len(body) > 2 and isinstance(body[2], list) else []
    named = {
        name.lower(): value
        for name, value in zip(parameters[::2], parameters[1::2], strict=False)
        if isinstance(name, bytes)
    }
    lines = [b"Content-Type: " + kind]
    charset = named.get(b"charset")
    if isinstance(charset, bytes) and _SAFE.fullmatch(charset):
        lines[0] += b"; charset=" + charset
    encoding = body[5] if len(body) > 5 else None
    if isinstance(encoding, bytes) and _SAFE.fullmatch(encoding):
        lines.append(b"Content-Transfer-Encoding: " + encoding)
    return b"\r\n".join(lines)
