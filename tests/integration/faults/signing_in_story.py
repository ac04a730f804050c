"""What is asked of authorization servers besides tokens for an account: who signs in, who pushes, a code on another screen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import jwt
from tests.integration.faults.authority import AUTHORITY_WORDS, authority_route
from tests.integration.faults.story import Rows, Story

from autocapture.connect.push_tokens import PushTokens
from autocapture.errors import RateLimited
from autocapture.sections import GoogleSettings, OidcSettings
from autocapture.settings import Settings
from autocapture.testing.fakes.authorization_server import KEY, authorization_server

SENDER, AUDIENCE = "push@our-project.iam", "https://capture.ours.example/notices/google/gmail"


class SigningInStory(Story):
    """Nothing of it is stored: what was found out is what must be the same."""

    askers: ClassVar = {"signed_in": "a person", "pushed": "a notice", "asked_elsewhere": "a person"}
    moments = (
        ("signed_in", timedelta()),
        ("pushed", timedelta(days=3)),
        ("asked_elsewhere", timedelta(days=6)),
    )

    def begin(self) -> None:
        self.authority = self.stack.enter_context(authorization_server(self.clock))
        self.authority.redirect_uris = {"http://127.0.0.1:8000/back"}
        self.services = self.gateway("issuer", self.authority.url, authority_route, AUTHORITY_WORDS)
        self.authority.url = self.services.url
        self.authority.device_answer = "granted"
        self.found: dict[str, Any] = {}

    def settings(self, settings: Settings) -> dict[str, Any]:
        (self.home / "secret").write_text("s3cret\n", encoding="utf-8")
        url, secret = self.services.url, self.home / "secret"
        company = OidcSettings(issuer=url, client_id="client", client_secret_file=secret)
        google = GoogleSettings(
            client_id="client", client_secret_file=secret, issuer=url, token_url=f"{url}/token", keys_url=f"{url}/keys",
            device_url=f"{url}/device",
        )  # fmt: skip
        return {"oidc": {"company": company}, "google": google}

    def servers(self) -> list[tuple[Any, tuple[str, ...]]]:
        return [(self.authority, ("_codes", "_grants", "_numbers", "issued")), (self, ("found",))]

    def connect(self) -> int:
        raise NotImplementedError

    def news(self) -> None:
        """There is none."""

    def signed_in(self) -> None:
        self.found["who"] = self.insist(self._sign_in)

    def _sign_in(self) -> tuple[str, str]:
        oauth = self.app.clients.get("company")
        asked = oauth.ask("http://127.0.0.1:8000/back", (), sign_in=True)
        tokens = oauth.exchange(oauth.code_of(self.authority.consent(asked.url), asked), asked)
        who = oauth.identity(tokens, asked.nonce)
        return who.subject, who.address

    def pushed(self) -> None:
        """The same judge all the time, as in the service: it keeps the keys that it has."""
        url = self.services.url
        judge = PushTokens(
            self.app.settings.google.model_copy(update={"issuer": url}),
            SENDER,
            AUDIENCE,
            self.app.open_http,
            self.clock,
        )
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": url,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 86_400 * 3,
            "email": SENDER,
            "email_verified": True,
        }
        token = jwt.encode(claims, KEY, "RS256", {"kid": "k1"})
        self.insist(lambda: judge.verify(f"Bearer {token}"))
        self.found["pushed"] = "believed"

    def asked_elsewhere(self) -> None:
        oauth = self.app.clients.get("google")
        device = self.insist(lambda: oauth.ask_device(("scope",)))
        tokens = self.insist(lambda: oauth.poll_device(device))
        assert tokens is not None
        self.found["elsewhere"] = sorted(tokens.scopes)

    def _epilogue(self, after: timedelta) -> Rows:
        assert all(isinstance(error, RateLimited) or str(error) for error in self.told.errors)
        return {name: [{"found": found}] for name, found in self.found.items()}
