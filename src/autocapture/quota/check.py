"""Whether quotas fit together: a team's with those of its members, the company's with those of its teams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from autocapture.measure.declare import Metric
from autocapture.model.measures import Quota


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A quota beside the sum of those below it. Not an error: a manager may keep a reserve, or expect more of the team."""

    quota: Quota
    below: Decimal
    missing: tuple[str, ...]
    """Who has no quota of their own for this metric and these dates."""

    def __str__(self) -> str:
        whose = f"{self.quota.scope_type} {self.quota.scope}".rstrip()
        dates = f"{self.quota.period_start}..{self.quota.period_end}"
        said = f"{self.quota.metric} {dates}: {whose} has {self.quota.value:f}, those below it {self.below:f}"
        return f"{said}; without a quota: {', '.join(self.missing)}" if self.missing else said


def mismatches(
    quotas: Iterable[Quota], known_metrics: Mapping[str, Metric], members: Mapping[str, Collection[str]]
) -> list[Mismatch]:
    """Quotas of teams and the company that differ from the sum of their members' or teams' for the same metric and dates.

    Only metrics that may be added over users (for a team) and over teams (for the company) are compared, and only where
    somebody below has a quota. `members` maps team names to the emails of their members.
    """
    by_kind: dict[tuple[object, ...], dict[tuple[str, str], Quota]] = defaultdict(dict)
    for quota in quotas:
        kind = (quota.metric, quota.period_start, quota.period_end, quota.currency)
        by_kind[kind][quota.scope_type, quota.scope] = quota
    found = []
    for same in by_kind.values():
        for (scope_type, scope), quota in sorted(same.items()):
            below = _below(scope_type, scope, known_metrics[quota.metric], members)
            theirs = [same[child] for child in below if child in same]
            total = sum((child.value for child in theirs), Decimal(0))
            if theirs and total != quota.value:
                missing = tuple(sorted(name for kind, name in below if (kind, name) not in same))
                found.append(Mismatch(quota, total, missing))
    return found


def _below(
    scope_type: str, scope: str, metric: Metric, members: Mapping[str, Collection[str]]
) -> list[tuple[str, str]]:
    if scope_type == "team" and "user" in metric.additive:
        return [("user", email) for email in members.get(scope, ())]
    if scope_type == "company" and "team" in metric.additive:
        return [("team", name) for name in members]
    return []
