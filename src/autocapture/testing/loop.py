"""The real engine around one connected account, on a small real database, with a clock that stands still.

It is what the conformance suite drives: a run can be crashed, disturbed or failed at any call of the connector and at any
statement of the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event, select
from sqlmodel import col

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connect.registry import Registry
from autocapture.connect.vault import Vault, create_key
from autocapture.connector import (
    Broken,
    Channel,
    Connection,
    Connector,
    Gone,
    Page,
    Record,
    Tools,
)
from autocapture.model.accounts import Account
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User
from autocapture.settings import load_settings
from autocapture.store.engine import reading, writing
from autocapture.store.leases import LEASE_FOR
from autocapture.testing import stored
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


class Crash(BaseException):
    """The process dies here: nothing catches it but the test."""


@dataclass(slots=True)
class Disturbance:
    """What happens during one run: `act` at the `call`-th call of the connection (before or after it reaches the source),
    a crash at the `statement`-th statement that writes, and `at_moment` whenever the source might change: before and after
    each call, and in the middle of those into which the world can see."""

    call: int = 0
    after: bool = False
    act: Callable[[], None] | None = None
    statement: int = 0
    at_moment: Callable[[], None] | None = None
    calls: int = field(default=0, init=False)
    statements: int = field(default=0, init=False)
    dead: bool = field(default=False, init=False)

    def before_call(self) -> None:
        self.moment()
        self.calls += 1
        if self.calls == self.call and not self.after:
            self._act()

    def after_call(self) -> None:
        self.moment()
        if self.calls == self.call and self.after:
            self._act()

    def moment(self) -> None:
        if self.at_moment is not None:
            self.at_moment()

    def _act(self) -> None:
        try:
            if self.act is not None:
                self.act()
        except Crash:
            self.dead = True
            raise

    def before_statement(self, text: str) -> None:
        if self.dead:
            raise Crash  # what a `finally` would still do, a dead process does not
        if text.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT")):
            self.statements += 1
            if self.statements == self.statement:
                self.dead = True
                raise Crash


class _Disturbed:
    """A connection whose every call may be disturbed."""

    def __init__(self, inner: Connection, loop: Loop) -> None:
        self._inner = inner
        self._loop = loop

    def _call(self, ask: Callable[[], Any]) -> Any:
        disturbance = self._loop.disturbance
        disturbance.before_call()
        answer = ask()
        disturbance.after_call()
        return answer

    def channels(self) -> Sequence[Channel]:
        return self._call(self._inner.channels)  # type: ignore[no-any-return]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        return self._call(lambda: self._inner.pull(channel, cursor, limit=self._loop.page_limit))  # type: ignore[no-any-return]

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        return self._call(lambda: self._inner.get(channel, ids))  # type: ignore[no-any-return]


class _Wrapped:
    """The connector under test with disturbed connections."""

    def __init__(self, inner: Connector[Any], loop: Loop) -> None:
        self.name, self.kinds, self.auth, self.options = inner.name, inner.kinds, inner.auth, inner.options
        self._inner = inner
        self._loop = loop

    @contextmanager
    def open(self, options: Any, credential: Any, tools: Tools) -> Iterator[Connection]:
        with self._inner.open(options, credential, tools) as connection:
            yield _Disturbed(connection, self._loop)


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
            registry=_OneConnector(_Wrapped(world.connector, self)),
        )
        self._watch("before_cursor_execute", self._before_statement)
        self._watch("commit", self._before_commit)
        self.account_id = self.connect(REP)

    def __exit__(self, *_: object) -> None:
        self.world.close()
        self._lent.close()

    def _watch(self, what: str, listener: Callable[..., None]) -> None:
        """The engine is lent: what listens to it leaves it again."""
        event.listen(self.app.engine, what, listener)
        self._lent.callback(event.remove, self.app.engine, what, listener)

    def _before_statement(self, _c: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        self.disturbance.before_statement(text)

    def _before_commit(self, _connection: Any) -> None:
        self.disturbance.before_statement("COMMIT")

    def connect(self, email: str) -> int:
        """Connects the world for a new user; the account's id."""
        with writing(self.app.engine) as session:
            session.add(User(email=email, name="Robin Rep"))
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
