"""The FETCH reader, held to imapclient's parser and to what servers are known to say."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imapclient.response_parser import parse_fetch_response

from autocapture.errors import Unreachable
from autocapture_imap.fetching import Refusal, fetch, internal_date
from autocapture_imap.wire import LITERAL_LIMIT, Wire


def answers(*lines: bytes, end: bytes = b"%T OK done\r\n", chunk: int = 0) -> list[Any]:
    """What `fetch` yields for the responses `lines`, sent in pieces of `chunk` bytes (0: all at once)."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with suppress(OSError), theirs, theirs.makefile("rb") as asked:
            theirs.sendall(b"* OK hi\r\n")
            tag = asked.readline().split()[0]
            theirs.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
            tag = asked.readline().split()[0]
            data = b"".join(lines) + end.replace(b"%T", tag)
            for start in range(0, len(data), chunk or max(len(data), 1)):
                theirs.sendall(data[start : start + (chunk or len(data))])

    server = threading.Thread(target=serve)
    server.start()
    try:
        wire = Wire(ours, "localhost", 143, 5.0, lambda: 0.0)
        wire.state = "SELECTED"
        return list(fetch(wire, "1:3", "(UID)"))
    finally:
        ours.close()
        server.join(5)


@pytest.mark.parametrize("chunk", [0, 1, 7])
def test_literals_and_quoted_strings_may_stand_anywhere(chunk: int) -> None:
    found = answers(
        b"* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT FROM)] {6}\r\na\r\n)(\r UID 5 RFC822.SIZE 10)\r\n",
        b'* 2 fetch (uid 6 INTERNALDATE {26}\r\n17-Jul-1996 02:44:25 -0700 body[text]<0> "a\\"b\\\\c")\r\n',
        b"* 3 FETCH (UID 7 BODY[TEXT] NIL FLAGS (\\Seen (a (b))) X {0}\r\n Y {3}\r\n}\r\n)\r\n",
        chunk=chunk,
    )
    assert found == [
        {b"BODY[HEADER.FIELDS (SUBJECT FROM)]": b"a\r\n)(\r", b"UID": b"5", b"RFC822.SIZE": b"10"},
        {b"UID": b"6", b"INTERNALDATE": b"17-Jul-1996 02:44:25 -0700", b"BODY[TEXT]<0>": b'a"b\\c'},
        {b"UID": b"7", b"BODY[TEXT]": None, b"FLAGS": [b"\\Seen", [b"a", [b"b"]]], b"X": b"", b"Y": b"}\r\n"},
    ]


def test_other_responses_in_between_do_not_disturb() -> None:
    found = answers(
        b"* 4 EXISTS\r\n* OK still here {3}\r\n* 2 EXPUNGE\r\n* VANISHED 3\r\n",
        b'* LIST () "/" {5}\r\nINBOX\r\n',
        b"* 1 FETCH (UID 5)\r\n",
    )
    assert found == [{b"UID": b"5"}]


def test_a_refusal_comes_last() -> None:
    found = answers(b"* 1 FETCH (UID 5)\r\n", end=b"%T NO Some messages no longer exist\r\n")
    assert found == [{b"UID": b"5"}, "Some messages no longer exist"]
    assert isinstance(found[-1], Refusal)


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (b"* BYE shutting down\r\n", b""),
        (b"* 1 FETCH (UID 5", b""),
        (b"* 1 FETCH (UID 5 BODY[TEXT] {100}\r\nabc", b""),
        (b"* 1 FETCH (UID 5 BODY[TEXT] {5}\r\nabcde", b""),
        (b"* 1 FETCH (UID 5\r\n", b"%T OK done\r\n"),
        (b'* 1 FETCH (UID "5)\r\n', b"%T OK done\r\n"),
        (b"* 1 FETCH (" + b"(" * 5_000 + b"\r\n", b"%T OK done\r\n"),
        (b"garbage\r\n", b"%T OK done\r\n"),
        (b"X999 OK done\r\n", b""),
        (b"", b""),
    ],
)
def test_a_broken_answer_is_unreachable(lines: bytes, end: bytes) -> None:
    with pytest.raises(Unreachable):
        answers(lines, end=end)


def test_of_an_enormous_literal_only_the_beginning_is_kept() -> None:
    size = LITERAL_LIMIT + 5_000_000
    found = answers(b"* 1 FETCH (UID 5 BODY[TEXT] {%d}\r\n" % size, b"x" * size, b" RFC822.SIZE 9)\r\n")
    assert len(found[0][b"BODY[TEXT]"]) == LITERAL_LIMIT
    assert found[0][b"RFC822.SIZE"] == b"9"


atoms = st.from_regex(rb"\A[A-Za-z0-9\\.+_-]{1,8}\Z").filter(lambda word: word.upper() != b"NIL")
quoted = st.from_regex(rb"\A[ !#-\[\]-~]{0,12}\Z").map(lambda text: b'"' + text + b'"')
literals = st.binary(max_size=20)
values = st.recursive(
    st.one_of(atoms, quoted, st.just(b"NIL"), literals.map(lambda data: b"{%d}\r\n%b" % (len(data), data))),
    lambda inner: st.lists(inner, max_size=4).map(lambda parts: b"(" + b" ".join(parts) + b")"),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(values, min_size=1, max_size=4), min_size=1, max_size=3))
def test_it_reads_what_imapclient_reads(messages: list[list[bytes]]) -> None:
    lines = [
        b"* %d FETCH (UID %d %b)\r\n"
        % (number, number + 100, b" ".join(b"X%d %b" % item for item in enumerate(attributes)))
        for number, attributes in enumerate(messages, 1)
    ]
    theirs = parse_fetch_response(_as_imaplib(lines), uid_is_key=False)
    ours = answers(*lines)
    assert len(ours) == len(theirs)
    for number, found in enumerate(ours, 1):
        expected = {name: value for name, value in theirs[number].items() if name != b"SEQ"}
        assert {name: _plain(value) for name, value in found.items()} == {
            name: _plain(value) for name, value in expected.items()
        }


def _as_imaplib(lines: list[bytes]) -> list[Any]:
    """The lines in the form that imaplib hands to imapclient: each literal in a tuple after the text before it."""
    found: list[Any] = []
    for line in lines:
        text = line[2:].replace(b" FETCH ", b" ", 1)
        position = 0
        while (start := _literal_at(text, position)) is not None:
            marker_end = text.index(b"}", start) + 1
            size = int(text[start + 1 : marker_end - 1])
            found.append((text[position:marker_end], text[marker_end + 2 : marker_end + 2 + size]))
            position = marker_end + 2 + size
        found.append(text[position:].removesuffix(b"\r\n"))
    return found


def _literal_at(text: bytes, position: int) -> int | None:
    """Where the next literal's marker begins: the first line end that follows one."""
    end = text.find(b"}\r\n", position)
    return None if end < 0 else text.rindex(b"{", position, end)


def _plain(value: Any) -> Any:
    if isinstance(value, int):
        return str(value).encode()
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.replace(b"\\\\", b"\\") if isinstance(value, bytes) else value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            b"17-Jul-1996 02:44:25 -0700",
            datetime(1996, 7, 17, 2, 44, 25, tzinfo=timezone(-timedelta(hours=7))),
        ),
        (b" 7-Feb-2026 23:59:60 +0000", datetime(2026, 2, 7, 23, 59, 59, tzinfo=UTC)),
        (
            b"01-jan-2026 00:00:00 +0530",
            datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        ),
        (b"31-Feb-2026 00:00:00 +0000", None),
        (b"01-Jan-2026 00:00:00 +9900", None),
        (b"nonsense", None),
        (None, None),
        ([b"x"], None),
    ],
)
def test_the_servers_date_is_read_or_left_out(text: Any, expected: datetime | None) -> None:
    assert internal_date(text) == expected


def usual(number: int, literal: bytes, after: bytes = b")\r\n") -> bytes:
    head = b'* %d FETCH (UID %d INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 9 body[HEADER.FIELDS (FROM)] {%d}\r\n'
    return head % (number, number, len(literal)) + literal + after


@pytest.mark.parametrize("chunk", [0, 1, 100, 130])
def test_answers_in_the_order_asked_are_read_alike_however_they_arrive(chunk: int) -> None:
    header = b"From: a@b.example\r\n\r\n"
    found = answers(
        usual(1, header),
        usual(2, b""),
        usual(3, b")\r\n* 9 FETCH (UID 9)\r\n"),
        usual(4, header, b" FLAGS (\\Seen))\r\n"),
        usual(5, header),
        chunk=chunk,
    )
    date = b"17-Jul-1996 02:44:25 -0700"
    common = {b"INTERNALDATE": date, b"RFC822.SIZE": b"9"}
    section = b"BODY[HEADER.FIELDS (FROM)]"
    assert found == [
        {b"UID": b"1", **common, section: header},
        {b"UID": b"2", **common, section: b""},
        {b"UID": b"3", **common, section: b")\r\n* 9 FETCH (UID 9)\r\n"},
        {b"UID": b"4", **common, section: header, b"FLAGS": [b"\\Seen"]},
        {b"UID": b"5", **common, section: header},
    ]
