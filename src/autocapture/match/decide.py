"""From evidence to a decision: the probability of each option, and whether one of them is certain enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

from autocapture.match.evidence import Evidence
from autocapture.model.matching import MatchingRules, Option

_CONTENT = ("own words", "number")
"""Evidence that is a deal's own: with it an activity may be about two of them."""
_KEY = "key"
"""Who gives the keys of two deals may have copied one of them: that is no answer."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`deals` by id with their weights, none where the matter goes to the company alone. `is_open`: there was something to
    choose, and nothing was certain enough. `options` are the likeliest first."""

    deals: Mapping[int, float]
    is_open: bool
    options: Sequence[Option]


def options_of(of_deals: Mapping[int, Evidence], for_none: Evidence, rules: MatchingRules) -> list[Option]:
    """Every option with its probability (softmax over the sums of its log-odds), the likeliest first."""
    weights = rules.weights
    spoken: list[tuple[int | None, dict[str, float]]] = [
        (deal_id, {name: weights[name] * amount for name, amount in evidence.items()})
        for deal_id, evidence in (*of_deals.items(), (None, for_none))
    ]
    scores = [sum(each.values()) for _, each in spoken]
    highest = max(scores)
    parts = [exp(score - highest) for score in scores]
    whole = sum(parts)
    found = [
        Option(deal_id, round(part / whole, 4), evidence)
        for (deal_id, evidence), part in zip(spoken, parts, strict=True)
    ]
    return sorted(found, key=lambda each: (-each.p, each.deal_id is None, each.deal_id or 0))


def decided(
    options: Sequence[Option], rules: MatchingRules, *, asks: bool = False, several: bool = False
) -> Decision:
    """One deal, several that each have words of their own, none, or an open question, as where we ask ourselves which is meant
    (`asks`). Where `several` are named, not one of them alone, whoever takes part."""
    if asks or sum(_KEY in each.evidence for each in options) > 1:
        return Decision({}, True, options)
    first = options[0]
    second = options[1].p if len(options) > 1 else 0.0
    if first.p >= rules.attach and first.p - second >= rules.margin and not several:
        if first.deal_id is None:
            return Decision({}, False, options)
        return Decision({first.deal_id: 1.0}, False, options)
    named = [
        each
        for each in options
        if each.deal_id is not None
        and each.p >= rules.share
        and any(each.evidence.get(name) for name in _CONTENT)
    ][: rules.most]
    if len(named) > 1:
        return Decision(_shares(named), False, options)
    return Decision({}, True, options)


def _shares(named: Sequence[Option]) -> dict[int, float]:
    """Weights that sum to 1, by probability."""
    total = sum(each.p for each in named)
    weights = {each.deal_id: round(each.p / total, 4) for each in named if each.deal_id is not None}
    first = next(iter(weights))
    weights[first] = round(1 - sum(weight for key, weight in weights.items() if key != first), 4)
    return weights
