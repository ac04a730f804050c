"""How many requests an import from Microsoft Graph takes, and how many a pass that finds nothing new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from autocapture.application import Application
from autocapture.testing.bench.providers.accounts import (
    GOOGLE_SCOPES,
    MICROSOFT_SCOPES,
    connect,
    deploy,
    scratch_home,
)
from autocapture.testing.bench.providers.mails import Writers, rep_address
from autocapture.testing.bench.providers.service import SimulatedClock
from autocapture.testing.fakes.google import Calendar, FakeGoogle
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox, message
from autocapture.testing.fakes.microsoft.http import Request
from autocapture.testing.fakes.microsoft.samples import zulu
from autocapture.workflows.capture import capture_account

START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
REP = rep_address(0)
_USUAL = ("inbox", "sentitems")
_EACH_PASS = timedelta(seconds=30)
_PASSES = 5
_LISTS = ("mailFolders", "childFolders", "calendars")
_LISTED_AGAIN = timedelta(minutes=10)

PerPass = dict[str, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """`idle` are the requests of one pass for each channel of a kind, and those that are for none; `listing` those by which an
    account's channels are listed anew, every ten minutes."""

    graph_messages: int
    graph_requests: int
    graph_for_single_messages: int
    folders: int
    idle: dict[str, float] = field(default_factory=dict)
    listing: dict[str, float] = field(default_factory=dict)


def measure_asking(*, messages: int = 5_000, folders: int = 20) -> Asked:
    """An import of `messages` from Graph; then passes over an idle mailbox there with `folders`, and over one at Google."""
    with _at_graph(folders) as (graph, app, mailbox):
        places = sorted(mailbox.folders)
        for number in range(messages):
            at = START - timedelta(minutes=number)
            told = message(number, sentDateTime=zulu(at), receivedDateTime=zulu(at))
            mailbox.add(told, _USUAL[number % 2] if number % 4 else places[-1])
        account_id = connect(
            app, "microsoft", REP, graph.sign_in(REP, set(MICROSOFT_SCOPES)), MICROSOFT_SCOPES
        )
        asked_before, graph.requests = len(graph.asked), 0
        captured = _captured(app, account_id)
        asked, requests = graph.asked[asked_before:], graph.requests
        idle, listing = _idle_at_graph(graph, app, account_id)
    idle_at_google, listing_at_google = _idle_at_google()
    single = sum(_is_single(each) for each in asked)
    return Asked(captured, requests, single, folders, idle | idle_at_google, listing | listing_at_google)


@contextmanager
def _at_graph(folders: int) -> Iterator[tuple[FakeGraph, Application, FakeMailbox]]:
    clock = SimulatedClock(START)
    with scratch_home() as home, FakeGraph(clock) as graph:
        app = deploy(home, clock, [REP], microsoft=graph.url)
        mailbox = graph.add_mailbox(REP)
        for number in range(folders - len(_USUAL)):
            mailbox.add_folder(f"Customer {number}")
        try:
            yield graph, app, mailbox
        finally:
            app.engine.dispose()


def _captured(app: Application, account_id: int) -> int:
    """One pass, which must go well; the number of items that it brought."""
    report = capture_account(app, account_id)
    if report.status != "ok" or report.quarantined:
        raise RuntimeError(f"the capture failed: {report}")
    return report.captured + report.skipped.total()


def _is_single(request: Request) -> bool:
    """Whether one message is asked for by its id."""
    return "messages" in request.path and request.path[-1] not in ("messages", "delta")


def _passes(app: Application, account_id: int, number: int = _PASSES, after: timedelta = _EACH_PASS) -> None:
    """Within the few minutes in which nobody asks for the newest item besides."""
    for _ in range(number):
        clock = app.clock
        if not isinstance(clock, SimulatedClock):
            raise TypeError("the bench has a clock of its own")
        clock.advance(after)
        if _captured(app, account_id):
            raise RuntimeError("an idle pass brought something")


def _idle_at_graph(graph: FakeGraph, app: Application, account_id: int) -> tuple[PerPass, PerPass]:
    begun = len(graph.asked)
    _passes(app, account_id)
    ended = len(graph.asked)
    _passes(app, account_id, 1, _LISTED_AGAIN)
    counts = Counter(map(_subject, graph.asked[begun:ended]))
    listing = sum(each.path[-1] in _LISTS for each in graph.asked[ended:])
    deltas = {each.path for each in graph.asked[begun:ended] if _subject(each) == "Graph folder"}
    agendas = {each.path for each in graph.asked[begun:ended] if _subject(each) == "Graph calendar"}
    each = {
        "a Graph folder": counts["Graph folder"] / _PASSES / max(1, len(deltas)),
        "a Graph calendar": counts["Graph calendar"] / _PASSES / max(1, len(agendas)),
    }
    return each | {"no channel of Graph": counts["no channel"] / _PASSES}, {"Graph": listing}


def _subject(request: Request) -> str:
    if request.path[-1] != "delta":
        return "no channel"
    return "Graph calendar" if "calendarView" in request.path else "Graph folder"


def _idle_at_google() -> tuple[PerPass, PerPass]:
    """A user with mail and two calendars of their own."""
    clock = SimulatedClock(START)
    with scratch_home() as home, FakeGoogle(clock) as google:
        app = deploy(home, clock, [REP], google=google.url)
        user = google.add_user(REP, calendars=(Calendar("visits@ours.example", "Visits", google.step),))
        google.accept("token", REP, GOOGLE_SCOPES)
        writers = Writers([0], 100)
        for number in range(30):
            user.mailbox.receive(writers.mail(START - timedelta(hours=number)).headers, START)
        account_id = connect(app, "google", REP, "token", GOOGLE_SCOPES)
        _captured(app, account_id)
        _passes(app, account_id, 1)  # in which the newest item is asked for
        google.calls.clear()
        _passes(app, account_id)
        calls = Counter(google.calls)
        google.calls.clear()
        _passes(app, account_id, 1, _LISTED_AGAIN)
        listing = google.calls["calendar.calendarList.list"]
        app.engine.dispose()
    each = {
        "a Gmail mailbox": calls["gmail.history.list"] / _PASSES,
        "a Google calendar": calls["calendar.events.list"] / _PASSES / len(user.calendars),
    }
    none = calls.total() - calls["gmail.history.list"] - calls["calendar.events.list"]
    return each | {"no channel of Google": none / _PASSES}, {"Google": listing}
