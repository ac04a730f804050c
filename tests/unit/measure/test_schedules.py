"""Whose hours hold for whom, and how much of a period is gone for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlmodel import Session
from tests.unit.measured_cast import measured_cast

from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import metric_named
from autocapture.measure.examples import ANN, AS_OF, BOB, CHO, WEEK, activity, insert_rows, lead
from autocapture.measure.period import Period
from autocapture.measure.query import COMPANY, Query, Scope
from autocapture.measure.schedules import load_schedules, share_gone
from autocapture.measure.trace import trace
from autocapture.model.organization import Membership, User
from autocapture.model.working_time import Absence, WorkingHours

OFFICE_WEEK = "09:00-17:00;" * 4 + "09:00-17:00;;"
PART_TIME = "09:00-17:00;09:00-17:00;;;;;"
TUESDAY, WEDNESDAY = date(2026, 11, 10), date(2026, 11, 11)
TWO_WEEKS = Period(date(2026, 11, 9), date(2026, 11, 22))


@pytest.fixture
def session() -> Iterator[Session]:
    with measured_cast() as session:
        yield session


def hours(
    user_id: int | None, week: str, since: date = date(1970, 1, 1), holidays: str | None = None
) -> WorkingHours:
    return WorkingHours(user_id=user_id, valid_from=since, week=week, holidays=holidays)


def gone(session: Session, scope: Scope, today: date, period: Period = WEEK) -> Fraction:
    return Fraction(share_gone(session, load_schedules(session), scope, period, today)).limit_denominator(100)


def test_own_hours_hold_from_their_first_day_and_those_of_the_organization_until_then(
    session: Session,
) -> None:
    session.add_all([hours(None, PART_TIME), hours(ANN, OFFICE_WEEK, WEDNESDAY)])
    session.flush()
    schedules = load_schedules(session)
    worked = [bool(schedules.of(ANN).hours_on(date(2026, 11, day))) for day in range(4, 14)]
    assert worked == [False] * 5 + [True] * 5  # Wednesday to Sunday off, then the whole week
    assert not schedules.of(CHO).hours_on(WEDNESDAY)
    assert not schedules.of(None).hours_on(WEDNESDAY)
    assert schedules.of(ANN).zone == "Europe/Amsterdam"


def test_holidays_are_those_of_the_place_that_is_named_else_of_the_locale(session: Session) -> None:
    """11 November is a holiday in the United States, 6 January in Bavaria; 27 April in the Netherlands."""
    epiphany, kings_day = date(2026, 1, 6), date(2026, 4, 27)
    session.add_all([
        User(id=4, email="dora@us.example", name="Dora", locale="de-DE"),
        User(id=5, email="eve@us.example", name="Eve", locale="en"),
        hours(None, OFFICE_WEEK, holidays="DE-BY"),
        hours(CHO, OFFICE_WEEK, holidays="NL"),
        hours(BOB, OFFICE_WEEK, date(2026, 1, 1), holidays="none"),
    ])  # fmt: skip
    session.flush()
    schedules = load_schedules(session)
    for user_id, free in ((4, epiphany), (5, epiphany), (None, epiphany), (ANN, kings_day), (CHO, kings_day)):
        assert not schedules.of(user_id).hours_on(free), user_id
    for user_id, worked in ((ANN, epiphany), (4, kings_day), (BOB, WEDNESDAY), (BOB, epiphany)):
        assert schedules.of(user_id).hours_on(worked), user_id
    assert not schedules.of(BOB).hours_on(date(2025, 11, 11))  # before his own hours began


def test_the_share_that_is_gone_counts_the_days_on_which_somebody_is_there(session: Session) -> None:
    ann = Scope("user", "ann@us.example")
    assert gone(session, ann, TUESDAY) == Fraction(2, 5)
    session.add(Absence(user_id=ANN, starts_on=date(2026, 11, 9), ends_on=TUESDAY))
    session.flush()
    assert gone(session, ann, TUESDAY) == 0
    assert gone(session, ann, WEDNESDAY) == Fraction(1, 3)
    assert gone(session, ann, date(2026, 11, 8)) == 0
    assert gone(session, ann, date(2027, 1, 1)) == 1


def test_a_teams_share_is_that_of_its_reps_while_they_are_in_it(session: Session) -> None:
    """North: Ann five days, Bob four of which Wednesday is none. On Thursday the 12th Ann leaves for South."""
    north, south = Scope("team", "North"), Scope("team", "South")
    assert gone(session, north, TUESDAY) == Fraction(4, 9)
    assert gone(session, COMPANY, TUESDAY) == Fraction(6, 14)
    session.get_one(Membership, (ANN, 1, date(2026, 1, 1))).valid_to = WEDNESDAY
    session.add(Membership(user_id=ANN, team_id=2, valid_from=date(2026, 11, 12)))
    session.get_one(User, CHO).role = "manager"
    session.flush()
    assert gone(session, north, TUESDAY) == Fraction(4, 7)
    assert gone(session, south, WEDNESDAY) == 0
    assert gone(session, south, date(2026, 11, 12)) == Fraction(1, 2)
    assert gone(session, COMPANY, TUESDAY) == Fraction(4, 9)


def test_who_is_never_there_goes_by_the_days_of_the_organization(session: Session) -> None:
    session.add(Absence(user_id=ANN, starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31)))
    session.flush()
    assert gone(session, Scope("user", "ann@us.example"), TUESDAY) == Fraction(2, 5)
    weekend = Period(date(2026, 11, 14), date(2026, 11, 15))
    assert gone(session, Scope("user", "bob@us.example"), date(2026, 11, 14), weekend) == Fraction(1, 2)


def test_halves_of_days_count_as_halves(session: Session) -> None:
    share = Decimal("0.5")
    session.add(Absence(user_id=ANN, starts_on=date(2026, 11, 16), ends_on=date(2026, 11, 20), share=share))
    session.flush()
    assert gone(session, Scope("user", "ann@us.example"), date(2026, 11, 13), TWO_WEEKS) == Fraction(2, 3)


def test_a_lead_waits_for_the_hours_of_who_holds_it(session: Session) -> None:
    """Assigned on Monday 11:00, answered on Wednesday 11:00, by somebody who does not work on Tuesdays."""
    session.add(hours(ANN, "09:00-12:00 13:00-17:00;;09:00-17:00;;;;"))
    insert_rows(session, (*lead(1, "11-09 10:00"), *activity(1, "email", "11-11 10:00", [ANN])))
    metric, query = metric_named("lead_response_time"), Query(WEEK, AS_OF)
    [value] = aggregate(session, metric, query)
    [row] = trace(session, metric, query)
    assert value.value == row.contribution == 7 * 3600
