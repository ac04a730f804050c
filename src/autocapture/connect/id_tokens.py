"""Who signed in: an id_token, believed only when its issuer's key signed it, for us, now, in answer to our question.

OpenID Connect Core 1.0, section 3.1.3.7.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from autocapture.clock import Clock
from autocapture.connect.providers import Provider, discovery
from autocapture.connect.signing_keys import SigningKeys, Unproven
from autocapture.errors import CredentialRejected


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in. (`issuer`, `subject`) never changes; `address` may, and is only to be trusted to be theirs where
    `address_verified`. `tenant` is the organisation at Microsoft, the domain at Google, where there is one."""

    issuer: str
    subject: str
    address: str
    address_verified: bool
    tenant: str = ""
    name: str = ""


class IdTokens:
    """Verifies the id_tokens of one provider for one client. Keys are asked for when needed, and kept."""

    def __init__(self, provider: Provider, client_id: str, clock: Clock) -> None:
        self._provider = provider
        self._client_id = client_id
        self._clock = clock
        self._keys = SigningKeys(provider.keys_url, clock)
        self._issuers = provider.issuers

    def verify(self, token: str, nonce: str, http: requests.Session) -> Identity:
        """Raises CredentialRejected for a token that proves nothing, Unreachable and RateLimited where keys cannot be had."""
        try:
            claims = self._keys.claims(token, audience=self._client_id, required=["sub"], http=http)
        except Unproven as unproven:
            raise _proves_nothing(str(unproven)) from None
        self._check(claims, nonce, http)
        return self._identity(claims)

    def _check(self, claims: Mapping[str, Any], nonce: str, http: requests.Session) -> None:
        if not self._issuers:
            found = discovery(self._provider.discovery_url, http, self._clock)
            self._issuers = (str(found.get("issuer", "")),)
        tenant = str(claims.get("tid", ""))
        if claims["iss"] not in [issuer.replace("{tenantid}", tenant) for issuer in self._issuers if issuer]:
            raise _proves_nothing("another issuer made it")
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._client_id:
            raise _proves_nothing("it was made for another client")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise _proves_nothing("it answers another question")

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject = claims.get(self._provider.subject_claim)
        if not isinstance(subject, str) or not subject:
            raise _proves_nothing(f"it has no {self._provider.subject_claim}")
        address = claims.get("email") or claims.get("preferred_username") or ""
        return Identity(
            issuer=claims["iss"],
            subject=subject,
            address=str(address).lower(),
            address_verified="email" in claims and claims.get("email_verified") is True,
            tenant=str(claims.get("tid") or claims.get("hd") or ""),
            name=str(claims.get("name") or ""),
        )


def _proves_nothing(why: str) -> CredentialRejected:
    return CredentialRejected(f"the sign-in cannot be believed: {why}")
