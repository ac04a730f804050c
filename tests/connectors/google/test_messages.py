"""One message of Gmail's to one of ours."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from autocapture.errors import RecordUnusable
from autocapture.records import Address, EmailRecord
from autocapture_google.mail_history import Change, Part, changes, leading
from autocapture_google.messages import email_record, received_at, text_of


def read(*headers: tuple[str, str], **more: Any) -> EmailRecord:
    listed = [{"name": name, "value": value} for name, value in headers]
    return email_record({"id": "1", "payload": {"headers": listed}, **more})


@pytest.mark.parametrize(
    "value",
    [
        "=?utf-8?Q?M=C3=BCller=2C_Hans?= <hans@customer.example>",
        '"Müller, Hans" <hans@customer.example>',
        "=?iso-8859-1?Q?M=FCller=2C_Hans?= <hans@customer.example>",
    ],
)
def test_names_are_read_encoded_or_decoded(value: str) -> None:
    assert read(("From", value)).from_ == (Address("hans@customer.example", "Müller, Hans"),)


@pytest.mark.parametrize("value", ["=?utf-8?B?UHJpanM6IOKCrDUw?=", "Prijs: €50"])
def test_subjects_are_read_encoded_or_decoded(value: str) -> None:
    assert read(("Subject", value)).subject == "Prijs: €50"


def test_a_value_stays_within_its_header() -> None:
    record = read(
        ("Subject", "hello\r\nFrom: forged@evil.example\n\nbody"), ("From", "real@customer.example")
    )
    assert [each.email for each in record.from_] == ["real@customer.example"]
    assert record.subject.startswith("hello From:")


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("1793600000000", datetime(2026, 11, 2, 6, 13, 20, tzinfo=UTC)),
        (1793600000000, datetime(2026, 11, 2, 6, 13, 20, tzinfo=UTC)),
        ("", None),
        ("-5", None),
        ("yesterday", None),
        ("9" * 30, None),
        ("999999999999999", None),
        (None, None),
    ],
)
def test_when_it_came_in(told: object, meant: datetime | None) -> None:
    assert received_at({"internalDate": told}) == meant


@pytest.mark.parametrize("payload", [None, {}, {"headers": None}, [], "x"])
def test_a_message_without_headers_is_unusable(payload: object) -> None:
    with pytest.raises(RecordUnusable):
        email_record({"id": "1", "payload": payload})


def part(kind: str, raw: bytes, *, charset: str = "utf-8", filename: str = "") -> dict[str, Any]:
    return {
        "mimeType": kind,
        "filename": filename,
        "headers": [{"name": "Content-Type", "value": f"{kind}; charset={charset}"}],
        "body": {"data": base64.urlsafe_b64encode(raw).decode().rstrip("="), "size": len(raw)},
    }


def whole(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"payload": {"mimeType": "multipart/mixed", "filename": "", "parts": list(parts)}}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"payload": part("text/plain", b"hello")}, "hello"),
        (whole(part("text/html", b"<p>markup</p>"), part("text/plain", b"plain")), "plain"),
        (
            whole(part("text/plain", b"secret", filename="notes.txt"), part("text/html", b"<p>told</p>")),
            "told",
        ),
        (
            whole(
                {"mimeType": "message/rfc822", "filename": "", "parts": [part("text/plain", b"forwarded")]}
            ),
            "",
        ),
        (whole(part("text/plain", "Grüße".encode(), charset="iso-8859-1")), "Grüße"),
        (whole(part("text/plain", "Grüße".encode("latin-1"), charset="iso-8859-1")), "Grüße"),
        (whole(part("text/plain", "こんにちは".encode("iso2022_jp"), charset="iso-2022-jp")), "こんにちは"),
        (whole({"mimeType": "text/plain", "filename": "", "body": {"attachmentId": "x", "size": 9}}), ""),
        (whole({"mimeType": "text/plain", "filename": "", "body": {"data": "%%%"}}), ""),
        ({"payload": None}, ""),
    ],
)
def test_the_readable_text(message: dict[str, Any], text: str) -> None:
    assert text_of(message) == text


def test_a_long_text_is_cut() -> None:
    assert len(text_of(whole(part("text/plain", b"x" * 200_000))).encode()) == 65_536


def record(
    key: str, message_id: str, labels: list[str] | None = None, now: list[str] | None = None
) -> dict[str, Any]:
    entry: dict[str, Any] = {"message": {"id": message_id, "labelIds": now or []}}
    return {"id": "1", key: [entry | ({"labelIds": labels} if labels else {})]}


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ([record("messagesAdded", "a")], [Change("a", False)]),
        ([record("messagesAdded", "a", now=["SPAM"])], [Change("a", True)]),
        ([record("messagesAdded", "a"), record("messagesDeleted", "a")], [Change("a", True)]),
        (
            [record("labelsAdded", "a", ["TRASH"]), record("labelsRemoved", "a", ["TRASH"])],
            [Change("a", False)],
        ),
        ([record("labelsRemoved", "a", ["DRAFT"], now=["SENT"])], [Change("a", False)]),
        ([record("labelsAdded", "a", ["STARRED"]), record("labelsRemoved", "b", ["UNREAD"])], []),
        ([{"id": "1"}, "x", {"messagesAdded": [{}, {"message": {"id": 5}}, None]}], []),
    ],
)
def test_of_what_happened_to_a_message_the_last_thing_counts(told: list[Any], meant: list[Change]) -> None:
    assert changes({"history": told}) == meant


def test_a_page_without_history_tells_nothing() -> None:
    assert changes({"historyId": "5", "nextPageToken": "x"}) == []


def many(record_id: int, key: str, *ids: str) -> dict[str, Any]:
    """What was done to several messages at once is one record."""
    return {"id": str(record_id), key: [{"message": {"id": each, "labelIds": []}} for each in ids]}


@pytest.mark.parametrize(
    ("skip", "most", "meant"),
    [
        (0, 1, Part([Change("a", False)], 7)),
        (0, 3, Part([Change("a", False)], 7)),
        (0, 4, Part([Change(each, False) for each in "abcd"], 9)),
    ],
)
def test_a_part_of_a_page_ends_with_a_record(skip: int, most: int, meant: Part) -> None:
    told = [
        many(7, "messagesAdded", "a"),
        many(9, "messagesAdded", "b", "c", "d"),
        many(12, "messagesAdded", "e"),
    ]
    assert leading({"history": told}, skip, most) == meant


def test_a_record_that_tells_of_more_than_may_be_read_is_told_in_parts() -> None:
    told = {"history": [many(9, "messagesAdded", "b", "c", "d"), many(12, "messagesDeleted", "b")]}
    assert leading(told, 0, 2) == Part([Change("b", False), Change("c", False)], None, 2)
    assert changes(told, 2) == [Change("d", False), Change("b", True)]
    assert leading({"history": [many(9, "messagesAdded", *"bcde")]}, 1, 1) == Part(
        [Change("c", False)], None, 2
    )
    assert leading(told, 2, 1) == Part([Change("d", False), Change("b", True)], 12)
