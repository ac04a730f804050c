"""Whose working time is whose: the schedules of our people from the tables, and how much of a period's working days is gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, or_, select
from sqlmodel import Session

from autocapture.measure.declare import Duration
from autocapture.measure.period import Period
from autocapture.measure.query import Scope
from autocapture.measure.sql import table
from autocapture.measure.worktime import Away, Hours, Schedule, Week, country_of, holidays_in, holidays_of

user = table("app_user")
team = table("team")
membership = table("membership")
working_hours = table("working_hours")
absence = table("absence")

_DAY = timedelta(days=1)
NO_HOLIDAYS = "none"
"""A place without public holidays: they are worked."""


@dataclass(frozen=True, slots=True)
class Schedules:
    """`organization`: that of whoever has none. `users` by id."""

    organization: Schedule
    users: Mapping[int, Schedule]

    def of(self, user_id: int | None) -> Schedule:
        return self.users.get(user_id, self.organization) if user_id is not None else self.organization


def load_schedules(session: Session, *, absences: bool = True) -> Schedules:
    """Everybody's, without their `absences` for who asks of hours alone. Hours of their own hold from their first day on, the
    organisation's until then. Where neither names a place for its holidays, it is the country of the person's locale."""
    rows: dict[int | None, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(select(working_hours).order_by(working_hours.c.valid_from)):
        rows[row.user_id].append(row)
    away: dict[int, list[Away]] = defaultdict(list)
    for row in session.execute(select(absence)) if absences else ():
        away[row.user_id].append(Away(row.starts_on, row.ends_on, row.share))
    usual: dict[str, tuple[Hours, ...]] = {}
    users = {}
    for person in session.execute(select(user.c.id, user.c.time_zone, user.c.locale)):
        if person.locale not in usual:
            usual[person.locale] = _hours(rows[None], person.locale)
        own = rows.get(person.id)
        hours = usual[person.locale] if own is None else _hours(_until(rows[None], own), person.locale)
        users[person.id] = Schedule(person.time_zone, hours, tuple(away.get(person.id, ())))
    return Schedules(Schedule(hours=_hours(rows[None], "")), users)


def _until(rows: Iterable[Row[Any]], own: list[Row[Any]]) -> list[Row[Any]]:
    return [*(row for row in rows if row.valid_from < own[0].valid_from), *own]


def _hours(rows: Iterable[Row[Any]], locale: str) -> tuple[Hours, ...]:
    usual = Hours(date.min, holidays=holidays_of(locale))
    return (usual, *(Hours(row.valid_from, Week.parse(row.week), _holidays(row, locale)) for row in rows))


def _holidays(row: Row[Any], locale: str) -> Container[date]:
    """Those of the place that the row names. The organisation's is for people of its country, and for those who name none."""
    if row.holidays is None:
        return holidays_of(locale)
    if row.holidays == NO_HOLIDAYS:
        return ()
    country = country_of(locale)
    if row.user_id is None and country not in (None, row.holidays.partition("-")[0]):
        return holidays_of(locale)
    try:
        return holidays_in(row.holidays)
    except ValueError:  # known when it was imported, by another release of the calendars
        return ()


def share_gone(session: Session, schedules: Schedules, scope: Scope, period: Period, today: date) -> Decimal:
    """The part of the period's available days that is gone, today included: of a user, of a team's reps while they are its
    members, of all reps. Where nobody is available at all, of the organisation's working days; where there are none, of the days.
    """
    last = min(today, period.end)
    gone = whole = Decimal(0)
    for user_id, stay in _people(session, scope, period):
        schedule = schedules.of(user_id)
        until_now = schedule.available_days(stay.start, min(last, stay.end))
        gone += until_now
        whole += until_now + schedule.available_days(max(last + _DAY, stay.start), stay.end)
    if not whole:
        everybody = schedules.organization
        whole = Decimal(everybody.working_days(period.start, period.end))
        gone = Decimal(everybody.working_days(period.start, last))
    if not whole:
        whole, gone = Decimal(period.days), Decimal(max(0, (last - period.start).days + 1))
    return gone / whole


def _people(session: Session, scope: Scope, period: Period) -> list[tuple[int, Period]]:
    """Whose working days count, and for which part of the period."""
    reps = (user.c.role == "rep", user.c.active)
    if scope.type == "user":
        found = session.scalars(select(user.c.id).where(user.c.email == scope.name.lower()))
        return [(user_id, period) for user_id in found]
    if scope.type == "company":
        return [(user_id, period) for user_id in session.scalars(select(user.c.id).where(*reps))]
    stays = session.execute(
        select(membership.c.user_id, membership.c.valid_from, membership.c.valid_to)
        .join(team, team.c.id == membership.c.team_id)
        .join(user, user.c.id == membership.c.user_id)
        .where(
            *reps,
            team.c.name == scope.name,
            membership.c.valid_from <= period.end,
            or_(membership.c.valid_to.is_(None), membership.c.valid_to >= period.start),
        )
    )
    return [
        (row.user_id, Period(max(row.valid_from, period.start), min(row.valid_to or date.max, period.end)))
        for row in stays
    ]


Stopwatch = Callable[[Row[Any]], tuple[int, bool]]
"""Seconds that a counted row of a duration lasts, and whether it has ended."""


def stopwatch(session: Session, metric: Duration, as_of: datetime) -> Stopwatch:
    """Measures rows of `metric` on its clock, until `as_of` where they have not ended by then."""
    schedules = load_schedules(session, absences=False) if metric.clock == "business" else None

    def measured(row: Row[Any]) -> tuple[int, bool]:
        over = row.ended is not None and row.ended <= as_of
        until = row.ended if over else as_of
        if schedules is None:
            return int((until - row.begun).total_seconds()), over
        return schedules.of(row.holder).seconds(row.begun, until), over

    return measured
