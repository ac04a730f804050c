"""`eval match`: the product itself is put to a world, and every figure can be had as a table or JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.unit.evaluate.tiny import cut, write_tiny
from typer.testing import CliRunner

from autocapture.cli.app import app
from autocapture.evaluate.figures import figures_of, judge
from autocapture.evaluate.harness import answers_of_product
from autocapture.evaluate.read import read_world
from autocapture.testing.world.hard import generate_hard
from autocapture.workflows.matching_rules import load_matching_rules


def test_the_product_answers_for_mail_meetings_and_calls(tmp_path: Path) -> None:
    found = answers_of_product(read_world(write_tiny(tmp_path)), "subject")
    assert {key: dict(answer.deals or {}) for key, answer in found.items() if answer.attached} == {
        key: {"A1": 1.0} for key in ("m1", "m2", "v1", "v2", "c1")
    }
    assert not found["m4"].admitted
    assert found["m3"].admitted
    assert found["m3"].people == {"bob"}
    assert found["m3"].companies == {"bolt"}
    assert found["m5"].companies == {"help"}


def test_a_deal_that_is_entered_later_gets_what_was_said_before(tmp_path: Path) -> None:
    entered = "A1,Acme line,acme,rik@ours.example,new,2026-02-"
    late = cut("deals.csv", f"{entered}02", f"{entered}19")
    found = answers_of_product(read_world(write_tiny(tmp_path, **late)), "subject")
    assert {"m1", "m2", "v1", "v2", "c1"} <= {key for key, answer in found.items() if answer.attached}


def test_the_report_is_the_same_as_json_and_as_a_table(tmp_path: Path) -> None:
    folder = str(write_tiny(tmp_path))
    done = CliRunner().invoke(app, ["eval", "match", folder, "--format", "json", "--level", "subject"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    ours = next(row for row in report["figures"] if row["who"] == "autocapture" and row["kind"] == "all")
    assert (ours["activities"], ours["precision"], ours["coverage"]) == (8, 1.0, 1.0)
    assert {row["who"] for row in report["figures"]} == {
        "autocapture", "most recently modified", "exactly one or nothing", "Gong default", "Atrium ladder", "Claap ladder",
    }  # fmt: skip
    assert len(report["comparisons"]) == 5
    assert {row["case"] for row in report["cases"]} == {
        "one deal",
        "same everything",
        "mailing list",
        "series",
    }
    table = CliRunner().invoke(app, ["eval", "match", folder, folder, "--level", "subject"])
    assert table.exit_code == 0
    assert re.search(r"autocapture +subject +all +16 ", table.stdout)  # worlds are judged together
    assert "autocapture" in table.stdout
    assert "same everything" in table.stdout


def test_every_figure_opens_to_the_activities_behind_it(tmp_path: Path) -> None:
    folder, items = str(write_tiny(tmp_path / "world")), tmp_path / "items.jsonl"
    asked = ["eval", "match", folder, "--level", "subject", "--items", str(items)]
    assert CliRunner().invoke(app, asked).exit_code == 0
    rows = {row["activity"]: row for row in map(json.loads, items.read_text(encoding="utf-8").splitlines())}
    assert len(rows) == 8
    assert {key for key, row in rows.items() if row["verdict"] == "right"} == {"m1", "m2", "v1", "v2", "c1"}
    assert (rows["m4"]["verdict"], rows["m4"]["answer"]["admitted"]) == ("left out rightly", False)
    assert rows["m1"]["answer"]["deals"] == {"A1": 1.0}
    assert rows["m1"]["truth"]["deal"] == "A1"
    assert "Acme line" in "\n".join(rows["m1"]["explained"])
    assert rows["m4"]["explained"][0]
    again = CliRunner().invoke(app, asked)
    assert (again.exit_code, "exists" in again.output) == (1, True)


@pytest.mark.parametrize("words", [["nowhere"], []])
def test_a_world_that_is_none_is_told_in_one_line(tmp_path: Path, words: list[str]) -> None:
    folder = tmp_path.joinpath(*words)
    done = CliRunner().invoke(app, ["eval", "match", str(folder)])
    assert done.exit_code == 1
    assert len(done.output.strip().splitlines()) == 1


def test_a_world_is_written_once_and_is_one(tmp_path: Path) -> None:
    out = str(tmp_path / "world")
    done = CliRunner().invoke(app, ["eval", "world", "--seed", "2", "--out", out])
    assert done.exit_code == 0, done.output
    assert "220 companies" in done.stdout
    assert len(read_world(tmp_path / "world").companies) == 220
    again = CliRunner().invoke(app, ["eval", "world", "--seed", "3", "--out", out])
    assert again.exit_code == 1
    assert "not empty" in again.output


def test_a_small_hard_world_can_be_judged_whole(tmp_path: Path) -> None:
    world = generate_hard(4, 15)
    found = answers_of_product(world, "full")
    assert found.keys() == {activity.id for activity in world.activities}
    judged = figures_of(judge(world, found))
    assert judged.admission.value == 1.0
    assert (judged.precision.value or 0) > 0.7
    assert (judged.coverage.value or 0) > 0.4


def test_weights_are_fitted_to_a_world_and_are_a_file_of_rules(tmp_path: Path) -> None:
    folder, out = str(write_tiny(tmp_path / "world")), tmp_path / "matching.toml"
    done = CliRunner().invoke(app, ["eval", "fit", folder, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert re.search(r"subject: \d+ matters, precision 1.000, coverage \d", done.stdout)
    found, shipped = load_matching_rules(out), load_matching_rules(None)
    assert found.version == shipped.version + 1
    assert found.service == shipped.service
    again = CliRunner().invoke(app, ["eval", "fit", folder, "--out", str(out)])
    assert again.exit_code == 1
    assert "exists" in again.output
