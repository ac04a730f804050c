"""OAuth 2.0 as a client: consent with PKCE, codes for tokens, refresh, devices without a browser, organisations, revocation.

    oauth = OAuth(google(settings.google), Client(...), open_http, clock)
    asked = oauth.ask(redirect_uri, scopes)                 # send the browser to asked.url; keep the rest in its session
    code = oauth.code_of(query, asked)
    tokens = oauth.exchange(code, asked)
    who = oauth.identity(tokens, asked.nonce)

RFC 6749, 7636 (PKCE, always S256), 8628 (devices), 7009 (revocation), 9207 (issuer in the answer), 7523 (assertions), and
RFC 9700 for how they are used today. One redirect address belongs to one provider, so that no answer of one is taken for
another's.

Microsoft's tokens are acquired through msal instead (`connect.entra`), behind the same methods.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

from autocapture.clock import Clock
from autocapture.connect.http import check, host_of, json_object
from autocapture.connect.id_tokens import Identity, IdTokens
from autocapture.connect.providers import OpenHttp, Provider
from autocapture.connect.service_accounts import assertion, refusal_of_account
from autocapture.connect.token_endpoint import Client, NotYet, Tokens, post_form, refusal, tokens_of
from autocapture.errors import InputError, SetupError, Unreachable

REVOKED_WITHIN = timedelta(seconds=10)
"""How long taking a grant back may take: somebody waits for it, and it can be done by hand."""

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_IDENTITY_SCOPES = frozenset({"openid", "email", "profile", "offline_access"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question sent with somebody's browser. All but `url` belongs into their session, and is good for one answer."""

    url: str = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A question shown on another screen: `user_code` is typed in at `verification_url`, until `expires_at`."""

    user_code: str
    verification_url: str
    expires_at: datetime
    interval: timedelta
    device_code: str = field(repr=False)
    scopes: tuple[str, ...] = ()


class OAuth:
    """One provider for one client."""

    def __init__(self, provider: Provider, client: Client, open_http: OpenHttp, clock: Clock) -> None:
        if not client.client_id:
            raise SetupError(
                f"no client of {provider.label} is set up; see [{provider.name}] in the settings"
            )
        self.provider = provider
        self._client = client
        self._open_http = open_http
        self._clock = clock
        self._id_tokens = IdTokens(provider, client.client_id, clock)

    def ask(
        self, redirect_uri: str, scopes: Iterable[str], *, login_hint: str = "", sign_in: bool = False
    ) -> Asked:
        """The question for consent. `sign_in`: only who it is, without a grant that lasts."""
        wanted = self._wanted(scopes, lasting=not sign_in)
        state, nonce, verifier = token_urlsafe(32), token_urlsafe(32), token_urlsafe(48)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": self._client.client_id,
            "response_type": "code",
            "response_mode": "query",
            "redirect_uri": redirect_uri,
            "scope": " ".join(wanted),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"prompt": "select_account"} if sign_in else self.provider.authorize_with),
            **({"login_hint": login_hint} if login_hint else {}),
        }
        return Asked(
            f"{self.provider.authorize_url}?{urlencode(query)}", redirect_uri, wanted, state, nonce, verifier
        )

    def code_of(self, query: Mapping[str, str], asked: Asked) -> str:
        """The code in what came back to the redirect address. Raises InputError for an answer to another question,
        CredentialRejected where consent was not given, SetupError where the client is not as the provider wants it."""
        if not hmac.compare_digest(query.get("state", "").encode(), asked.state.encode()):
            raise InputError("this answer belongs to another sign-in; start again")
        issuer = query.get("iss")
        if issuer is not None and self.provider.issuers and not self._is_ours(issuer):
            raise InputError("this answer comes from another provider; start again")
        if "error" in query:
            raise refusal({"error": query["error"]}, self.provider.label, 302)
        if not query.get("code"):
            raise InputError("this answer holds neither a code nor an error; start again")
        return query["code"]

    def exchange(self, code: str, asked: Asked) -> Tokens:
        """The tokens for a code, which is good once."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked.redirect_uri,
            "code_verifier": asked.verifier,
        }
        return self._tokens(form, frozenset(asked.scopes))

    def identity(self, tokens: Tokens, nonce: str) -> Identity:
        """Who granted `tokens`. Raises CredentialRejected where that is not proved."""
        with self._open_http() as http:
            return self._id_tokens.verify(tokens.id_token, nonce, http)

    def refresh(self, refresh_token: str, scopes: frozenset[str]) -> Tokens:
        """New tokens. Raises CredentialRejected where the grant is dead, Unreachable and RateLimited where the endpoint is
        not to be had, SetupError where the client is refused."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._tokens(form, scopes)

    def for_organisation(self, scope: str) -> Tokens:
        """Tokens of the client itself, by permissions that an administrator granted (RFC 6749 section 4.4)."""
        return self._tokens({"grant_type": "client_credentials", "scope": scope}, frozenset({scope}))

    def in_place_of(self, mailbox: str, scopes: Iterable[str], key_file: Path) -> Tokens:
        """Tokens for `mailbox` by a service account to which its organisation delegated (RFC 7523, Google's form); for the
        account itself where `mailbox` is empty. Raises ReconnectNeeded where that mailbox is no more, SetupError for all that the
        operator must mend."""
        wanted = [scope for scope in scopes if scope not in _IDENTITY_SCOPES]
        label, url, now = self.provider.label, self.provider.token_url, self._clock.now()
        form = {"grant_type": _BEARER_GRANT, "assertion": assertion(key_file, mailbox, wanted, url, now)}
        with self._open_http() as http:
            answer = post_form(http, label, url, form, self._clock, refused=refusal_of_account)
        return tokens_of(answer, frozenset(wanted), now)

    def ask_device(self, scopes: Iterable[str]) -> Device:
        """A question for somebody whose browser is elsewhere. Raises SetupError where the provider has no such thing."""
        if not self.provider.device_url:
            raise SetupError(f"{self.provider.label} lets nobody sign in by a code; use a browser")
        wanted, now = self._wanted(scopes, lasting=True), self._clock.now()
        form = {"client_id": self._client.client_id, "scope": " ".join(wanted)}
        with self._open_http() as http:
            answer = post_form(http, self.provider.label, self.provider.device_url, form, self._clock)
        return device_of(answer, wanted, self.provider.label, now)

    def poll_device(self, device: Device) -> Tokens | None:
        """The tokens once the code was typed in; None until then. RateLimited: asked too often, wait `interval` and five
        seconds more. Raises CredentialRejected once it was declined or ran out."""
        form = {"grant_type": _DEVICE_GRANT, "device_code": device.device_code}
        try:
            return self._tokens(form, frozenset(device.scopes))
        except NotYet:
            return None

    def revoke(self, token: str) -> bool:
        """Asks the provider to forget a grant; False where it has no such thing. A token it does not know is revoked. Raises
        Unreachable and RateLimited within `REVOKED_WITHIN`: also for a page that something on the way answered with."""
        if not self.provider.revoke_url:
            return False
        with self._open_http(total=REVOKED_WITHIN) as http:
            response = http.post(self.provider.revoke_url, data={"token": token})
        check(response, self._clock.now())
        if response.status_code == 200 and not response.content.strip():
            return True  # RFC 7009 section 2.2: its status says enough
        answer = json_object(response)
        if response.status_code != 200 and answer.get("error") != "invalid_token":
            raise Unreachable(f"{host_of(response)} answered {response.status_code} and took nothing back")
        return True

    def require_proof(self) -> None:
        """Raises SetupError where what proves our client cannot be read; whether the provider takes it, only a sign-in shows."""
        self._client.proof()

    def missing(self, granted: Iterable[str], wanted: Iterable[str]) -> frozenset[str]:
        """Which of the `wanted` scopes were not granted: people may untick some. Those that only say who it is do not count."""
        have = {self.provider.same_scope(scope) for scope in granted}
        return frozenset(
            scope
            for scope in wanted
            if scope not in _IDENTITY_SCOPES and self.provider.same_scope(scope) not in have
        )

    def _wanted(self, scopes: Iterable[str], *, lasting: bool) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(("openid", "email", *scopes, *(self.provider.offline_scopes if lasting else ())))
        )

    def _is_ours(self, issuer: str) -> bool:
        return any(
            issuer == ours or ("{tenantid}" in ours and issuer.startswith(ours.partition("{")[0]))
            for ours in self.provider.issuers
        )

    def _tokens(self, form: Mapping[str, str], scopes: frozenset[str]) -> Tokens:
        url, now = self.provider.token_url, self._clock.now()
        with self._open_http() as http:
            proved = {**form, **self._client.proof()}
            answer = post_form(http, self.provider.label, url, proved, self._clock)
        return tokens_of(answer, scopes, now)


def device_of(answer: Mapping[str, Any], scopes: tuple[str, ...], provider: str, now: datetime) -> Device:
    """The question in an answer of the device endpoint (RFC 8628 section 3.2). Raises Unreachable where there is none."""
    try:
        return Device(
            user_code=str(answer["user_code"]),
            verification_url=str(answer.get("verification_uri") or answer["verification_url"]),
            expires_at=now + timedelta(seconds=min(int(answer["expires_in"]), 3600)),
            interval=timedelta(seconds=min(max(int(answer.get("interval", 5)), 1), 60)),
            device_code=str(answer["device_code"]),
            scopes=scopes,
        )
    except (KeyError, TypeError, ValueError):
        raise Unreachable(f"{provider} answered without a code for another screen") from None
