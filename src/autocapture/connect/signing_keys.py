"""The keys with which an issuer signs its tokens (JWKS, RFC 7517): asked for when needed, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
import requests

from autocapture.clock import Clock
from autocapture.connect.http import check, json_object

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")

_LIVE_FOR = timedelta(hours=6)
_ASK_AGAIN = timedelta(minutes=1)  # for a key that is not known: a forged token must not make us ask all day


class SigningKeys:
    """The keys published at one address."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._held: dict[str, jwt.PyJWK] = {}
        self._asked_at: datetime | None = None

    def get(self, key_id: str, http: requests.Session) -> jwt.PyJWK | None:
        """The key of that name; None where the issuer has none. Raises Unreachable and RateLimited where keys cannot be had."""
        now = self._clock.now()
        age = None if self._asked_at is None else now - self._asked_at
        if age is None or age > _LIVE_FOR or (key_id not in self._held and age > _ASK_AGAIN):
            response = http.get(self._url)
            check(response, now)
            self._held, self._asked_at = _usable(json_object(response)), now
        return self._held.get(key_id)


def _usable(document: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """The signing keys by their ids; those of a kind that we do not know are left out (RFC 7517 section 5)."""
    keys: dict[str, jwt.PyJWK] = {}
    listed = document.get("keys")
    for found in listed if isinstance(listed, list) else []:
        if not isinstance(found, dict) or found.get("use", "sig") != "sig" or found.get("kty") == "oct":
            continue
        try:
            keys[str(found.get("kid", ""))] = jwt.PyJWK(found)
        except jwt.PyJWTError:
            continue
    return keys
