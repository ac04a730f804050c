"""Where people sign in and grant: the addresses and habits of Google, Microsoft and any OpenID Connect issuer, as data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from autocapture.clock import Clock
from autocapture.connect.http import check, host_of, json_object
from autocapture.errors import SetupError, Unreachable
from autocapture.sections import GoogleSettings, MicrosoftSettings

OpenHttp = Callable[..., requests.Session]

LABELS = {"google": "Google", "microsoft": "Microsoft"}
"""Providers as people call them."""

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GRAPH = "https://graph.microsoft.com/"


@dataclass(frozen=True, slots=True)
class Provider:
    """An authorization server, which people call `label`. An empty address: it has none, or it is found through `discovery_url`.

    `issuers` are the names it may give itself in an id_token; `{tenantid}` stands for the token's own tenant. `subject_claim`
    is its unchanging name of a person. `authorize_with` goes with every request for consent; `offline_scopes` make it give a
    refresh token. `scope_prefixes` are left out where it writes a scope's name in full. `authority` is what msal calls the place
    of a tenant's addresses, at Microsoft alone.
    """

    name: str
    label: str
    issuers: tuple[str, ...]
    authorize_url: str
    token_url: str
    keys_url: str
    device_url: str = ""
    revoke_url: str = ""
    discovery_url: str = ""
    authority: str = ""
    subject_claim: str = "sub"
    authorize_with: Mapping[str, str] = field(default_factory=dict)
    offline_scopes: tuple[str, ...] = ()
    scope_prefixes: tuple[str, ...] = ()

    def same_scope(self, scope: str) -> str:
        """`scope` in the one form in which it can be compared."""
        for prefix in self.scope_prefixes:
            scope = scope.removeprefix(prefix)
        return _SAME.get(scope, scope).lower() if self.scope_prefixes else _SAME.get(scope, scope)


_SAME = {
    "https://www.googleapis.com/auth/userinfo.email": "email",
    "https://www.googleapis.com/auth/userinfo.profile": "profile",
}


def google(settings: GoogleSettings) -> Provider:
    """Google. `prompt=consent` makes it give a refresh token again to who consented before; scopes of earlier grants are not
    included, since `gmail.metadata` next to `gmail.readonly` makes a token the stricter of the two."""
    return Provider(
        name="google",
        label=LABELS["google"],
        issuers=(settings.issuer, urlsplit(settings.issuer).netloc),
        authorize_url=settings.authorize_url,
        token_url=settings.token_url,
        keys_url=settings.keys_url,
        device_url=settings.device_url,
        revoke_url=settings.revoke_url,
        authorize_with={"access_type": "offline", "prompt": "consent"},
    )


def microsoft(settings: MicrosoftSettings) -> Provider:
    """Entra, of one tenant or of any. A tenant named by its domain is known by its id, which discovery tells."""
    authority = f"{settings.login_url}/{settings.tenant}"
    issuers: tuple[str, ...] = ()
    if _GUID.fullmatch(settings.tenant):
        issuers = (f"{authority}/v2.0",)
    elif settings.tenant in ("organizations", "common", "consumers"):
        issuers = (f"{settings.login_url}/{{tenantid}}/v2.0",)
    return Provider(
        name="microsoft",
        label=LABELS["microsoft"],
        issuers=issuers,
        authorize_url=f"{authority}/oauth2/v2.0/authorize",
        token_url=f"{authority}/oauth2/v2.0/token",
        keys_url=f"{authority}/discovery/v2.0/keys",
        device_url=f"{authority}/oauth2/v2.0/devicecode",
        discovery_url=f"{authority}/v2.0/.well-known/openid-configuration",
        authority=authority,
        subject_claim="oid",
        authorize_with={"prompt": "select_account"},
        offline_scopes=("offline_access",),
        scope_prefixes=tuple(dict.fromkeys((settings.graph, _GRAPH))),
    )


def discovered(name: str, label: str, issuer: str, http: requests.Session, clock: Clock) -> Provider:
    """The provider that calls itself `issuer` (OpenID Connect Discovery 1.0). Raises SetupError where the document there is
    another's, Unreachable, RateLimited."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    document = discovery(url, http, clock)
    if str(document.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise SetupError(f"what is found at {urlsplit(issuer).hostname} says that it is another issuer")
    return Provider(
        name=name,
        label=label,
        issuers=(str(document["issuer"]),),
        authorize_url=_address(document, "authorization_endpoint", required=True),
        token_url=_address(document, "token_endpoint", required=True),
        keys_url=_address(document, "jwks_uri", required=True),
        device_url=_address(document, "device_authorization_endpoint"),
        revoke_url=_address(document, "revocation_endpoint"),
        discovery_url=url,
    )


def discovery(url: str, http: requests.Session, clock: Clock) -> dict[str, object]:
    """The document. Raises SetupError where who publishes it says that it is not there, Unreachable, RateLimited."""
    response = http.get(url)
    check(response, clock.now())
    if response.status_code != 200:
        missing = f"{host_of(response)} has no discovery document there ({response.status_code})"
        try:
            json_object(response)
        except Unreachable:  # a page: of a proxy on the way, perhaps
            raise Unreachable(missing) from None
        raise SetupError(missing)
    return json_object(response)


def _address(document: Mapping[str, object], key: str, *, required: bool = False) -> str:
    value = document.get(key, "")
    if not isinstance(value, str) or (required and not value):
        raise SetupError(f"the issuer's discovery document has no {key}")
    return value
