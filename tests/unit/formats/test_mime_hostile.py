"""Messages made to stop a parser: each ends within 2 s of processor time, with a result or in RecordUnusable."""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest

from autocapture.errors import RecordUnusable
from autocapture.formats.guard import Limits, run_guarded
from autocapture.formats.mime import body_text, parse_message

# RLIMIT_CPU is in whole seconds; the rest is the child's start and the caller's own look at the bytes.
CPU_LIMIT = 2.9


def processor_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def nested(depth: int) -> bytes:
    opening = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(depth)
    )
    return opening + b"Content-Type: text/plain\n\ndeep\n"


BOMBS: dict[str, bytes] = {
    "32,000 semicolons": b"From: a@x.example\nContent-Type: text/plain" + b";" * 32_000 + b"\n\nhello\n",
    "16,000 addresses": b"To: " + b", ".join(b"u%d@x.example" % n for n in range(16_000)) + b"\n\nhello\n",
    "16,000 odd addresses": b"To: "
    + b"(c) "
    + b", ".join(b'"a\\"b" <u%d@x>' % n for n in range(16_000))
    + b"\n\n",
    "1,000 nested multiparts": nested(1_000),
    "3,000 nested multiparts": nested(3_000),
    "100,000 parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "200 KB header": b"Subject: " + b"x" * 200_000 + b"\n\nhello\n",
    "900 KB of encoded words": b"Subject: " + b"=?utf-8?q?a" * 90_000 + b"\n\nhello\n",
    "900 KB of comments": b"To: " + b"(" * 900_000 + b"\n\nhello\n",
    "900 KB of groups": b"To: " + b"a:" * 450_000 + b"\n\nhello\n",
    "900 KB of angles": b"To: " + b"<" * 900_000 + b"\n\nhello\n",
    "900 KB of quotes": b"To: " + b'"\\' * 450_000 + b"\n\nhello\n",
    "900 KB of spaces": b"To: " + b" " * 900_000 + b"x\nSubject: \t" + b" " * 100_000 + b"\n\nhello\n",
    "200,000 references": b"References: " + b"<a@b>" * 200_000 + b"\n\nhello\n",
    "200,000 header lines": b"To: a@b\n" * 100_000 + b"\nhello\n",
    "open tags": b"Content-Type: text/html\n\n" + b'<a "' * 60_000,
    "quoted brackets": b"Content-Type: text/html\n\n" + b'<"<>"' * 50_000,
    "open comments": b"Content-Type: text/html\n\n" + b"<!--" * 60_000,
    "open scripts": b"Content-Type: text/html\n\n" + b"<script>" * 30_000,
    "blank lines": b"Content-Type: text/html\n\n" + b"<br> " * 50_000,
    "punycode body": b"Content-Type: text/plain; charset=punycode\n\n" + b"a" * 500_000,
    "RFC 2231 parameters": b"Content-Type: text/plain; "
    + b"; ".join(b"a*%d=x" % n for n in range(450))
    + b"\n\nx",
}


def outcome(read: Callable[[bytes], object], raw: bytes) -> str:
    try:
        read(raw)
    except RecordUnusable:
        return "unusable"
    return "read"


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_time_and_the_reader_survives(name: str) -> None:
    for read in (parse_message, body_text):
        before = processor_seconds()
        assert outcome(read, BOMBS[name]) in {"read", "unusable"}
        assert processor_seconds() - before < CPU_LIMIT


def test_headers_are_read_even_where_the_body_is_a_bomb() -> None:
    assert parse_message(b"From: a@x.example\n" + nested(3_000)).from_[0].email == "a@x.example"
    assert len(parse_message(BOMBS["16,000 addresses"]).to) == 10_000


def test_the_text_of_a_large_but_honest_message_is_read_in_the_child() -> None:
    attachment = b"QUJD" * 18 + b"\n"
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n"
        b"--b\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
        + attachment * 80_000
        + b"\n--b--\n"
    )
    assert body_text(raw).strip() == "hello"


@pytest.mark.parametrize("task", ["body:no_such_function", "no_such_module:f"])
def test_a_child_that_fails_makes_the_item_unusable(task: str) -> None:
    with pytest.raises(RecordUnusable):
        run_guarded(task, b"")


def test_a_child_over_its_time_on_the_wall_is_stopped() -> None:
    with pytest.raises(RecordUnusable, match="longer than"):
        run_guarded("body:_text_bytes", b"", limits=Limits(wall_seconds=0.001))


def test_a_child_over_its_memory_is_refused() -> None:
    with pytest.raises(RecordUnusable):
        run_guarded("body:_text_bytes", b"x" * (64 << 20), limits=Limits(memory=96 << 20))
