"""Microsoft's tokens through msal, at an Entra that refuses what the real one refuses: who must act, and what is never told."""

from __future__ import annotations

import json
import logging
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.peers.certificates import make_certificates
from tests.peers.entra import entra
from tests.peers.rude_http import CLOSE, RESET, SILENCE, Answer, ok, rude_http

from autocapture.clock import FixedClock
from autocapture.connect.entra import Entra
from autocapture.connect.http import open_session
from autocapture.connect.providers import microsoft
from autocapture.connect.token_endpoint import Client
from autocapture.errors import (
    AutocaptureError,
    CredentialRejected,
    RateLimited,
    ScopeMissing,
    SetupError,
    Unreachable,
)
from autocapture.sections import MicrosoftSettings
from autocapture.testing.fakes.authorization_server import Reply
from autocapture.testing.fakes.entra_server import TENANT, EntraServer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BACK = "http://127.0.0.1:8000/connect/microsoft/back"
SCOPES = ("Mail.ReadBasic", "Calendars.ReadBasic")
GRAPH = "https://graph.microsoft.com/.default"


@dataclass
class Place:
    """A running Entra, and our client at it."""

    server: EntraServer
    ca_file: Path
    clock: FixedClock
    secret_file: Path
    patience: timedelta = timedelta(seconds=10)

    def open_http(self) -> Any:
        return open_session(lambda _: True, total=self.patience, most_bytes=65_536, ca_file=self.ca_file)

    def client(self, tenant: str = TENANT, **changes: Any) -> Entra:
        settings = MicrosoftSettings(tenant=tenant, login_url=self.server.url)
        client = replace(Client("client", self.secret_file), **changes)
        return Entra(microsoft(settings), client, self.open_http, self.clock)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, clock = tmp_path_factory.mktemp("entra"), FixedClock(NOW)
    (folder / "secret").write_text("s3cret\n", encoding="utf-8")
    with entra(folder, clock) as (server, ca_file):
        yield Place(server, ca_file, clock, folder / "secret")


@pytest.fixture
def place(running: Place) -> Place:
    fresh = EntraServer(running.server.url, running.clock, redirect_uris={BACK})
    running.server.__dict__.update(fresh.__dict__)
    return running


@pytest.fixture
def oauth(place: Place) -> Entra:
    return place.client()


def test_consent_leads_to_tokens_and_to_who_gave_it(place: Place, oauth: Entra) -> None:
    asked = oauth.ask(BACK, SCOPES, login_hint="rep@ours.example")
    tokens = oauth.exchange(oauth.code_of(place.server.consent(asked.url), asked), asked)
    who = oauth.identity(tokens, asked.nonce)
    assert (who.subject, who.tenant) == ("oid-sub-1", TENANT)
    assert (who.address, who.address_verified) == ("rep@ours.example", False)
    assert tokens.expires_at == NOW + timedelta(hours=1)
    assert oauth.missing(tokens.scopes, asked.scopes) == frozenset()
    again = oauth.refresh(tokens.refresh_token, tokens.scopes)
    assert again.access_token != tokens.access_token
    assert oauth.revoke(tokens.refresh_token) is False


def test_a_question_needs_no_secret_and_asks_for_what_names_a_person(place: Place) -> None:
    oauth = place.client(secret_file=place.secret_file.with_name("none"))
    asked = oauth.ask(BACK, SCOPES, login_hint="rep@ours.example")
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked.url).query).items()}
    assert asked.url.startswith(f"{place.server.url}/{TENANT}/oauth2/v2.0/authorize?")
    assert set(query["scope"].split()) == {*SCOPES, "openid", "email", "profile", "offline_access"}
    assert (query["response_mode"], query["code_challenge_method"]) == ("query", "S256")
    assert (query["prompt"], query["login_hint"]) == ("select_account", "rep@ours.example")
    assert asked.verifier not in asked.url
    assert asked.nonce not in asked.url
    assert len({oauth.ask(BACK, SCOPES).state for _ in range(5)}) == 5
    for secret in (asked.state, asked.nonce, asked.verifier):
        assert secret not in repr(asked)


def test_a_sign_in_asks_for_no_grant_that_lasts(place: Place, oauth: Entra) -> None:
    asked = oauth.ask(BACK, (), sign_in=True)
    assert set(asked.scopes) == {"openid", "email", "profile"}
    tokens = oauth.exchange(oauth.code_of(place.server.consent(asked.url), asked), asked)
    assert oauth.identity(tokens, asked.nonce).address == "rep@ours.example"


@pytest.mark.parametrize(
    ("ours", "believed"),
    [(TENANT, True), (TENANT.replace("1", "9"), False), ("organizations", True), ("contoso.example", True)],
)
def test_the_issuer_is_our_tenant(place: Place, ours: str, believed: bool) -> None:
    """A tenant known by its domain is one whose issuer the discovery document names."""
    oauth = place.client(ours)
    asked = oauth.ask(BACK, ())
    tokens = oauth.exchange(oauth.code_of(place.server.consent(asked.url), asked), asked)
    if believed:
        assert oauth.identity(tokens, asked.nonce).tenant == TENANT
        return
    with pytest.raises(CredentialRejected):
        oauth.identity(tokens, asked.nonce)


def test_scopes_are_compared_however_microsoft_writes_them(oauth: Entra) -> None:
    granted = ["https://graph.microsoft.com/Mail.ReadBasic", "user.read"]
    assert oauth.missing(granted, ["Mail.ReadBasic", "User.Read"]) == frozenset()
    assert oauth.missing(["Mail.ReadBasic"], ["offline_access", "openid", "Calendars.Read"]) == {
        "Calendars.Read"
    }


def test_an_unticked_scope_is_named(place: Place, oauth: Entra) -> None:
    place.server.person.ticks = lambda scope: scope != "Calendars.ReadBasic"
    asked = oauth.ask(BACK, SCOPES)
    tokens = oauth.exchange(oauth.code_of(place.server.consent(asked.url), asked), asked)
    assert oauth.missing(tokens.scopes, asked.scopes) == {"Calendars.ReadBasic"}


def test_a_code_is_good_once_and_only_with_its_verifier(place: Place, oauth: Entra) -> None:
    asked, other = oauth.ask(BACK, SCOPES), oauth.ask(BACK, SCOPES)
    code = oauth.code_of(place.server.consent(asked.url), asked)
    with pytest.raises(CredentialRejected):
        oauth.exchange(code, other)
    code = oauth.code_of(place.server.consent(asked.url), asked)
    oauth.exchange(code, asked)
    with pytest.raises(CredentialRejected):
        oauth.exchange(code, asked)


FORGERIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example/v2.0"},
    "another tenant": {"tid": TENANT.replace("1", "9"), "iss": "https://evil.example/v2.0"},
    "another audience": {"aud": "somebody-else"},
    "expired": {"exp": int(NOW.timestamp()) - 600},
    "another question": {"nonce": "of another question"},
    "no question": {"nonce": None},
    "nobody": {"oid": None},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_id_token_that_proves_nothing_is_refused(place: Place, oauth: Entra, forgery: str) -> None:
    place.server.claims = FORGERIES[forgery]
    asked = oauth.ask(BACK, SCOPES)
    code = oauth.code_of(place.server.consent(asked.url), asked)
    with pytest.raises(CredentialRejected):
        oauth.identity(oauth.exchange(code, asked), asked.nonce)


def test_an_id_token_signed_by_a_stranger_is_refused(place: Place, oauth: Entra) -> None:
    """msal takes it."""
    asked = oauth.ask(BACK, SCOPES)
    tokens = oauth.exchange(oauth.code_of(place.server.consent(asked.url), asked), asked)
    claims = jwt.decode(tokens.id_token, options={"verify_signature": False})
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for forged in (jwt.encode(claims, stranger, "RS256", {"kid": "k1"}), tokens.id_token[:-4]):
        with pytest.raises(CredentialRejected):
            oauth.identity(replace(tokens, id_token=forged), asked.nonce)


def reply(status: int, body: dict[str, Any], **headers: str) -> Reply:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(body).encode()


def entras(error: str, code: int, status: int = 400, **more: Any) -> Reply:
    """A refusal in Entra's form."""
    return reply(status, {"error": error, "error_codes": [code], "error_description": "canary", **more})


REFUSALS: dict[str, tuple[Reply, type[AutocaptureError]]] = {
    "the password was changed": (entras("invalid_grant", 50173, suberror="bad_token"), CredentialRejected),
    "not used for 90 days": (entras("invalid_grant", 700082, suberror="token_expired"), CredentialRejected),
    "a second factor is wanted": (entras("interaction_required", 50076, suberror="basic_action"), CredentialRejected),
    "a policy forbids it": (entras("interaction_required", 53003, claims="canary"), CredentialRejected),
    "the person was disabled": (entras("invalid_grant", 50057), CredentialRejected),
    "consent was withdrawn": (entras("invalid_grant", 65001, suberror="consent_required"), ScopeMissing),
    "consent is wanted": (entras("consent_required", 65001), ScopeMissing),
    "we repeat ourselves": (entras("invalid_grant", 50196), RateLimited),
    "it is in trouble": (entras("temporarily_unavailable", 90033), Unreachable),
    "it is in trouble and says so": (entras("temporarily_unavailable", 90033, 503), Unreachable),
    "busy": (reply(429, {"error": "invalid_grant"}, **{"Retry-After": "30"}), RateLimited),
    "busy without a word": ((429, {"Retry-After": "30"}, b"slow down"), RateLimited),
    "away for a time it names": (reply(503, {}, **{"Retry-After": "30"}), RateLimited),
    "away": (reply(503, {"error": "invalid_grant"}), Unreachable),
    "broken": (reply(500, {"error": "invalid_grant"}), Unreachable),
    "the secret ran out": (entras("invalid_client", 7000222, 401), SetupError),
    "the application is gone": (entras("unauthorized_client", 700016), SetupError),
    "the tenant is gone": (entras("invalid_request", 90002), SetupError),
    "a scope that is none": (entras("invalid_scope", 70011), SetupError),
    "an error that is none": (reply(400, {"error": ["invalid_grant"]}), Unreachable),
    "an error that is markup": (reply(400, {"error": "<b>canary</b>"}), Unreachable),
    "a refusal without an error": (reply(400, {}), Unreachable),
    "a proxy's page": ((403, {}, b"<html>canary</html>"), Unreachable),
    "another place": (reply(302, {}, Location="https://127.0.0.1:1/canary"), Unreachable),
    "no token": (reply(200, {}), Unreachable),
    "no JSON": ((200, {"Content-Type": "application/json"}, b"canary"), Unreachable),
    "a token of another kind": (reply(200, {"access_token": "canary", "token_type": "mac"}), Unreachable),
    "an id_token that is none": (reply(200, {"access_token": "x", "token_type": "Bearer", "id_token": "canary"}), Unreachable),
    "scopes that are none": (reply(200, {"access_token": "canary", "token_type": "Bearer", "scope": 5}), Unreachable),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_says_who_must_act_and_quotes_nothing(
    place: Place, oauth: Entra, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer, raised = REFUSALS[case]
    place.server.faults = [answer]
    with pytest.raises(raised) as problem:
        oauth.refresh(place.server.grant("Mail.ReadBasic"), frozenset({"Mail.ReadBasic"}))
    assert isinstance(problem.value, raised)
    assert "canary" not in str(problem.value)
    assert problem.value.__suppress_context__ or problem.value.__context__ is None
    assert "canary" not in caplog.text
    if isinstance(problem.value, RateLimited) and "Retry-After" in answer[1]:
        assert problem.value.retry_after == timedelta(seconds=30)


HALF = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"access_token": "canary"'
FAULTS: dict[str, Answer] = {
    "closed at once": [CLOSE],
    "reset": [RESET],
    "silent": [SILENCE],
    "half an answer": [HALF, CLOSE],
    "half an answer, then silent": [HALF, SILENCE],
    "a drip": [HALF, *[step for _ in range(40) for step in (0.1, b" ")]],
    "more than an answer may have": [ok(b" " * 70_000)],
    "no HTTP": [b"canary\r\n\r\n", CLOSE],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_endpoint_that_is_away_says_nothing_about_the_grant(place: Place, fault: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place.ca_file.with_name("cert.pem"), place.ca_file.with_name("key.pem"))
    with rude_http(FAULTS[fault], context=context) as away:
        place.server.addresses = {"token_endpoint": away.url("/tenant/token")}
        hurried = replace(place, patience=timedelta(seconds=1))
        with pytest.raises(Unreachable) as problem:
            hurried.client().refresh("canary", frozenset())
        assert "canary" not in str(problem.value)
        assert len(away.requests) == 1


def test_what_was_refused_a_moment_ago_is_asked_again(place: Place, oauth: Entra) -> None:
    """msal would answer from a cache of its own for a minute."""
    token = place.server.grant("Mail.ReadBasic")
    place.server.faults = [reply(429, {}, **{"Retry-After": "30"}), entras("invalid_grant", 50173)]
    with pytest.raises(RateLimited):
        oauth.refresh(token, frozenset())
    with pytest.raises(CredentialRejected):
        oauth.refresh(token, frozenset())
    assert oauth.refresh(token, frozenset()).access_token == place.server.issued[-1]
    assert place.server.refreshes == 3


def test_the_addresses_are_asked_for_once_a_day(place: Place, oauth: Entra) -> None:
    token = place.server.grant("Mail.ReadBasic")
    for _ in range(3):
        oauth.refresh(token, frozenset())
    assert place.server.documents == 1
    place.clock.advance(timedelta(days=1, seconds=1))
    oauth.refresh(token, frozenset())
    assert place.server.documents == 2
    place.clock.advance(-timedelta(days=1, seconds=1))


def test_neither_secrets_nor_codes_are_written_down(
    place: Place, oauth: Entra, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = oauth.ask(BACK, SCOPES)
    code = oauth.code_of(place.server.consent(asked.url), asked)
    tokens = oauth.exchange(code, asked)
    oauth.for_organisation(GRAPH)
    for secret in (code, asked.verifier, asked.state, tokens.access_token, tokens.refresh_token, "s3cret"):
        assert secret not in caplog.text


def test_a_device_without_a_browser_is_granted_once_the_code_was_typed_in(place: Place, oauth: Entra) -> None:
    device = oauth.ask_device(["Mail.ReadBasic"])
    assert (device.user_code, device.interval) == ("ABCD-EFGH", timedelta(seconds=5))
    assert device.expires_at == NOW + timedelta(minutes=15)
    assert set(device.scopes) == {"Mail.ReadBasic", "openid", "email", "profile", "offline_access"}
    assert oauth.poll_device(device) is None
    place.server.device_answer = "slow_down"
    with pytest.raises(RateLimited):
        oauth.poll_device(device)
    for declined in ("access_denied", "authorization_declined", "expired_token"):
        place.server.device_answer = declined
        with pytest.raises(CredentialRejected):
            oauth.poll_device(device)


def test_what_was_granted_to_a_device_is_renewed_without_a_secret(place: Place, oauth: Entra) -> None:
    """Entra takes none there (AADSTS700025), and did not say so when the grant was made."""
    place.server.device_answer = "granted"
    place.server.device_scopes = ("openid", "email", "profile", "Mail.ReadBasic")
    tokens = oauth.poll_device(oauth.ask_device(["Mail.ReadBasic"]))
    assert tokens is not None
    assert oauth.identity(tokens, "").address == "rep@ours.example"
    assert oauth.refresh(tokens.refresh_token, tokens.scopes).access_token == place.server.issued[-1]
    assert "client_secret" not in place.server.forms[-1]
    browser = place.server.grant("Mail.ReadBasic")
    oauth.refresh(browser, frozenset())
    assert "client_secret" in place.server.forms[-1]


def test_a_certificate_proves_the_client(place: Place, tmp_path: Path) -> None:
    """The assertion is one that Entra takes: PS256, the certificate's print, its endpoint as the audience."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(pem + make_certificates(tmp_path / "made").certificate.read_bytes())
    place.client(secret_file=None, certificate_file=tmp_path / "both.pem").for_organisation(GRAPH)
    form = place.server.forms[-1]
    claims = jwt.decode(
        form["client_assertion"], key.public_key(), algorithms=["PS256"],
        audience=f"{place.server.url}/{TENANT}/oauth2/v2.0/token",
    )  # fmt: skip
    assert claims["iss"] == claims["sub"] == "client"
    assert len(jwt.get_unverified_header(form["client_assertion"])["x5t#S256"].rstrip("=")) == 43
    assert (form["scope"], "client_secret" in form) == (GRAPH, False)
    (tmp_path / "half.pem").write_bytes(pem)
    with pytest.raises(SetupError, match=r"half\.pem"):
        place.client(certificate_file=tmp_path / "half.pem").refresh("", frozenset())


def test_the_application_is_given_tokens_of_its_own_tenant_alone(place: Place) -> None:
    assert place.client().for_organisation(GRAPH).access_token == place.server.issued[-1]
    with pytest.raises(SetupError, match=r"microsoft\.tenant"):
        place.client("organizations").for_organisation(GRAPH)
    with pytest.raises(SetupError, match="certificate_file"):
        place.client(secret_file=None).for_organisation(GRAPH)
    with pytest.raises(SetupError, match="service accounts"):
        place.client().in_place_of("rep@ours.example", [], place.secret_file)


def test_a_wrong_secret_is_the_administrators_to_mend(place: Place, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong", encoding="utf-8")
    with pytest.raises(SetupError, match="invalid_client, AADSTS7000215"):
        place.client(secret_file=tmp_path / "wrong").refresh("x", frozenset())
    with pytest.raises(SetupError, match="cannot be read"):
        place.client(secret_file=tmp_path / "none").refresh("x", frozenset())


@pytest.mark.parametrize(
    "told",
    [{"token_endpoint": None}, {"token_endpoint": "http://127.0.0.1/token"}, {"token_endpoint": 5}],
)
def test_an_authority_that_is_none_is_the_administrators_to_mend(place: Place, told: dict[str, Any]) -> None:
    place.server.addresses = told
    with pytest.raises(SetupError, match="login_url"):
        place.client().ask(BACK, SCOPES)


def test_an_authority_that_is_away_is_waited_for(place: Place) -> None:
    def at(url: str) -> Entra:
        moved = replace(place.client().provider, discovery_url=url)
        return Entra(moved, Client("client", place.secret_file), place.open_http, place.clock)

    with pytest.raises(Unreachable):
        at("https://127.0.0.1:1/v2.0/.well-known/openid-configuration").refresh("x", frozenset())
    with pytest.raises(SetupError, match="no discovery document"):
        at(f"{place.server.url}/nowhere").refresh("x", frozenset())


def test_addresses_that_could_not_be_used_are_asked_for_again(place: Place) -> None:
    client = place.client()
    place.server.addresses = {"token_endpoint": None}
    with pytest.raises(SetupError, match="login_url"):
        client.ask(BACK, SCOPES)
    place.server.addresses = {}
    assert client.ask(BACK, SCOPES)


def test_without_the_extra_it_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msal", None)
    with pytest.raises(SetupError, match=r"autocapture\[microsoft\]"):
        place.client().ask(BACK, SCOPES)
