"""Changed rules are looked at before they do anything, applied as one batch, and taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select
from tests.integration.capture.deployment import (
    application,
    capture,
    connect_files,
    deliver,
    deploy,
    everything,
    message,
)
from tests.integration.corrections.matter import captured, deals_of, furnish, number_of, say
from tests.integration.rules.conftest import furnish_files, write_list, write_rules
from tests.integration.service.conftest import Run

from autocapture.application import Application
from autocapture.errors import StoreBusy
from autocapture.model.activities import Activity, Match
from autocapture.model.rules import RulesBatch
from autocapture.store.engine import reading, writing
from autocapture.workflows.change_scope import Scope, change_scope
from autocapture.workflows.correct import Saying
from autocapture.workflows.matching import rematch, rematch_everything
from autocapture.workflows.people import our_people
from autocapture.workflows.rules_apply import apply_rules, undo_rules

NAMELESS = {"common": "pumps"}
"""By which the name of the deal Pumps tells nothing."""
AS_SHIPPED = {"1": ["Pumps"], "2": ["Pumps"], "3": [], "4": ["Lease"], "5": ["Lease"]}


def _quiet(_done: int, _of: int) -> None:
    pass


def _diff(run: Run, *files: str) -> Any:
    result = run("rules", "diff", *files, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _counts(told: Any) -> dict[str, int]:
    return {each["change"]: each["count"] for each in told["changes"]}


def _business(app: Application) -> dict[str, bool]:
    with reading(app.engine) as session:
        found = session.exec(select(Activity.dedupe_key, Activity.business)).all()
    return {key.partition("@")[0]: business for key, business in found}


def _links(app: Application) -> list[Any]:
    with reading(app.engine) as session:
        rows = session.exec(
            select(Match.activity_id, Match.target_id, Match.rule_version, Match.evidence)
            .where(Match.target == "deal")
            .order_by(col(Match.activity_id))
        )
        return [tuple(row) for row in rows]


def test_a_changed_file_changes_nothing_before_it_is_applied(app: Application, home: Path, run: Run) -> None:
    assert deals_of(app) == AS_SHIPPED
    before = everything(app)
    write_rules(home, 2, **NAMELESS)
    told = _diff(run)
    assert _counts(told)["off_deal"] == 2
    [group] = [each for each in told["changes"] if each["change"] == "off_deal"]
    assert {each["before"] for each in group["examples"]} == {"Pumps"}
    assert {each["after"] for each in group["examples"]} == {"Customer, no deal (asked about)"}
    assert group["examples"][0]["url"].endswith(f"/activities/{group['examples'][0]['activity']}")
    assert told["quotas"] == []
    assert everything(app) == before
    rematch_everything(app)
    assert deals_of(app) == AS_SHIPPED
    doctor = run("doctor").output
    assert "the matching file (version 2) is not what is applied (version 1)" in " ".join(doctor.split())


def test_a_list_tells_whose_quota_it_would_change(app: Application, home: Path, run: Run) -> None:
    write_list(home, "other.example", version=2)
    told = _diff(run)
    assert _counts(told) == {"excluded": 2}
    assert [(each["scope"], each["metric"], each["before"], each["after"]) for each in told["quotas"]] == [
        ("ruth@ours.example", "emails_sent", "1", "0")
    ]
    words = run("rules", "diff").stdout
    assert "2 of 5 activities would change (never-log list 1 → 2); nothing is written" in words
    assert "2  set aside, as the never-log list says" in words
    assert "ruth@ours.example, emails_sent, 2026-Q4: 1 → 0 of 10" in words


def test_a_batch_is_applied_and_taken_back_whole(app: Application, home: Path, run: Run) -> None:
    before = _links(app)
    write_rules(home, 2, **NAMELESS)
    write_list(home, "other.example", version=2)
    said = run("rules", "apply", "--yes", "--as", "ruth@ours.example").stdout
    assert said == "batch 1 is applied: 4 activities are matched differently now\n"
    assert not any(deals_of(app).values())
    assert _business(app) == {"1": True, "2": True, "3": True, "4": False, "5": False}
    why = run("explain", str(number_of(4)), "--as", "ruth@ours.example").stdout
    assert "nothing: the never-log list names who takes part" in why
    assert _counts(_diff(run)) == {}
    [batch] = json.loads(run("rules", "list", "--format", "json").stdout)
    assert (batch["state"], batch["matching"], batch["changed"], batch["by"]) == (
        "applied",
        "1 → 2",
        4,
        "Ruth",
    )
    assert batch["quotas"] == 1
    assert run("rules", "undo").stdout == "batch 1 is taken back: 4 activities are matched differently now\n"
    assert _links(app) == before
    assert all(_business(app).values())
    assert "nothing to take back" in run("rules", "undo").stderr


def test_what_was_said_beats_rules_and_list(app: Application, home: Path, run: Run) -> None:
    say(app, 1, Saying("deal", "item", deal="Retrofit"))
    say(app, 4, Saying("deal", "item", deal="Lease"))
    write_rules(home, 2, **NAMELESS)
    write_list(home, "other.example", version=2)
    assert _diff(run)["said_by_people"] == 1
    assert (
        "1 that the never-log list names stays: somebody said what it is about" in run("rules", "diff").stdout
    )
    assert run("rules", "apply", "--yes").exit_code == 0
    assert deals_of(app) == {"1": ["Retrofit"], "2": [], "3": [], "4": ["Lease"], "5": []}
    assert (_business(app)["4"], _business(app)["5"]) == (True, False)


@pytest.mark.parametrize("verb", ["apply", pytest.param("undo", marks=pytest.mark.soak)])
def test_stopped_in_the_middle_the_same_command_goes_on(
    app: Application, home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    act = apply_rules if verb == "apply" else undo_rules
    write_rules(home, 2, **NAMELESS)
    if verb == "undo":
        apply_rules(app, None, _quiet)
    looks = 1 if verb == "undo" else 2  # before it is applied, it is looked at what it would change
    monkeypatch.setattr("autocapture.workflows.rules_changes.HEADS_AT_ONCE", 1)
    calls: list[int] = []

    def stopping(done: int, _of: int) -> None:
        calls.append(done)
        if calls.count(1) == looks:
            raise StoreBusy("the disk is full")

    with pytest.raises(StoreBusy):
        act(app, None, stopping)
    assert f"`autocapture rules {verb}` goes on with it" in " ".join(run("doctor").output.split())
    assert act(app, None, _quiet).resumed
    at_the_end = _links(app)
    rematch_everything(app)
    assert _links(app) == at_the_end
    assert deals_of(app)["1"] == ([] if verb == "apply" else ["Pumps"])


@pytest.mark.soak
def test_what_is_captured_after_is_judged_by_what_is_applied(
    app: Application, home: Path, run: Run, tmp_path: Path
) -> None:
    write_rules(home, 2, **NAMELESS)
    captured(
        app, tmp_path / "sam", message(8, subject="Pumps", to="sam@ours.example"), user="sam@ours.example"
    )
    assert deals_of(app)["8"] == ["Pumps"]
    run("rules", "apply", "--yes")
    captured(
        app, tmp_path / "tina", message(9, subject="Pumps", to="tina@ours.example"), user="tina@ours.example"
    )
    assert deals_of(app)["9"] == []


def test_rules_that_a_release_ships_wait_too(app: Application, home: Path, run: Run) -> None:
    write_rules(home, 2, **NAMELESS)
    apply_rules(app, None, _quiet)
    (home / "autocapture.toml").unlink()
    shipped = application(home)
    assert deals_of(shipped)["1"] == []
    assert rematch_everything(shipped) == 0
    assert "is not what is applied (version 2)" in " ".join(run("doctor").output.split())
    assert apply_rules(shipped, None, _quiet).changed == 2
    assert deals_of(shipped)["1"] == ["Pumps"]


def test_who_began_with_other_rules_begins_anew(app: Application, home: Path) -> None:
    begun = our_people(app)
    write_rules(home, 2, **NAMELESS)
    apply_rules(app, None, _quiet)
    with pytest.raises(StoreBusy, match="other rules"), writing(app.engine) as session:
        rematch(session, begun, [number_of(1)], app.clock.now())
    assert rematch_everything(app) == 0


def test_what_is_wrong_is_told_in_one_line(app: Application, home: Path, run: Run) -> None:
    def said(*words: str) -> str:
        result = run(*words)
        assert result.exit_code != 0, result.output
        return result.stderr.strip()

    assert said("rules", "apply", "--yes") == "autocapture: the rules of the files are applied already"
    write_rules(home, 1, attach="0.95")
    assert "raise its `version`" in said("rules", "apply", "--yes")
    write_rules(home, 2, attach="1.0")
    assert "the rules fail the case" in said("rules", "apply", "--yes")
    assert "cases fail" in said("rules", "check")
    (home / "matching.toml").write_text("version = ", encoding="utf-8")
    assert "is not valid TOML" in said("rules", "diff")
    (home / "matching.toml").unlink()
    assert "cannot be read" in said("rules", "diff")
    write_rules(home)
    file = str(home / "exclusions.toml")
    assert "second of its kind" in said("rules", "diff", file, file)
    assert "no user" in said("rules", "apply", "--yes", "--as", "nobody@ours.example")
    with reading(app.engine) as session:
        assert session.exec(select(RulesBatch)).first() is None


def test_links_that_rest_on_lost_texts_stay(home: Path, run: Run, tmp_path: Path) -> None:
    furnish(deploy(home))
    furnish_files(home)
    app = application(home)
    said = message(1, subject="Offer", body="The Pumps are what we decide on first, then the rest.")
    deliver(tmp_path / "mail", said, message(2, subject="Pumps"))
    account = connect_files(app, maildir=tmp_path / "mail", level="full")
    capture(app, account)
    assert deals_of(app) == {"1": ["Pumps"], "2": ["Pumps"]}
    change_scope(app, account, Scope(None, "subject"), purge=True)
    write_rules(home, 2, **NAMELESS)
    assert _diff(run)["texts_not_kept"] == 1
    assert (
        "1 is left as it is: what decided stood in texts that are not kept any more"
        in run("rules", "diff").stdout
    )
    assert run("rules", "apply", "--yes").exit_code == 0
    assert deals_of(app) == {"1": ["Pumps"], "2": []}
