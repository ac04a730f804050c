"""TLS is verified, addresses are judged, no credential leaves before both, and none is ever told."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.connectors.imap.mailbox import INBOX, Mailbox, message, talking_to, tools
from tests.peers.certificates import make_certificates
from tests.peers.dovecot import PASSWORD, Dovecot, dovecot
from tests.peers.scripted_imap import DROP, ScriptedImap, scripted_imap

from autocapture.clock import SystemClock
from autocapture.connector import PasswordCredential, Tools
from autocapture.errors import AutocaptureError, CredentialRejected, SetupError, Unreachable
from autocapture_imap import ImapOptions, connector

CREDENTIAL = PasswordCredential("rep", "s3cret-word")
SIGN_IN = ("LOGIN", "AUTHENTICATE")
STARTTLS = {"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\n%T OK done\r\n"}


def sign_in(
    options: ImapOptions, credential: PasswordCredential = CREDENTIAL, with_: Tools | None = None
) -> int:
    """How many channels a connection with these options finds."""
    with connector.open(options, credential, with_ or tools(seconds=5)) as connection:
        return len(connection.channels())


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_with_a_private_authority_works_by_name(dovecot_server: Dovecot, security: Any) -> None:
    port = dovecot_server.tls_port if security == "tls" else dovecot_server.port
    options = ImapOptions(
        host="localhost", port=port, security=security, ca_file=dovecot_server.certificates.authority
    )
    credential = PasswordCredential(dovecot_server.new_user(), PASSWORD)
    assert sign_in(options, credential) == 2


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_an_unknown_authority_is_for_the_administrator(
    dovecot_server: Dovecot, tmp_path: Path, security: Any
) -> None:
    port = dovecot_server.tls_port if security == "tls" else dovecot_server.port
    other = make_certificates(tmp_path).authority
    for ca_file in (None, other):
        with pytest.raises(SetupError, match="not trusted"):
            sign_in(ImapOptions(host="localhost", port=port, security=security, ca_file=ca_file))


@pytest.mark.dovecot
def test_a_certificate_for_another_name_is_refused(
    dovecot_server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "127.0.0.1")
    options = ImapOptions(
        host="mail.example.test", port=dovecot_server.tls_port, ca_file=dovecot_server.certificates.authority
    )
    with pytest.raises(SetupError, match="not trusted"):
        sign_in(options)


@pytest.mark.dovecot
def test_a_plain_port_taken_for_a_tls_port_is_for_the_administrator(dovecot_server: Dovecot) -> None:
    with pytest.raises(SetupError, match="does not speak TLS"):
        sign_in(ImapOptions(host="localhost", port=dovecot_server.port, security="tls"))


def test_a_handshake_that_breaks_off_is_unreachable() -> None:
    with scripted_imap(greeting=DROP) as server, pytest.raises(Unreachable):
        sign_in(ImapOptions(host="localhost", port=server.port, security="tls"))


@pytest.mark.parametrize(
    ("answers", "greeting"),
    [
        ({}, b"* OK ready\r\n"),
        ({**STARTTLS, "STARTTLS": b"%T NO not today\r\n"}, b"* OK ready\r\n"),
        ({**STARTTLS, "STARTTLS": b"%T BAD what\r\n"}, b"* OK ready\r\n"),
        (STARTTLS, b"* PREAUTH welcome\r\n"),
        (
            {**STARTTLS, "STARTTLS": b"%T OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"},
            b"* OK ready\r\n",
        ),
        ({**STARTTLS, "STARTTLS": b"%T OK begin\r\nX"}, b"* OK ready\r\n"),
    ],
    ids=["stripped", "refused", "not understood", "preauth", "injected response", "injected byte"],
)
def test_starttls_attacks_are_refused_before_any_credential_is_sent(
    answers: Mapping[str, bytes], greeting: bytes
) -> None:
    with scripted_imap(answers, greeting=greeting) as server:
        with pytest.raises(SetupError):
            sign_in(ImapOptions(host="127.0.0.1", port=server.port, security="starttls"))
        assert not any(command.startswith(SIGN_IN) for command in server.commands())


def test_a_server_that_claims_a_signed_in_session_is_refused() -> None:
    with (
        scripted_imap(greeting=b"* PREAUTH welcome\r\n") as server,
        pytest.raises(SetupError, match="PREAUTH"),
    ):
        sign_in(ImapOptions(host="127.0.0.1", port=server.port, security="none"))


def test_an_open_connection_is_made_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "0.0.0.0"):
        resolve_to(monkeypatch, address)
        with pytest.raises(SetupError, match="not on this machine"):
            sign_in(ImapOptions(host="mail.example.test", security="none"))


def test_the_address_that_was_judged_is_the_one_that_is_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def allowed(address: str) -> bool:
        asked.append(address)
        return True

    with scripted_imap() as server:
        resolve_to(monkeypatch, "127.0.0.1", "192.0.2.1")  # a second look-up would lead elsewhere
        dialled = Tools(SystemClock(), dial_allowed=allowed)
        options = ImapOptions(host="mail.example.test", port=server.port, security="none")
        assert sign_in(options, with_=dialled) == 1
    assert asked == ["127.0.0.1"]


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Each look-up of a name gives the next address; addresses are themselves."""
    coming = iter(addresses)

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (host if host[0].isdigit() else next(coming), port))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)


def test_an_address_that_may_not_be_dialled_is_for_the_administrator() -> None:
    with scripted_imap() as server:
        refusing = Tools(SystemClock(), dial_allowed=lambda _ip: False)
        with pytest.raises(SetupError, match="is not public"):
            sign_in(ImapOptions(host="127.0.0.1", port=server.port, security="none"), with_=refusing)
        assert server.received == []


@pytest.mark.parametrize(
    "answers",
    [
        {"LOGIN": b"%T NO [AUTHENTICATIONFAILED] s3cret-word is wrong\r\n"},
        {"LOGIN": b"%T BAD s3cret-word\r\n"},
        {"LOGIN": b"* BYE s3cret-word\r\n" + DROP},
        {"LOGIN": b"%T NO [UNAVAILABLE] s3cret-word\r\n"},
        {"LOGIN": b"s3cret-word\r\n"},
        {"LIST": b"%T NO s3cret-word\r\n"},
        {"EXAMINE": b"%T BAD s3cret-word\r\n", "LIST": b"%T NO s3cret-word\r\n"},
    ],
)
def test_no_secret_and_no_server_text_is_told(
    answers: Mapping[str, bytes], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted_imap(answers) as server:
        with pytest.raises(AutocaptureError) as caught:
            look_around(server)
        told = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(capfd.readouterr())
        assert "s3cret" not in told
        assert any("s3cret" in line for line in server.received)


def look_around(server: ScriptedImap) -> None:
    with talking_to(server) as connection:
        connection.channels()
        connection.pull(INBOX, None, limit=5)


def test_a_password_with_quotes_and_backslashes_arrives_as_it_is() -> None:
    with scripted_imap() as server:
        sign_in(
            ImapOptions(host="127.0.0.1", port=server.port, security="none"),
            PasswordCredential('re"p \\x', 'pa"ss\\word {3}'),
        )
        assert 'LOGIN "re\\"p \\\\x" "pa\\"ss\\\\word {3}"' in server.commands()


@pytest.mark.parametrize("password", ["a\r\nA1 DELETE INBOX", "a\0b", "a\nb", "pässword"])
def test_characters_that_login_cannot_carry_are_refused_before_they_are_sent(password: str) -> None:
    with scripted_imap() as server:
        with pytest.raises(CredentialRejected):
            sign_in(
                ImapOptions(host="127.0.0.1", port=server.port, security="none"),
                PasswordCredential("rep", password),
            )
        assert server.commands() == ["CAPABILITY"]


def test_a_server_that_forbids_plain_passwords_is_for_the_administrator() -> None:
    with scripted_imap({"CAPABILITY": b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n%T OK done\r\n"}) as server:
        with pytest.raises(SetupError):
            sign_in(ImapOptions(host="127.0.0.1", port=server.port, security="none"))
        assert server.commands() == ["CAPABILITY"]


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["none", "starttls"])
def test_a_wrong_password_is_for_the_rep(dovecot_server: Dovecot, security: Any) -> None:
    options = ImapOptions(
        host="localhost",
        port=dovecot_server.port,
        security=security,
        ca_file=dovecot_server.certificates.authority,
    )
    with pytest.raises(CredentialRejected):
        sign_in(options, PasswordCredential(dovecot_server.new_user(), "wrong-word"))


def test_a_missing_credential_or_certificate_file_is_for_the_administrator(tmp_path: Path) -> None:
    with pytest.raises(SetupError), connector.open(ImapOptions(host="localhost"), None, tools()):
        pass
    with pytest.raises(SetupError, match="cannot be read"):
        sign_in(ImapOptions(host="localhost", ca_file=tmp_path / "missing.pem"))


def test_options_know_their_ports_and_refuse_nonsense() -> None:
    assert ImapOptions(host="h").port_number == 993
    assert ImapOptions(host="h", security="starttls").port_number == 143
    assert ImapOptions(host="h", port=1993).port_number == 1993
    for wrong in (
        {"host": ""},
        {"host": "a b"},
        {"host": "h", "port": 0},
        {"host": "h", "security": "ssl"},
        {},
    ):
        with pytest.raises(ValidationError):
            ImapOptions.model_validate(wrong)


@pytest.mark.dovecot
@pytest.mark.usefixtures("dovecot_server")  # skips where there is none
def test_nothing_but_reading_commands_cross_the_wire_and_the_mailbox_is_unchanged() -> None:
    with dovecot(record=True) as server:
        box = Mailbox(server, server.user)
        box.append(*map(message, range(4)), flags=[b"\\Flagged"])
        box.append(message(5), flags=[b"\\Seen"])
        box.expunge(2)
        server.forget_commands()
        before = server.files()
        options = ImapOptions(host="127.0.0.1", port=server.port, security="none")
        with connector.open(options, box.credential, tools()) as connection:
            ids: list[str] = []
            for channel in connection.channels():
                page = connection.pull(channel, None, limit=2)
                while page.more:
                    ids += [item.id for item in page.items]
                    page = connection.pull(channel, page.cursor, limit=2)
                connection.pull(channel, page.cursor, limit=2)
            connection.get(INBOX, ids)
            connection.texts(INBOX, ids)  # type: ignore[attr-defined]
            connection.wait(INBOX, timedelta(seconds=0.1))  # type: ignore[attr-defined]
        sent = [line.split(b" ", 1)[-1] for line in server.commands()]
        assert {command.split(b" ")[0] for command in sent} <= {
            b"LIST", b"STATUS", b"EXAMINE", b"UID", b"IDLE", b"DONE", b"NOOP", b"CAPABILITY", b"ID", b"NAMESPACE", b"LOGOUT",
        }  # fmt: skip
        uid = [command for command in sent if command.startswith(b"UID")]
        assert {command.split(b" ")[1] for command in uid} == {b"SEARCH", b"FETCH"}
        assert not any(b"BODY[" in command or b"RFC822 " in command for command in uid)
        assert server.files() == before
