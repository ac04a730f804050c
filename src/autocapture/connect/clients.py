"""The operator's clients at the providers, made from the settings when first asked for."""

from __future__ import annotations

import threading

from autocapture.clock import Clock
from autocapture.connect.entra import Entra
from autocapture.connect.oauth import OAuth
from autocapture.connect.providers import OpenHttp, Provider, discovered, google, microsoft
from autocapture.connect.token_endpoint import Client
from autocapture.errors import SetupError
from autocapture.settings import Settings


class Clients:
    """`OAuth` by the name of its provider: ``google``, ``microsoft``, and the names under ``[oidc]``."""

    def __init__(self, settings: Settings, open_http: OpenHttp, clock: Clock) -> None:
        self._settings = settings
        self._open_http = open_http
        self._clock = clock
        self._made: dict[str, OAuth] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """The providers that are set up."""
        own = [
            name
            for name, section in (("google", self._settings.google), ("microsoft", self._settings.microsoft))
            if section.client_id
        ]
        return (*own, *self._settings.oidc)

    def get(self, name: str) -> OAuth:
        """Raises SetupError where it is not set up, and what finding an issuer raises."""
        with self._lock:
            known = self._made.get(name)
        if known is None:
            known = self._make(name)
            with self._lock:
                known = self._made.setdefault(name, known)
        return known

    def _make(self, name: str) -> OAuth:
        settings = self._settings
        if name == "google":
            return self._client(google(settings.google), _google_client(settings))
        if name == "microsoft":
            entra = microsoft(settings.microsoft)
            return Entra(entra, _microsoft_client(settings), self._open_http, self._clock)
        company = settings.oidc.get(name)
        if company is None:
            raise SetupError(f"no provider is called {name!r}; see [oidc.NAME] in the settings")
        with self._open_http() as http:
            provider = discovered(name, company.label or name, company.issuer, http, self._clock)
        return self._client(provider, Client(company.client_id, company.client_secret_file))

    def _client(self, provider: Provider, client: Client) -> OAuth:
        return OAuth(provider, client, self._open_http, self._clock)


def _google_client(settings: Settings) -> Client:
    """A service account needs no client of ours; it proves itself."""
    google = settings.google
    return Client(google.client_id or ("-" if google.service_account_file else ""), google.client_secret_file)


def _microsoft_client(settings: Settings) -> Client:
    own = settings.microsoft
    return Client(own.client_id, own.client_secret_file, own.certificate_file)
