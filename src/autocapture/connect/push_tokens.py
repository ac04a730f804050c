"""Whether Pub/Sub pushed a message to us: the OpenID Connect token that it signs each request with.

https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions

The token proves who pushes, not what is pushed, and one is used for up to an hour. So a message that is pushed is a hint, and
nothing in it is believed.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from autocapture.clock import Clock
from autocapture.connect.providers import OpenHttp
from autocapture.connect.signing_keys import SigningKeys, Unproven
from autocapture.errors import CredentialRejected
from autocapture.sections import GoogleSettings

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
            with self._open_http() as http:
                claims = self._keys.claims(token, audience=self._audience, required=["email"], http=http)
        except Unproven as unproven:
            raise _refused(str(unproven)) from None
        if claims["iss"] not in self._issuers:
            raise _refused("another issuer")
        given = str(claims["email"]).encode()
        if claims.get("email_verified") is not True or not hmac.compare_digest(given, self._sender.encode()):
            raise _refused("another sender")


def _refused(why: str) -> CredentialRejected:
    return CredentialRejected(why)
