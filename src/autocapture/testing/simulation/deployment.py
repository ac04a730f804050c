"""The real engine of a world: an application over a small real database, with its people, accounts and a clock of its own."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from sqlmodel import col, select

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connect.registry import Registry
from autocapture.connect.vault import Vault
from autocapture.connector import PasswordCredential
from autocapture.errors import StoreBusy
from autocapture.model.accounts import Account, Channel
from autocapture.model.crm import Company, CompanyDomain, Contact, ContactHandle, Deal
from autocapture.model.organization import User
from autocapture.settings import Settings, load_settings
from autocapture.store.bulk import insert
from autocapture.store.engine import reading, writing
from autocapture.testing import stored
from autocapture.testing.points import Crash, Disturbance, DisturbedConnector, watched
from autocapture.testing.scratch import MEMORY, empty_database
from autocapture.testing.simulation.catalogue import PEOPLE, Catalogue
from autocapture.testing.simulation.providers import FAMILIES, Provider, SimulatedConnector
from autocapture.workflows.capture import capture_account
from autocapture.workflows.connect_account import Connected, Login, connect_account
from autocapture.workflows.report import CaptureReport


class WorldClock(FixedClock):
    """Wall time may be wrong for a while: set by hand, or left behind by a machine that slept."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.wrong_by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.wrong_by


class _Connectors(Registry):
    def __init__(self, connectors: Sequence[Any]) -> None:
        super().__init__()
        self._connectors = {each.name: each for each in connectors}

    def get(self, name: str) -> Any:
        return self._connectors[name]


class Deployment(AbstractContextManager["Deployment"]):
    def __init__(
        self, providers: Sequence[Provider], catalogue: Catalogue, start: datetime, rng: Random
    ) -> None:
        self.disturbance, self.page_limit = Disturbance(), rng.choice((2, 3, 5, 8))
        self.clock = WorldClock(start)
        self.catalogue = catalogue
        self._lent = ExitStack()
        settings = _settings()
        connectors = [
            DisturbedConnector(SimulatedConnector(name, FAMILIES[name].kind, providers, rng), self)
            for name in FAMILIES
        ]
        self.app = Application(
            settings=settings,
            clock=self.clock,
            engine=self._lent.enter_context(empty_database()),
            vault=Vault(settings.key_file),
            registry=_Connectors(connectors),
        )
        self._lent.enter_context(watched(self.app.engine, self))
        self.exclude()
        self._settle_in(start)
        self.accounts = {self.connect(provider).account_id: provider for provider in providers}

    def __exit__(self, *_: object) -> None:
        self._lent.close()

    def _settle_in(self, start: datetime) -> None:
        """Our people, and a customer with an open deal."""
        founded = start - timedelta(days=30)
        users = [
            {"id": number, "email": person.email, "name": person.name, "time_zone": person.zone}
            for number, person in enumerate(PEOPLE, 1)
        ]
        deal = {"company_id": 1, "owner_id": 1, "created_at": founded, "created_on": founded.date()}
        with writing(self.app.engine) as session:
            insert(session, User, users)
            insert(session, Company, [{"id": 1, "source_id": "c1", "name": "Customer"}])
            insert(session, CompanyDomain, [{"domain": "customer.example", "company_id": 1}])
            insert(session, Contact, [{"id": 1, "source_id": "p1", "name": "Buyer 1", "company_id": 1}])
            insert(
                session,
                ContactHandle,
                [{"kind": "email", "value": "buyer1@customer.example", "contact_id": 1}],
            )
            insert(session, Deal, [{"id": 1, "source_id": "d1", "name": "Deal", **deal}])

    def exclude(self) -> None:
        """Writes the never-log list as the world means it now."""
        path = self.app.settings.capture.exclusions_file
        if path is not None:
            path.write_text(self.catalogue.never.text(), encoding="utf-8")

    def connect(self, provider: Provider) -> Connected:
        """Connects, or connects again, with the password that is right now."""
        credential = PasswordCredential(provider.username, provider.password)
        email = PEOPLE[provider.user].email
        return connect_account(
            self.app, Login(email, provider.connector, {}, credential, since=provider.since)
        )

    def capture(
        self,
        account_id: int,
        disturbance: Disturbance | None = None,
        *,
        worker: str = "one",
        resync: bool = False,
    ) -> CaptureReport | None:
        """One run; None when it died, or the database took nothing more. A dead process' lease stays behind."""
        before, self.disturbance = self.disturbance, disturbance or Disturbance()
        try:
            return capture_account(self.app, account_id, worker=worker, resync=resync)
        except Crash:
            self.app.engine.dispose()
            return None
        except StoreBusy:
            return None
        finally:
            self.disturbance = before

    def rows(self, left_out: frozenset[str] = frozenset()) -> dict[str, list[Any]]:
        """Every row of every table without the times of the runs. What a call log lists again is of a later generation."""
        relisted = {"generation"} if any(p.connector == "window" for p in self.accounts.values()) else set()
        with reading(self.app.engine) as session:
            return stored.rows(session, stored.OF_THE_RUN | relisted | left_out)

    def cursors(self, account_id: int) -> dict[str, str | None]:
        with reading(self.app.engine) as session:
            found = session.execute(
                select(col(Channel.source_id), col(Channel.cursor)).where(
                    col(Channel.account_id) == account_id
                )
            )
            return dict(found.all())

    def state(self, account_id: int) -> str:
        with reading(self.app.engine) as session:
            return session.get_one(Account, account_id).state


@cache
def _settings() -> Settings:
    """Of one process: its key, which protects nobody, and a never-log list that each world writes anew."""
    home = Path(mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(rmtree, home, ignore_errors=True)
    key = home / "key"
    key.touch(mode=0o600)
    key.write_text("5e" * 32 + "\n", encoding="ascii")
    return load_settings(
        {
            "AUTOCAPTURE_HOME": str(home),
            "AUTOCAPTURE_KEY_FILE": str(key),
            "AUTOCAPTURE_CAPTURE_EXCLUSIONS_FILE": str(home / "exclusions.toml"),
        }
    )
