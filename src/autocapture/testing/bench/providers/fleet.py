"""Many mailboxes beside one another: how fresh their mail is, and what processor time and memory it takes."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

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
from autocapture.testing.bench.providers.mails import Writers, rep_address
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

    cpu: float
    passes: int
    requests: int


def measure_fleet(
    *,
    mailboxes: int = 500,
    messages_a_day: int = 100_000,
    busy: timedelta = timedelta(minutes=20),
    idle: timedelta = timedelta(minutes=10),
    contacts: int = 100_000,
) -> Fleet:
    """A stretch in which a day's mail comes at the rate of its working hours, and one in which none does."""
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
        for mail in writers.mails(_WARMING_UP, clock.now(), _SETTLING):
            service.plan(mail.at, lambda mail=mail: deliver(mail))  # type: ignore[misc]
        service.run(clock.now() + 2 * _SETTLING)
        at_rest = _run(service, clock, registry, idle)
        begins, before = clock.now(), dict(service.cpu)
        count = int(messages_a_day * (busy / BUSY_DAY))
        mails = list(writers.mails(count, begins, busy))
        for mail in mails:
            service.plan(mail.at, lambda mail=mail: deliver(mail))  # type: ignore[misc]
        full = _run(service, clock, registry, busy)
        tail = _run(service, clock, registry, _SETTLING)
        late = delays(app.engine, since=begins)
    count = sum(len(mail.reps) for mail in mails)
    asking = at_rest.cpu / idle.total_seconds()
    beyond = full.cpu + tail.cpu - asking * (busy + _SETTLING).total_seconds()
    return Fleet(
        mailboxes=mailboxes,
        messages_a_day=messages_a_day,
        busy_minutes=busy.total_seconds() / 60,
        idle_minutes=idle.total_seconds() / 60,
        messages=count,
        p50=quantile(late, 0.5),
        p95=quantile(late, 0.95),
        p99=quantile(late, 0.99),
        cpu_ms_a_message=1_000 * beyond / count,
        idle_cpu_a_day=asking * _DAY.total_seconds() / mailboxes,
        peak_mb=own_peak_mb(),
        passes_a_minute=at_rest.passes / (idle.total_seconds() / 60),
        requests_a_pass=at_rest.requests / max(1, at_rest.passes),
        busy_share_of_a_core=full.cpu / busy.total_seconds(),
        seconds_by_task=_difference(service.cpu, before),
    )


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
    return _Span(time.process_time() - cpu, service.jobs["capture"] - passes, registry.requests - requests)
