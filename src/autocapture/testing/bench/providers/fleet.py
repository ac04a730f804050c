"""Many mailboxes beside one another: how fresh their mail is, and what processor time and memory it takes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

from sqlalchemy import func, select
from sqlmodel import col

from autocapture.application import Application
from autocapture.model.accounts import Account, Channel
from autocapture.store.engine import reading
from autocapture.testing.bench.memory import own_peak_mb
from autocapture.testing.bench.providers.accounts import (
    GOOGLE_SCOPES,
    TimedRegistry,
    connect,
    deploy,
    scratch_home,
    timed,
)
from autocapture.testing.bench.providers.freshness import delays, quantile
from autocapture.testing.bench.providers.mails import Mail, Writers, rep_address
from autocapture.testing.bench.providers.remote import google_apart, token_of
from autocapture.testing.bench.providers.service import SimulatedClock, SimulatedService

START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
TAKES = timedelta(milliseconds=150)
"""A request, its share of opening the connection included."""

BUSY_DAY = timedelta(hours=8)
"""All of a day's mail comes within so long."""

_SETTLING = timedelta(minutes=3)
_DAY = timedelta(days=1)
_WARMING_UP = 100
"""Mails that come before anything is measured: a statement is compiled when it is first used."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Delays in seconds. `cpu_ms_a_message` is what a message takes beyond the asking for news, which is `idle_cpu_a_day`:
    seconds of a day's processor time for a mailbox in which nothing happens."""

    mailboxes: int
    messages_a_day: int
    busy_minutes: float
    idle_minutes: float
    messages: int
    p50: float
    p95: float
    p99: float
    cpu_ms_a_message: float
    idle_cpu_a_day: float
    peak_mb: float
    passes_a_minute: float
    requests_a_pass: float
    busy_share_of_a_core: float
    seconds_by_task: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Span:
    """What a stretch of simulated time took."""

    seconds: float
    cpu: float
    passes: int
    requests: int


@dataclass(frozen=True, slots=True)
class _Round:
    """A stretch in which nothing happens, one in which mail comes, and one until the last of it is there.

    One beside the other, since a machine is not as fast at all times, and what a message takes is a difference.
    """

    rest: _Span
    full: _Span
    tail: _Span
    messages: int

    @property
    def cpu_a_message(self) -> float:
        asking = self.rest.cpu / self.rest.seconds * (self.full.seconds + self.tail.seconds)
        return (self.full.cpu + self.tail.cpu - asking) / self.messages


def measure_fleet(
    *,
    mailboxes: int = 500,
    messages_a_day: int = 100_000,
    busy: timedelta = timedelta(minutes=20),
    idle: timedelta = timedelta(minutes=10),
    contacts: int = 100_000,
    rounds: int = 5,
) -> Fleet:
    """Rounds of a stretch in which none comes and one in which a day's mail comes at the rate of its working hours.

    `busy` and `idle` are those of all rounds together; what a message and an idle mailbox take are the medians of them.
    """
    clock = SimulatedClock(START)
    people = [rep_address(number) for number in range(mailboxes)]
    with ExitStack() as lent:
        home = lent.enter_context(scratch_home())
        url, deliver = lent.enter_context(google_apart(people))
        app = deploy(home, clock, people, takes=TAKES, contacts=contacts, google=url)
        lent.callback(app.engine.dispose)
        registry = timed(app)
        for address in people:
            connect(app, "google", address, token_of(address), GOOGLE_SCOPES)
        service = SimulatedService(app, clock, workers=app.settings.worker.threads)
        writers = Writers(range(mailboxes), contacts)
        _settle(app, service, clock)
        _plan(service, deliver, writers.mails(_WARMING_UP, clock.now(), _SETTLING))
        service.run(clock.now() + 2 * _SETTLING)
        begins, before = clock.now(), dict(service.cpu)
        count = int(messages_a_day * (busy / BUSY_DAY / rounds))
        measured = []
        for _ in range(rounds):
            rest = _run(service, clock, registry, idle / rounds)
            messages = _plan(service, deliver, writers.mails(count, clock.now(), busy / rounds))
            full = _run(service, clock, registry, busy / rounds)
            measured.append(_Round(rest, full, _run(service, clock, registry, _SETTLING), messages))
        late = delays(app.engine, since=begins)
    resting = sum(each.rest.seconds for each in measured)
    passes = sum(each.rest.passes for each in measured)
    asking = median(each.rest.cpu / each.rest.seconds for each in measured)
    return Fleet(
        mailboxes=mailboxes,
        messages_a_day=messages_a_day,
        busy_minutes=busy.total_seconds() / 60,
        idle_minutes=idle.total_seconds() / 60,
        messages=sum(each.messages for each in measured),
        p50=quantile(late, 0.5),
        p95=quantile(late, 0.95),
        p99=quantile(late, 0.99),
        cpu_ms_a_message=1_000 * median(each.cpu_a_message for each in measured),
        idle_cpu_a_day=asking * _DAY.total_seconds() / mailboxes,
        peak_mb=own_peak_mb(),
        passes_a_minute=passes / (resting / 60),
        requests_a_pass=sum(each.rest.requests for each in measured) / max(1, passes),
        busy_share_of_a_core=sum(each.full.cpu for each in measured)
        / sum(each.full.seconds for each in measured),
        seconds_by_task=_difference(service.cpu, before),
    )


def _plan(service: SimulatedService, deliver: Callable[[Mail], None], mails: Iterable[Mail]) -> int:
    """Has the mails come when they are due; how many copies of them that will be."""
    copies = 0
    for mail in mails:
        service.plan(mail.at, partial(deliver, mail))
        copies += len(mail.reps)
    return copies


def _difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """Largest first."""
    found = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def _settle(app: Application, service: SimulatedService, clock: SimulatedClock) -> None:
    """Until every account's first import is over."""
    behind = select(func.count()).select_from(Channel).where(~col(Channel.backfilled))
    unknown = (
        select(func.count())
        .select_from(Account)
        .where(col(Account.id).not_in(select(col(Channel.account_id))))
    )
    while True:
        service.run(clock.now() + _SETTLING)
        with reading(app.engine) as session:
            if session.scalar(behind) == session.scalar(unknown) == 0:
                return


def _run(service: SimulatedService, clock: SimulatedClock, registry: TimedRegistry, span: timedelta) -> _Span:
    gc.collect()
    cpu, passes, requests = time.process_time(), service.jobs["capture"], registry.requests
    service.run(clock.now() + span)
    return _Span(
        span.total_seconds(),
        time.process_time() - cpu,
        service.jobs["capture"] - passes,
        registry.requests - requests,
    )
