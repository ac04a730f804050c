"""Rude servers: the error says who must act, one bad message stops no page."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Literal

import pytest
from tests.connectors.imap.mailbox import INBOX, Held, Mailbox, Opener, message, talking_to, tools
from tests.peers.dovecot import Dovecot
from tests.peers.scripted_imap import DROP, ScriptedImap, scripted_imap

from autocapture.connector import Broken, Channel, Connection, Gone, PasswordCredential, Record
from autocapture.errors import (
    AutocaptureError,
    ChannelGone,
    CredentialRejected,
    CursorExpired,
    RateLimited,
    SetupError,
    Unreachable,
)
from autocapture_imap import ImapOptions, connector, session
from autocapture_imap.faults import passing, refused_login

HEADER = b"BODY[HEADER.FIELDS (SUBJECT)] {12}\r\nSubject: x\r\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[AUTHENTICATIONFAILED] Invalid credentials", CredentialRejected),
        ("LOGIN failed.", CredentialRejected),
        ("[EXPIRED] password", CredentialRejected),
        ("[UNAVAILABLE] back end down", Unreachable),
        ("[INUSE] mailbox is busy", Unreachable),
        ("[LIMIT] too many sessions", Unreachable),
        ("Too many simultaneous connections. (Failure)", Unreachable),
        ("[ALERT] Too many simultaneous connections. (Failure)", Unreachable),
        ("Maximum number of connections from user+IP exceeded", Unreachable),
        ("Temporary authentication failure.", Unreachable),
        ("[PRIVACYREQUIRED] TLS first", SetupError),
        ("Request is throttled. Suggested Backoff Time: 4500 milliseconds", RateLimited),
        ("[OVERQUOTA] Account exceeded command or bandwidth limits.", RateLimited),
    ],
)
def test_a_refused_sign_in_says_who_must_act(text: str, expected: type[AutocaptureError]) -> None:
    assert type(refused_login(text)) is expected


def test_the_pause_that_a_server_asks_for_is_kept_within_reason() -> None:
    asked = passing("Request is throttled. Suggested Backoff Time: 4500 milliseconds")
    assert isinstance(asked, RateLimited)
    assert asked.retry_after == timedelta(milliseconds=4500)
    absurd = passing("throttled; Backoff Time: 99999999999999999999 milliseconds")
    assert isinstance(absurd, RateLimited)
    assert absurd.retry_after == timedelta(minutes=5)
    assert passing("Mailbox is unusual") is None


@pytest.mark.parametrize(
    "greeting",
    [DROP, b"* BYE too many connections\r\n" + DROP, b"220 smtp.example ESMTP\r\n", b"\r\n", b"* OK no end"],
)
def test_a_greeting_that_is_no_welcome_is_unreachable(greeting: bytes) -> None:
    with (
        scripted_imap(greeting=greeting) as server,
        pytest.raises(Unreachable),
        talking_to(server, tools(seconds=0.5)),
    ):
        pass


@pytest.mark.parametrize(
    ("security", "said"),
    [
        ("none", "says nothing within 0.2 seconds"),
        ("starttls", "security starttls"),
        ("tls", "TLS handshake"),
    ],
)
def test_a_port_that_takes_the_connection_and_stays_silent_is_told_soon(
    security: Literal["none", "starttls", "tls"], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "GREETING_SECONDS", 0.2)
    with scripted_imap(greeting=b"") as server:
        options = ImapOptions(host="127.0.0.1", port=server.port, security=security)
        began = time.monotonic()
        with (
            pytest.raises(Unreachable, match=said),
            connector.open(options, PasswordCredential("ruth", "secret"), tools(seconds=60)),
        ):
            pass
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("command", ["LOGIN", "LIST", "EXAMINE", "UID SEARCH", "UID FETCH"])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (DROP, Unreachable),
        (b"* BYE over\r\n" + DROP, Unreachable),
        (b"", Unreachable),
        (b"%T NO [UNAVAILABLE] later\r\n", Unreachable),
        (b"%T NO Request is throttled. Suggested Backoff Time: 20 milliseconds\r\n", RateLimited),
        (b"\xff\xfe garbage\r\n", Unreachable),
    ],
    ids=["end of stream", "bye", "silence", "unavailable", "throttled", "garbage"],
)
def test_a_fault_at_any_command_is_told_by_its_type(
    command: str, answer: bytes, expected: type[AutocaptureError]
) -> None:
    with scripted_imap({command: answer}) as server, pytest.raises(expected):
        capture_once(server)


def capture_once(server: ScriptedImap) -> None:
    with talking_to(server, tools(seconds=0.3)) as connection:
        connection.channels()
        page = connection.pull(INBOX, None, limit=10)
        connection.get(INBOX, [item.id for item in page.items])


def test_nobody_listening_is_unreachable() -> None:
    with scripted_imap() as server:
        pass
    with pytest.raises(Unreachable), talking_to(server):
        pass


@pytest.mark.parametrize(
    "missing", [b"* 3 EXISTS\r\n%T OK done\r\n", b"* 3 EXISTS\r\n* OK [UIDVALIDITY 0] x\r\n%T OK x\r\n"]
)
def test_a_folder_without_uid_validity_expires_a_cursor_and_starts_no_enumeration(missing: bytes) -> None:
    polite = json.dumps({"v": 1, "uv": 7, "top": 2, "n": 2, "scan": None, "seen": "1:2"})
    with scripted_imap({"EXAMINE": missing}) as server, talking_to(server) as connection:
        with pytest.raises(CursorExpired):
            connection.pull(INBOX, polite, limit=5)
        with pytest.raises(Unreachable):
            connection.pull(INBOX, None, limit=5)


def test_a_folder_without_uidnext_is_still_listed() -> None:
    examine = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n%T OK done\r\n"
    with scripted_imap({"EXAMINE": examine}) as server, talking_to(server) as connection:
        assert Held(connection).drain().uids == [1, 2, 3]


def test_uids_outside_the_window_are_not_believed() -> None:
    search = b"* SEARCH 1 99\r\n* SEARCH 2\r\n%T OK done\r\n"
    with scripted_imap({"UID SEARCH": search}) as server, talking_to(server) as connection:
        assert Held(connection).drain().uids == [1, 2]


def test_a_refused_folder_that_is_still_listed_is_not_gone() -> None:
    with scripted_imap({"EXAMINE": b"%T NO [NOPERM] no\r\n"}) as server, pytest.raises(Unreachable):
        capture_once(server)


def test_a_refused_folder_that_holds_no_messages_any_more_is_gone() -> None:
    phantom = b'* LIST (\\NonExistent) "/" Old\r\n* LIST () "/" INBOX\r\n%T OK done\r\n'
    with (
        scripted_imap({"EXAMINE": b"%T NO no\r\n", "LIST": phantom}) as server,
        talking_to(server) as connection,
    ):
        assert [channel.id for channel in connection.channels()] == ["INBOX"]
        with pytest.raises(ChannelGone):
            connection.pull(Channel("Old", "email"), None, limit=5)


def answered(connection: Connection) -> dict[str, str]:
    found = connection.get(INBOX, ["7/1", "7/2", "7/3"])
    return {each.id: type(each).__name__ for each in found}


@pytest.mark.parametrize(
    ("fetched", "expected"),
    [
        (b"* 9 FETCH (UID 9 %H)\r\n* 2 FETCH (UID 2 %H)\r\n%T OK\r\n", [Gone, Record, Gone]),
        (b"* 2 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 %H)\r\n%T OK x\r\n", [Gone, Record, Gone]),
        (b"* 1 FETCH (UID 1 FLAGS ())\r\n* 1 FETCH (%H UID 1)\r\n%T OK x\r\n", [Record, Gone, Gone]),
        (
            b"* 1 FETCH (UID 1 %H)\r\n%T NO Some of the requested messages no longer exist\r\n",
            [Record, Gone, Gone],
        ),
        (b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] NIL)\r\n%T OK x\r\n", [Broken, Gone, Gone]),
        (b"* 1 FETCH (UID 1 %H)\r\n%T NO [UNAVAILABLE] x\r\n", [Record, Broken, Broken]),
        (b"* 1 FETCH (UID 1 %H)\r\n%T BAD internal\r\n", [Record, Broken, Broken]),
        (b"%T NO cannot read\r\n", [Broken, Broken, Broken]),
    ],
    ids=[
        "unsolicited",
        "unsolicited flags",
        "flags first",
        "expunged",
        "no header",
        "unavailable",
        "bad",
        "refused",
    ],
)
def test_each_message_gets_one_answer(fetched: bytes, expected: list[type]) -> None:
    with (
        scripted_imap({"UID FETCH": fetched.replace(b"%H", HEADER)}) as server,
        talking_to(server) as connection,
    ):
        found = connection.get(INBOX, ["7/1", "7/2", "7/3"])
        assert [(type(each), each.id) for each in found] == list(
            zip(expected, ["7/1", "7/2", "7/3"], strict=True)
        )


def test_a_message_that_the_server_cannot_read_does_not_take_its_page_along() -> None:
    def record(uid: int) -> bytes:
        return b"* %d FETCH (UID %d %b)\r\n" % (uid, uid, HEADER)

    refused = b"%T NO cannot read\r\n"
    answers = {
        "UID FETCH 1:3 ": refused,
        "UID FETCH 1 ": record(1) + b"%T OK x\r\n",
        "UID FETCH 2:3 ": refused,
        "UID FETCH 2 ": refused,
        "UID FETCH 3 ": record(3) + b"%T OK x\r\n",
    }
    with scripted_imap(answers) as server, talking_to(server) as connection:
        assert answered(connection) == {"7/1": "Record", "7/2": "Broken", "7/3": "Record"}


def test_an_oversized_header_is_broken() -> None:
    size = 3_000_000
    fetched = b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (TO)] {%d}\r\nTo: %b)\r\n%%T OK x\r\n" % (
        size,
        b"x" * (size - 4),
    )
    with scripted_imap({"UID FETCH": fetched}) as server, talking_to(server) as connection:
        assert answered(connection)["7/1"] == "Broken"


def test_ids_of_another_uid_validity_or_form_are_gone(plain_box: Mailbox, opened: Opener) -> None:
    assert opened(plain_box).get(INBOX, ["1/1", "x", "", "1/2/3"]) == [
        Gone("1/1"),
        Gone("x"),
        Gone(""),
        Gone("1/2/3"),
    ]


@pytest.mark.dovecot
def test_a_session_that_the_server_ends_is_unreachable_and_a_new_one_goes_on(
    dovecot_server: Dovecot, dovecot_box: Mailbox, opened: Opener
) -> None:
    dovecot_box.append(*map(message, range(4)))
    held = Held(opened(dovecot_box))
    held.pull(limit=2)
    dovecot_server.kick(dovecot_box.user)
    with pytest.raises(Unreachable):
        held.drain(limit=2)
    held.connection = opened(dovecot_box)
    assert held.drain(limit=2).uids == dovecot_box.uids()


def test_gmails_drafts_are_out_of_scope_and_its_threads_are_kept() -> None:
    answers = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 X-GM-EXT-1\r\n%T OK done\r\n",
        "LIST": b'* LIST () "/" INBOX\r\n* LIST (\\All) "/" "[Gmail]/All Mail"\r\n%T OK done\r\n',
        "UID SEARCH UID 1:3 UNDRAFT": b"* SEARCH 1 3\r\n%T OK done\r\n",
        "UID FETCH": b"* 1 FETCH (UID 1 X-GM-THRID 1278455344230334865 %b)\r\n%%T OK done\r\n" % HEADER,
    }
    with scripted_imap(answers) as server, talking_to(server) as connection:
        [channel] = connection.channels()
        assert channel.id == "[Gmail]/All Mail"
        held = Held(connection, channel).drain()
        assert held.uids == [1, 3]
        [first] = connection.get(channel, ["7/1"])
        assert isinstance(first, Record)
        assert getattr(first.data, "provider_thread", None) == "1278455344230334865"
