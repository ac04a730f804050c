"""A first import from Gmail under Google's quota, and how fresh the other mailboxes are meanwhile."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from autocapture.testing.bench.providers.accounts import GOOGLE_SCOPES, connect, deploy, scratch_home
from autocapture.testing.bench.providers.freshness import delays, quantile
from autocapture.testing.bench.providers.mails import Writers, rep_address
from autocapture.testing.bench.providers.remote import deliver, token_of
from autocapture.testing.bench.providers.service import SimulatedClock, SimulatedService
from autocapture.testing.fakes.google import FakeGoogle

START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
QUOTA = 6_000
"""Units a minute and user, at 20 a message: 300 messages a minute."""

TAKES = timedelta(milliseconds=250)
"""A request, a batch too. Gmail takes a batch of twenty in a quarter to half a second."""

_FULL = 300
_SETTLING = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Import:
    """`share` of the enforced quota in the minutes between the first and the last; `refused`: of all calls. Delays are
    95 of 100, in seconds, while the import ran and without it."""

    minutes: int
    messages: int
    share: float
    refused: float
    others: int
    fresh_with: float
    fresh_without: float


def measure_import(*, minutes: int = 6, others: int = 20) -> Import:
    """One mailbox with more mail than can be read in `minutes`, beside `others` that get a mail every few minutes each."""
    alone, _ = _simulate(minutes, others, importing=False)
    together, google = _simulate(minutes, others, importing=True)
    importer = rep_address(others)
    first = int(_SETTLING.total_seconds() // 60) + 1
    used = [google.quota.used[importer, minute] for minute in range(first, first + minutes - 1)]
    calls = sum(google.calls.values())
    return Import(
        minutes=minutes,
        messages=google.calls["gmail.messages.get"],
        share=sum(used) / (QUOTA * len(used)),
        refused=google.quota.refused / calls,
        others=others,
        fresh_with=quantile(together, 0.95),
        fresh_without=quantile(alone, 0.95),
    )


def _simulate(minutes: int, others: int, *, importing: bool) -> tuple[list[float], FakeGoogle]:
    """Delays of the other mailboxes' mail, and the Google it came from."""
    clock = SimulatedClock(START)
    with ExitStack() as lent:
        home = lent.enter_context(scratch_home())
        google = lent.enter_context(FakeGoogle(clock))
        people = [rep_address(number) for number in range(others + 1)]
        app = deploy(home, clock, people, takes=TAKES, google=google.url)
        lent.callback(app.engine.dispose)
        for address in people:
            google.add_user(address)
            google.accept(token_of(address), address, GOOGLE_SCOPES)
        google.quota.user = QUOTA
        old = Writers([others], 1_000)
        for index in range(_FULL * (minutes + 1) if importing else 0):
            deliver(google, old.mail(START - timedelta(minutes=index)))
        for address in people[:others]:
            connect(app, "google", address, token_of(address), GOOGLE_SCOPES)
        service = SimulatedService(app, clock, workers=app.settings.worker.threads)
        begins, ends = START + _SETTLING, START + _SETTLING + timedelta(minutes=minutes)
        writers = Writers(range(others), 1_000, seed=2)
        for mail in writers.mails(others * minutes // 2, begins, ends - begins):
            service.plan(mail.at, lambda mail=mail: deliver(google, mail))  # type: ignore[misc]
        service.run(begins)
        if importing:
            connect(app, "google", people[others], token_of(people[others]), GOOGLE_SCOPES)
        service.run(ends + _SETTLING)
        return delays(app.engine, since=begins), google
