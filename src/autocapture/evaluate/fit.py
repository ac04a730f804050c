"""Weights and thresholds fitted to worlds whose truth is known. Pure: examples in, rules out.

A softmax regression: the weights under which what is true was most probable, held near those that are in force by a penalty on
the distance (ridge), so that what the worlds hardly show stays what people thought of it. Thresholds are the lowest that reach
the wanted precision on every set of examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, sqrt

from autocapture.evaluate.examples import Example
from autocapture.match.decide import decided, options_of
from autocapture.model.matching import MatchingRules

PRECISION = 0.98
"""What the thresholds aim at: above 0.97, since other worlds are other worlds."""

_STEPS = 200
_RATE = 0.08
_RIDGE = 100.0
"""How many activities' worth of surprise a weight costs that is moved by one."""
_NOBODY_TOLD = 0.1
"""What an activity counts of which nobody could tell what it is about: then every option should be as likely, which is less than
to know one."""
_LEAST, _MOST, _GRID = 0.50, 0.99, 0.01


def fitted(sets: Sequence[Sequence[Example]], rules: MatchingRules) -> MatchingRules:
    """The rules with weights fitted to all the examples, and with the lowest threshold by which each of the sets is right in
    `PRECISION` of what is taken."""
    weights = fitted_weights(_alike([example for each in sets for example in each]), rules.weights)
    rounded = {name: round(weight, 2) for name, weight in weights.items()}
    weighed = replace(rules, version=rules.version + 1, weights=rounded)
    return replace(weighed, attach=_threshold(sets, weighed))


def fitted_weights(examples: Sequence[Example], before: Mapping[str, float]) -> dict[str, float]:
    """The weights of the least surprise, found by gradient descent with momentum (Adam: Kingma and Ba 2015)."""
    weights = dict(before)
    first, second = dict.fromkeys(before, 0.0), dict.fromkeys(before, 0.0)
    total = sum(example.activities for example in examples) or 1
    for step in range(1, _STEPS + 1):
        slope = _slope(examples, weights)
        for name in weights:
            pulled = (slope[name] + _RIDGE * (weights[name] - before[name])) / total
            first[name] = 0.9 * first[name] + 0.1 * pulled
            second[name] = 0.999 * second[name] + 0.001 * pulled * pulled
            moved = first[name] / (1 - 0.9**step)
            weights[name] -= _RATE * moved / (sqrt(second[name] / (1 - 0.999**step)) + 1e-9)
    return weights


def _alike(examples: Sequence[Example]) -> list[Example]:
    """The same examples, those with the same evidence as one."""
    found: Counter[tuple[tuple[tuple[tuple[str, float], ...], ...], int | None]] = Counter()
    for options, right, activities in examples:
        told = tuple([tuple(sorted([(k, round(v, 1)) for k, v in each.items()])) for each in options])
        found[told, right] += activities
    return [Example([dict(each) for each in told], right, number) for (told, right), number in found.items()]


def _slope(examples: Sequence[Example], weights: Mapping[str, float]) -> dict[str, float]:
    """How the surprise changes with each weight."""
    found = dict.fromkeys(weights, 0.0)
    for options, right, activities in examples:
        scores = [sum(weights[name] * amount for name, amount in option.items()) for option in options]
        highest = max(scores)
        parts = [exp(score - highest) for score in scores]
        whole = sum(parts)
        known = 1.0 if right is not None else _NOBODY_TOLD
        for place, option in enumerate(options):
            wanted = place == right if right is not None else 1 / len(options)
            error = (parts[place] / whole - wanted) * activities * known
            for name, amount in option.items():
                found[name] += error * amount
    return found


def _threshold(sets: Sequence[Sequence[Example]], rules: MatchingRules) -> float:
    steps = round((_MOST - _LEAST) / _GRID)
    for step in range(steps + 1):
        attach = round(_LEAST + _GRID * step, 2)
        if all(outlook(examples, replace(rules, attach=attach))[0] >= PRECISION for examples in sets):
            return attach
    return _MOST


def outlook(examples: Sequence[Example], rules: MatchingRules) -> tuple[float, float]:
    """Precision and coverage by these rules, of activities for which there was a deal to choose."""
    taken = right = about_deals = covered = 0.0
    for options, about, activities in examples:
        deals = decided(options_of(dict(enumerate(options[:-1])), options[-1], rules), rules).deals
        is_about_deal = about is not None and about < len(options) - 1
        about_deals += activities * is_about_deal
        if deals:
            taken += activities
            covered += activities * is_about_deal
            right += activities * (deals.get(about, 0.0) if about is not None else 0.0)
    return (right / taken if taken else 1.0), (covered / about_deals if about_deals else 1.0)
