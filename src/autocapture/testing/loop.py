"""The real engine around one connected account, on a small real database, with a clock that stands still.

It is what the conformance suite drives: a run can be crashed, disturbed or failed at any call of the connector and at any
statement of the database.
"""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connect.registry import Registry
from autocapture.connect.vault import Vault, create_key
from autocapture.connector import Connection
from autocapture.model.accounts import Account
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User
from autocapture.settings import load_settings
from autocapture.store.engine import reading, writing
from autocapture.store.leases import LEASE_FOR
from autocapture.testing import stored
from autocapture.testing.points import Crash, Disturbance, DisturbedConnector, watched
from autocapture.testing.scratch import empty_database
from autocapture.testing.source_world import SourceWorld
from autocapture.workflows.capture import capture_account
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.open_account import open_account
from autocapture.workflows.report import CaptureReport
from autocapture.workflows.staging import RETRY_AFTER

REP = "rep@ours.example"
START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
MOST_RUNS = 12
"""Runs within which a disturbed account must come to rest."""


class _OneConnector(Registry):
    def __init__(self, connector: Any) -> None:
        super().__init__()
        self._connector = connector

    def get(self, name: str) -> Any:
        return self._connector


class Loop(AbstractContextManager["Loop"]):
    """One user, one connected account of `world`, one database."""

    def __init__(self, world: SourceWorld, *, page_limit: int = 3) -> None:
        self.world = world
        self.page_limit = page_limit
        self.disturbance = Disturbance()
        self.clock = FixedClock(START)
        self._lent = ExitStack()
        home = Path(self._lent.enter_context(TemporaryDirectory()))
        create_key(home / "key")
        self.app = Application(
            settings=load_settings(
                {"AUTOCAPTURE_HOME": str(home), "AUTOCAPTURE_NETWORK_ALLOW_NETWORKS": "127.0.0.0/8"}
            ),
            clock=self.clock,
            engine=self._lent.enter_context(empty_database()),
            vault=Vault(home / "key"),
            registry=_OneConnector(DisturbedConnector(world.connector, self)),
        )
        self._lent.enter_context(watched(self.app.engine, self))
        self.account_id = self.connect(REP)

    def __exit__(self, *_: object) -> None:
        self.world.close()
        self._lent.close()

    def connect(self, email: str) -> int:
        """Connects the world for a new user; the account's id."""
        with writing(self.app.engine) as session:
            session.add(user := User(email=email, name="Robin Rep"))
            session.flush()
            if self.world.of_others:
                now, user_id = self.clock.now(), user.id or 0
                session.add(
                    Account(
                        user_id=user_id,
                        connector="another",
                        subject=email,
                        options={},
                        state="pending",
                        created_at=now,
                    )
                )
        login = Login(email, self.world.connector.name, self.world.options, self.world.credential)
        return connect_account(self.app, login).account_id

    def open(self) -> AbstractContextManager[Connection]:
        """A connection as the engine opens it, undisturbed."""
        with reading(self.app.engine) as session:
            account = session.get_one(Account, self.account_id)
            session.expunge(account)
        self.disturbance = Disturbance()
        return open_account(self.app, account)

    def capture(self, disturbance: Disturbance | None = None) -> CaptureReport | None:
        """One run; None when it crashed. A crash leaves the lease behind, so time moves on past it."""
        self.disturbance = disturbance or Disturbance()
        self.world.on_step(self._within_a_call, 1)
        try:
            return capture_account(self.app, self.account_id, worker="loop")
        except Crash:
            self.app.engine.dispose()  # a dead process' connections are gone, and with them its open transaction
            return None
        finally:
            self.disturbance = Disturbance()
            self.clock.advance(LEASE_FOR + timedelta(seconds=1))

    def _within_a_call(self) -> None:
        self.disturbance.moment()
        self.world.on_step(self._within_a_call, 1)

    def take_over(self) -> None:
        """In the middle of a run: its worker sleeps through the lease, and another one does the whole run."""
        sleeping, self.disturbance = self.disturbance, Disturbance()
        self.clock.advance(LEASE_FOR + timedelta(seconds=1))
        try:
            capture_account(self.app, self.account_id, worker="another")
        finally:
            self.disturbance = sleeping

    def drain(self) -> None:
        """Undisturbed runs until one writes nothing. At the first, all waits are over and quarantine is read again."""
        self.clock.advance(RETRY_AFTER[-1] + timedelta(hours=1))
        before = self.rows()
        for _ in range(MOST_RUNS):
            report = self.capture()
            if report is None:
                raise AssertionError("a run that nothing disturbed crashed")
            after = self.rows()
            written = [table for table, rows in after.items() if rows != before[table]]
            if report.status == "ok" and not written:
                return
            before, last = after, f"ended {report.status} ({report.why}) and wrote to {written}"
        raise AssertionError(f"the account does not come to rest: run {MOST_RUNS} {last}")

    def held(self) -> list[Counter[str]]:
        """The contents held live, by channel, in the source's order of channels."""
        with reading(self.app.engine) as session:
            return stored.held(session, self.account_id)

    def quarantined(self) -> list[list[str]]:
        """The ids in quarantine, by channel."""
        with reading(self.app.engine) as session:
            return stored.quarantined(session, self.account_id)

    def source_ids(self) -> list[str]:
        """The live ids of the first channel."""
        with reading(self.app.engine) as session:
            channel = stored.channels(session, self.account_id)[0]
            return sorted(
                session.scalars(
                    select(col(LedgerEntry.source_id)).where(
                        col(LedgerEntry.channel_id) == channel.id, col(LedgerEntry.gone_at).is_(None)
                    )
                )
            )

    def activities(self) -> dict[str, list[int]]:
        """The ids of all activities by their contents."""
        with reading(self.app.engine) as session:
            return stored.activities(session)

    def rows(self) -> dict[str, list[Any]]:
        """Every row of what capture writes, without the times of the run itself."""
        relisted = {"generation"} if self.world.relists else set()  # what is listed again is of a later one
        with reading(self.app.engine) as session:
            return stored.rows(session, stored.OF_THE_RUN | relisted)

    def cursors(self) -> dict[str, str | None]:
        with reading(self.app.engine) as session:
            return {
                channel.source_id: channel.cursor for channel in stored.channels(session, self.account_id)
            }

    def throttled_until(self) -> datetime:
        with reading(self.app.engine) as session:
            return session.get_one(Account, self.account_id).throttle_until
