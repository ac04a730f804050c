"""Our clients at a Google and a Microsoft that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.peers.emulate import ADDRESS, BACK, CLIENT_ID, SECRET, TENANT, Emulated, emulated, missing

from autocapture.clock import SystemClock
from autocapture.connect.entra import Entra
from autocapture.connect.http import open_session
from autocapture.connect.oauth import OAuth
from autocapture.connect.providers import OpenHttp, google, microsoft
from autocapture.connect.token_endpoint import Client
from autocapture.errors import CredentialRejected, SetupError
from autocapture.sections import MicrosoftSettings

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

GMAIL = "https://www.googleapis.com/auth/gmail.metadata"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    with emulated(tmp_path_factory.mktemp("emulate")) as servers:
        yield servers


@pytest.fixture
def open_http(running: Emulated) -> OpenHttp:
    return partial(open_session, lambda _: True, total=timedelta(seconds=20), ca_file=running.ca_file)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    return Client(CLIENT_ID, tmp_path / "secret")


@pytest.fixture
def at_microsoft(running: Emulated, open_http: OpenHttp, client: Client) -> Entra:
    provider = microsoft(MicrosoftSettings(tenant=TENANT, login_url=running.microsoft))
    keys_url = f"{running.microsoft}/discovery/v2.0/keys"  # Microsoft has them below the tenant as well
    return Entra(replace(provider, keys_url=keys_url), client, open_http, SystemClock())


@pytest.fixture
def at_google(running: Emulated, open_http: OpenHttp, client: Client) -> OAuth:
    return OAuth(google(running.google_settings), client, open_http, SystemClock())


def test_a_mailbox_is_granted_at_microsoft_and_its_token_renewed(
    running: Emulated, at_microsoft: Entra
) -> None:
    asked = at_microsoft.ask(BACK, ("Mail.ReadBasic", "Calendars.ReadBasic"), login_hint=ADDRESS)
    code = at_microsoft.code_of(running.consent(asked.url), asked)
    tokens = at_microsoft.exchange(code, asked)
    who = at_microsoft.identity(tokens, asked.nonce)
    assert (who.address, who.tenant) == (ADDRESS, TENANT)
    assert at_microsoft.missing(tokens.scopes, asked.scopes) == frozenset()
    renewed = at_microsoft.refresh(tokens.refresh_token, tokens.scopes)
    assert renewed.access_token != tokens.access_token
    assert renewed.refresh_token not in ("", tokens.refresh_token)
    with pytest.raises(CredentialRejected):
        at_microsoft.refresh(tokens.refresh_token, tokens.scopes)
    with pytest.raises(CredentialRejected):
        at_microsoft.exchange(code, asked)
    assert at_microsoft.refresh(renewed.refresh_token, renewed.scopes).access_token


def test_another_verifier_or_another_question_is_refused_at_microsoft(
    running: Emulated, at_microsoft: Entra
) -> None:
    first, second = (at_microsoft.ask(BACK, ("Mail.ReadBasic",)) for _ in range(2))
    code = at_microsoft.code_of(running.consent(first.url), first)
    with pytest.raises(CredentialRejected):
        at_microsoft.exchange(code, second)
    code = at_microsoft.code_of(running.consent(first.url), first)
    with pytest.raises(CredentialRejected, match="another question"):
        at_microsoft.exchange(code, replace(first, nonce=second.nonce))


def test_microsoft_gives_the_application_a_token_of_its_own(
    at_microsoft: Entra, open_http: OpenHttp, tmp_path: Path
) -> None:
    assert at_microsoft.for_organisation("https://graph.microsoft.com/.default").access_token
    (tmp_path / "wrong").write_text("wrong", encoding="utf-8")
    wrong = Entra(at_microsoft.provider, Client(CLIENT_ID, tmp_path / "wrong"), open_http, SystemClock())
    with pytest.raises(SetupError, match="invalid_client"):
        wrong.for_organisation("https://graph.microsoft.com/.default")


def test_a_mailbox_is_granted_at_google_renewed_and_revoked(running: Emulated, at_google: OAuth) -> None:
    asked = at_google.ask(BACK, (GMAIL,), login_hint=ADDRESS)
    code = at_google.code_of(running.consent(asked.url), asked)
    tokens = at_google.exchange(code, asked)
    who = at_google.identity(tokens, asked.nonce)
    assert (who.address, who.address_verified) == (ADDRESS, True)
    assert at_google.missing(tokens.scopes, asked.scopes) == frozenset()
    assert at_google.refresh(tokens.refresh_token, tokens.scopes).access_token != tokens.access_token
    with pytest.raises(CredentialRejected):
        at_google.exchange(code, asked)
    assert at_google.revoke(tokens.refresh_token)
    with pytest.raises(CredentialRejected):
        at_google.refresh(tokens.refresh_token, tokens.scopes)
