"""The commands over the captured sample answer in the promised form."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from tests.acceptance.capturing import Sample

KEYS = [
    "metric",
    "period_start",
    "period_end",
    "by",
    "value",
    "numerator",
    "denominator",
    "n",
    "unit",
    "complete",
    "as_of",
]
WEEK = "2026-W46"

pytestmark = pytest.mark.parametrize("sample", [7], indirect=True, scope="session", ids="seed {}".format)


def run(sample: Sample, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "AUTOCAPTURE_HOME": str(sample.app.settings.home)}
    environ.pop("AUTOCAPTURE_DATABASE_URL", None)
    command = [sys.executable, "-m", "autocapture", *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def answers(sample: Sample, *words: str) -> list[dict[str, Any]]:
    done = run(sample, *words, "--format", "json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_metrics_come_with_the_promised_fields_and_kinds_of_values(sample: Sample) -> None:
    names = ("emails_sent", "revenue_won", "win_rate", "lead_response_time")
    sent, revenue, rate, response = answers(sample, "metrics", *names, "--period", WEEK)
    for row in (sent, rate, response):
        assert list(row) == KEYS
    assert list(revenue) == [*KEYS[:5], "currency", *KEYS[5:]]
    assert (sent["period_start"], sent["period_end"], sent["by"]) == ("2026-11-09", "2026-11-15", {})
    assert isinstance(sent["value"], int)
    assert isinstance(revenue["value"], str)
    assert rate["value"] == rate["numerator"] / rate["denominator"]
    assert isinstance(response["value"], int)


def test_a_value_is_the_sum_of_its_trace(sample: Sample) -> None:
    rep = sample.world.reps[0].email
    by_user = answers(sample, "metrics", "meetings_held", "--period", WEEK, "--by", "user")
    rows = answers(sample, "metrics", "trace", "meetings_held", "--period", WEEK, "--where", f"user={rep}")
    assert sum(row["contribution"] for row in rows) == next(
        row["value"] for row in by_user if row["by"] == {"user": rep}
    )


def test_a_cut_by_several_dimensions_names_each(sample: Sample) -> None:
    rows = answers(sample, "metrics", "open_pipeline_count", "--period", WEEK, "--by", "user,team,stage")
    assert rows
    assert all(list(row["by"]) == ["user", "team", "stage"] for row in rows)


def test_the_last_week_of_a_year_with_53_goes_on_into_the_next(sample: Sample) -> None:
    (whole,) = answers(sample, "metrics", "meetings_scheduled", "--period", "2026-W53")
    days = answers(sample, "metrics", "meetings_scheduled", "--period", "2026-W53", "--grain", "day")
    assert (whole["period_start"], whole["period_end"]) == ("2026-12-28", "2027-01-03")
    assert [day["period_start"][-5:] for day in days] == [
        "12-28", "12-29", "12-30", "12-31", "01-01", "01-02", "01-03",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("metrics", "emails_snet", "--period", WEEK), "did you mean emails_sent?"),
        (("metrics", "emails_sent", "--period", "2025-W53"), "there is no such period as '2025-W53'"),
        (("metrics", "emails_sent", "--period", WEEK, "--by", "colour"), "has no dimension 'colour'"),
        (("metrics", "trace", "emails_sent", "--period", WEEK, "--where", "user"), "dimension=value"),
        (("quotas", "check", "missing.csv"), "missing.csv cannot be read: No such file or directory"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_1(sample: Sample, words: tuple[str, ...], said: str) -> None:
    done = run(sample, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
