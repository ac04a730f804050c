"""The real engine around one connected account, on a small real database, with a clock that stands still.

It is what the conformance suite drives: a run can be crashed, disturbed or failed at any call of the connector and at any
statement of the database.
"""

from __future__ import annotations

import atexit
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from sqlalchemy import event, func, select
from sqlmodel import Session, SQLModel, col

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
from autocapture.model.accounts import Channel as StoredChannel
from autocapture.model.activities import Activity, CalendarItem, Participant
from autocapture.model.ledger import CAPTURED, QUARANTINED, LedgerEntry
from autocapture.model.organization import User
from autocapture.settings import load_settings
from autocapture.store.engine import open_engine, reading, writing
from autocapture.store.leases import LEASE_FOR
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


@cache
def _empty_database() -> Path:
    """A file with every table, made once: a search starts hundreds of loops."""
    path = Path(mkdtemp()) / "empty.db"
    atexit.register(rmtree, path.parent, ignore_errors=True)
    engine = open_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()  # the last connection to close folds the write-ahead log into the file
    return path


def _without_syncing(raw: Any, _record: object) -> None:
    """The process dies in these tests, never the machine: waiting for the disk would prove nothing."""
    raw.execute("PRAGMA synchronous = OFF")


class Crash(BaseException):
    """The process dies here: nothing catches it but the test."""


@dataclass(slots=True)
class Disturbance:
    """What happens during one run: `act` at the `call`-th call of the connection (before or after it reaches the source),
    or a crash at the `statement`-th statement that writes."""

    call: int = 0
    after: bool = False
    act: Callable[[], None] | None = None
    statement: int = 0
    calls: int = field(default=0, init=False)
    statements: int = field(default=0, init=False)
    dead: bool = field(default=False, init=False)

    def before_call(self) -> None:
        self.calls += 1
        if self.calls == self.call and not self.after:
            self._act()

    def after_call(self) -> None:
        if self.calls == self.call and self.after:
            self._act()

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
        self._directory = TemporaryDirectory()
        home = Path(self._directory.name)
        create_key(home / "key")
        self.app = Application(
            settings=load_settings(
                {"AUTOCAPTURE_HOME": str(home), "AUTOCAPTURE_NETWORK_ALLOW_NETWORKS": "127.0.0.0/8"}
            ),
            clock=self.clock,
            engine=open_engine(f"sqlite:///{home / 'loop.db'}"),
            vault=Vault(home / "key"),
            registry=_OneConnector(_Wrapped(world.connector, self)),
        )
        copyfile(_empty_database(), home / "loop.db")
        event.listen(self.app.engine, "connect", _without_syncing)
        event.listen(self.app.engine, "before_cursor_execute", self._before_statement)
        event.listen(self.app.engine, "commit", self._before_commit)
        self.account_id = self.connect(REP)

    def __exit__(self, *_: object) -> None:
        self.world.close()
        self.app.engine.dispose()
        self._directory.cleanup()

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
        try:
            return capture_account(self.app, self.account_id, worker="loop")
        except Crash:
            self.app.engine.dispose()  # a dead process' connections are gone, and with them its open transaction
            return None
        finally:
            self.disturbance = Disturbance()
            self.clock.advance(LEASE_FOR + timedelta(seconds=1))

    def take_over(self) -> None:
        """In the middle of a run: its worker sleeps through the lease, and another one does the whole run."""
        sleeping, self.disturbance = self.disturbance, Disturbance()
        self.clock.advance(LEASE_FOR + timedelta(seconds=1))
        try:
            capture_account(self.app, self.account_id, worker="another")
        finally:
            self.disturbance = sleeping

    def drain(self) -> None:
        """Undisturbed runs until two in a row find nothing; time moves on so that waits are over and quarantine is read
        again."""
        quiet = 0
        for _ in range(MOST_RUNS):
            self.clock.advance(RETRY_AFTER[-1] + timedelta(hours=1))
            report = self.capture()
            calm = report is not None and report.status == "ok" and not _found(report)
            quiet = quiet + 1 if calm else 0
            if quiet == 2:
                return
        raise AssertionError(f"the account did not come to rest within {MOST_RUNS} runs")

    def held(self) -> list[Counter[str]]:
        """The contents held live, by channel, in the source's order of channels."""
        with reading(self.app.engine) as session:
            return [Counter(_contents(session, channel)) for channel in self._channels(session)]

    def quarantined(self) -> list[int]:
        with reading(self.app.engine) as session:
            return [
                session.scalar(
                    select(func.count()).where(
                        col(LedgerEntry.channel_id) == channel.id,
                        col(LedgerEntry.outcome) == QUARANTINED,
                        col(LedgerEntry.gone_at).is_(None),
                    )
                )
                or 0
                for channel in self._channels(session)
            ]

    def source_ids(self) -> list[str]:
        """The live ids of the first channel."""
        with reading(self.app.engine) as session:
            channel = self._channels(session)[0]
            return sorted(
                session.scalars(
                    select(col(LedgerEntry.source_id)).where(
                        col(LedgerEntry.channel_id) == channel.id, col(LedgerEntry.gone_at).is_(None)
                    )
                )
            )

    def activity_count(self) -> int:
        with reading(self.app.engine) as session:
            return session.scalar(select(func.count()).select_from(Activity)) or 0

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of what capture writes, without the times of the run itself."""
        left_out = {"lease_until", "lease_no", "lease_owner", "wake_at", "last_ok_at"}
        if self.world.relists:
            left_out.add("generation")  # what is listed again is of a later generation
        with reading(self.app.engine) as session:
            return {
                table.name: sorted(
                    (
                        tuple(row)
                        for row in session.execute(select(*[c for c in table.c if c.name not in left_out]))
                    ),
                    key=repr,
                )
                for table in SQLModel.metadata.sorted_tables
            }

    def cursors(self) -> dict[str, str | None]:
        with reading(self.app.engine) as session:
            return {channel.source_id: channel.cursor for channel in self._channels(session)}

    def throttled_until(self) -> datetime:
        with reading(self.app.engine) as session:
            return session.get_one(Account, self.account_id).throttle_until

    def _channels(self, session: Session) -> list[StoredChannel]:
        found = session.scalars(
            select(StoredChannel).where(
                col(StoredChannel.account_id) == self.account_id, col(StoredChannel.enabled)
            )
        )
        return sorted(found, key=lambda channel: channel.source_id)


def _found(report: CaptureReport) -> int:
    return report.captured + report.gone + sum(report.skipped.values())


def _contents(session: Session, channel: StoredChannel) -> list[str]:
    live = (
        col(LedgerEntry.channel_id) == channel.id,
        col(LedgerEntry.outcome) == CAPTURED,
        col(LedgerEntry.gone_at).is_(None),
    )
    if channel.kind == "event":
        statement = (
            select(col(CalendarItem.data))
            .join(
                LedgerEntry,
                (col(LedgerEntry.channel_id) == col(CalendarItem.channel_id))
                & (col(LedgerEntry.source_id) == col(CalendarItem.source_id)),
            )
            .where(*live, col(CalendarItem.gone_at).is_(None))
        )
        return [data["title"] for data in session.scalars(statement)]
    statement = (
        select(Activity).join(LedgerEntry, col(LedgerEntry.activity_id) == col(Activity.id)).where(*live)
    )
    found = session.scalars(statement).all()
    if channel.kind == "email":
        return [activity.subject or "" for activity in found]
    callee = select(col(Participant.address)).where(col(Participant.role) == "callee")
    return [
        f"{session.scalar(callee.where(col(Participant.activity_id) == activity.id))}:{activity.duration_s}"
        for activity in found
    ]
