"""Weights and thresholds are fitted to examples whose truth is known."""

from __future__ import annotations

import tomllib
from dataclasses import replace

from autocapture.evaluate.examples import Example
from autocapture.evaluate.fit import PRECISION, fitted, fitted_weights, outlook
from autocapture.match.rules import parse_rules, shipped_rules, shipped_text, written

RULES = shipped_rules()
NONE = {"no deal": 1.0}


def example(right: int | None, *deals: dict[str, float], number: int = 10) -> Example:
    return Example((*deals, NONE), right, number)


def test_what_is_always_right_gains_weight_and_what_never_is_loses_it() -> None:
    examples = [example(0, {"owner": 1.0}, {"role": 1.0}, number=500)]
    found = fitted_weights(examples, RULES.weights)
    assert found["owner"] > RULES.weights["owner"]
    assert found["role"] < RULES.weights["role"]
    assert found["words"] == RULES.weights["words"], "of which nothing was seen"


def test_what_nobody_could_tell_makes_its_options_alike() -> None:
    examples = [example(None, {"owner": 1.0}, {"role": 1.0}, number=200_000)]
    found = fitted_weights(examples, RULES.weights)
    assert abs(found["owner"] - found["role"]) < 0.2
    assert abs(found["owner"] - found["no deal"]) < 0.2


def test_the_threshold_is_as_low_as_the_precision_allows() -> None:
    clear = [example(0, {"own words": 1.0, "words": 1.0}, number=900)]
    coin = [example(right, {"role": 1.0}) for right in (0, 1) for _ in range(20)]
    found = fitted([clear + coin], RULES)
    precision, coverage = outlook(clear + coin, found)
    assert precision >= PRECISION
    assert coverage > 0.8
    lower = replace(found, attach=found.attach - 0.01)
    assert found.attach == 0.5 or outlook(clear + coin, lower)[0] < PRECISION
    assert found.version == RULES.version + 1


def test_fitted_rules_are_a_file_that_is_read_again() -> None:
    found = fitted([[example(0, {"owner": 1.0})]], RULES)
    assert parse_rules(tomllib.loads(written(found, shipped_text()))) == found
    assert written(RULES, shipped_text()) == shipped_text()
