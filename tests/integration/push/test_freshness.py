"""Freshness is measured of live items; an account that stands still is told of although its captures end well."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select, update
from tests.integration.capture.deployment import PEOPLE
from tests.integration.push.conftest import START, Gmail, both_databases
from typer.testing import CliRunner

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.accounts import Channel
from autocapture.model.ledger import LedgerEntry
from autocapture.model.watching import Stall
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.google import FakeGoogle
from autocapture.workflows.account_health import alerts, health_of
from autocapture.workflows.capture import capture_account
from autocapture.workflows.freshness import Delays, bucket_of, end_of
from autocapture.workflows.health import diagnosis
from autocapture.workflows.people_access import set_active, user_id_of
from autocapture.workflows.stall import check_habits


def _receive(gmail: Gmail, number: int, at: datetime) -> None:
    headers = [
        ("From", "Buyer <buyer@customer.example>"),
        ("To", gmail.user.address),
        ("Subject", f"mail {number}"),
        ("Message-ID", f"<{number}@customer.example>"),
        ("Date", f"{at:%a, %d %b %Y %H:%M:%S +0000}"),
    ]
    gmail.user.mailbox.receive(headers, at)


def _delays(app: Application, account_id: int) -> Delays | None:
    with reading(app.engine) as session:
        return health_of(session, [account_id], app.clock.now())[account_id].delays


@pytest.mark.parametrize("seconds", [0, 0.5, 1, 1.3, 2, 59, 60, 299, 300, 86_400, 1e9])
def test_a_bucket_is_at_most_a_fifth_too_large(seconds: float) -> None:
    delay = timedelta(seconds=seconds)
    end = end_of(bucket_of(delay))
    assert end >= min(delay, timedelta(days=90))
    assert seconds < 1 or seconds > 1e7 or end / delay < 1.2


@both_databases
def test_delays_are_measured_of_live_mail_alone(app: Application, gmail: Gmail, clock: FixedClock) -> None:
    for number in range(20):
        _receive(gmail, number, START - timedelta(days=number))
    assert _delays(app, gmail.account_id) is None, "the first import says nothing"
    with writing(app.engine) as session:
        session.execute(update(Channel).values(cursor=None, backfilled=False))
    capture_account(app, gmail.account_id)
    assert _delays(app, gmail.account_id) is None
    for number, waits in enumerate([30] * 98 + [100, 4_000], 100):
        _receive(gmail, number, clock.now() - timedelta(seconds=waits))
    capture_account(app, gmail.account_id)
    found = _delays(app, gmail.account_id)
    assert found is not None
    assert found.count == 100
    assert timedelta(seconds=30) <= found.p50 < timedelta(seconds=36)
    assert timedelta(seconds=30) <= found.p95 < timedelta(seconds=36)
    assert timedelta(seconds=100) <= found.p99 < timedelta(seconds=120)
    clock.advance(timedelta(days=8))
    assert _delays(app, gmail.account_id) is None, "the last week alone is told of"


def test_a_colleagues_copy_is_not_news(app: Application, gmail: Gmail, clock: FixedClock) -> None:
    _receive(gmail, 1, clock.now())
    capture_account(app, gmail.account_id)
    clock.advance(timedelta(hours=3))
    with writing(app.engine) as session:  # as if it were seen in this mailbox for the first time
        session.execute(LedgerEntry.__table__.delete())  # type: ignore[attr-defined]
        session.execute(update(Channel).values(cursor=None))
    capture_account(app, gmail.account_id)
    found = _delays(app, gmail.account_id)
    assert found is not None
    assert found.count == 1


@pytest.fixture
def stuck(app: Application, gmail: Gmail, google: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> Gmail:
    """A mailbox whose change feed is silent: each capture ends well, and brings nothing."""
    _receive(gmail, 1, START)
    capture_account(app, gmail.account_id)
    from autocapture_google.mailbox import Mailbox

    real = Mailbox.pull

    def silent(self: Any, cursor: str | None, limit: int) -> Any:
        from autocapture.connector import Page

        return real(self, cursor, limit) if cursor is None else Page((), cursor)

    monkeypatch.setattr(Mailbox, "pull", silent)
    return gmail


def _stall(app: Application) -> Stall | None:
    with reading(app.engine) as session:
        return session.exec(select(Stall).where(col(Stall.since).is_not(None))).first()


@both_databases
def test_a_feed_that_fell_silent_is_told_within_ten_minutes(
    app: Application, stuck: Gmail, clock: FixedClock
) -> None:
    clock.advance(timedelta(hours=1))
    capture_account(app, stuck.account_id)
    assert _stall(app) is None, "nothing came"
    arrived = clock.now()
    _receive(stuck, 2, arrived)
    while _stall(app) is None:
        clock.advance(timedelta(seconds=66))
        assert capture_account(app, stuck.account_id).status == "ok"
        assert clock.now() - arrived <= timedelta(minutes=10)
    assert clock.now() - arrived > timedelta(minutes=5)
    (alert,) = alerts(app, stuck.account_id)
    assert "Gmail: the server has an item of Mon, Nov 16, 11:00\u202fAM CET that never came" in alert
    (check,) = [one for one in diagnosis(app) if "fresh and whole" in one.name]
    assert not check.ok


def test_a_stall_clears_itself(
    app: Application, stuck: Gmail, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(timedelta(hours=1))
    _receive(stuck, 2, clock.now())
    clock.advance(timedelta(minutes=6))
    capture_account(app, stuck.account_id)
    assert _stall(app) is not None
    monkeypatch.undo()
    clock.advance(timedelta(minutes=6))
    capture_account(app, stuck.account_id)
    assert _stall(app) is None
    assert alerts(app, stuck.account_id) == []


def test_looking_for_newer_items_costs_one_look_in_four_minutes(
    app: Application, gmail: Gmail, google: FakeGoogle, clock: FixedClock
) -> None:
    _receive(gmail, 1, START)
    capture_account(app, gmail.account_id)
    clock.advance(timedelta(minutes=5))
    capture_account(app, gmail.account_id)
    before = google.requests
    for _ in range(3):
        clock.advance(timedelta(minutes=1))
        capture_account(app, gmail.account_id)
    pass_alone = (google.requests - before) / 3
    clock.advance(timedelta(minutes=1))
    before = google.requests
    capture_account(app, gmail.account_id)
    assert pass_alone < google.requests - before <= pass_alone + 2


@both_databases
def test_far_too_little_mail_is_told_and_forgotten_when_it_comes_again(
    app: Application, gmail: Gmail, clock: FixedClock
) -> None:
    _receive_for_weeks(app, gmail, until=START + timedelta(hours=8))
    clock.advance(timedelta(hours=9))  # six in the evening
    assert check_habits(app) == 1
    (alert,) = alerts(app, gmail.account_id)
    assert "0 mails within a day, where about 40 are usual" in alert
    owner = user_id_of(app, PEOPLE[1])
    set_active(app, owner, False)
    assert (check_habits(app), alerts(app, gmail.account_id)) == (0, [])
    set_active(app, owner, True)
    assert check_habits(app) == 1
    clock.advance(timedelta(minutes=2))  # of which the budget of requests is full again
    for minute in range(30):
        _receive(gmail, 1_000 + minute, clock.now() - timedelta(minutes=minute))
    capture_account(app, gmail.account_id)
    assert check_habits(app) == 0
    assert alerts(app, gmail.account_id) == []


def _receive_for_weeks(app: Application, gmail: Gmail, *, until: datetime) -> None:
    """Forty mails on each of the same days of nine weeks, the last of which is a week ago."""
    for week in range(1, 10):
        for number in range(40):
            _receive(
                gmail, 100 * week + number, until - timedelta(weeks=week) - timedelta(minutes=10 * number)
            )
    with writing(app.engine) as session:
        session.execute(update(Channel).values(cursor=None))
    capture_account(app, gmail.account_id)


def test_a_day_is_judged_when_it_is_over_and_once_however_often_that_is_asked(
    app: Application, gmail: Gmail, clock: FixedClock
) -> None:
    """Of days that overlap, each would be another chance for a false alarm."""
    _receive_for_weeks(app, gmail, until=START + timedelta(hours=8))
    told = []
    for _ in range(34):
        told.append(check_habits(app))
        clock.advance(timedelta(hours=1))
    assert told == [0] * 9 + [1] * 24 + [0]  # quiet from Sunday to Monday, and Tuesdays were always quiet


def test_the_figures_are_told_to_this_machine(
    app: Application, web: httpx.Client, gmail: Gmail, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _receive(gmail, 1, clock.now() - timedelta(seconds=40))
    capture_account(app, gmail.account_id)
    answer = web.get("/metrics")
    assert 'autocapture_freshness_seconds{account="1",quantile="0.99"} 45.255' in answer.text
    assert 'autocapture_stalled{account="1"} 0' in answer.text
    assert gmail.user.address not in answer.text
    assert "40 s" in web.get("/accounts").text.replace("45 s", "40 s")

    from autocapture.cli.app import app as commands

    monkeypatch.setenv("AUTOCAPTURE_HOME", str(app.settings.home))
    monkeypatch.delenv("AUTOCAPTURE_DATABASE_URL", raising=False)
    told = CliRunner().invoke(commands, ["accounts", "--format", "json"])
    (row,) = json.loads(told.stdout)
    assert row["alerts"] == []
    assert {"coverage", "fresh_p50_s", "fresh_p95_s", "fresh_p99_s"} <= row.keys()
