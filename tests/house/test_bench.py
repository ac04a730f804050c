"""The bench itself: a small run measures everything it promises. Speed is judged by `make bench` alone."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.peers.dovecot import missing
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.errors import SetupError
from autocapture.testing.bench.goals import CAPTURE, Measured, as_table, verdicts
from autocapture.testing.bench.match import goals as match_goals
from autocapture.testing.bench.match.crm import Size
from autocapture.testing.bench.match.measure import Plan as MatchPlan
from autocapture.testing.bench.match.measure import measure as measure_match
from autocapture.testing.bench.match.process import Measured as Matcher
from autocapture.testing.bench.match.programs import OURS, PROGRAMS
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
    words = "providers --mailboxes 3 --messages-a-day 9600 --minutes 1 --contacts 300 --events 100 --rounds 1 --format json"
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


def test_a_small_bench_of_matching_measures_every_goal() -> None:
    plan = MatchPlan(
        messages=100,
        rounds=1,
        size=Size(contacts=300, companies=30, deals=60),
        activities=40,
        mails=4,
        without=PROGRAMS.keys() - {OURS},
        databases=["SQLite"],
    )
    said: list[str] = []
    found = measure_match(plan, said.append)
    goals = {goal["goal"]: goal for goal in match_goals.as_json(found)["goals"]}
    assert all(goal["measured"] > 0 for goal in goals.values())
    assert goals["SQLite: people and companies, messages/s"]["bound"] == match_goals.LEAST_PEOPLE
    assert goals["SQLite: peak memory, MB"]["passed"]
    assert [each["changed"] for each in found.databases["SQLite"].merged] == [40]
    assert "people and companies: autocapture" in match_goals.as_table(found)
    assert said[0] == "SQLite: 300 contacts of 30 companies are loaded"


@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], ids=str
)
def test_what_matching_is_compared_with_finds_the_same_people_and_companies(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = (
        f"sqlite:///{tmp_path / 'bench.db'}"
        if database == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    size = {"contacts": 300, "companies": 30, "deals": 60}
    with ExitStack() as stack:
        programs = {name: Matcher(str(tmp_path / "home"), url, size, 50, name) for name in PROGRAMS}
        for each in programs.values():
            stack.callback(each.app.engine.dispose)
        ours = programs[OURS]
        ours.make()
        told = {name: each.run(seed=1, messages=120) for name, each in programs.items()}
        assert len({(each["contacts"], each["companies"]) for each in told.values()}) == 1
        ours.add_deals()
        assert ours.run(seed=1, messages=120)["deals"] > 0
        ours.store(messages=30)
        assert [ours.merge(back=back)["changed"] for back in (False, True)] == [30, 30]


def test_a_database_that_cannot_be_had_is_named() -> None:
    plan = MatchPlan(databases=["PostgreSQL"], server="postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(SetupError, match="no database can be made on the PostgreSQL server"):
        measure_match(plan, lambda _: None)
