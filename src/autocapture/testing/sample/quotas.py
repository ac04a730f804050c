"""Quotas at all three levels, input, in between and output, set from what the organisation usually reaches.

Every rep has the same target, so that attainment tells them apart; teams and the company have the sum.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from autocapture.testing.world.model import World

_HEADER = ("metric", "scope_type", "scope", "period_start", "period_end", "value", "currency")
_QUARTERS_WEEKS = 26

Period = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Target:
    """What one rep should reach in each of the periods (inclusive)."""

    metric: str
    periods: tuple[Period, ...]
    value: int
    currency: str = ""


def write_quotas(world: World, path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for target in targets(world):
            for scope_type, scope, people in _scopes(world):
                for start, end in target.periods:
                    value = target.value * people
                    writer.writerow((target.metric, scope_type, scope, start, end, value, target.currency))
    return path


def targets(world: World) -> list[Target]:
    """The targets of one rep: weekly activity, monthly new deals, quarterly results."""
    reps = max(1, len(world.reps))
    rep_weeks = reps * world.size.weeks
    half_year = world.last_on - timedelta(weeks=_QUARTERS_WEEKS) + timedelta(days=1)
    next_week = world.last_on + timedelta(days=7)
    weeks = tuple(_weeks(world.first_on, next_week))
    months = tuple(_months(half_year, next_week, 1))
    quarters = tuple(_months(half_year, next_week, 3))
    won = [deal for deal in world.deals if deal.outcome == "won"]
    revenue = sum(int(deal.amount or 0) for deal in won if deal.currency == "EUR")
    mails = sum(1 for m in world.messages if m.truth.counts and m.truth.direction == "outbound")
    calls = sum(1 for call in world.calls if call.truth.counts and call.truth.direction == "outbound")
    meetings = sum(1 for event in world.events for item in event.occurrences if item.truth.counts)
    return [
        Target("emails_sent", weeks, _rounded(mails / rep_weeks, 5)),
        Target("calls_made", weeks, _rounded(calls / rep_weeks, 1)),
        Target("meetings_held", weeks, _rounded(meetings / rep_weeks, 1)),
        Target("opportunities_created", months, _rounded(len(world.deals) / reps / 6, 1)),
        Target("deals_won", quarters, _rounded(len(won) / reps / 1.6, 1)),
        Target("revenue_won", quarters, _rounded(revenue / reps / 1.6, 5000), "EUR"),
    ]


def _rounded(value: float, step: int) -> int:
    return max(step, round(value / step) * step)


def _scopes(world: World) -> Iterator[tuple[str, str, int]]:
    """(type, name, number of reps); the company's name is empty."""
    for user in world.reps:
        yield "user", user.email, 1
    for team in dict.fromkeys(user.team for user in world.reps):
        yield "team", team, sum(user.team == team for user in world.reps)
    yield "company", "", len(world.reps)


def _weeks(first: date, last: date) -> Iterable[Period]:
    while first <= last:
        yield first, first + timedelta(days=6)
        first += timedelta(weeks=1)


def _months(first: date, last: date, length: int) -> Iterable[Period]:
    """The calendar periods of `length` months that have a day from `first` to `last`."""
    month = first.year * 12 + (first.month - 1) // length * length
    while date(month // 12, month % 12 + 1, 1) <= last:
        after = month + length
        yield date(month // 12, month % 12 + 1, 1), date(after // 12, after % 12 + 1, 1) - timedelta(days=1)
        month = after
