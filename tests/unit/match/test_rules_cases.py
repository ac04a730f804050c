"""The shipped rules satisfy the shipped cases, and what is wrong with a file of cases is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from autocapture.admit.exclusions import Exclusions
from autocapture.errors import SetupError
from autocapture.match.rules import parse_rules, settings_of, shipped_rules
from autocapture.workflows.rules_cases import (
    NEVER_LOG,
    failing,
    judged,
    load_cases,
    parse_cases,
    shipped_cases,
)
from autocapture.workflows.rules_in_force import Rules, rules_from

CONFIG = Path(__file__).parents[3] / "config" / "rules-cases.toml"
SHIPPED = Rules(shipped_rules(), Exclusions())


def test_the_shipped_rules_satisfy_the_shipped_cases() -> None:
    assert len(shipped_cases()) >= 9
    assert failing(shipped_cases(), SHIPPED) == ()
    assert [case.name for case in load_cases(CONFIG)] == [case.name for case in shipped_cases()]


def test_a_case_may_want_that_the_never_log_list_names_somebody() -> None:
    text = """
[[case]]
name = "council"
mails = [{ at = 2026-10-01, from = "anna@ours.example", to = ["chair@council.example"] }]
about = "never log"
"""
    cases = parse_cases(tomllib.loads(text))
    assert failing(cases, SHIPPED)[0].given == "no deal"
    listed = Rules(shipped_rules(), Exclusions(domains=frozenset({"council.example"})))
    assert judged(cases[0], listed) == {NEVER_LOG}


def test_rules_are_kept_as_their_file_has_them() -> None:
    assert parse_rules(settings_of(shipped_rules())) == shipped_rules()


def test_rules_that_an_earlier_release_kept_are_read() -> None:
    kept = SHIPPED.as_data()
    del kept["matching"]["weights"]["owner"], kept["matching"]["words"]["common"]
    kept["matching"]["weights"]["charm"] = 1.0
    found = rules_from(kept).matching
    assert (found.weights["owner"], found.common) == (0.0, frozenset())
    assert found.weights["role"] == shipped_rules().weights["role"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 1", "unknown key 'version'"),
        ("[[case]]\nabout = 'asked'", "case 1 has no `name`"),
        ("[[case]]\nname = 'a'\nabout = 'Pumps'", "`about` names one of its deals"),
        ("[[case]]\nname = 'a'\nabout = 'asked'", "neither `mails` nor `meetings`"),
        ("[[case]]\nname = 'a'\nabout = 'asked'\nmails = [{ at = 2026-10-01 }]", "`from` must be a text"),
        (
            "[[case]]\nname = 'a'\nabout = 'asked'\nmails = [{ from = 'a@b.example', at = 3 }]",
            "`at` must be a day",
        ),
    ],
)
def test_what_is_wrong_with_cases_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse_cases(tomllib.loads(text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
