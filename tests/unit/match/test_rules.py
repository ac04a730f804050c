"""The matching rules are a file that an operator may copy and change."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from autocapture.errors import SetupError
from autocapture.match.rules import parse_rules, shipped_rules
from autocapture.workflows.matching_rules import load_matching_rules

CONFIG = Path(__file__).parents[3] / "config" / "matching.toml"


def told() -> dict[str, Any]:
    return tomllib.loads(CONFIG.read_text(encoding="utf-8"))


def test_the_file_in_config_says_what_is_shipped() -> None:
    assert parse_rules(told()) == shipped_rules()
    assert load_matching_rules(CONFIG) == load_matching_rules(None) == shipped_rules()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("version", 0, "version must be a whole number from 1 to 1000000, not 0"),
        ("weights.role", "much", "weights.role must be a number from -50 to 50, not 'much'"),
        ("weights.charm", 1.0, "unknown key weights.charm"),
        ("decision.attach", 0.2, "decision.attach must be a number from 0.5 to 1, not 0.2"),
        ("decision.most", 2.5, "decision.most must be a whole number from 1 to 5, not 2.5"),
        ("windows", 3, "windows must be a table, not 3"),
        ("words.service", ["", "bill"], "words.service must be a list of words"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(path: str, value: object, said: str) -> None:
    data = told()
    *tables, key = path.split(".")
    table = data
    for name in tables:
        table = table[name]
    table[key] = value
    with pytest.raises(SetupError) as caught:
        parse_rules(data)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_told() -> None:
    data = told()
    del data["weights"]["owner"]
    with pytest.raises(SetupError, match=r"weights\.owner is missing"):
        parse_rules(data)


def test_a_file_that_is_not_there_or_none_is_told(tmp_path: Path) -> None:
    for content, said in ((None, "cannot be read"), ("version =", "not valid TOML")):
        path = tmp_path / "matching.toml"
        if content is not None:
            path.write_text(content, encoding="utf-8")
        with pytest.raises(SetupError, match=said):
            load_matching_rules(path)
