"""Google, as an authorization server and the services behind it, for people who connect in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autocapture.application import Application
from autocapture.sections import GoogleSettings, MicrosoftSettings
from autocapture.testing.fakes.authorization_server import AuthorizationServer, authorization_server
from autocapture.testing.fakes.google import FakeGoogle

REP = "rep@ours.example"
SUBJECT = "sub-1"
CUSTOMER = "kim@customer.example"


@dataclass
class GoogleWorld:
    server: AuthorizationServer
    services: FakeGoogle

    def receive(
        self, count: int, *, newest: datetime, every: timedelta = timedelta(days=1), of: str = REP
    ) -> None:
        """Mails of a customer, one each time `every` has gone by before the newest."""
        mailbox = self.services.users[of].mailbox
        for number in range(count):
            at = newest - number * every
            headers = [
                ("From", f"Kim <{CUSTOMER}>"), ("To", of), ("Subject", f"Offer {at:%Y-%m-%d %H}"),
                ("Date", at.strftime("%a, %d %b %Y %H:%M:%S +0000")), ("Message-ID", f"<{at.timestamp()}@customer.example>"),
            ]  # fmt: skip
            mailbox.receive(headers, at)


@contextmanager
def google_world(app: Application) -> Iterator[GoogleWorld]:
    with authorization_server(app.clock) as server, FakeGoogle(app.clock) as services:
        server.person.address, server.person.subject = REP, SUBJECT
        services.add_user(REP)
        server.on_issue = services.accept
        yield GoogleWorld(server, services)


def with_google(app: Application, world: GoogleWorld, folder: Path) -> Application:
    """The application with that Google set up."""
    secret = folder / "google-secret"
    secret.write_text(f"{world.server.client_secret}\n", encoding="utf-8")
    url = world.server.url
    google = GoogleSettings(
        client_id=world.server.client_id,
        client_secret_file=secret,
        issuer=url,
        authorize_url=f"{url}/authorize",
        token_url=f"{url}/token",
        keys_url=f"{url}/keys",
        revoke_url=f"{url}/revoke",
        gmail_url=world.services.url.rstrip("/"),
        calendar_url=f"{world.services.url}calendar/v3",
    )
    return replace(app, settings=app.settings.model_copy(update={"google": google}))


def with_microsoft(
    app: Application, server: AuthorizationServer, folder: Path, **more: object
) -> Application:
    """The application with Microsoft set up at the same kind of server."""
    secret = folder / "microsoft-secret"
    secret.write_text(f"{server.client_secret}\n", encoding="utf-8")
    microsoft = MicrosoftSettings(
        tenant="organizations", client_id=server.client_id, client_secret_file=secret, login_url=server.url
    ).model_copy(update=more)
    return replace(app, settings=app.settings.model_copy(update={"microsoft": microsoft}))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
