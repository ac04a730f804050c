"""Entra on loopback: an authorization server with Microsoft's addresses, claims and refusals, as msal and its users meet them.

    with entra_server(tls, clock, tenant) as server:
        settings = MicrosoftSettings(login_url=server.url, tenant=tenant, ...)     # and network.ca_file

It is served over TLS, since msal speaks nothing else. An id_token says who it is only where the scope ``profile`` was granted,
and never that an address is verified. What was granted to a code that was typed in elsewhere, or to a redirect address of the
platform *Mobile and desktop applications*, is a public client's: shown a secret with it, Entra refuses (AADSTS700025). Of a
redirect address on the machine itself the port does not count (RFC 8252 section 7.3).
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from autocapture.clock import Clock, SystemClock
from autocapture.testing.fakes.authorization_server import AuthorizationServer, Form, Reply, serving

TENANT = "11111111-2222-3333-4444-555555555555"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
_PATHS = {
    "oauth2/v2.0/authorize": "/authorize",
    "oauth2/v2.0/token": "/token",
    "oauth2/v2.0/devicecode": "/device",
    "discovery/v2.0/keys": "/keys",
}


@dataclass
class EntraServer(AuthorizationServer):
    """The running server, of one tenant. `documents` counts how often its addresses were asked for; `addresses` are told instead
    of its own, but for those that are None."""

    tenant: str = TENANT
    native_uris: Collection[str] = ("http://127.0.0.1",)
    """What the operator registered for the platform Mobile and desktop applications; `redirect_uris` are those of Web."""
    documents: int = 0
    addresses: dict[str, Any] = field(default_factory=dict)
    _public: set[str] = field(default_factory=set)

    def consent(self, url: str) -> dict[str, str]:
        """As `AuthorizationServer.consent`; Entra does not say who answers."""
        return {name: value for name, value in super().consent(url).items() if name != "iss"}

    def answer(self, path: str, form: Form) -> Reply:
        asked_of, _, rest = path[1:].partition("/")
        if rest == "v2.0/.well-known/openid-configuration":
            self.documents += 1
            return 200, _JSON, json.dumps(self._document(asked_of)).encode()
        status, headers, body = super().answer(_PATHS.get(rest, path), form)
        if rest == "oauth2/v2.0/token" and status == 200 and self._is_public(form):
            self._public.add(json.loads(body).get("refresh_token", ""))
        if status == 401:
            code = 700025 if self._is_public(form) else 7000215
            return status, headers, json.dumps({**json.loads(body), "error_codes": [code]}).encode()
        return status, headers, body

    def is_registered(self, redirect_uri: str) -> bool:
        return _without_port(redirect_uri) in map(_without_port, (*self.redirect_uris, *self.native_uris))

    def proved(self, form: Form) -> bool:
        if self._is_public(form):
            return "client_secret" not in form and "client_assertion" not in form
        return super().proved(form)

    def who(self, scopes: Collection[str]) -> dict[str, Any]:
        told = {
            "iss": f"{self.url}/{self.tenant}/v2.0",
            "tid": self.tenant,
            "sub": self.person.subject,
        }
        if "profile" in scopes:
            told |= {"oid": f"oid-{self.person.subject}", "preferred_username": self.person.address}
        if "email" in scopes:
            told["email"] = self.person.address
        return told

    def _is_public(self, form: Form) -> bool:
        if form.get("grant_type") == _DEVICE_GRANT or form.get("refresh_token") in self._public:
            return True
        back = form.get("redirect_uri")
        return back is not None and _without_port(back) in map(_without_port, self.native_uris)

    def _document(self, tenant: str) -> dict[str, Any]:
        authority = f"{self.url}/{tenant}"
        issuer = "{tenantid}" if tenant in ("common", "organizations") else self.tenant
        told = {
            "issuer": f"{self.url}/{issuer}/v2.0",
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            **self.addresses,
        }
        return {name: value for name, value in told.items() if value is not None}


def _without_port(uri: str) -> str:
    """The address, less its port where it leads to the machine itself."""
    parts = urlsplit(uri)
    loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    return parts._replace(netloc=parts.hostname or "").geturl() if loopback else uri


@contextmanager
def entra_server(
    tls: ssl.SSLContext, clock: Clock | None = None, tenant: str = TENANT
) -> Iterator[EntraServer]:
    """Serves on a free port of 127.0.0.1 until the block ends."""
    with serving(lambda url: EntraServer(url, clock or SystemClock(), tenant=tenant), tls) as server:
        yield server
