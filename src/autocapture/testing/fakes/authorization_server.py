"""An authorization server on loopback: consent, codes, PKCE, id_tokens, refresh tokens that rotate or not, devices, faults.

    with authorization_server() as server:
        server.redirect_uris = {"https://ours.example/callback"}
        answer = server.consent(asked.url)          # what the browser brings to the redirect address

It refuses what real ones refuse: a redirect address that is not registered to the letter, or is not the code's, a code used
twice, a wrong verifier, an unknown client, a refresh token that was revoked or, where they rotate strictly, used before.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from autocapture.clock import Clock, SystemClock
from autocapture.testing.fakes.service_accounts import AssertionRefused, ServiceAccounts

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
Reply = tuple[int, dict[str, str], bytes]
Form = Mapping[str, str]


class RedirectMismatch(ValueError):
    """The redirect address is not registered: real ones say so on a page of their own, and send nobody back."""


@dataclass
class Person:
    subject: str = "sub-1"
    address: str = "rep@ours.example"
    ticks: Callable[[str], bool] = field(default=lambda _scope: True)
    """Which of the scopes asked for they grant."""


@dataclass
class _Granted:
    subject: str
    scopes: tuple[str, ...]
    nonce: str = ""
    challenge: str = ""
    redirect_uri: str = ""
    address: str = ""  # of the person; none where the client itself is given a token


@dataclass
class AuthorizationServer:
    """The running server. `faults` are answers given instead of the next ones, one each; `after_effect` are given instead
    too, but the request has taken effect. `forms` holds what the token endpoint was sent."""

    url: str
    clock: Clock
    client_id: str = "client"
    client_secret: str = "s3cret"  # noqa: S105 - of a fake
    redirect_uris: Collection[str] = ()
    """What the operator registered, as a client of type Web application."""
    rotation: Literal["never", "gently", "strictly"] = "never"
    token_life: int = 3600
    person: Person = field(default_factory=Person)
    device_answer: str = "authorization_pending"
    faults: list[Reply] = field(default_factory=list)
    after_effect: list[Reply] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    forms: list[dict[str, str]] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)
    while_refreshing: Callable[[], None] = field(default=lambda: None)
    on_issue: Callable[[str, str, frozenset[str]], None] = field(default=lambda *_: None)
    """Told of each access token with the address and the scopes it is for, so that a service can know it."""
    device_scopes: tuple[str, ...] = ("openid", "mail.read")
    service_accounts: ServiceAccounts = field(init=False)
    _codes: dict[str, _Granted] = field(default_factory=dict)
    _grants: dict[str, _Granted] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.service_accounts = ServiceAccounts(self.clock)

    def consent(self, url: str) -> dict[str, str]:
        """What the browser of `person` brings back to the redirect address. Raises RedirectMismatch for an unregistered one."""
        asked = dict(parse_qsl(urlsplit(url).query))
        if not self.is_registered(asked["redirect_uri"]):
            raise RedirectMismatch(f"redirect_uri_mismatch: {asked['redirect_uri']}")
        scopes = tuple(filter(self.person.ticks, asked["scope"].split()))
        if not scopes:
            return {"error": "access_denied", "state": asked["state"]}
        code = f"code-{next(self._numbers)}"
        self._codes[code] = _Granted(
            self.person.subject,
            scopes,
            asked.get("nonce", ""),
            asked["code_challenge"],
            asked["redirect_uri"],
            self.person.address,
        )
        return {"code": code, "state": asked["state"], "iss": self.url}

    def is_registered(self, redirect_uri: str) -> bool:
        """Google's rule: "the http or https scheme, case, and trailing slash must all match", and so must the port."""
        return redirect_uri in self.redirect_uris

    def grant(self, *scopes: str) -> str:
        """A refresh token of `person` without asking anybody."""
        return self._new_grant(_Granted(self.person.subject, scopes, address=self.person.address))

    def withdraw(self) -> None:
        """Every refresh token of `person` is dead from now on."""
        self._grants = {key: one for key, one in self._grants.items() if one.subject != self.person.subject}

    @property
    def refreshes(self) -> int:
        return sum(form.get("grant_type") == "refresh_token" for form in self.forms)

    def answer(self, path: str, form: Form) -> Reply:
        if path == "/token":
            self.forms.append(dict(form))
            if form.get("grant_type") == "refresh_token":
                self.while_refreshing()
            if self.faults:
                return self.faults.pop(0)
            with self._lock:
                reply = self._token(form)
            return self.after_effect.pop(0) if self.after_effect else reply
        match path:
            case "/authorize":
                return self._consent_page(form)
            case "/device":
                return _json(200, {"device_code": "device-1", "user_code": "ABCD-EFGH", "verification_uri": f"{self.url}/go",
                                   "expires_in": 900, "interval": 5})  # fmt: skip
            case "/revoke":
                known = self._grants.pop(form.get("token", ""), None)
                return _json(200, {}) if known else _error("invalid_token")
            case "/keys":
                public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
                return _json(200, {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]})
            case "/.well-known/openid-configuration":
                return _json(200, {"issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
                                   "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
                                   "revocation_endpoint": f"{self.url}/revoke"})  # fmt: skip
        return _json(404, {})

    def _consent_page(self, asked: Form) -> Reply:
        """A page on which `person` agrees by a click."""
        try:
            brought = self.consent(f"?{urlencode(asked)}")
        except RedirectMismatch as problem:
            return 400, {"Content-Type": "text/plain; charset=utf-8"}, f"Error 400: {problem}".encode()
        href = escape(f"{asked['redirect_uri']}?{urlencode(brought)}")
        page = (
            f'<!doctype html><title>Consent</title><h1>{self.person.address}</h1><a href="{href}">Allow</a>'
        )
        return 200, {"Content-Type": "text/html; charset=utf-8"}, page.encode()

    def _token(self, form: Form) -> Reply:
        if form.get("grant_type", "").endswith("jwt-bearer"):
            try:
                mailbox, scopes = self.service_accounts.checked(form["assertion"], f"{self.url}/token")
            except AssertionRefused as refused:
                return _error(refused.error, description=refused.description)
            return self._tokens(_Granted("delegate", scopes, address=mailbox), refresh="")
        if form.get("client_id") != self.client_id or not self.proved(form):
            return _error("invalid_client", 401)
        match form.get("grant_type"):
            case "authorization_code":
                return self._redeem(form)
            case "refresh_token":
                return self._refresh(form.get("refresh_token", ""))
            case "client_credentials":
                return self._tokens(_Granted("application", (form["scope"],)), refresh="")
            case "urn:ietf:params:oauth:grant-type:device_code":
                if self.device_answer != "granted":
                    return _error(self.device_answer)
                granted = _Granted(self.person.subject, self.device_scopes, address=self.person.address)
                return self._tokens(granted, refresh=self._new_grant(granted))
        return _error("unsupported_grant_type")

    def proved(self, form: Form) -> bool:
        return "client_assertion" in form or form.get("client_secret") == self.client_secret

    def _redeem(self, form: Form) -> Reply:
        granted = self._codes.pop(form.get("code", ""), None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if granted is None or granted.challenge != challenge or granted.redirect_uri != form["redirect_uri"]:
            return _error("invalid_grant")
        return self._tokens(granted, refresh=self._new_grant(granted))

    def _refresh(self, token: str) -> Reply:
        granted = self._grants.get(token)
        if granted is None:
            return _error("invalid_grant")
        if self.rotation == "never":
            return self._tokens(granted, refresh="")
        if self.rotation == "strictly":
            del self._grants[token]
        return self._tokens(granted, refresh=self._new_grant(granted))

    def _new_grant(self, granted: _Granted) -> str:
        token = f"refresh-{next(self._numbers)}-{sha256(self.url.encode()).hexdigest()[:12]}"
        self._grants[token] = granted
        return token

    def _tokens(self, granted: _Granted, *, refresh: str) -> Reply:
        access = f"access-{next(self._numbers)}-{sha256(self.url.encode()).hexdigest()[:12]}"
        self.issued.append(access)
        self.on_issue(access, granted.address, frozenset(granted.scopes))
        answer = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.token_life,
            "scope": " ".join(granted.scopes),
        }
        if refresh:
            answer["refresh_token"] = refresh
        if "openid" in granted.scopes:
            answer["id_token"] = self.id_token(granted.nonce, granted.scopes)
        return _json(200, answer)

    def id_token(self, nonce: str, scopes: Collection[str]) -> str:
        now = int(self.clock.now().timestamp())
        who = self.who(scopes)
        claims = {"aud": self.client_id, "iat": now, "exp": now + 3600, "nonce": nonce, **who, **self.claims}
        return jwt.encode(
            {key: value for key, value in claims.items() if value is not None}, KEY, "RS256", {"kid": "k1"}
        )

    def who(self, scopes: Collection[str]) -> dict[str, Any]:
        """What an id_token says of `person`, and who says it, to a client that was granted `scopes`."""
        return {
            "iss": self.url, "sub": self.person.subject, "oid": f"oid-{self.person.subject}", "email": self.person.address,
            "email_verified": True,
        }  # fmt: skip


Server = TypeVar("Server", bound=AuthorizationServer)


@contextmanager
def authorization_server(clock: Clock | None = None) -> Iterator[AuthorizationServer]:
    """Serves on a free port of 127.0.0.1 until the block ends."""
    with serving(lambda url: AuthorizationServer(url, clock or SystemClock())) as server:
        yield server


@contextmanager
def serving(make: Callable[[str], Server], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serves what `make` makes for its address, over TLS where a context is given."""
    server: Server

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(dict(parse_qsl(urlsplit(self.path).query)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._answer(dict(parse_qsl(body)))

        def _answer(self, form: Form) -> None:
            status, headers, body = server.answer(urlsplit(self.path).path, form)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        if tls is not None:  # the handshake is the handler's: who never begins one holds up nobody
            listener.socket = tls.wrap_socket(
                listener.socket, server_side=True, do_handshake_on_connect=False
            )
        server = make(f"http{'s' if tls else ''}://127.0.0.1:{listener.server_port}")
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


def _json(status: int, body: Mapping[str, Any]) -> Reply:
    return (
        status,
        {"Content-Type": "application/json", "Cache-Control": "no-store"},
        json.dumps(body).encode(),
    )


def _error(error: str, status: int = 400, description: str = "of whom and what is not to be quoted") -> Reply:
    return _json(status, {"error": error, "error_description": description})
