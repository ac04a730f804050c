"""Channels are listed now and then where that takes requests of its own; what is known is asked for news alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from autocapture.application import Application
from autocapture.model.accounts import Channel
from autocapture.store.engine import reading
from autocapture.testing.bench.providers.accounts import (
    GOOGLE_SCOPES,
    MICROSOFT_SCOPES,
    connect,
    deploy,
)
from autocapture.testing.bench.providers.service import SimulatedClock
from autocapture.testing.fakes.google import Calendar, FakeGoogle
from autocapture.testing.fakes.microsoft import FakeGraph, message
from autocapture.workflows.capture import capture_account
from autocapture.workflows.change_scope import Scope, change_scope
from autocapture.workflows.report import CaptureReport

START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
REP = "ruth@ours.example"
STANDS = timedelta(minutes=10)
A_PASS = timedelta(seconds=60)


class AtGoogle:
    """An account with mail and two calendars, captured."""

    def __init__(self, app: Application, clock: SimulatedClock, google: FakeGoogle) -> None:
        self.app, self.clock, self.google = app, clock, google
        self.user = google.add_user(REP, calendars=(self.calendar("visits"),))
        google.accept("token", REP, GOOGLE_SCOPES)
        self.account_id = connect(app, "google", REP, "token", GOOGLE_SCOPES)
        self.capture(timedelta(0))
        self.capture()  # and looked at for its newest message, for which the first import left no budget

    def calendar(self, name: str) -> Calendar:
        return Calendar(f"{name}@ours.example", name, self.google.step)

    def capture(self, after: timedelta = A_PASS) -> CaptureReport:
        self.clock.advance(after)
        self.google.calls.clear()
        report = capture_account(self.app, self.account_id)
        assert (report.status, report.why) == ("ok", None)
        return report

    @property
    def lists(self) -> int:
        return self.google.calls["calendar.calendarList.list"]


@pytest.fixture
def at_google(tmp_path: Path) -> Iterator[AtGoogle]:
    clock = SimulatedClock(START)
    with FakeGoogle(clock) as google:
        app = deploy(tmp_path / "home", clock, [REP], google=google.url)
        try:
            yield AtGoogle(app, clock, google)
        finally:
            app.engine.dispose()


def enabled(app: Application) -> set[str]:
    with reading(app.engine) as session:
        return set(session.scalars(select(col(Channel.source_id)).where(col(Channel.enabled))))


def test_a_pass_over_quiet_channels_asks_each_for_news_and_nothing_else(at_google: AtGoogle) -> None:
    at_google.capture()
    assert at_google.google.calls == {"calendar.events.list": 2, "gmail.history.list": 1}


def test_a_new_calendar_is_found_within_ten_minutes(at_google: AtGoogle) -> None:
    added = at_google.calendar("fairs")
    at_google.user.calendars[added.id] = added
    at_google.capture()
    assert added.id not in enabled(at_google.app)
    at_google.capture(STANDS)
    assert added.id in enabled(at_google.app)
    at_google.capture()
    assert at_google.lists == 0


def test_a_calendar_that_is_gone_is_switched_off_at_once_and_the_list_is_asked_for(
    at_google: AtGoogle,
) -> None:
    del at_google.user.calendars["visits@ours.example"]
    at_google.capture()
    assert enabled(at_google.app) == {"mailbox", "primary"}
    at_google.capture()
    assert at_google.lists == 1


def test_what_leaves_a_channel_has_the_list_asked_for_since_it_may_have_moved_into_a_new_one(
    at_google: AtGoogle,
) -> None:
    mail = at_google.user.mailbox.receive([("From", "a@b.example"), ("Message-ID", "<1@b.example>")], START)
    at_google.capture()
    at_google.user.mailbox.delete(mail.id)
    assert at_google.capture().gone == 1
    at_google.capture()
    assert at_google.lists == 1
    at_google.capture()
    assert at_google.lists == 0


def test_a_wider_scope_and_a_new_connection_have_the_list_asked_for(at_google: AtGoogle) -> None:
    change_scope(at_google.app, at_google.account_id, Scope(date(2020, 1, 1), "subject"))
    at_google.capture()
    assert at_google.lists == 1
    at_google.capture()
    assert at_google.lists == 0
    connect(at_google.app, "google", REP, "token", GOOGLE_SCOPES)
    at_google.capture()
    assert at_google.lists == 1


def test_a_clock_that_was_set_back_has_the_list_asked_for(at_google: AtGoogle) -> None:
    at_google.clock.advance(-timedelta(days=300))
    at_google.capture(timedelta(0))
    assert at_google.lists == 1


@contextmanager
def at_microsoft(tmp_path: Path) -> Iterator[tuple[FakeGraph, Application, SimulatedClock, int]]:
    clock = SimulatedClock(START)
    with FakeGraph(clock) as graph:
        app = deploy(tmp_path / "home", clock, [REP], microsoft=graph.url)
        graph.add_mailbox(REP)
        account_id = connect(
            app, "microsoft", REP, graph.sign_in(REP, set(MICROSOFT_SCOPES)), MICROSOFT_SCOPES
        )
        assert capture_account(app, account_id).status == "ok"
        try:
            yield graph, app, clock, account_id
        finally:
            app.engine.dispose()


def test_a_pass_over_quiet_folders_asks_graph_for_one_delta_each(tmp_path: Path) -> None:
    with at_microsoft(tmp_path) as (graph, app, clock, account_id):
        clock.advance(A_PASS)
        before = len(graph.asked)
        assert capture_account(app, account_id).status == "ok"
        asked = [request.path for request in graph.asked[before:]]
        assert len(asked) == len(set(asked)) == len(enabled(app))
        assert {path[-1] for path in asked} == {"delta"}


def test_mail_that_is_moved_into_a_new_folder_is_found_there_by_the_next_pass(tmp_path: Path) -> None:
    with at_microsoft(tmp_path) as (graph, app, clock, account_id):
        mailbox = graph.mailboxes[REP]
        number = mailbox.add(message(1), "inbox")
        clock.advance(A_PASS)
        assert capture_account(app, account_id).captured == 1
        folder = mailbox.add_folder("Customer 1")
        mailbox.move(number, folder)
        clock.advance(A_PASS)
        assert capture_account(app, account_id).gone == 1
        clock.advance(A_PASS)
        assert capture_account(app, account_id).captured == 1
        assert folder in enabled(app)
