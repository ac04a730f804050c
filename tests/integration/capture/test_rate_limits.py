"""Budgets of requests: never more than the limit in any window, never much less, live news before imports."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.integration.capture.deployment import deploy

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connect.registry import Registry
from autocapture.connector import Auth, Broken, Channel, Credential, Gone, Page, Record, Ref, Tools
from autocapture.errors import RateLimited, SetupError
from autocapture.model.accounts import Account
from autocapture.model.accounts import Channel as StoredChannel
from autocapture.records import Kind
from autocapture.sections import RateLimit, RateLimits
from autocapture.store.engine import reading
from autocapture.store.rate_buckets import MARGIN, AccountMeter
from autocapture.testing.fakes.source import NoOptions, email
from autocapture.testing.scratch import empty_database
from autocapture.workflows.capture import accounts_done_waiting, capture_account, due_accounts
from autocapture.workflows.connect_account import Login, connect_account

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LIMITS = RateLimits(
    reserve=0.2,
    others={"mail": RateLimit(account=100, project=250, seconds=60, costs={"get": 20, "free": 0})},
)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


def meter(
    app: Application, clock: FixedClock, account_id: int = 1, *, backfill: bool = False
) -> AccountMeter:
    return AccountMeter(app.engine, clock, LIMITS, account_id, backfill=backfill)


def test_what_was_spent_is_free_again_when_it_left_the_window(
    either_app: Application, clock: FixedClock
) -> None:
    mail = meter(either_app, clock)
    assert mail.take("mail.get", want=3) == 3
    clock.advance(timedelta(seconds=30))
    assert mail.take("mail.get", want=9) == 2
    with pytest.raises(RateLimited) as refusal:
        mail.take("mail.list")
    assert refusal.value.retry_after == timedelta(seconds=30 + MARGIN)
    clock.advance(timedelta(seconds=30 + MARGIN))
    assert mail.take("mail.get", want=9) == 3


def test_fewer_than_the_least_are_not_taken_at_all(either_app: Application, clock: FixedClock) -> None:
    mail = meter(either_app, clock)
    mail.take("mail.get", want=3)
    with pytest.raises(RateLimited):
        mail.take("mail.get", want=5, least=3)
    assert mail.take("mail.get", want=5, least=2) == 2


def test_what_is_given_back_can_be_taken_again(either_app: Application, clock: FixedClock) -> None:
    mail = meter(either_app, clock)
    assert mail.take("mail.get", want=5) == 5
    mail.give_back("mail.get", 4)
    assert mail.take("mail.get", want=9) == 4
    mail.give_back("mail.get", 99)
    assert mail.take("mail.get", want=9) == 5


def test_a_service_without_a_limit_and_a_free_method_are_not_counted(
    app: Application, clock: FixedClock
) -> None:
    mail = meter(app, clock)
    assert mail.take("elsewhere.get", want=9_999) == 9_999
    assert mail.take("mail.free", want=9_999) == 9_999
    mail.give_back("elsewhere.get", 1)


def test_an_import_leaves_the_reserve_of_the_project_to_all_others(
    app: Application, clock: FixedClock
) -> None:
    importing = [meter(app, clock, number, backfill=True) for number in (1, 2, 3)]
    assert [mail.take("mail.get", want=9) for mail in importing[:2]] == [5, 5]
    with pytest.raises(RateLimited):
        importing[2].take("mail.list")
    assert meter(app, clock, 4).take("mail.get", want=9) == 2  # 50 units are left to news


def test_a_budget_that_can_never_suffice_is_told(app: Application, clock: FixedClock) -> None:
    with pytest.raises(SetupError, match="mail/account/1"):
        meter(app, clock).take("mail.get", want=6, least=6)


def test_a_clock_that_was_ahead_keeps_nobody_waiting(app: Application, clock: FixedClock) -> None:
    ahead = FixedClock(START + timedelta(days=300))
    meter(app, ahead).take("mail.get", want=5)
    assert meter(app, clock).take("mail.get", want=9) == 5


def test_workers_share_one_budget(either_app: Application, clock: FixedClock) -> None:
    taken: list[int] = []

    def work() -> None:
        mail = meter(either_app, clock)
        for _ in range(10):
            try:
                taken.append(mail.take("mail.list", want=3))
            except RateLimited:
                return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 100


steps = st.lists(
    st.tuples(st.floats(0, 70), st.integers(1, 9), st.sampled_from(["mail.list", "mail.get"]), st.integers(0, 3)),
    min_size=1,
    max_size=30,
)  # fmt: skip


@settings(max_examples=25)
@given(steps=steps)
def test_no_window_holds_more_than_the_limit_wherever_it_begins(
    steps: list[tuple[float, int, str, int]],
) -> None:
    clock, spent = FixedClock(START), list[tuple[float, int]]()
    with empty_database() as engine:
        mail = AccountMeter(engine, clock, LIMITS, 1, backfill=False)
        for wait, want, method, back in steps:
            clock.advance(timedelta(seconds=wait))
            cost = 20 if method == "mail.get" else 1
            try:
                calls = mail.take(method, want)
            except RateLimited as refusal:
                clock.advance(refusal.retry_after or timedelta(0))
                calls = mail.take(method, want)  # the wait it named was long enough
            returned = min(back, calls)
            mail.give_back(method, returned)
            spent.append((clock.monotonic(), (calls - returned) * cost))
    for begin, _ in spent:
        assert sum(units for at, units in spent if begin <= at <= begin + 60) <= 100


@dataclass
class Quota:
    """A provider's own books: it refuses what is more than `limit` units within any sixty seconds."""

    clock: FixedClock
    limit: int
    spent: list[tuple[float, int]] = field(default_factory=list)
    refused: int = 0

    def spend(self, units: int) -> None:
        now = self.clock.monotonic()
        if units + sum(spent for at, spent in self.spent if at > now - 60) > self.limit:
            self.refused += 1
            raise RateLimited("429")
        self.spent.append((now, units))


@dataclass
class Mailbox:
    """A mailbox like Gmail's: listing costs 5 units, reading 20 each, twenty at a time in 0.4 seconds; history costs 2."""

    quota: Quota
    clock: FixedClock
    messages: int
    arrived: list[tuple[float, int]] = field(default_factory=list)
    name: str = "mailbox"
    kinds: frozenset[Kind] = frozenset({"email"})
    auth: Auth = field(default_factory=lambda: Auth("none"))
    options: type[NoOptions] = NoOptions
    meter: Any = None

    @contextmanager
    def open(self, options: NoOptions, credential: Credential, tools: Tools) -> Iterator[Mailbox]:
        self.meter, held = tools.meter, 0
        yield self
        self.meter.give_back("gmail.messages.get", held)

    def channels(self) -> Sequence[Channel]:
        return [Channel("mailbox", "email", "Mailbox")]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        first = int(cursor.removeprefix("at ")) if cursor else self.messages
        if cursor and cursor.startswith("at "):
            self.meter.take("gmail.history.list")
            self.quota.spend(2)
            newest = max(
                (number for at, number in self.arrived if at <= self.clock.monotonic()), default=first
            )
            if newest > first:
                self.meter.take("gmail.messages.get", newest - first, newest - first)
            return Page([Ref(str(number)) for number in range(first + 1, newest + 1)], f"at {newest}")
        self.meter.take("gmail.messages.list")
        self.quota.spend(5)
        several = self.meter.take("gmail.messages.get", want=min(20, max(first, 1)))
        listed = range(first, max(first - several, 0), -1)
        left = max(first - several, 0)
        refs = [Ref(str(number)) for number in listed]
        return Page(refs, str(left) if left else f"at {self.messages}", more=left > 0, complete=left == 0)

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        self.quota.spend(20 * len(ids))
        self.clock.advance(timedelta(seconds=0.4))
        return [Record(source_id, email(int(source_id) % 1_000_000)) for source_id in ids]


class OneOf(Registry):
    def __init__(self, connectors: dict[str, Any]) -> None:
        self.connectors = connectors

    def get(self, name: str) -> Any:
        return self.connectors[name]


def simulate(app: Application, clock: FixedClock, *, until: float) -> None:
    """The service's looks at what is due: every five seconds at all, every second at those that waited."""
    while clock.monotonic() < until:
        look = due_accounts if int(clock.monotonic()) % 5 == 0 else accounts_done_waiting
        for account_id in look(app):
            capture_account(app, account_id)
        clock.advance(timedelta(seconds=round(1 - clock.monotonic() % 1, 3) or 1))


def imported(app: Application, connectors: dict[str, Any]) -> Application:
    """`app` with one account for each connector, a rep each."""
    object.__setattr__(app, "registry", OneOf(connectors))
    for name, person in zip(connectors, ("ruth@ours.example", "sam@ours.example"), strict=False):
        connect_account(app, Login(person, name, {}))
    return app


def test_an_import_uses_what_the_provider_gives_and_is_never_refused(tmp_path: Path) -> None:
    """The account's budget is Gmail's: 300 messages a minute."""
    clock = FixedClock(START)
    app = deploy(tmp_path / "home", clock=clock)
    quota = Quota(clock, 6_000)
    imported(app, {"mailbox": Mailbox(quota, clock, 1_900)})
    simulate(app, clock, until=6 * 60)
    app.engine.dispose()
    used = sum(units for at, units in quota.spent if 60 <= at < 360)
    assert quota.refused == 0
    assert used / (5 * 6_000) >= 0.95


def test_however_long_a_provider_asks_for_peace_it_is_asked_again_after_an_hour(
    tmp_path: Path, clock: FixedClock
) -> None:
    app = deploy(tmp_path / "home", clock=clock)

    class Shut(Mailbox):
        def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
            raise RateLimited("come back on Wednesday", timedelta(days=3))

    imported(app, {"mailbox": Shut(Quota(clock, 0), clock, 1)})
    assert capture_account(app, 1).status == "rate_limited"
    clock.advance(timedelta(minutes=59))
    assert (due_accounts(app), accounts_done_waiting(app)) == ([], [])
    clock.advance(timedelta(minutes=2))
    assert due_accounts(app) == [1]
    app.engine.dispose()


def test_news_of_another_mailbox_is_as_fresh_while_one_is_imported(tmp_path: Path) -> None:
    """The project's budget is what both share; here it is no larger than one account's."""
    clock = FixedClock(START)
    app = deploy(tmp_path / "home", clock=clock)
    limits = RateLimits.model_validate({"gmail": {"project": 6_000}})
    object.__setattr__(app, "settings", app.settings.model_copy(update={"rate_limits": limits}))
    quota = Quota(clock, 6_000)
    arrivals = [(60.0 + 20 * number, number + 1) for number in range(12)]
    live = Mailbox(quota, clock, 0, arrivals, name="live")
    imported(app, {"live": live})
    simulate(app, clock, until=30)
    imported(app, {"live": live, "mailbox": Mailbox(quota, clock, 2_000)})
    seen: list[tuple[float, int]] = []
    for moment in range(35, 330, 5):
        simulate(app, clock, until=moment)
        with reading(app.engine) as session:
            cursor = session.get_one(StoredChannel, 1).cursor or ""
            assert session.get_one(Account, 1).throttle_until <= clock.now()
        seen.append((clock.monotonic(), int(cursor.removeprefix("at "))))
    app.engine.dispose()
    assert quota.refused == 0
    for at, number in arrivals:
        visible = next(moment for moment, newest in seen if newest >= number)
        assert visible - at <= 75  # the interval, its spread, and a look
