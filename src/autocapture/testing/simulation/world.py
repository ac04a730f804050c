"""A world and its course: one seed decides what happens at the providers, to the clock, to the network and to the process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from random import Random

from autocapture.errors import CredentialRejected, RateLimited, Unreachable
from autocapture.store.leases import LEASE_FOR
from autocapture.testing.points import Crash, Disturbance
from autocapture.testing.simulation.at_rest import broken_promises, broken_rollups, live_ids
from autocapture.testing.simulation.catalogue import Catalogue
from autocapture.testing.simulation.changes import Changes
from autocapture.testing.simulation.crm import Crm
from autocapture.testing.simulation.deployment import Deployment
from autocapture.testing.simulation.providers import FAMILIES, LIES, Provider
from autocapture.testing.simulation.trace import Trace, Violation
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.meetings import settle_meetings
from autocapture.workflows.report import CaptureReport
from autocapture.workflows.rollups import refresh_rollups
from autocapture.workflows.staging import RETRY_AFTER

STARTS = (
    datetime(2026, 10, 24, 21, 0, tzinfo=UTC),  # Europe leaves summer time in the night
    datetime(2026, 10, 31, 22, 0, tzinfo=UTC),  # New York a week later
    datetime(2027, 3, 27, 20, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 18, 0, tzinfo=UTC),
)
MOST_PASSES = 12
"""Over all accounts, within which an undisturbed world must come to rest."""
IDLE_REQUESTS = 4
"""The most that one idle channel may cost, the account's list of channels included."""

STEPS = (2, 3, 3, 3, 4, 5)
OTHER_ACCOUNTS = (0, 0, 0, 0, 0, 1, 1, 2)
ADDING_UP = 0.1
"""The share of worlds whose rollups are looked at: it takes as long as all else."""

SEALED = ("credential", "kept_key")
KEYED = frozenset({"message_hash"})
"""Tables and columns that no seed decides: what is sealed has a nonce, and hashes have a key that is drawn."""

GAPS = (3, 0, 1, 2, 5, 8)
CALLS = (1, 2, 2, 3, 3, 4, 5, 7)
"""Which of a run's calls of the connection is disturbed: an idle run makes two or three, one with news a few more."""


class World(AbstractContextManager["World"]):
    def __init__(self, seed: int, trace: Trace) -> None:
        self._rng, self._trace = Random(f"autocapture {seed}"), trace
        rng = self._rng
        self.catalogue = Catalogue()
        start = rng.choice(STARTS) + timedelta(minutes=rng.randrange(240))
        self.providers = _providers(rng, self.catalogue, start)
        self.deployment = Deployment(self.providers, self.catalogue, start, rng)
        self.clock, self.app = self.deployment.clock, self.deployment.app
        self.changes = Changes(
            self.catalogue, self.providers, rng, trace, self._true_time, self.deployment.exclude
        )
        self.crm = Crm(self.app)
        self._has_meetings = any(provider.kind == "event" for provider in self.providers)
        self._adds_up = rng.random() < ADDING_UP
        self._live: dict[int, set[tuple[str, str]]] = {}
        names = ", ".join(f"{key} {each.username} since {each.since}" for key, each in self._accounts())
        trace.tell(f"begins at {start:%Y-%m-%d %H:%M} with {names}, pages of {self.deployment.page_limit}")

    def __exit__(self, *_: object) -> None:
        self.deployment.__exit__()

    def live(self) -> None:
        """The whole course; raises Violation at the first promise that is broken."""
        self.changes.begin(self._rng.randint(4, 8))
        for _ in range(self._rng.choice(STEPS)):
            self._step()
        self._heal()
        self._rest()

    def _true_time(self) -> datetime:
        return self.clock.now() - self.clock.wrong_by

    def _accounts(self) -> list[tuple[int, Provider]]:
        return sorted(self.deployment.accounts.items())

    def _step(self) -> None:
        for _ in range(self._rng.choice((1, 1, 2, 3))):
            self.changes.happen()
        self._time_passes()
        self._reconnect(only_some=True)
        for account_id in due_accounts(self.app)[:1]:
            self._disturbed_run(account_id)
        if self._has_meetings and self._rng.random() < 0.2:
            settle_meetings(self.app)
        if self._adds_up and self._rng.random() < 0.3:
            refresh_rollups(self.app)
        if self._rng.random() < 0.3:
            self.crm.push()

    def _time_passes(self) -> None:
        rng, what = self._rng, self._rng.random()
        self.clock.advance(timedelta(seconds=rng.randrange(60, 900)))
        if what < 0.75:
            return
        if what < 0.85:
            by = timedelta(minutes=rng.randrange(60, 600))  # suspended: nobody counted
        elif what < 0.93:
            by = timedelta(hours=rng.randrange(1, 60))
        else:
            by = -timedelta(minutes=rng.randrange(1, 240))
        self.clock.wrong_by += by
        for provider in self.providers:
            provider.throttled_until = None  # who does not know the time cannot keep to one
        self._trace.tell(f"the clock leaps by {by}")

    def _reconnect(self, *, only_some: bool) -> None:
        for account_id, provider in self._accounts():
            if not provider.is_told or (only_some and self._rng.random() < 0.5):
                continue
            before = self.deployment.cursors(account_id)
            provider.is_told, provider.throttled_until = False, None
            provider.lies = frozenset()
            connected = self.deployment.connect(provider)
            self._trace.tell(f"{provider.username} is connected again")
            _require(
                connected.account_id == account_id and not connected.is_new, "an account became another one"
            )
            _require(self.deployment.cursors(account_id) == before, "reconnecting lost a cursor")

    def _disturbed_run(self, account_id: int) -> None:
        rng, provider = self._rng, self.deployment.accounts[account_id]
        provider.lies = frozenset(rng.sample(LIES, rng.choice((0, 0, 1, 2))))
        disturbance = Disturbance(call=rng.choice(CALLS), after=rng.random() < 0.5)
        name, act = rng.choice(self._disturbances(account_id, disturbance))
        disturbance.act = act
        if name in ("killed at a statement", "busy"):
            disturbance.call, disturbance.statement = 0, rng.randint(1, 60)
            disturbance.busy = name == "busy"
        during = [rng.choice(GAPS) for _ in range(rng.choice((0, 0, 1, 2)))]
        self._run(account_id, disturbance, name, during)

    def _disturbances(
        self, account_id: int, disturbance: Disturbance
    ) -> Sequence[tuple[str, Callable[[], None] | None]]:
        provider = self.deployment.accounts[account_id]

        def unreachable() -> None:
            raise Unreachable("gone")

        def limited() -> None:
            seconds = self._rng.choice((None, 1, 90, 3_600))
            wait = None if seconds is None else timedelta(seconds=seconds)
            provider.throttled_until = None if wait is None else self.clock.now() + wait
            raise RateLimited("later", wait)

        def rejected() -> None:
            provider.password += "x"
            raise CredentialRejected("the password was changed")

        def defect() -> None:
            raise TypeError("a defect of the connector")

        def die() -> None:
            raise Crash

        return (
            ("undisturbed", None),
            ("undisturbed", None),
            ("unreachable", unreachable),
            ("rate limited", limited),
            ("login dies", rejected),
            ("defect", defect),
            ("killed at a call", die),
            ("killed at a statement", None),
            ("killed at a statement", None),
            ("busy", None),
            ("taken over", lambda: self._take_over(account_id)),
            ("asked for twice", lambda: self._ask_for_twice(account_id)),
            ("suspended", lambda: self.clock.advance(LEASE_FOR * 3)),
        )

    def _take_over(self, account_id: int) -> None:
        """The worker sleeps through its lease, and another one does the whole run. The sleeper must write nothing more."""
        self.clock.advance(LEASE_FOR + timedelta(seconds=1))
        self.changes.happen()
        report = self.deployment.capture(account_id, worker="two")
        self._note(account_id, report)
        self._taken_over = self.deployment.rows()

    def _ask_for_twice(self, account_id: int) -> None:
        before, self.deployment.disturbance = self.deployment.disturbance, Disturbance()
        try:
            report = capture_account(self.app, account_id, worker="two")
        finally:
            self.deployment.disturbance = before
        _require(report.status == "busy", f"two workers are in one account: {report.status}")

    def _run(self, account_id: int, disturbance: Disturbance, name: str, during: Sequence[int]) -> None:
        provider = self.deployment.accounts[account_id]
        gaps = deque(during)

        def at_moment() -> None:
            if gaps and gaps[0] <= 0:
                gaps.popleft()
                self.changes.happen()
            elif gaps:
                gaps[0] -= 1

        def within_a_call() -> None:
            disturbance.moment()
            provider.source.on_step(within_a_call, 1)

        disturbance.at_moment = at_moment
        provider.source.on_step(within_a_call, 1)
        self._taken_over = None
        before = provider.ids()
        provider.touched.clear()
        report = self.deployment.capture(account_id, disturbance, worker="one")
        gaps.clear()  # what was to happen in a run that is over does not happen
        told = (
            "died" if report is None else f"{report.status} ({report.why})" if report.why else report.status
        )
        where = f"call {disturbance.call}" if disturbance.call else f"statement {disturbance.statement}"
        self._trace.tell(f"{self.clock.now():%m-%d %H:%M} {provider.username} {name} at {where}: {told}")
        self._note(account_id, report)
        if self._taken_over is not None:
            _require(report is not None and report.status == "busy", "a worker went on without its lease")
            _require(self.deployment.rows() == self._taken_over, "a worker wrote without its lease")
        if report is not None and name != "defect":
            _require(report.status not in ("broken", "setup"), f"a defect: {report.why}")
        self._check_stability(account_id, before)

    _taken_over: object = None

    def _note(self, account_id: int, report: CaptureReport | None) -> None:
        provider = self.deployment.accounts[account_id]
        if report is not None and report.status == "needs_reconnect":
            provider.is_told = True
        for offence in provider.offences:
            raise Violation(offence)

    def _check_stability(self, account_id: int, before: dict[tuple[str, str], int]) -> None:
        """What was held and stayed at the provider untouched is held still."""
        provider = self.deployment.accounts[account_id]
        held = live_ids(self.app, account_id)
        there = provider.ids()
        for key in sorted(self._live.get(account_id, set()) - held):
            untouched = key in before and key in there and there[key] not in provider.touched
            _require(not untouched, f"disappeared: {key} of {provider.username} was there all the time")
        self._live[account_id] = held

    def _heal(self) -> None:
        """Nothing goes wrong any more, whoever must act has acted, and all waits are over."""
        self._trace.tell("all is well from now on")
        self.changes.catch_up()
        if self.catalogue.never.added or self._rng.random() < 0.7:
            self.changes.heal()
        self._reconnect(only_some=False)
        for provider in self.providers:
            provider.lies, provider.throttled_until = frozenset(), None
        if self.clock.wrong_by > timedelta(
            0
        ):  # what waits for a time that is years away must not wait for it
            self.clock.wrong_by = timedelta(0)
            self.clock.advance(LEASE_FOR)
            for account_id in due_accounts(self.app):
                self.deployment.capture(account_id)
        self.clock.wrong_by = timedelta(0)
        self.clock.advance(RETRY_AFTER[-1] + timedelta(hours=1))

    def _rest(self) -> None:
        """Undisturbed passes until one writes nothing; then every promise is checked."""
        written, resync = ["everything"], self.catalogue.never.added
        before = None
        for passes in range(MOST_PASSES):
            asked = [(each, each.source.requests, each.listed) for each in self.providers]
            self._pass(resync=resync)
            resync = False
            after = self.deployment.rows()
            written = [table for table, rows in after.items() if before is None or rows != before[table]]
            before = after
            if not written:
                self._trace.tell(f"at rest after {passes} passes")
                self._check_idle(asked)
                break
        _require(not written, f"the world does not come to rest: pass {MOST_PASSES} wrote to {written}")
        if self._has_meetings:
            settle_meetings(self.app)
        self.crm.push()
        broken = broken_promises(self.deployment)
        if self._adds_up:
            broken.extend(broken_rollups(self.app))
        broken.extend(self.crm.broken_promises(told_anew=self.catalogue.never.added))
        for table, rows in sorted(self.deployment.rows(left_out=KEYED).items()):
            if table not in SEALED:
                self._trace.add(f"{table} {rows}")
        _require(not broken, "; ".join(broken[:5]))

    def _pass(self, *, resync: bool) -> None:
        self.clock.advance(LEASE_FOR)
        due = set(due_accounts(self.app))
        for account_id, provider in self._accounts():
            _require(account_id in due, f"{provider.username} is not captured any more")
            report = self.deployment.capture(account_id, resync=resync)
            self._note(account_id, report)
            _require(
                report is not None and report.status == "ok", f"a run that nothing disturbed ended {report}"
            )
            self.clock.advance(timedelta(seconds=20))

    def _check_idle(self, asked: Sequence[tuple[Provider, int, int]]) -> None:
        for provider, requests, listed in asked:
            most = IDLE_REQUESTS * (len(provider.places()) + 1)
            _require(
                provider.source.requests - requests <= most,
                f"{provider.username} costs much where nothing is new",
            )
            quiet = provider.connector == "window" or provider.listed == listed
            _require(quiet, f"the cursor of {provider.username} is not at the head")


def _require(holds: bool, promise: str) -> None:
    if not holds:
        raise Violation(promise)


def _providers(rng: Random, catalogue: Catalogue, start: datetime) -> list[Provider]:
    """Two to four accounts of our people, of one family twice."""
    wanted = [(name, user) for name in FAMILIES for user in range(2)]
    shared = rng.choice(list(FAMILIES))
    chosen = [(shared, 0), (shared, 1)]
    others = [each for each in wanted if each not in chosen]
    chosen += rng.sample(others, rng.choice(OTHER_ACCOUNTS))
    return [FAMILIES[name](user, _since(rng, start), catalogue) for name, user in chosen]


def _since(rng: Random, start: datetime) -> date | None:
    return None if rng.random() < 0.8 else (start - timedelta(days=2)).date()
