"""`correct`, `review` and `explain`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import application, deploy, message
from tests.integration.corrections.matter import (
    KIM,
    NEWSLETTER,
    captured,
    deals_of,
    furnish,
    number_of,
    reply,
)
from tests.integration.service.conftest import Run

from autocapture.application import Application

RUTH, SAM = "ruth@ours.example", "sam@ours.example"


@pytest.fixture
def app(home: Path, tmp_path: Path) -> Application:
    """A thread of two mails and a mail about one of two deals; a newsletter."""
    furnish(deploy(home))
    app = application(home)
    captured(app, tmp_path / "mail", message(1, subject="Hello"), reply(2, to=1), message(3), NEWSLETTER)
    return app


def _json(run: Run, *words: str) -> Any:
    result = run(*words, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_queue_asks_of_each_thread_once_with_deals_and_reasons(app: Application, run: Run) -> None:
    asked = _json(run, "review", "list", "--as", RUTH)
    assert [(each["activity"], each["undecided_in_thread"]) for each in asked] == [
        (str(number_of(3)), 1),
        (str(number_of(2)), 2),
    ]
    assert {each["deal"] for each in asked[0]["candidates"]} == {"d1", "d2"}
    assert all(each["reasons"] and 0 < each["p"] < 1 for each in asked[0]["candidates"])
    told = run("review", "list", "--as", RUTH).stdout
    assert "and 1 more of its thread" in told
    assert "Pumps (d1, of Ruth)" in told
    assert "its owner takes part" in told


def test_one_answer_settles_a_thread(app: Application, run: Run) -> None:
    first = _json(run, "review", "list", "--as", RUTH)[1]
    said = run("review", "answer", first["activity"], "2", "--as", RUTH)
    assert "2 activities are matched differently now" in said.stdout
    name = first["candidates"][1]["name"]
    assert said.stdout.startswith(f"The whole thread is about {name}. (correction 1;")
    assert deals_of(app) == {"1": [name], "2": [name], "3": []}
    assert run("review", "answer", str(number_of(3)), "none", "--as", RUTH).exit_code == 0
    assert run("review", "list", "--as", RUTH).stdout == "nothing is undecided\n"


def test_what_was_said_is_listed_and_taken_back(app: Application, run: Run) -> None:
    number = str(number_of(3))
    assert run("correct", "deal", number, "Pumps", "--as", RUTH, "--scope", "person").exit_code == 0
    assert run("correct", "person", number, KIM, "nobody", "--as", RUTH).exit_code == 0
    assert run("correct", "not-business", number, "--as", RUTH).exit_code == 0
    assert [each["said"] for each in _json(run, "correct", "list", "--as", RUTH)] == [
        "This is not business.",
        f"{KIM} is nobody in the CRM here.",
        f"What is with {KIM} is about Pumps, until it closes.",
    ]
    assert "taken back" in run("correct", "undo", "3", "--as", RUTH).stdout
    assert _json(run, "correct", "list")[0]["undone_by"] == "Ruth"


def test_who_may_not_say_it_is_told_so_in_one_line(app: Application, run: Run) -> None:
    for words in (
        ("correct", "deal", str(number_of(1)), "Pumps", "--as", SAM),
        ("review", "answer", str(number_of(1)), "1", "--as", SAM),
        ("correct", "undo", "1", "--as", RUTH),
    ):
        result = run(*words)
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert "there is no " in result.stderr


def test_an_activity_is_explained_from_its_rule_to_what_else_it_could_have_been(
    app: Application,
    run: Run,
) -> None:
    run("correct", "deal", str(number_of(3)), "d2", "--as", RUTH)
    told = run("explain", str(number_of(3)), "--as", RUTH).stdout
    for said in (
        "seen in Ruth's account 1 (files), ",
        "admitted by rule email@",
        "Kim of Customer",
        f"company Customer: {KIM} is the address or number of its contact",
        "deal Retrofit: somebody said so",
        "Pumps (d1, of Ruth)",
        "Ruth on ",
        ": This is about Retrofit. (correction 1; this holds)",
    ):
        assert said in told, told
    by_message_id = run("explain", "<3@customer.example>").stdout
    assert by_message_id.splitlines()[0] == told.splitlines()[0]
    stranger = run("explain", str(number_of(3)), "--as", SAM)
    assert stranger.exit_code == 1
    assert "Hello" not in stranger.stdout


def test_a_mail_that_is_not_here_is_explained_from_the_ledger_alone(app: Application, run: Run) -> None:
    left_out = run("explain", "<news@shop.example>", "--as", RUTH)
    assert left_out.exit_code == 0
    assert "Ruth's account 1 (files)" in left_out.stdout
    assert "it was left out as newsletter: sent through a mailing list" in left_out.stdout
    assert "by rule " in left_out.stdout
    assert "News" not in left_out.stdout
    found = json.loads(run("explain", "news@shop.example", "--format", "json").stdout)
    source = found["ledger"][0]["source_id"]
    assert run("explain", source).stdout == run("explain", "news@shop.example").stdout
    never = run("explain", "never@shop.example", "--as", RUTH)
    assert never.exit_code == 1
    assert "was ever seen in these accounts" in never.stdout
    assert "Ruth's account 1 (files), active: from the beginning on, captured last on" in never.stdout
    assert "Ruth" not in run("explain", "<news@shop.example>", "--as", SAM).stdout


def test_what_cannot_be_a_number_or_text_is_refused_in_one_line(app: Application, run: Run) -> None:
    assert run("correct", "no-deal", str(2**64), "--as", RUTH).exit_code == 2
    assert run("correct", "undo", str(2**64), "--as", RUTH).exit_code == 2
    assert "was ever seen" in run("explain", str(2**64)).stdout
    assert "was ever seen" in run("explain", "\udcff@shop.example").stdout


def test_what_is_no_business_is_explained_without_what_it_says(app: Application, run: Run) -> None:
    run("correct", "not-business", str(number_of(1)), "--as", RUTH)
    operator = run("explain", str(number_of(1))).stdout
    assert "somebody said that it is not business" in operator
    assert "Hello" not in operator
    assert KIM not in operator
    assert "Hello" in run("explain", str(number_of(1)), "--as", RUTH).stdout
