"""Whether Pub/Sub pushed a message to us: the OpenID Connect token that it signs each request with.

https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions

The token proves who pushes, not what is pushed, and one is used for up to an hour. So a message that is pushed is a hint, and
nothing in it is believed.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

import jwt

from autocapture.clock import Clock
from autocapture.connect.providers import OpenHttp
from autocapture.connect.signing_keys import ALGORITHMS, SigningKeys
from autocapture.errors import CredentialRejected
from autocapture.sections import GoogleSettings

_LEEWAY = 120  # seconds by which clocks may differ
_LONGEST = 4_096  # characters; Google's tokens have about a thousand


class PushTokens:
    """Believes tokens that Google made for `audience` in the name of the service account `sender`."""

    def __init__(
        self, settings: GoogleSettings, sender: str, audience: str, open_http: OpenHttp, clock: Clock
    ) -> None:
        self._issuers = (settings.issuer, urlsplit(settings.issuer).netloc)
        self._sender = sender
        self._audience = audience
        self._open_http = open_http
        self._clock = clock
        self._keys = SigningKeys(settings.keys_url, clock)

    def verify(self, authorization: str) -> None:
        """Judges the header `Authorization`. Raises CredentialRejected for what proves nothing, Unreachable and RateLimited
        where Google's keys cannot be had."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > _LONGEST:
            raise _refused("no token")
        if not self._sender:
            raise _refused("push.gmail_sender is not set, so nobody is believed")
        try:
            key_id = str(jwt.get_unverified_header(token).get("kid", ""))
            with self._open_http() as http:
                key = self._keys.get(key_id, http)
            if key is None:
                raise _refused("no key of the issuer is called as it says")
            claims = jwt.decode(
                token,
                key=key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                options={
                    "require": ["exp", "iat", "iss", "aud", "email"],
                    "verify_exp": False,  # by our own clock, below
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError:
            raise _refused("wrong signature or audience") from None
        self._check(claims)

    def _check(self, claims: dict[str, object]) -> None:
        now = self._clock.now().timestamp()
        made, ends = claims["iat"], claims["exp"]
        if not isinstance(made, int | float) or not isinstance(ends, int | float):
            raise _refused("its times are none")
        if ends <= now - _LEEWAY or made > now + _LEEWAY:
            raise _refused("not of this time")
        if claims["iss"] not in self._issuers:
            raise _refused("another issuer")
        given = str(claims["email"]).encode()
        if claims.get("email_verified") is not True or not hmac.compare_digest(given, self._sender.encode()):
            raise _refused("another sender")


def _refused(why: str) -> CredentialRejected:
    return CredentialRejected(why)
