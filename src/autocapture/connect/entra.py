"""Microsoft's tokens, acquired through msal, which knows Entra's habits.

Three things stay in our hands. Every exchange goes over our own session, and what an answer's status says is raised there, before
msal sees a body: it would hide that the endpoint was busy behind a refusal of the grant. Every call is made by an application
object of its own with an empty cache: the newest refresh token is the one in the database, which other processes use too. And who
signed in is proved by `IdTokens`, as at every other provider: msal looks at no signature.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from autocapture.clock import Clock
from autocapture.connect.http import check, json_object
from autocapture.connect.id_tokens import Identity
from autocapture.connect.oauth import Asked, Device, OAuth, device_of
from autocapture.connect.providers import LABELS, OpenHttp, Provider, discovery
from autocapture.connect.token_endpoint import Client, NotYet, Tokens, refusal, tokens_of
from autocapture.errors import (
    AutocaptureError,
    CredentialRejected,
    RateLimited,
    ScopeMissing,
    SetupError,
    Unreachable,
)
from autocapture.sections import read_secret

_LABEL = LABELS["microsoft"]
_ADDED_BY_MSAL = frozenset({"openid", "profile", "offline_access"})
_ASKS_TOO_OFTEN = 50196
"""AADSTS50196, a client that repeats itself: it comes as invalid_grant and passes by itself."""
_IS_PUBLIC = 700025
"""AADSTS700025: what was granted to another screen, or to an address of a native application, is a public client's, and Entra
refuses to be shown a secret with it."""
_ANY_TENANT = frozenset({"organizations", "common", "consumers"})
_ADDRESSES_LIVE = timedelta(days=1)
_ADDRESSES = {"authorization_endpoint", "token_endpoint"}
_CANNOT_READ = (ValueError, LookupError, TypeError, AttributeError)
"""What msal raises over an answer, or an authority, that is not of the form that it expects."""

_OF_THE_APPLICATION = {
    7000222: "the client secret has expired; make a new one, or better a certificate",
    7000215: "the client secret is not the one that was registered; store its value anew, not its id",
    700027: "the certificate was never uploaded, was removed, or has expired; upload the one that the settings name, or another",
    700024: "this machine's clock is wrong; set it right",
    700016: "this tenant does not know the application; compare microsoft.tenant and microsoft.client_id with Entra",
    7000112: "the application was disabled in Entra; enable it",
    90002: "there is no such tenant; compare microsoft.tenant with Entra",
}
"""What an administrator has to do, by Entra's number (AADSTS)."""

Acquire = Callable[[Any], Mapping[str, Any]]
Proof = str | dict[str, Any] | None


class Entra(OAuth):
    """Microsoft for one client. Raises SetupError besides what `OAuth` says, where the extra ``microsoft`` is not installed."""

    def __init__(self, provider: Provider, client: Client, open_http: OpenHttp, clock: Clock) -> None:
        super().__init__(provider, client, open_http, clock)
        self._addresses = ""
        self._found_at: datetime | None = None

    def ask(
        self, redirect_uri: str, scopes: Iterable[str], *, login_hint: str = "", sign_in: bool = False
    ) -> Asked:
        with self._application(None, lasting=not sign_in) as application:
            flow = application.initiate_auth_code_flow(
                self._named(scopes),
                redirect_uri=redirect_uri,
                prompt="select_account",
                login_hint=login_hint or None,
                response_mode="query",  # a form posted from Microsoft's page would come without our session's cookie
            )
        return Asked(
            flow["auth_uri"],
            redirect_uri,
            tuple(sorted(flow["scope"])),
            flow["state"],
            flow["nonce"],
            flow["code_verifier"],
        )

    def exchange(self, code: str, asked: Asked) -> Tokens:
        def acquire(application: Any) -> Mapping[str, Any]:
            flow = {
                "redirect_uri": asked.redirect_uri,
                "scope": list(asked.scopes),
                "state": asked.state,
                "nonce": asked.nonce,
                "code_verifier": asked.verifier,
            }
            answer: Mapping[str, Any] = application.acquire_token_by_auth_code_flow(
                flow, {"code": code, "state": asked.state}
            )
            return answer

        try:
            return self._acquired(acquire, frozenset(asked.scopes))
        except RuntimeError:  # the nonce of the id_token is not the one that was asked with
            raise CredentialRejected("the sign-in cannot be believed: it answers another question") from None

    def identity(self, tokens: Tokens, nonce: str) -> Identity:
        """As `OAuth.identity`. msal sends the hash of a nonce; the answer to a code typed in elsewhere has none."""
        return super().identity(tokens, sha256(nonce.encode()).hexdigest() if nonce else "")

    def refresh(self, refresh_token: str, scopes: frozenset[str]) -> Tokens:
        named = self._named(scopes)
        return self._acquired(lambda one: one.acquire_token_by_refresh_token(refresh_token, named), scopes)

    def for_organisation(self, scope: str) -> Tokens:
        if self.provider.authority.rpartition("/")[2] in _ANY_TENANT:
            raise SetupError(
                "microsoft.tenant must be your own tenant's id where the application has permissions"
            )
        if self._proof() is None:
            raise SetupError("microsoft.certificate_file is not set, so the application cannot prove itself")
        return self._acquired(lambda one: one.acquire_token_for_client([scope]), frozenset({scope}))

    def in_place_of(self, mailbox: str, scopes: Iterable[str], key_file: Path) -> Tokens:
        raise SetupError("Microsoft knows no service accounts; grant its permissions to the application")

    def require_proof(self) -> None:
        self._proof()

    def ask_device(self, scopes: Iterable[str]) -> Device:
        named = self._named(scopes)
        with self._application(None) as application:
            answer = application.initiate_device_flow(named)
        return device_of(
            answer, tuple(sorted({*named, *_ADDED_BY_MSAL})), self.provider.name, self._clock.now()
        )

    def poll_device(self, device: Device) -> Tokens | None:
        flow = {"device_code": device.device_code}
        try:
            with self._application(None) as application:
                answer = application.acquire_token_by_device_flow(flow, exit_condition=lambda _flow: True)
        except NotYet:
            return None
        return tokens_of(answer, frozenset(device.scopes), self._clock.now())

    def _named(self, scopes: Iterable[str]) -> list[str]:
        """The scopes as msal takes them: it adds by itself those that make a token a person's, and a lasting one."""
        return sorted({"email", *scopes} - _ADDED_BY_MSAL)

    def _acquired(self, acquire: Acquire, scopes: frozenset[str]) -> Tokens:
        now, proof = self._clock.now(), self._proof()
        try:
            with self._application(proof) as application:
                answer = acquire(application)
        except _IsPublic:
            if proof is None:
                raise
            with self._application(None) as application:
                answer = acquire(application)
        return tokens_of(answer, scopes, now)

    @contextmanager
    def _application(self, proof: Proof, *, lasting: bool = True) -> Iterator[Any]:
        """msal's client for one call; public where it proves nothing."""
        msal = _library()
        made: dict[str, Any] = {"exclude_scopes": [] if lasting else ["offline_access"]}
        kind = msal.PublicClientApplication
        if proof is not None:
            kind = msal.ConfidentialClientApplication
            made |= {"client_credential": proof, "azure_region": kind.DISABLE_MSAL_FORCE_REGION}
        with self._open_http() as http:
            wire = _Wire(http, self._found(http), self._clock)
            try:
                application = kind(
                    self._client.client_id,
                    authority=self.provider.authority,
                    instance_discovery=False,  # which clouds there are, the settings say
                    http_client=wire,
                    **made,
                )
            except _CANNOT_READ:
                self._found_at = None  # what could not be used is asked for again
                raise SetupError(
                    "microsoft.login_url and microsoft.tenant lead to no https:// address where Entra is"
                ) from None
            try:
                yield application
            except _CANNOT_READ:
                host = urlsplit(self.provider.authority).hostname
                raise Unreachable(f"{host} answered in a way that cannot be read") from None

    def _found(self, http: requests.Session) -> str:
        """The authority's addresses, as it publishes them."""
        now = self._clock.now()
        age = None if self._found_at is None else now - self._found_at
        if age is None or not timedelta(0) <= age <= _ADDRESSES_LIVE:
            document = discovery(self.provider.discovery_url, http, self._clock)
            if not document.keys() & _ADDRESSES:  # it is no such document, but something on the way
                host = urlsplit(self.provider.authority).hostname
                raise Unreachable(f"{host} answered in a way that cannot be read")
            self._addresses, self._found_at = json.dumps(document), now
        return self._addresses

    def _proof(self) -> Proof:
        if self._client.certificate_file is not None:
            return _certificate(self._client.certificate_file)
        if self._client.secret_file is not None:
            return read_secret(self._client.secret_file)
        return None


class _IsPublic(SetupError):
    """Entra takes no proof with this grant."""


@dataclass(frozen=True, slots=True)
class _Published:
    """An answer as msal reads one."""

    text: str = field(repr=False)
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class _Wire:
    """A session as msal uses one, over ours. Whatever is no success is raised here, where its status and its Retry-After are
    known."""

    def __init__(self, http: requests.Session, addresses: str, clock: Clock) -> None:
        self._http = http
        self._addresses = addresses
        self._clock = clock

    def get(self, url: str, **_: Any) -> _Published:
        """The authority's addresses: nothing else is fetched where instances are not discovered."""
        return _Published(self._addresses)

    def post(self, url: str, **how: Any) -> requests.Response:
        response = self._http.post(url, **how)
        check(response, self._clock.now())
        answer = json_object(response)
        if response.status_code != 200 or "error" in answer:
            raise _refusal(answer, response.status_code)
        response.encoding = "utf-8"  # JSON is (RFC 8259 section 8.1), whatever the header says
        return response

    def close(self) -> None:
        self._http.close()


def _refusal(answer: Mapping[str, Any], status: int) -> AutocaptureError:
    """Who must act, by what Entra says besides the words of OAuth: its numbers, and the kind of what is required."""
    listed = answer.get("error_codes")
    codes = listed if isinstance(listed, list) else []
    if _ASKS_TOO_OFTEN in codes:
        return RateLimited(f"{_LABEL} asked for fewer requests")
    if _IS_PUBLIC in codes:
        return _IsPublic(f"{_LABEL} takes no secret or certificate of this client (AADSTS{_IS_PUBLIC})")
    for code in codes:
        if code in _OF_THE_APPLICATION:
            named = f"{answer.get('error')}, AADSTS{code}"
            return SetupError(f"{_LABEL} refuses our application ({named}): {_OF_THE_APPLICATION[code]}")
    if "consent_required" in (answer.get("error"), answer.get("suberror")):
        return ScopeMissing(f"{_LABEL} says that a permission is missing; sign in again and grant it")
    return refusal(answer, _LABEL, status)


def _certificate(file: Path) -> dict[str, Any]:
    """What msal signs an assertion with. Raises SetupError for a file that does not hold it."""
    pem = read_secret(file).encode()
    try:
        certificate, key = x509.load_pem_x509_certificate(pem), load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise SetupError(
            f"{file} does not hold a certificate and its private key (PEM, not encrypted)"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise SetupError(f"the key in {file} is no RSA key")
    return {"private_key": key, "public_certificate": certificate.public_bytes(Encoding.PEM).decode()}


def _library() -> Any:
    try:
        import msal
    except ImportError:
        raise SetupError("Microsoft is reached through msal: install autocapture[microsoft]") from None
    logging.getLogger("msal").setLevel(
        logging.CRITICAL
    )  # it writes down codes, and answers that it cannot read
    warnings.filterwarnings("ignore", "response_mode='form_post'", UserWarning)
    return msal
