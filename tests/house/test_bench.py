"""The bench itself: a small run measures everything it promises. Speed is judged by `make bench` alone."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.peers.dovecot import missing

from autocapture.testing.bench.goals import CAPTURE, Measured, as_table, verdicts
from autocapture.testing.bench.providers import goals as provider_goals
from autocapture.testing.bench.providers.accounts import deploy, scratch_home
from autocapture.testing.bench.providers.fleet import Fleet
from autocapture.testing.bench.providers.freshness import quantile
from autocapture.testing.bench.providers.goals import Found
from autocapture.testing.bench.providers.mails import Writers
from autocapture.testing.bench.providers.service import SimulatedClock, SimulatedService

ROOT = Path(__file__).parents[2]


@pytest.mark.dovecot
def test_a_small_bench_measures_every_goal() -> None:
    if reason := missing():
        pytest.skip(reason)
    words = "--messages 300 --rounds 1 --contacts 2000 --folders 5 --without imapflow --format json".split()
    done = subprocess.run(
        [sys.executable, "-m", "autocapture.testing.bench", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    assert found["messages"] == 300
    assert {CAPTURE, "raw", "imapclient", "imap-tools"} <= found["rates"].keys()
    assert all(rates and min(rates) > 0 for rates in found["rates"].values())
    assert found["skipped"]["imapflow"] == "left out"
    goals = {goal["goal"]: goal for goal in found["goals"]}
    assert goals["times imapflow"]["passed"] is None
    assert goals["peak memory, MB"]["passed"]
    assert goals["idle: requests a folder"]["passed"]
    assert goals["idle: CPU, ms (5 folders)"]["measured"] > 0


def test_a_missed_goal_is_named_and_ends_the_bench_with_an_error() -> None:
    found = Measured(20_000, rates={CAPTURE: [600.0, 500.0], "imapclient": [1_000.0, 1_000.0]}, folders=100)
    by_goal = {verdict.goal: verdict.passed for verdict in verdicts(found)}
    assert by_goal["times imapclient"] is False  # 0.55 where 0.7 is asked
    assert by_goal["times imapflow"] is None
    assert "missed" in as_table(found)


START = datetime(2026, 11, 16, 9, tzinfo=UTC)


def test_a_small_bench_of_providers_measures_every_goal() -> None:
    words = (
        "providers --mailboxes 3 --messages-a-day 9600 --minutes 1 --contacts 300 --events 100 --format json"
    )
    done = subprocess.run(
        [sys.executable, "-m", "autocapture.testing.bench", *words.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    goals = {goal["goal"]: goal for goal in json.loads(done.stdout)["goals"]}
    by_rule = [goal for name, goal in goals.items() if name.startswith(("Gmail import", "idle pass"))]
    assert len(by_rule) == 9
    assert [goal["goal"] for goal in by_rule if not goal["passed"]] == []
    assert goals["Graph import: requests for single messages"]["passed"]
    assert 0 < goals["3 mailboxes: fresh within, s (p99)"]["measured"] < 300
    for name in ("CPU of an idle mailbox, s a day", "peak memory, MB"):
        assert goals[name]["measured"] > 0
    # a busy minute less an idle one: of three mailboxes the difference is noise, of either sign
    assert isinstance(goals["CPU, ms a message"]["measured"], float)
    assert goals["calendar: meetings a second"]["measured"] > 0


def test_late_mail_is_a_missed_goal() -> None:
    fleet = Fleet(500, 100_000, 20, 10, 4_166, 60, 200, 301, 9, 20, 400, 220, 3.3, 0.4)
    by_goal = {verdict.goal: verdict.passed for verdict in provider_goals.verdicts(Found(fleet=fleet))}
    assert by_goal["500 mailboxes: fresh within, s (p99)"] is False
    assert by_goal["peak memory, MB"] is True
    assert "missed" in provider_goals.as_table(Found(fleet=fleet))


def test_in_simulated_time_things_happen_in_order_and_the_clock_ends_where_it_should() -> None:
    clock, seen = SimulatedClock(START), list[tuple[str, datetime]]()
    with scratch_home() as home:
        app = deploy(home, clock, ["rep@ours.example"], contacts=5)
        service = SimulatedService(app, clock, workers=1)
        for name, minutes in (("second", 3), ("first", 2), ("never", 9)):
            at = START + timedelta(minutes=minutes)
            service.plan(at, lambda name=name: seen.append((name, clock.now())))  # type: ignore[misc]
        service.run(START + timedelta(minutes=5))
        app.engine.dispose()
    assert seen == [
        (name, START + timedelta(minutes=minutes)) for name, minutes in (("first", 2), ("second", 3))
    ]
    assert clock.now() == START + timedelta(minutes=5)
    assert service.jobs["tell_of_dead_logins"] == 5


def test_the_same_seed_writes_the_same_mail_oldest_first() -> None:
    once, again = (list(Writers(range(9), 100).mails(200, START, timedelta(hours=1))) for _ in range(2))
    assert once == again
    assert [mail.at for mail in once] == sorted(mail.at for mail in once)
    assert len({dict(mail.headers)["Message-ID"] for mail in once}) == len(once)
    assert 200 <= sum(len(mail.reps) for mail in once) <= 201


def test_a_quantile_is_one_of_the_values() -> None:
    assert [quantile([1, 2, 3, 4], share) for share in (0.5, 0.95, 1.0)] == [3, 4, 4]
    assert quantile([], 0.5) == 0
