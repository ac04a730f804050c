"""Header blocks and bodies: what the record says, by example."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocapture.errors import RecordUnusable
from autocapture.formats.mime import HEADER_FIELDS, HEADER_LIMIT, body_text, parse_headers, parse_message
from autocapture.records import Address

NOVEMBER = datetime(2026, 11, 16, 8, 12, 33, tzinfo=UTC)


def block(**fields: str) -> bytes:
    return (
        "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n"
    )


def test_a_usual_block_gives_every_field() -> None:
    record = parse_headers(
        b"Return-Path: <anna@acme.example>\r\nFrom: Anna Berg <anna@acme.example>\r\n"
        b'To: "Smith, John" <John.Smith@ourco.example>, eva@ourco.example\r\n'
        b"Subject: Re: =?utf-8?q?Angebot_f=C3=BCr?=\r\n =?utf-8?q?_GTX_Pro?=\r\n"
        b"Date: Mon, 16 Nov 2026 09:12:33 +0100\r\nMessage-ID: <CaSe.1@mail.example>\r\n"
        b"In-Reply-To: <b@x.example>\r\nReferences: <a@x.example>\r\n\t<b@x.example>\r\n"
        b"Auto-Submitted: auto-replied\r\nX-Mailer: ignored\r\n\r\nSubject: of the body\r\n",
        size=9000,
        provider_thread="t1",
    )
    assert record.from_ == (Address("anna@acme.example", "Anna Berg"),)
    assert record.to == (Address("John.Smith@ourco.example", "Smith, John"), Address("eva@ourco.example"))
    assert record.subject == "Re: Angebot für GTX Pro"
    assert record.sent_at == NOVEMBER
    assert record.message_id == "CaSe.1@mail.example"
    assert record.in_reply_to == ("b@x.example",)
    assert record.references == ("a@x.example", "b@x.example")
    assert dict(record.headers) == {"return-path": "<anna@acme.example>", "auto-submitted": "auto-replied"}
    assert (record.size, record.provider_thread, record.text) == (9000, "t1", None)


def test_an_empty_message_is_a_record_without_anything() -> None:
    for raw in (b"", b"\r\n", b"\n\nbody", b"no header at all"):
        record = parse_message(raw)
        assert (record.message_id, record.subject, record.from_, record.sent_at) == (None, "", (), None)
        assert record.size == len(raw)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("undisclosed-recipients:;", []),
        ("Team: a@x.example, B <b@x.example>;", [("a@x.example", ""), ("b@x.example", "B")]),
        ("a@x.example, , b@x.example,", [("a@x.example", ""), ("b@x.example", "")]),
        ("(comment) a@x.example (Anna)", [("a@x.example", "comment Anna")]),
        (r'"O\"Neil" <a@x.example>', [("a@x.example", 'O"Neil')]),
        ("<@relay.example:a@x.example>", [("a@x.example", "")]),
        ("no-host, <>, @x.example, b@x.example", [("b@x.example", "")]),
        ('"a@evil.example" <b@x.example>', [("b@x.example", "a@evil.example")]),
        ("=?utf-8?q?a=40evil=2Eexample=2C_B?= <b@x.example>", [("b@x.example", "a@evil.example, B")]),
        ('"=?iso-8859-1?Q?J=FCrgen?=" <b@x.example>', [("b@x.example", "Jürgen")]),
        ("=?utf-8?b?w7w=?= =?utf-8?q?_Berg?= <b@x.example>", [("b@x.example", "ü Berg")]),
        ('"john doe"@x.example', [('"john doe"@x.example', "")]),
        ("Müller <m@x.example>", [("m@x.example", "Müller")]),
    ],
)
def test_address_lists(written: str, expected: list[tuple[str, str]]) -> None:
    assert [(each.email, each.name) for each in parse_headers(block(To=written)).to] == expected


def test_repeated_recipient_fields_are_joined_and_a_second_subject_is_ignored() -> None:
    record = parse_headers(
        b"To: a@x.example\nTo: b@x.example\nSubject: first\nSubject: second\n"
        b"References: <1@x>\nReferences: <2@x>\n\n"
    )
    assert [each.email for each in record.to] == ["a@x.example", "b@x.example"]
    assert record.subject == "first"
    assert record.references == ("1@x", "2@x")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Mon, 16 Nov 2026 09:12:33 +0100", NOVEMBER),
        ("16 Nov 2026 08:12:33 GMT", NOVEMBER),
        ("Mon, 16 Nov 2026 03:12:33 EST", NOVEMBER),
        ("Mon, 16 Nov 26 08:12:33 -0000 (nowhere)", NOVEMBER),
        ("Mon, 16 Nov 2026 08:12 +0000", NOVEMBER.replace(second=0)),
        ("Mon, 16 Nov 2026 08:12:60 +0000", NOVEMBER.replace(second=59)),
        ("", None),
        ("yesterday", None),
        ("Mon, 31 Feb 2026 08:12:33 +0000", None),
        ("Thu, 01 Jan 1931 00:00:00 +0000", None),
        ("Thu, 01 Jan 9999 00:00:00 -2359", None),
        ("Thu, 01 Jan 2026 00:00:00 +9999", datetime(2025, 12, 27, 19, 21, tzinfo=UTC)),
    ],
)
def test_dates(written: str, expected: datetime | None) -> None:
    assert parse_headers(block(Date=written)).sent_at == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("<a@b>", "a@b"),
        ("< a b@ c >", "ab@c"),
        ("bare@b", "bare@b"),
        ("<a@b> (added by relay)", "a@b"),
        ("<>", None),
        ("", None),
        ("<" + "x" * 2000 + ">", "x" * 998),
    ],
)
def test_message_ids(written: str, expected: str | None) -> None:
    assert parse_headers(block(Message_ID=written)).message_id == expected


def test_prose_in_in_reply_to_gives_only_its_ids() -> None:
    written = "Your message of Mon, 1 Jan 2026 from anna <a@x.example>"
    assert parse_headers(block(In_Reply_To=written)).in_reply_to == ("a@x.example",)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Frösche".encode(), "Frösche"),
        ("Frösche".encode("latin-1"), "Frösche"),
        (b"a\0b", "ab"),
        (b"=?utf-8?q?a=00b=0D=0ABcc:_c?=", "ab Bcc: c"),
        (b"=?utf-16le?b?ANg=?=", ""),
        (b"=?no-such?q?=C3=BC?=", "ü"),
        (b"=?punycode?q?mnchen-3ya?=", "mnchen-3ya"),
        (b"=?utf-8?b?not base64!?=", "=?utf-8?b?not base64!?="),
        (b"=?utf-8?q?=C3?= =?UTF-8?q?=BC?=", "ü"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?utf-8?q?what??=", "what?"),
        (b"=?", "=?"),
    ],
)
def test_subjects_in_any_encoding_are_clean_text(raw: bytes, expected: str) -> None:
    subject = parse_headers(b"Subject: " + raw + b"\n\n").subject
    if expected:
        assert subject == expected
    subject.encode()


def test_white_space_before_the_colon_and_bare_line_ends_are_read() -> None:
    record = parse_headers(b"Subject : hello\rFrom:a@x.example\r\rbody")
    assert record.subject == "hello"
    assert record.from_ == (Address("a@x.example"),)


def test_a_block_over_the_cap_is_unusable() -> None:
    with pytest.raises(RecordUnusable):
        parse_headers(b"X-Long: " + b"x" * HEADER_LIMIT + b"\n\n")
    assert parse_message(b"Subject: s\n\n" + b"x" * HEADER_LIMIT).subject == "s"


def test_the_fields_to_fetch_are_unique_and_include_what_admission_needs() -> None:
    names = {name.lower() for name in HEADER_FIELDS}
    assert len(names) == len(HEADER_FIELDS)
    assert {"from", "list-id", "auto-submitted", "precedence", "x-failed-recipients", "content-type"} <= names


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(HEADER_FIELDS))
def test_no_value_of_any_field_makes_the_parser_fail(value: bytes, name: str) -> None:
    record = parse_headers(name.encode() + b": " + value + b"\n\n")
    for text in (record.subject, record.message_id or "", *(each.email + each.name for each in record.to)):
        text.encode()
        assert "\0" not in text


@settings(max_examples=100, deadline=None)
@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40
    )
)
def test_names_written_by_the_stdlib_come_back(name: str) -> None:
    written = email.utils.formataddr((name, "a@x.example"))
    [address] = parse_headers(b"To: " + written.encode() + b"\n\n").to
    assert " ".join(address.name.split()) == " ".join(name.split())


ALTERNATIVE = (
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n--b\r\n"
    b"Content-Type: text/html\r\n\r\n<p>no</p>\r\n--b--\r\n"
)


def test_the_plain_part_is_the_text() -> None:
    assert body_text(ALTERNATIVE).strip() == "Grüße"
    assert body_text(b"Subject: x\n\nplain\n").strip() == "plain"


def test_html_is_stripped_where_there_is_no_plain_text() -> None:
    raw = (
        b"Content-Type: text/html; charset=utf-8\n\n<html><head><title>t</title><style>p{}</style></head>"
        b"<body><p title='a>b'>Hello&nbsp;&amp; <b>you</b></p>"
        b"<!-- <p>hidden</p> --><script>1<2</script>x<br>3 < 4</body></html>"
    )
    assert body_text(raw) == "Hello & you\nx\n3 < 4"


def test_attachments_are_not_text() -> None:
    raw = b"Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nsecret\n"
    assert body_text(raw) == ""


def test_the_text_is_cut_at_the_limit_in_bytes() -> None:
    raw = b"Content-Type: text/plain; charset=utf-8\n\n" + "ü".encode() * 100_000
    assert len(body_text(raw).encode()) <= 65_536
    assert body_text(raw, limit=3) == "ü"


@pytest.mark.parametrize(
    "charset", ["x-unknown", "hex", "zip", "punycode", "utf-8\0", '"', "us-ascii", "a" * 500]
)
def test_a_bad_charset_still_gives_text(charset: str) -> None:
    raw = f"Content-Type: text/plain; charset={charset}\n\n".encode() + "für".encode()
    assert body_text(raw).startswith("f")
