"""Passwords: what is refused, and in which of its two forms it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.connectors.caldav.support import Opener, tools

from autocapture.connector import PasswordCredential
from autocapture.errors import CredentialRejected, RateLimited, SetupError
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture_caldav import CaldavOptions, connector
from autocapture_caldav.login import Login


def test_a_wrong_password_is_the_reps_to_mend_and_is_tried_once(server: CaldavServer, opened: Opener) -> None:
    with pytest.raises(CredentialRejected) as refused:
        opened(password="secret-word").channels()
    assert "secret-word" not in str(refused.value)
    assert len(server.asked) == 1


def test_a_password_that_is_changed_meanwhile_is_noticed_at_the_next_question(
    server: CaldavServer, opened: Opener
) -> None:
    server.store.make("work")
    connection = opened()
    (work,) = connection.channels()
    server.password = "another"
    for ask in (connection.channels, lambda: connection.pull(work, None, limit=1)):
        with pytest.raises(CredentialRejected):
            ask()
    with pytest.raises(CredentialRejected):
        connection.get(work, ["x.ics"])


def test_a_server_that_takes_digest_alone_gets_digest(server: CaldavServer, opened: Opener) -> None:
    server.manners.digest = True
    server.store.make("work")
    assert [each.name for each in opened().channels()] == ["work"]
    assert len(server.asked) == 2 + 1


def test_a_wrong_password_by_digest_is_refused(server: CaldavServer, opened: Opener) -> None:
    server.manners.digest = True
    with pytest.raises(CredentialRejected):
        opened(password="no").channels()
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("challenge", "again"),
    [
        ("", False),
        ('Basic realm="x"', False),
        ('Bearer realm="x"', False),
        ("Negotiate", False),
        ('Basic realm="x", Digest realm="x", nonce="n", qop="auth"', False),
        ('Digest realm="x", nonce="n", qop="auth"', True),
        ('Digest realm="x", nonce="n", algorithm=SHA-256, qop="auth,auth-int"', True),
        ('Digest realm="x", nonce="n", algorithm=MD5-sess', False),
        ('Digest realm="x"', False),
        ('Bearer, Digest realm="a, Basic b=\\"c\\"", nonce="n"', True),
        ("Digest " + "a=1," * 5_000, False),
        ("," * 8_000, False),
    ],
)
def test_only_digest_is_worth_a_second_question(challenge: str, again: bool) -> None:
    assert Login(PasswordCredential("rep", "pw")).challenged(challenge) is again


def test_a_stale_nonce_is_replaced_and_a_refused_one_is_not() -> None:
    login = Login(PasswordCredential("rep", "pw"))
    assert login.challenged('Digest realm="x", nonce="1"')
    assert not login.challenged('Digest realm="x", nonce="2"')
    assert login.challenged('Digest realm="x", nonce="3", stale=true')


def test_a_user_name_with_a_colon_is_refused(opened: Opener) -> None:
    with pytest.raises(CredentialRejected):
        opened(user="a:b")


def test_an_account_without_a_password_is_a_setup_that_is_wrong() -> None:
    with pytest.raises(SetupError), connector.open(CaldavOptions(domain="a.example"), None, tools()):
        pass


@pytest.mark.parametrize(("fault", "seconds"), [("429", 90), ("503", 120)])
def test_a_server_that_asks_for_less_says_for_how_long(
    server: CaldavServer, opened: Opener, fault: str, seconds: int
) -> None:
    server.fault(fault)  # type: ignore[arg-type]
    with pytest.raises(RateLimited) as limited:
        opened().channels()
    assert limited.value.retry_after is not None
    assert limited.value.retry_after.total_seconds() == seconds


def test_authorities_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    options = CaldavOptions(domain="a.example", ca_file=tmp_path / "none.pem")
    with pytest.raises(SetupError, match="certificate file"):
        connector.open(options, PasswordCredential("ann", "pw"), tools()).__enter__()
