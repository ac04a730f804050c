"""How much of a quota is attained, and how that compares with where it should be by now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import metric_named
from autocapture.measure.declare import Metric
from autocapture.measure.period import Period
from autocapture.measure.query import Gap, Number, Query, Scope, ScopeType
from autocapture.measure.schedules import Schedules, load_schedules, share_gone
from autocapture.model.measures import Quota
from autocapture.model.organization import User

MOST_FOR_LESS = 2.0
"""Attainment where less is better is quota ÷ actual, and never more than this (METRICS 2.2)."""


@dataclass(frozen=True, slots=True)
class Attainment:
    """A quota and what has come of it by `as_of`.

    `attainment` is a share (1 is the quota met): actual ÷ quota, or quota ÷ actual where less is better; None for a quota of 0
    or where there is no actual value. `expected_share`: the part of the owner's available days in the period that is gone, today
    included (`measure.schedules.share_gone`).
    `pace`: attainment against that part, so 1 is on the line; a metric that does not add up over time (a rate, a median, a
    stock) is compared with its whole quota at any time. `remaining` is what is missing of a sum or a stock, never below 0.
    A sum counts from 0, so nothing won yet is 0 of the quota; before the period begins, or where nothing is connected that is
    counted, there is no actual value. `gap` says why it does not speak for the whole period.
    """

    quota: Quota
    unit: str
    actual: Number | None
    attainment: float | None
    expected_share: float
    pace: float | None
    remaining: Decimal | None
    n: int
    gap: Gap | None
    as_of: datetime

    @property
    def complete(self) -> bool:
        return self.gap is None


def quotas_for(session: Session, period: Period) -> list[Quota]:
    """The quotas whose dates overlap `period`, the company's first, then teams, then users."""
    rows = session.exec(
        select(Quota).where(col(Quota.period_start) <= period.end, col(Quota.period_end) >= period.start)
    )
    order = {"company": 0, "team": 1, "user": 2}
    return sorted(
        rows, key=lambda row: (order[row.scope_type], row.scope, row.metric, row.period_start, row.period_end)
    )


def attainment(
    session: Session,
    quota: Quota,
    *,
    as_of: datetime,
    zone: tzinfo = UTC,
    schedules: Schedules | None = None,
) -> Attainment:
    """What has come of `quota` by the instant `as_of`. Raises InputError where its metric, user or team no longer exists.

    `zone`: the organization's, where the working days of teams and of the company begin. `schedules`: everybody's, loaded once by
    whoever asks of many quotas.
    """
    metric = metric_named(quota.metric)
    period = Period(quota.period_start, quota.period_end)
    where = {"currency": quota.currency} if quota.currency else {}
    scope = Scope(cast(ScopeType, quota.scope_type), quota.scope)
    [value] = aggregate(session, metric, Query(period, as_of, where=where, scope=scope))
    actual = value.value
    if actual is None and "user" in metric.additive and value.gap not in (Gap.NOT_BEGUN, Gap.NOT_CONNECTED):
        actual = Decimal(0)
    there = ZoneInfo(_owner(session, quota).time_zone) if quota.scope_type == "user" else zone
    known = load_schedules(session) if schedules is None else schedules
    share = float(share_gone(session, known, scope, period, as_of.astimezone(there).date()))
    attained = _attained(actual, quota.value, metric)
    return Attainment(
        quota=quota,
        unit=metric.unit,
        actual=actual,
        attainment=attained,
        expected_share=share,
        pace=_pace(attained, share, metric),
        remaining=_remaining(actual, quota.value, metric),
        n=value.n,
        gap=value.gap,
        as_of=as_of,
    )


def _owner(session: Session, quota: Quota) -> User:
    return session.exec(select(User).where(User.email == quota.scope)).one()


def _attained(actual: Number | None, target: Decimal, metric: Metric) -> float | None:
    if actual is None or target == 0:
        return None
    if metric.direction == "up":
        return float(actual) / float(target)
    return min(float(target) / float(actual), MOST_FOR_LESS) if actual else MOST_FOR_LESS


def _pace(attained: float | None, share: float, metric: Metric) -> float | None:
    if attained is None or metric.direction == "down" or "time" not in metric.additive:
        return attained
    return attained / share if share else None


def _remaining(actual: Number | None, target: Decimal, metric: Metric) -> Decimal | None:
    if actual is None or metric.direction == "down" or not metric.additive:
        return None
    return max(Decimal(0), target - Decimal(str(actual)))
