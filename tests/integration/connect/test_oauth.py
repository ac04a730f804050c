"""OAuth against a server that refuses what real ones refuse: consent, codes, tokens, and who must act on a refusal."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.peers.rude_http import CLOSE, Answer, ok, rude_http

from autocapture.clock import FixedClock
from autocapture.connect.http import open_session
from autocapture.connect.oauth import OAuth
from autocapture.connect.providers import Provider, discovered, google
from autocapture.connect.token_endpoint import Client
from autocapture.errors import (
    AutocaptureError,
    CredentialRejected,
    InputError,
    RateLimited,
    ScopeMissing,
    SetupError,
    Unreachable,
)
from autocapture.sections import GoogleSettings
from autocapture.testing.fakes.authorization_server import KEY, AuthorizationServer, authorization_server

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BACK = "http://127.0.0.1:8000/connect/google/back"
SCOPES = ("mail.read", "calendar.read")


def open_http(total: timedelta = timedelta(seconds=2)) -> Any:
    return open_session(lambda _: True, total=total, each_wait=timedelta(seconds=0.5))


def provider(url: str, **changes: Any) -> Provider:
    values = {
        "name": "company", "label": "Company login", "issuers": (url,), "authorize_url": f"{url}/authorize",
        "token_url": f"{url}/token",
        "keys_url": f"{url}/keys", "device_url": f"{url}/device", "revoke_url": f"{url}/revoke",
    }  # fmt: skip
    return Provider(**{**values, **changes})


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def server(clock: FixedClock) -> Iterator[AuthorizationServer]:
    with authorization_server(clock) as running:
        running.redirect_uris = {BACK}
        yield running


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    return tmp_path / "secret"


@pytest.fixture
def oauth(server: AuthorizationServer, secret_file: Path, clock: FixedClock) -> OAuth:
    return OAuth(provider(server.url), Client("client", secret_file), open_http, clock)


def test_consent_leads_to_tokens_and_to_who_gave_it(oauth: OAuth, server: AuthorizationServer) -> None:
    asked = oauth.ask(BACK, SCOPES, login_hint="rep@ours.example")
    tokens = oauth.exchange(oauth.code_of(server.consent(asked.url), asked), asked)
    who = oauth.identity(tokens, asked.nonce)
    assert (who.subject, who.address, who.address_verified) == ("sub-1", "rep@ours.example", True)
    assert tokens.expires_at == NOW + timedelta(hours=1)
    assert oauth.missing(tokens.scopes, SCOPES) == frozenset()
    again = oauth.refresh(tokens.refresh_token, tokens.scopes)
    assert again.access_token != tokens.access_token
    assert again.refresh_token == ""


def test_the_question_proves_itself_and_never_holds_the_verifier(oauth: OAuth) -> None:
    asked = oauth.ask(BACK, SCOPES)
    query = parse_qs(urlsplit(asked.url).query)
    assert query["code_challenge_method"] == ["S256"]
    assert asked.verifier not in asked.url
    assert len(asked.verifier) >= 43  # RFC 7636 section 4.1
    assert len({oauth.ask(BACK, SCOPES).state for _ in range(20)}) == 20
    for secret in (asked.state, asked.nonce, asked.verifier):
        assert secret not in repr(asked)


def test_a_scope_that_was_unticked_is_named(oauth: OAuth, server: AuthorizationServer) -> None:
    server.person.ticks = lambda scope: scope != "calendar.read"
    asked = oauth.ask(BACK, SCOPES)
    tokens = oauth.exchange(oauth.code_of(server.consent(asked.url), asked), asked)
    assert oauth.missing(tokens.scopes, SCOPES) == {"calendar.read"}


def test_an_answer_to_another_question_or_of_another_provider_is_refused(
    oauth: OAuth, server: AuthorizationServer
) -> None:
    mine, theirs = oauth.ask(BACK, SCOPES), oauth.ask(BACK, SCOPES)
    brought = server.consent(theirs.url)
    with pytest.raises(InputError):
        oauth.code_of(brought, mine)
    with pytest.raises(InputError):
        oauth.code_of({"code": "x"}, mine)
    with pytest.raises(InputError, match="another provider"):
        oauth.code_of({**brought, "iss": "https://evil.example"}, theirs)
    with pytest.raises(InputError, match="neither"):
        oauth.code_of({"state": mine.state}, mine)


def test_consent_that_is_not_given_is_told(oauth: OAuth, server: AuthorizationServer) -> None:
    server.person.ticks = lambda _scope: False
    asked = oauth.ask(BACK, SCOPES)
    with pytest.raises(CredentialRejected):
        oauth.code_of(server.consent(asked.url), asked)


def test_a_code_is_good_once_and_only_with_its_verifier(oauth: OAuth, server: AuthorizationServer) -> None:
    asked, other = oauth.ask(BACK, SCOPES), oauth.ask(BACK, SCOPES)
    code = oauth.code_of(server.consent(asked.url), asked)
    with pytest.raises(CredentialRejected):
        oauth.exchange(code, other)
    code = oauth.code_of(server.consent(asked.url), asked)
    oauth.exchange(code, asked)
    with pytest.raises(CredentialRejected):
        oauth.exchange(code, asked)


FORGERIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "somebody-else"},
    "made for another party": {"aud": ["client", "other"], "azp": "other"},
    "expired": {"exp": int(NOW.timestamp()) - 600},
    "from the future": {"iat": int(NOW.timestamp()) + 3600},
    "not valid yet": {"nbf": int(NOW.timestamp()) + 3600},
    "no expiry": {"exp": None},
    "no subject": {"sub": None},
    "times that are text": {"iat": "now"},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_id_token_that_proves_nothing_is_refused(
    oauth: OAuth, server: AuthorizationServer, forgery: str
) -> None:
    server.claims = FORGERIES[forgery]
    asked = oauth.ask(BACK, SCOPES)
    tokens = oauth.exchange(oauth.code_of(server.consent(asked.url), asked), asked)
    with pytest.raises(CredentialRejected):
        oauth.identity(tokens, asked.nonce)


def test_an_id_token_of_another_question_or_another_key_is_refused(
    oauth: OAuth, server: AuthorizationServer, clock: FixedClock
) -> None:
    asked = oauth.ask(BACK, SCOPES)
    tokens = oauth.exchange(oauth.code_of(server.consent(asked.url), asked), asked)
    with pytest.raises(CredentialRejected):
        oauth.identity(tokens, "another nonce")
    claims = jwt.decode(tokens.id_token, options={"verify_signature": False})
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    unsigned = ".".join(
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "kid": "k1"}, claims)
    )
    mac = hmac.new(public, unsigned.encode(), "sha256").digest()
    confused = f"{unsigned}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"  # the public key taken for a shared secret
    forged = [
        jwt.encode(claims, stranger, "RS256", {"kid": "k1"}),
        jwt.encode(claims, stranger, "RS256", {"kid": "k2"}),
        confused,
        jwt.encode(claims, None, "none", {"kid": "k1"}),
        tokens.id_token[:-4],
        "",
        "a.b.c",
    ]
    for token in forged:
        with pytest.raises(CredentialRejected):
            oauth._id_tokens.verify(token, asked.nonce, open_http())


def reply(status: int, body: dict[str, Any], **headers: str) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(body).encode()


REFUSALS = [
    (reply(400, {"error": "invalid_grant", "error_description": "canary"}), CredentialRejected),
    (reply(400, {"error": "interaction_required"}), CredentialRejected),
    (reply(400, {"error": "consent_required"}), CredentialRejected),
    (reply(400, {"error": "temporarily_unavailable"}), Unreachable),
    (reply(503, {"error": "invalid_grant"}), Unreachable),
    (reply(500, {"error": "invalid_grant"}), Unreachable),
    (reply(429, {"error": "invalid_grant"}, **{"Retry-After": "30"}), RateLimited),
    (reply(503, {}, **{"Retry-After": "30"}), RateLimited),
    (reply(400, {"error": "slow_down"}), RateLimited),
    (reply(400, {"error": "server_error"}), Unreachable),
    (reply(401, {"error": "invalid_client"}), SetupError),
    (reply(400, {"error": "unauthorized_client"}), SetupError),
    (reply(400, {"error": "invalid_scope"}), SetupError),
    (reply(403, {"error": "insufficient_scope"}), ScopeMissing),
    (reply(400, {"error": ["invalid_grant"]}), Unreachable),
    (reply(400, {"error": "<b>canary</b>"}), Unreachable),
    (reply(400, {}), Unreachable),
    ((403, {}, b"<html>the proxy says no</html>"), Unreachable),
    ((401, {}, b""), Unreachable),
    (reply(200, {}), Unreachable),
    (reply(200, {"access_token": "x", "token_type": "mac"}), Unreachable),
    (reply(302, {}, Location="http://127.0.0.1:1/"), Unreachable),
]


@pytest.mark.parametrize(("answer", "raised"), REFUSALS)
def test_a_refusal_says_who_must_act_and_quotes_nothing(
    oauth: OAuth,
    server: AuthorizationServer,
    answer: tuple[int, dict[str, str], bytes],
    raised: type[AutocaptureError],
) -> None:
    server.faults = [answer]
    with pytest.raises(raised) as problem:
        oauth.refresh(server.grant("mail.read"), frozenset())
    assert type(problem.value) is raised
    assert "canary" not in str(problem.value)
    if isinstance(problem.value, RateLimited) and "Retry-After" in answer[1]:
        assert problem.value.retry_after == timedelta(seconds=30)


@pytest.mark.parametrize(
    "answer", [[CLOSE], [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", CLOSE], [0.8]]
)
def test_an_endpoint_that_is_away_says_nothing_about_the_grant(
    answer: Answer, secret_file: Path, clock: FixedClock
) -> None:
    with rude_http(answer) as away:
        oauth = OAuth(provider(away.url("")), Client("client", secret_file), open_http, clock)
        with pytest.raises(Unreachable):
            oauth.refresh("refresh-token-of-nobody", frozenset())


def test_a_wrong_secret_is_the_administrators_to_mend(
    server: AuthorizationServer, tmp_path: Path, clock: FixedClock
) -> None:
    (tmp_path / "wrong").write_text("wrong", encoding="utf-8")
    with pytest.raises(SetupError, match="invalid_client"):
        OAuth(provider(server.url), Client("client", tmp_path / "wrong"), open_http, clock).refresh(
            "x", frozenset()
        )
    with pytest.raises(SetupError, match="cannot be read"):
        OAuth(provider(server.url), Client("client", tmp_path / "none"), open_http, clock).refresh(
            "x", frozenset()
        )
    with pytest.raises(SetupError, match="no client"):
        OAuth(provider(server.url), Client(""), open_http, clock)


def test_a_device_without_a_browser_is_granted_once_the_code_was_typed_in(
    oauth: OAuth, server: AuthorizationServer
) -> None:
    device = oauth.ask_device(["mail.read"])
    assert device.user_code == "ABCD-EFGH"
    assert oauth.poll_device(device) is None
    server.device_answer = "slow_down"
    with pytest.raises(RateLimited):
        oauth.poll_device(device)
    server.device_answer = "granted"
    tokens = oauth.poll_device(device)
    assert tokens is not None
    assert tokens.refresh_token
    for declined in ("access_denied", "expired_token"):
        server.device_answer = declined
        with pytest.raises(CredentialRejected):
            oauth.poll_device(device)


def test_a_revoked_grant_is_dead_and_revoking_twice_is_harmless(
    oauth: OAuth, server: AuthorizationServer
) -> None:
    token = server.grant("mail.read")
    assert oauth.revoke(token)
    assert oauth.revoke(token)
    with pytest.raises(CredentialRejected):
        oauth.refresh(token, frozenset())


@pytest.mark.parametrize(
    ("status", "body", "is_taken_back"),
    [
        (200, b"{}", True),
        (200, b"", True),
        (400, b'{"error": "invalid_token"}', True),
        (200, b"<html>Please sign in to this network</html>", False),
        (400, b'{"error": "invalid_request"}', False),
        (400, b"{}", False),
        (401, b'{"error": "invalid_client"}', False),
        (403, b"<html>Forbidden by the proxy</html>", False),
        (503, b"<html>Later</html>", False),
    ],
)
def test_a_grant_is_taken_back_only_where_the_provider_says_so(
    secret_file: Path, clock: FixedClock, status: int, body: bytes, is_taken_back: bool
) -> None:
    with rude_http(ok(body).replace(b"200 OK", f"{status} X".encode())) as server:
        oauth = OAuth(provider(server.url("")), Client("client", secret_file), open_http, clock)
        if is_taken_back:
            assert oauth.revoke("token")
        else:
            with pytest.raises(Unreachable):
                oauth.revoke("token")


def test_taking_a_grant_back_is_waited_for_no_longer_than_it_may_last(
    secret_file: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slowly the answer drips in."""
    monkeypatch.setattr("autocapture.connect.oauth.REVOKED_WITHIN", timedelta(seconds=0.3))

    def patient(total: timedelta = timedelta(minutes=1)) -> Any:
        return open_session(lambda _: True, total=total)

    drips = [part for letter in b"HTTP/1.1 200 OK\r\n" for part in (bytes([letter]), 0.2)]
    with rude_http(drips) as slow:
        oauth = OAuth(provider(slow.url("")), Client("client", secret_file), patient, clock)
        began = monotonic()
        with pytest.raises(Unreachable, match="in time"):
            oauth.revoke("token")
        assert monotonic() - began < 2


def test_a_service_account_stands_in_for_a_mailbox(
    oauth: OAuth, server: AuthorizationServer, tmp_path: Path
) -> None:
    key = server.service_accounts.make_key("robot@project.example")
    server.service_accounts.delegate("robot@project.example", {"mail.read"})
    (tmp_path / "robot.json").write_text(json.dumps(key), encoding="utf-8")
    oauth.in_place_of("rep@ours.example", ["openid", "mail.read"], tmp_path / "robot.json")
    claims = jwt.decode(
        server.forms[0]["assertion"], audience=f"{server.url}/token",
        options={"verify_signature": False, "verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert (claims["iss"], claims["sub"], claims["scope"]) == (
        "robot@project.example",
        "rep@ours.example",
        "mail.read",
    )
    (tmp_path / "robot.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SetupError, match="service account"):
        oauth.in_place_of("rep@ours.example", [], tmp_path / "robot.json")


def test_any_issuer_is_found_by_its_document(
    server: AuthorizationServer, secret_file: Path, clock: FixedClock
) -> None:
    found = discovered("company", "Company login", server.url + "/", open_http(), clock)
    oauth = OAuth(found, Client("client", secret_file), open_http, clock)
    asked = oauth.ask(BACK, (), sign_in=True)
    tokens = oauth.exchange(oauth.code_of(server.consent(asked.url), asked), asked)
    assert oauth.identity(tokens, asked.nonce).issuer == server.url
    with pytest.raises(SetupError, match="another issuer"):
        discovered(
            "company", "Company login", server.url.replace("127.0.0.1", "localhost"), open_http(), clock
        )
    with pytest.raises(SetupError, match="no discovery document"):
        discovered("company", "Company login", server.url + "/elsewhere", open_http(), clock)


def test_scopes_are_compared_however_the_provider_writes_them() -> None:
    clock = FixedClock(NOW)
    at_google = OAuth(google(GoogleSettings()), Client("client"), open_http, clock)
    scopes = "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/gmail.metadata".split()
    assert (
        at_google.missing(scopes, ["email", "https://www.googleapis.com/auth/gmail.metadata"]) == frozenset()
    )
    query = parse_qs(urlsplit(at_google.ask(BACK, []).url).query)
    assert query["access_type"] == ["offline"]
    assert "include_granted_scopes" not in query
