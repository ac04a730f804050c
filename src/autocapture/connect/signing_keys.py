"""What an issuer signed (JWT, RFC 7519): believed only under one of its keys, for us, and now.

The keys (JWKS, RFC 7517) are asked for when needed, and kept.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt
import requests

from autocapture.clock import Clock
from autocapture.connect.http import check, json_object
from autocapture.errors import TryLater

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")

_LEEWAY = 120  # seconds by which clocks may differ
_LIVE_FOR = timedelta(hours=6)
_ASK_AGAIN = timedelta(minutes=1)  # for a key that is not known: a forged token must not make us ask all day
_TRY_AGAIN = timedelta(seconds=5)  # where the issuer did not answer: nor must many of them


class Unproven(Exception):
    """A token that proves nothing; the message says why, and nothing of the token."""


class SigningKeys:
    """The keys published at one address. One thread at a time asks for them, and the others take what it brought."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._held: dict[str, jwt.PyJWK] = {}
        self._asked_at: datetime | None = None
        self._failed: tuple[datetime, TryLater] | None = None
        self._asking = threading.Lock()

    def claims(
        self, token: str, *, audience: str, required: Sequence[str], http: requests.Session
    ) -> dict[str, Any]:
        """What the token says. It was signed by one of the keys, for `audience`, is of this time, and has what is `required`
        besides exp, iat, iss and aud. Raises Unproven, and Unreachable and RateLimited where keys cannot be had."""
        try:
            key = self.get(str(jwt.get_unverified_header(token).get("kid", "")), http)
            if key is None:
                raise Unproven("no key of the issuer is called as it says")
            claims = jwt.decode(
                token,
                key=key,
                algorithms=ALGORITHMS,
                audience=audience,
                options={
                    "require": ["exp", "iat", "iss", "aud", *required],
                    "verify_exp": False,  # by our own clock, below
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError:
            raise Unproven("its signature or its audience is wrong") from None
        _check_times(claims, self._clock.now().timestamp())
        return claims

    def get(self, key_id: str, http: requests.Session) -> jwt.PyJWK | None:
        """The key of that name; None where the issuer has none. Raises Unreachable and RateLimited where keys cannot be had."""
        if self._must_ask(key_id):
            with self._asking:
                if self._must_ask(key_id):  # nobody has while this thread waited
                    self._ask(http)
        return self._held.get(key_id)

    def _must_ask(self, key_id: str) -> bool:
        if self._asked_at is None:
            return True
        age = self._clock.now() - self._asked_at
        return age > _LIVE_FOR or (key_id not in self._held and age > _ASK_AGAIN)

    def _ask(self, http: requests.Session) -> None:
        now = self._clock.now()
        if self._failed is not None and abs(now - self._failed[0]) < _TRY_AGAIN:
            raise self._failed[1].with_traceback(None)
        try:
            response = http.get(self._url)
            check(response, now)
            self._held = _usable(json_object(response))
        except TryLater as problem:
            self._failed = self._clock.now(), problem
            raise
        self._asked_at, self._failed = now, None


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    times = [claims[name] for name in ("exp", "iat", "nbf") if name in claims]
    if not all(isinstance(time, int | float) and math.isfinite(time) for time in times):
        raise Unproven("its times are none")
    begins = max(claims["iat"], claims.get("nbf", claims["iat"]))
    if claims["exp"] <= now - _LEEWAY or begins > now + _LEEWAY:
        raise Unproven("it is not of this time; is this machine's clock right?")


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
