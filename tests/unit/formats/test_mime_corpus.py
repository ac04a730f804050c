"""Real messages that nobody here wrote, held to the stdlib's reading and to another parser's recorded
answers.
"""

from __future__ import annotations

import email
import email.header
import email.utils
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from autocapture.errors import RecordUnusable
from autocapture.formats.mime import body_text, parse_message
from autocapture.records import Address

DATA = Path("../shared/data")
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="../shared/data is not here: no real messages to hold to"
)


def messages(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (DATA / folder).rglob("*.eml"))


# A fuzzed block whose first line is no field: the stdlib calls everything from there on a body, this parser
# reads on.
NO_HEADER_FOR_THE_STDLIB = {"malformed/019.eml"}
LOST = "\N{REPLACEMENT CHARACTER}"  # the other reading lost an eight-bit character that is Latin-1 here

CORPUS = messages("mime-stalwart", "bounces-sisimai") if DATA.is_dir() else []


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def stdlib_addresses(message: email.message.Message, name: str) -> list[str]:
    lenient = {"strict": False} if getattr(email.utils, "supports_strict_parsing", False) else {}
    values = [str(value).replace("\r", "").replace("\n", "") for value in message.get_all(name, [])]
    return [address for _, address in email.utils.getaddresses(values, **lenient) if "@" in address]


def stdlib_text(value: Any) -> str | None:
    """A header value decoded by the stdlib, white space collapsed; None where the stdlib itself fails."""
    try:
        decoded = str(email.header.make_header(email.header.decode_header(value)))
    except (LookupError, ValueError):
        return None
    return " ".join(decoded.replace("\0", "").split())


def test_addresses_are_the_ones_that_the_stdlib_finds() -> None:
    differing = []
    for path in CORPUS:
        raw = path.read_bytes()
        record, message = parse_message(raw), email.message_from_bytes(raw)
        for name, got in (
            ("from", record.from_),
            ("to", record.to),
            ("cc", record.cc),
            ("reply-to", record.reply_to),
        ):
            if [each.email for each in got] != stdlib_addresses(message, name):
                differing.append(label(path))
    assert set(differing) <= NO_HEADER_FOR_THE_STDLIB


def test_subjects_read_as_the_stdlib_reads_them() -> None:
    differing, lost = [], 0
    for path in CORPUS:
        raw = path.read_bytes()
        expected = stdlib_text(email.message_from_bytes(raw).get("subject", ""))
        got = parse_message(raw).subject
        if expected is None or "".join(got.split()) == "".join(expected.split()):
            continue  # the stdlib puts a space between an encoded word and a full stop that touches it
        if LOST in expected:
            lost += 1
        else:
            differing.append(label(path))
    assert set(differing) <= NO_HEADER_FOR_THE_STDLIB
    assert lost <= 10


def test_dates_are_the_instants_that_the_stdlib_reads() -> None:
    differing = []
    for path in CORPUS:
        raw = path.read_bytes()
        value = email.message_from_bytes(raw).get("date")
        try:
            expected = email.utils.parsedate_to_datetime(str(value))
            expected = expected.replace(tzinfo=expected.tzinfo or UTC).astimezone(UTC)
        except (TypeError, ValueError):
            expected = None
        got = parse_message(raw).sent_at
        if got != expected:
            differing.append(label(path))
    assert differing == []


def recorded(path: Path) -> dict[str, Any]:
    """The headers that the other parser recorded, first of each name."""
    parts = json.loads(path.with_suffix(".json").read_text())["parts"]
    headers: dict[str, Any] = {}
    for header in parts[0]["headers"]:
        if isinstance(header["name"], str):
            headers.setdefault(header["name"], header["value"])
    return headers


def recorded_addresses(value: Any) -> Iterator[Address]:
    if not isinstance(value, dict) or "Address" not in value:
        return
    for entries in value["Address"].values():
        for entry in entries:
            for each in entry.get("addresses", [entry]):
                if "@" in (each.get("address") or ""):
                    yield Address(each["address"], each.get("name") or "")


def recorded_text(value: Any) -> str | None:
    return value.get("Text") if isinstance(value, dict) else None


def recorded_date(value: Any) -> datetime | None:
    if not isinstance(value, dict) or "DateTime" not in value:
        return None
    found = value["DateTime"]
    offset = timedelta(hours=found["tz_hour"], minutes=found["tz_minute"])
    zone = timezone(-offset if found["tz_before_gmt"] else offset)
    parts = (found[name] for name in ("year", "month", "day", "hour", "minute", "second"))
    try:
        return datetime(*parts, tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None


def test_headers_agree_with_the_recorded_answers_of_another_parser() -> None:
    differing, lost = [], 0
    for path in messages("mime-stalwart"):
        record, expected = parse_message(path.read_bytes()), recorded(path)
        pairs = [
            (
                " ".join(record.subject.split()),
                " ".join((recorded_text(expected.get("subject")) or "").split()),
            ),
            (record.from_, tuple(recorded_addresses(expected.get("from")))),
            (record.to, tuple(recorded_addresses(expected.get("to")))),
            (record.cc, tuple(recorded_addresses(expected.get("cc")))),
            (record.sent_at, recorded_date(expected.get("date"))),
            (record.message_id, recorded_text(expected.get("message_id"))),
        ]
        wrong = [(got, wanted) for got, wanted in pairs if got != wanted]
        lost += sum(LOST in str(wanted) for _, wanted in wrong)
        differing += [label(path) for _, wanted in wrong if LOST not in str(wanted)]
    # The other parser makes an instant of the fuzzed `10:00:t <...`; this one gives none.
    assert set(differing) <= NO_HEADER_FOR_THE_STDLIB
    assert lost <= 15


def test_every_message_has_a_readable_body_or_none_and_never_an_error() -> None:
    for path in CORPUS:
        try:
            text = body_text(path.read_bytes())
        except RecordUnusable as refused:
            pytest.fail(f"{path.name}: {refused}")
        assert "\0" not in text
        text.encode()
