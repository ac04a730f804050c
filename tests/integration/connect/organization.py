"""An organisation that granted its mailboxes: Microsoft 365 behind a deployment, with Entra and Graph as fakes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlmodel import col, select
from tests.integration.capture.deployment import PEOPLE, deploy
from tests.peers.entra import entra

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.accounts import Account
from autocapture.model.organization import User
from autocapture.sections import MicrosoftSettings
from autocapture.store.engine import writing
from autocapture.testing.fakes.entra_server import EntraServer
from autocapture.testing.fakes.microsoft import FakeGraph, message

OUTSIDE = "ceo@ours.example"
ROLES = frozenset({"Mail.ReadBasic.All", "Calendars.ReadBasic.All", "CallRecords.Read.All"})


@dataclass
class Organization:
    """`reaches`: the mailboxes that the application's permission opens; `roles`: what it was granted."""

    app: Application
    server: EntraServer
    graph: FakeGraph
    clock: FixedClock
    reaches: frozenset[str] = frozenset(PEOPLE)
    roles: frozenset[str] = ROLES

    def issued(self, token: str, address: str, scopes: frozenset[str]) -> None:
        if address:
            self.graph.accept(token, address, scopes)
        else:
            self.graph.accept(token, "", self.roles, self.reaches)

    def regrant(self, *, reaches: frozenset[str] | None = None, roles: frozenset[str] | None = None) -> None:
        """The tenant grants otherwise: tokens that are out go by it too."""
        self.reaches = self.reaches if reaches is None else reaches
        self.roles = self.roles if roles is None else roles
        for token, login in list(self.graph._logins.items()):
            if login.is_application:
                self.graph.accept(token, "", self.roles, self.reaches)


@contextmanager
def organization(folder: Path, clock: FixedClock, *, url: str | None = None) -> Iterator[Organization]:
    app = deploy(folder / "home", url=url, clock=clock)
    with FakeGraph(clock) as graph, entra(folder, clock) as (server, ca_file):
        for number, address in enumerate((*PEOPLE, OUTSIDE)):
            graph.add_mailbox(address).add(message(number), "inbox")
        (folder / "secret").write_text(server.client_secret, encoding="utf-8")
        microsoft = MicrosoftSettings(
            tenant=server.tenant,
            client_id=server.client_id,
            client_secret_file=folder / "secret",
            login_url=server.url,
            graph_url=graph.url,
            mailboxes=PEOPLE,
            mailbox_outside=OUTSIDE,
        )
        network = app.settings.network.model_copy(update={"ca_file": ca_file})
        settings = app.settings.model_copy(update={"microsoft": microsoft, "network": network})
        made = Organization(replace(app, settings=settings), server, graph, clock)
        server.on_issue = made.issued
        yield made
    app.engine.dispose()


def has_an_account(app: Application, email: str, state: str = "pending") -> None:
    """This person has an account of their own, in this state."""
    with writing(app.engine) as session:
        user_id = session.exec(select(User.id).where(col(User.email) == email)).one() or 0
        session.add(
            Account(
                user_id=user_id,
                connector="files",
                subject=email,
                options={},
                state=state,
                created_at=app.clock.now(),
            )
        )
