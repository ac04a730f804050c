"""Whose quota numbers a change of rules would change: it is made, counted by the metrics' own queries, and rolled back."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.measure.query import Number
from autocapture.measure.schedules import load_schedules
from autocapture.model.activities import Participation
from autocapture.model.directory import Organization
from autocapture.model.measures import Quota
from autocapture.model.organization import User
from autocapture.quota.attain import attainment
from autocapture.store import activities
from autocapture.store.bulk import among, in_chunks
from autocapture.store.engine import take_turn, writing
from autocapture.workflows.matching import BATCH
from autocapture.workflows.rules_changes import compared


@dataclass(frozen=True, slots=True)
class QuotaChange:
    """What a quota counts for its owner now, and by the other rules."""

    metric: str
    scope_type: str
    scope: str
    period_start: date
    period_end: date
    currency: str | None
    quota: Number
    before: Number | None
    after: Number | None


def quota_changes(
    app: Application, before: Organization, after: Organization, changed: array[int]
) -> tuple[QuotaChange, ...]:
    """The quotas whose number differs where these activities are matched by the rules `after`. In one transaction that is rolled
    back: nobody sees anything of it, and captures wait for the seconds that it takes."""
    if not changed:
        return ()
    now, zone = app.clock.now(), ZoneInfo(app.settings.organization.time_zone)
    with writing(app.engine) as session:
        take_turn(session)
        quotas = _concerned(session, changed)
        counted = _actuals(session, quotas, now, zone) if quotas else {}
        if counted:
            for chunk in in_chunks(changed, BATCH):
                found = compared(session, before, after, chunk)
                activities.rematch(session, [(item, matched) for item, matched, _ in found.changed], now)
            then = _actuals(session, quotas, now, zone)
            differing = [
                _change(quota, counted[key], then.get(key))
                for key, quota in enumerate(quotas)
                if key in counted
            ]
        else:
            differing = []
        session.rollback()
    return tuple(each for each in differing if each.before != each.after)


def _change(quota: Quota, before: Number | None, after: Number | None) -> QuotaChange:
    return QuotaChange(
        metric=quota.metric,
        scope_type=quota.scope_type,
        scope=quota.scope,
        period_start=quota.period_start,
        period_end=quota.period_end,
        currency=quota.currency,
        quota=quota.value,
        before=before,
        after=after,
    )


def _concerned(session: Session, changed: Sequence[int]) -> list[Quota]:
    """The quotas of those who took part, of teams and of the company, that have one of the days in their period."""
    days: dict[int, tuple[date, date]] = {}
    for chunk in in_chunks(changed):
        rows = session.execute(
            select(
                col(Participation.user_id),
                func.min(col(Participation.local_date)),
                func.max(col(Participation.local_date)),
            )
            .where(among(session, col(Participation.activity_id), chunk))
            .group_by(col(Participation.user_id))
        )
        for user_id, first, last in rows:
            known = days.get(user_id, (first, last))
            days[user_id] = min(known[0], first), max(known[1], last)
    if not days:
        return []
    emails = dict(session.execute(select(col(User.email), col(User.id)).where(col(User.id).in_(days))).all())
    first, last = min(each for each, _ in days.values()), max(each for _, each in days.values())
    quotas = session.execute(
        select(Quota)
        .where(col(Quota.period_start) <= last, col(Quota.period_end) >= first)
        .order_by(col(Quota.scope_type).desc(), col(Quota.scope), col(Quota.period_start), col(Quota.metric))
    ).scalars()
    return [quota for quota in quotas if _is_concerned(quota, emails, days)]


def _is_concerned(quota: Quota, emails: Mapping[str, int], days: Mapping[int, tuple[date, date]]) -> bool:
    if quota.scope_type != "user":
        return True
    theirs = days.get(emails.get(quota.scope, 0))
    return theirs is not None and theirs[0] <= quota.period_end and theirs[1] >= quota.period_start


def _actuals(
    session: Session, quotas: Collection[Quota], now: datetime, zone: ZoneInfo
) -> dict[int, Number | None]:
    """By place in `quotas`; without those whose metric, user or team is gone."""
    found: dict[int, Number | None] = {}
    schedules = load_schedules(session)
    for place, quota in enumerate(quotas):
        try:
            found[place] = attainment(session, quota, as_of=now, zone=zone, schedules=schedules).actual
        except InputError:
            continue
    return found
