"""`autocapture metrics` and `autocapture quotas` on a database with a few rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from sqlmodel import SQLModel
from typer.testing import CliRunner, Result

from autocapture.cli.app import app
from autocapture.measure.examples import ANN, BOB, activity, cast, insert_rows
from autocapture.measure.period import parse_period
from autocapture.model.measures import Quota
from autocapture.store.engine import open_engine, writing

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands in an empty folder whose database holds two mails of week 46 and a quota."""
    url = f"sqlite:///{tmp_path / 'var' / 'autocapture.db'}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOCAPTURE_DATABASE_URL", url)
    runner = CliRunner()
    assert runner.invoke(app, ["init"]).exit_code == 0
    week = parse_period("2026-W46")
    target = Quota(
        metric="emails_sent",
        scope_type="company",
        period_start=week.start,
        period_end=week.end,
        value=Decimal(4),
    )
    rows: list[SQLModel] = [
        *cast(),
        *activity(1, "email", "11-09 10:00", [ANN], subject="Offer"),
        *activity(2, "email", "11-10 10:00", [BOB]),
        target,
    ]
    engine = open_engine(url)
    with writing(engine) as session:
        insert_rows(session, rows)
    engine.dispose()
    return lambda *args: runner.invoke(app, list(args))


def test_values_leave_as_json_of_the_promised_shape(run: Run) -> None:
    done = run("metrics", "emails_sent", "--period", "2026-W46", "--by", "team", "--format", "json")
    assert done.exit_code == 0, done.output
    first, _ = json.loads(done.stdout)
    assert list(first) == [
        *("metric", "period_start", "period_end", "by", "value", "numerator", "denominator"),
        *("n", "unit", "complete", "as_of"),
    ]
    assert (first["by"], first["value"], first["period_start"]) == ({"team": "North"}, 2, "2026-11-09")


def test_without_a_name_every_metric_is_shown(run: Run) -> None:
    done = run("metrics", "--period", "2026-W46", "--format", "jsonl")
    assert len(done.stdout.splitlines()) == 20


def test_tables_are_told_to_people(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("AUTOCAPTURE_ORGANIZATION_TIME_ZONE", "Europe/Stockholm")
    values = run("metrics", "emails_sent", "win_rate", "--period", "2026-W46", "--by", "team")
    caption, *table = values.stdout.splitlines()
    assert caption.startswith("2026-W46 (Nov 9 – 15, 2026) · as of ")
    assert caption.endswith(" Europe/Stockholm")
    assert table == [
        "metric       team   value  n",
        "───────────  ─────  ─────  ─",
        "emails_sent  North      2  2",
        "emails_sent  South      0  0",
        "win_rate     North      –  0",
        "win_rate     South      –  0",
    ]
    assert run("quotas", "--period", "2026-W46").stdout.splitlines()[1:] == [
        "metric       scope    period    quota  actual  attained   pace  remaining",
        "───────────  ───────  ────────  ─────  ──────  ────────  ─────  ─────────",
        "emails_sent  company  2026-W46      4       2     50.0%  50.0%          2",
    ]
    traced = run("metrics", "trace", "emails_sent", "--period", "2026-W46", "--by", "user")
    assert traced.stdout.splitlines()[1:] == [
        "when              what   user            with              title  counts  id",
        "────────────────  ─────  ──────────────  ────────────────  ─────  ──────  ──",
        "2026-11-09 11:00  email  ann@us.example  kim@acme.example  Offer       1   1",
        "2026-11-10 11:00  email  bob@us.example  kim@acme.example              1   2",
    ]


def test_a_trace_opens_the_value_to_its_rows(run: Run) -> None:
    done = run(
        *("metrics", "trace", "emails_sent", "--period", "2026-W46"),
        *("--where", "user=ann@us.example", "--format", "json"),
    )
    [row] = json.loads(done.stdout)
    assert (row["title"], row["contribution"], row["users"]) == ("Offer", 1, ["ann@us.example"])


def test_periods_of_the_fiscal_year_are_read_cut_and_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOCAPTURE_FISCAL_YEAR_MONTHS", "4-5-4")
    monkeypatch.setenv("AUTOCAPTURE_FISCAL_YEAR_BEGINS_IN", "2")
    monkeypatch.setenv("AUTOCAPTURE_FISCAL_YEAR_WEEK_BEGINS_ON", "sunday")
    done = run("metrics", "emails_sent", "--period", "FY2026-Q4", "--grain", "month", "--format", "json")
    rows = json.loads(done.stdout)
    assert [(row["period_start"], row["period_end"]) for row in rows] == [
        ("2026-11-01", "2026-11-28"),
        ("2026-11-29", "2027-01-02"),
        ("2027-01-03", "2027-01-30"),
    ]
    assert rows[0]["value"] == 2
    assert run("quotas", "--period", "FY2026-M10").stdout.startswith(
        "quotas of FY2026-M10 (Nov 1 – 28, 2026)"
    )


def test_list_and_explain_are_commands_not_metrics(run: Run) -> None:
    assert "reply_rate" in run("metrics", "list").stdout
    assert run("metrics", "explain", "reply_rate").stdout.startswith("reply_rate: Reply rate")


def test_the_help_of_metrics_names_every_option_of_values(run: Run) -> None:
    said = run("metrics", "--help").stdout
    for word in (
        "--period",
        "--by",
        "--grain",
        "--where",
        "--format",
        "[NAME]...",
        "explain",
        "trace",
        "list",
    ):
        assert word in said


def test_attainment_is_shown_for_the_quotas_of_a_period(run: Run) -> None:
    [row] = json.loads(run("quotas", "--period", "2026-W46", "--format", "json").stdout)
    assert (row["metric"], row["actual"], row["quota"], row["attainment"]) == ("emails_sent", 2, "4", 0.5)


def test_a_file_of_quotas_is_checked_before_its_import(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "quotas.csv"
    file.write_text(
        "metric,scope_type,scope,period_start,period_end,value,currency\n"
        "deals_won,team,North,2026-01-01,2026-12-31,10,\n"
        "deals_won,user,ann@us.example,2026-01-01,2026-12-31,4,\n"
        "deals_won,user,zoe@us.example,2026-01-01,2026-12-31,4,\n"
        "sales_cycle,team,North,2026-01-01,2026-12-31,90d,\n"
    )
    done = run("quotas", "check", str(file), "--format", "json")
    assert done.exit_code == 1
    told = [(row["metric"], row["value"], row["unit"]) for row in json.loads(done.stdout)]
    assert told == [
        ("deals_won", "10", "count"),
        ("deals_won", "4", "count"),
        ("sales_cycle", "7776000", "seconds"),
    ]
    assert "90 days" in run("quotas", "check", str(file)).stdout
    assert "does not add up: deals_won" in done.stderr
    assert "line 4: there is no user 'zoe@us.example'" in done.stderr
    assert "1 of 4 lines cannot be imported" in done.stderr


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["metrics", "emials_sent", "--period", "2026-W46"], "did you mean emails_sent?"),
        (["metrics", "emails_sent", "--period", "soon"], "'soon' is no period"),
        (["metrics", "emails_sent", "--period", "2026", "--by", "colour"], "has no dimension 'colour'"),
        (["metrics", "trace", "emails_sent", "--period", "2026", "--where", "x"], "takes dimension=value"),
        (["quotas", "check", "nowhere.csv"], "cannot be read"),
    ],
)
def test_mistakes_end_in_one_clear_line(run: Run, args: list[str], why: str) -> None:
    done = run(*args)
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert why in done.stderr
