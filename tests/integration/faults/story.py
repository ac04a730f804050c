"""An account's life at its provider, moment by moment, with a gateway before every server: it is lived through undisturbed, and
once more for each way in which each request can fail.

A person who meets an error tries again; the service waits as it was told. Nothing else mends anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from contextlib import AbstractContextManager, ExitStack
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import requests
from sqlmodel import select
from tests.integration.capture.deployment import everything, settle
from tests.integration.faults.tls import Tls

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.clock import FixedClock
from autocapture.connect.http import open_session
from autocapture.connect.registry import Registry
from autocapture.connector import Connector
from autocapture.errors import AutocaptureError
from autocapture.model.accounts import LONG_AGO, Account, Channel
from autocapture.model.ledger import QUARANTINED
from autocapture.model.watching import Census, Subscription
from autocapture.settings import Settings, load_settings
from autocapture.store.engine import reading
from autocapture.testing.fakes.gateway import Gateway, Kind, Reply, Site, Wire
from autocapture.testing.fakes.gateway.server import RouteOf
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.census import take_census
from autocapture.workflows.dead_logins import dead_logins
from autocapture.workflows.nightly_census import Censuses
from autocapture.workflows.subscriptions import accounts_to_watch, end_subscriptions, keep_watched

BEGINS = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
MOST_BYTES = 2 << 20
"""Of one answer: what is much longer shall be cheap to send."""

PATIENCE, SHORT = timedelta(seconds=20), timedelta(seconds=0.8)
LONGEST = timedelta(hours=60)
"""What one moment may last, with everything that has to be waited for."""

MOST_TRIES = 250
DATABASE = "autocapture.db"

NOT_TOLD = {
    "audit_entry", "census", "credential", "dirty_cell", "freshness", "rate_bucket", "reconnect_notice", "stall", "subscription",
    "try_bucket",
}  # fmt: skip
"""What tells how often something was tried, and when."""

AS_A_FACT = {"gone_at": "ledger calendar_item", "tries": "ledger"}
"""Columns of which it matters that they say something: when it was, or how often, depends on what went wrong."""

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Impatient(Application):
    """An application that waits for an answer no longer than a test can."""

    patience: timedelta = PATIENCE

    @property
    def open_http(self) -> partial[requests.Session]:
        allowed, ca_file = self.dial_allowed, self.settings.network.ca_file
        return partial(_open_session, allowed, ca_file=ca_file, patience=self.patience)


def _open_session(
    allowed: Callable[[str], bool], *, patience: timedelta, total: timedelta = PATIENCE, **more: Any
) -> requests.Session:
    return open_session(allowed, total=min(total, patience), **{**more, "most_bytes": MOST_BYTES})


class _Begun(Registry):
    """Connectors as a process has them that has just begun."""

    def __init__(self, installed: Registry) -> None:
        self._installed = installed
        self._made: dict[str, Connector[Any]] = {}

    def get(self, name: str) -> Connector[Any]:
        return self._made.setdefault(name, type(self._installed.get(name))())


@dataclass
class Told:
    """What was seen on the way: every state that a capture came to, and what people and other workers were told."""

    statuses: list[str] = field(default_factory=list)
    whys: list[str] = field(default_factory=list)
    errors: list[AutocaptureError] = field(default_factory=list)
    reconnected: int = 0


@dataclass(frozen=True)
class Stand:
    """How everything stood at one time: the rows, and what each server knew."""

    at: datetime
    account_id: int
    database: bytes
    known: Sequence[tuple[Any, Mapping[str, Any]]]


class Story(AbstractContextManager["Story"], ABC):
    """`home` is a deployment of its own; `moments` are lived through in their order, each at its own hour.

    Any of them can be lived through again, from how everything stood before it.
    """

    askers: Mapping[str, str] = {
        "connected": "a person", "previewed": "a person", "revoked": "a person", "watched": "a subscription",
        "prolonged": "a subscription", "forgotten": "a subscription", "unwatched": "a subscription", "counted": "a census",
    }  # fmt: skip
    may_be_told: Set[str] = {"ok", "incomplete", "unreachable", "rate_limited"}
    """What a capture comes to where nobody has to act."""

    moments: Sequence[tuple[str, timedelta]]
    """What happens (a method of that name), and how long after the account's beginning."""

    def __init__(self, home: Path, tls: Tls) -> None:
        self.home, self.tls = home, tls
        self.clock = FixedClock(BEGINS)
        self.wire = Wire()
        self.told = Told()
        self.account_id = 0
        self.stack = ExitStack()
        self.sites: dict[str, list[Site]] = {}
        self.wire_met: list[Site] = []
        self._before: dict[str, Stand] = {}
        self._after: dict[str, Stand] = {}
        self._rows_after: dict[str, Rows] = {}
        self._words: dict[str, Mapping[int, Reply]] = {}

    def __enter__(self) -> Self:
        self.begin()
        settings = load_settings({"AUTOCAPTURE_HOME": str(self.home)})
        network = settings.network.model_copy(update={"ca_file": self.tls.authority})
        self._settings = settings.model_copy(update={"network": network, **self.settings(settings)})
        self._made = build(self._settings, self.clock)
        self.stack.callback(self._made.engine.dispose)
        self.app = self._opened(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    @abstractmethod
    def begin(self) -> None:
        """Starts the servers."""

    @abstractmethod
    def settings(self, settings: Settings) -> Mapping[str, Any]:
        """The sections that lead to them."""

    @abstractmethod
    def servers(self) -> Sequence[tuple[Any, Sequence[str]]]:
        """The servers, and which attributes of each hold what it knows."""

    @abstractmethod
    def connect(self) -> int:
        """What a person does to connect the account; its number."""

    @abstractmethod
    def news(self) -> None:
        """Something more happens at the source."""

    def gateway(self, service: str, upstream: str, route_of: RouteOf, words: Mapping[int, Reply]) -> Gateway:
        self._words[service] = words
        made = Gateway(
            self.wire,
            service,
            upstream,
            route_of,
            words=words,
            served=self.tls.served,
            trusted=self.tls.trusted,
        )
        return self.stack.enter_context(made)

    # living through it

    def live(self) -> None:
        """Everything, undisturbed. `sites` tells afterwards where anything was asked: of each that is told apart by who asks, by
        its route and by its place, the first."""
        for name, after in self.moments:
            self._wait_until(after)
            self._before[name] = self._stand()
            self._live(name, after)
            self._after[name] = self._stand()
        self.sites = {name: [] for name, _ in self.moments}
        self.wire_met = list(self.wire.met)
        known: set[tuple[str, str, str, str]] = set()
        for site in self.wire.met:  # in the order in which they were met
            place = (self.who(site.moment), site.service, site.route, site.place)
            if place not in known:
                known.add(place)
                self.sites[site.moment].append(site)

    def who(self, moment: str) -> str:
        """Who asks in a moment, and hears of what goes wrong."""
        return self.askers.get(moment, "a capture")

    def applies(self, kind: Kind, site: Site) -> bool:
        """Whether the site's server has such words."""
        return kind.word is None or kind.word in self._words[site.service]

    def in_a_row(self, site: Site) -> int:
        """How often it may fail in one life. A text that breaks the connection twice in a row even alone is done without."""
        return 1 if site.route.endswith("with texts") else 3

    def live_again(self, moment: str, planned: Mapping[Site, Sequence[Kind]]) -> set[tuple[Site, Kind]]:
        """A moment in which each site meets its kinds, one after the other; what was met. Everything must be as if it had not
        been."""
        after = dict(self.moments)[moment]
        undisturbed = self._undisturbed(moment)
        self._restore(self._before[moment])
        kinds = {kind for each in planned.values() for kind in each}
        self.told = Told()
        self.app = self._opened(SHORT if any(kind.waits for kind in kinds) else PATIENCE)
        self.wire.break_at(planned)
        self._live(moment, after)
        struck = set(self.wire.struck)
        self.must_have_been_told(kinds)
        differs = differing(undisturbed, self._epilogue(after))
        assert not differs, (
            f"not as without {sorted(f'{kind} at {site}' for site, kind in struck)}: {differs}"
        )
        return struck

    def must_have_been_told(self, kinds: Collection[Kind]) -> None:
        """Nobody is asked to act by what passes by itself."""
        if all(kind.means == "passing" for kind in kinds):
            assert set(self.told.statuses) <= self.may_be_told, self.told.whys
            assert not self.told.reconnected

    def _undisturbed(self, moment: str) -> Rows:
        """The rows, later, of a life in which nothing failed."""
        if moment not in self._rows_after:
            self._restore(self._after[moment])
            self._rows_after[moment] = self._epilogue(dict(self.moments)[moment])
        return self._rows_after[moment]

    def _live(self, name: str, after: timedelta) -> None:
        self.wire.moment = name
        self.wire.heal()
        getattr(self, name)()
        self.wire.heal()
        assert self.clock.now() < BEGINS + after + LONGEST, f"{name!r} lasted too long"

    def _epilogue(self, after: timedelta) -> Rows:
        """Later: what is new is captured, then nothing changes any more, nothing is held, and nothing is missing."""
        self.wire.moment = "epilogue"
        self.wire.heal()
        self._wait_until(after + LONGEST)
        self.app = self._opened(PATIENCE)
        self.news()
        self.caught_up()
        self.must_be_at_rest()
        return self.rows()

    def _wait_until(self, after: timedelta) -> None:
        until = BEGINS + after
        assert self.clock.now() <= until, "what was before lasted too long"
        self.clock.advance(until - self.clock.now())

    def _opened(self, patience: timedelta) -> Application:
        """As a process that has just begun: nothing is held or remembered but statements that were compiled."""
        made = self._made
        registry = _Begun(made.registry)
        return Impatient(self._settings, self.clock, made.engine, made.vault, registry, patience=patience)

    def _stand(self) -> Stand:
        with self._made.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self._made.engine.dispose()
        known = [
            (server, {name: deepcopy(getattr(server, name), {id(server): server}) for name in names})
            for server, names in self.servers()
        ]
        return Stand(self.clock.now(), self.account_id, (self.home / DATABASE).read_bytes(), known)

    def _restore(self, stand: Stand) -> None:
        self.wire.forget()
        self._made.engine.dispose()
        for name in (f"{DATABASE}-wal", f"{DATABASE}-shm"):
            (self.home / name).unlink(missing_ok=True)
        (self.home / DATABASE).write_bytes(stand.database)
        for server, known in stand.known:
            for name, value in known.items():
                setattr(server, name, deepcopy(value, {id(server): server}))
        self.account_id = stand.account_id
        self.clock.advance(stand.at - self.clock.now())

    # moments that all have

    def connected(self) -> None:
        self.account_id = self.insist(self.connect)

    def caught_up(self) -> None:
        """What the service does at its ticks, until the account is as it should be."""
        since = self.clock.now()
        for _ in range(MOST_TRIES):
            self.wire.heal()
            for account_id in due_accounts(self.app):
                report = capture_account(self.app, account_id)
                self.told.statuses.append(report.status)
                self.told.whys.append(str(report.why))
            self.reconnect_if_asked()
            if self.is_caught_up(since):
                settle(self.app)
                return
            self.clock.advance(self.until_due())
        raise AssertionError(f"it never came to rest: {self.told.statuses[-3:]} {self.told.whys[-3:]}")

    def watched(self) -> None:
        """Subscriptions are asked for, or prolonged."""
        for _ in range(MOST_TRIES):
            self.wire.heal()
            for account_id in accounts_to_watch(self.app):
                keep_watched(self.app, account_id)
            rows = self._rows(Subscription)
            if rows and all(self.is_watched(row) for row in rows):
                return
            self.clock.advance(timedelta(minutes=2))
        raise AssertionError(f"it is not watched: {[(row.state, row.last_error) for row in rows]}")

    def is_watched(self, row: Subscription) -> bool:
        now = self.clock.now()
        return row.state == "unwatchable" or (row.state == "active" and not row.fails and row.due_at > now)

    def counted(self) -> None:
        """The census of a night."""
        censuses = Censuses(self.app)
        censuses.due()
        self.clock.advance(max(self._rows(Census)[0].due_at - self.clock.now(), timedelta()))
        for _ in range(MOST_TRIES):
            self.wire.heal()
            for account_id in due_accounts(self.app):
                report = capture_account(self.app, account_id)
                self.told.statuses.append(report.status)
                self.told.whys.append(str(report.why))
            self.reconnect_if_asked()
            due = censuses.due()
            if due and censuses.go_on(due[0]):
                row = self._rows(Census)[0]
                assert (row.missing, row.last_error) == (0, None)
                return
            self.clock.advance(timedelta(seconds=61) if due else timedelta(minutes=10))
        raise AssertionError("it was never counted")

    def listed_anew(self) -> None:
        """What `capture --resync` does, and the service after it."""
        self.wire.heal()
        report = capture_account(self.app, self.account_id, resync=True)
        self.told.statuses.append(report.status)
        self.told.whys.append(str(report.why))
        self.clock.advance(timedelta(seconds=90))
        self.caught_up()

    def unwatched(self) -> None:
        """What pausing or disconnecting does; what the provider does not take lapses by itself."""
        self.wire.heal()
        end_subscriptions(self.app, self.account_id)
        assert self._rows(Subscription) == []

    # what they are made of

    def insist(self, ask: Callable[[], Found]) -> Found:
        """A person tries until it goes well."""
        for _ in range(MOST_TRIES):
            self.wire.heal()
            try:
                return ask()
            except AutocaptureError as problem:
                self.told.errors.append(problem)
                self.clock.advance(getattr(problem, "retry_after", None) or timedelta(minutes=1))
        raise AssertionError(f"it never went well: {self.told.errors[-1]!r}")

    def reconnect_if_asked(self) -> None:
        """A dead login is told once, and nobody is asked with it until its owner has signed in again."""
        if self.account.state != "needs_reconnect":
            return
        assert [dead.account_id for dead in dead_logins(self.app)] == [self.account_id]
        self.wire.heal()
        met = self.wire.met.total()
        self.clock.advance(timedelta(minutes=10))
        assert due_accounts(self.app) == []
        assert capture_account(self.app, self.account_id).status == "needs_reconnect"
        assert self.wire.met.total() == met, "a dead login was tried again"
        self.told.reconnected += 1
        assert self.insist(self.connect) == self.account_id, "it is another account"
        assert dead_logins(self.app) == []

    @property
    def account(self) -> Account:
        rows = self._rows(Account)
        return next((row for row in rows if row.id == self.account_id), rows[0])

    def is_caught_up(self, since: datetime) -> bool:
        account, channels = self.account, [row for row in self._rows(Channel) if row.enabled]
        rested = all(
            row.backfilled
            and row.last_error is None
            and row.last_ok_at is not None
            and row.last_ok_at >= since
            for row in channels
        )
        return (
            bool(channels) and rested and (account.state, account.fails, account.why) == ("active", 0, None)
        )

    def until_due(self) -> timedelta:
        wakes = [row.wake_at for row in self._rows(Channel) if row.enabled]
        due = max(min(wakes, default=LONG_AGO), self.account.throttle_until)
        return max(due - self.clock.now(), timedelta(seconds=1))

    def must_be_at_rest(self) -> None:
        """No lease is held, a further look finds nothing, and nothing at the source is missing here."""
        self.clock.advance(timedelta(minutes=5))
        report = capture_account(self.app, self.account_id)
        assert (report.status, report.captured, report.gone) == ("ok", 0, 0), report
        account = self.account
        assert (account.lease_owner, account.state, account.fails) == (None, "active", 0)
        assert all(found.equal for found in take_census(self.app, self.account_id))

    def rows(self) -> Rows:
        """Everything that is stored, but for how it came to be."""
        told = {name: rows for name, rows in everything(self.app).items() if name not in NOT_TOLD}
        told["account"] = [
            {**row, "counted": None} for row in told["account"]
        ]  # asked for again after reconnecting
        for column, tables in AS_A_FACT.items():
            for name in tables.split():
                told[name] = [{**row, column: row[column] is not None} for row in told[name]]
        told["ledger"] = [
            {**row, "reason": None, "version": None} if row["outcome"] == QUARANTINED else row
            for row in told["ledger"]
        ]  # what cannot be read anyhow may have been asked for over a broken connection last
        return told

    def _rows(self, model: Any) -> list[Any]:
        with reading(self.app.engine) as session:
            found = list(session.exec(select(model)).all())
            session.expunge_all()
            return found


def differing(some: Rows, others: Rows) -> dict[str, list[Any]]:
    """By table, the rows that only one of the two has."""
    return {
        name: [
            [row for row in some[name] if row not in others[name]],
            [row for row in others[name] if row not in some[name]],
        ]
        for name in some
        if some[name] != others[name]
    }
