"""Attainment and pace, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session
from tests.unit.measured_cast import measured_cast

from autocapture.measure.examples import ANN, BOB, activity, at, deal, insert_rows, lead
from autocapture.measure.period import Period, parse_period
from autocapture.model.measures import Quota
from autocapture.model.working_time import Absence
from autocapture.quota.attain import attainment, quotas_for

WEEK = parse_period("2026-W46")
AFTER = at("11-30 12:00")


@pytest.fixture
def session() -> Iterator[Session]:
    with measured_cast() as session:
        yield session


def quota(
    metric: str, value: str, scope: str = "", period: Period = WEEK, currency: str | None = None
) -> Quota:
    kind = "company" if not scope else "user" if "@" in scope else "team"
    return Quota(
        metric=metric,
        scope_type=kind,
        scope=scope,
        period_start=period.start,
        period_end=period.end,
        value=Decimal(value),
        currency=currency,
    )


def test_emails_of_a_rep_a_team_and_the_company_count_toward_their_own_quotas(session: Session) -> None:
    insert_rows(
        session,
        (
            *activity(1, "email", "11-09 10:00", [ANN]),
            *activity(2, "email", "11-10 10:00", [ANN]),
            *activity(3, "email", "11-10 10:00", [BOB]),
        ),
    )
    for scope, actual in (("ann@us.example", 2), ("North", 3), ("South", 0), ("", 3)):
        found = attainment(session, quota("emails_sent", "4", scope), as_of=AFTER)
        assert (found.actual, found.attainment, found.remaining) == (actual, actual / 4, Decimal(4 - actual))
        assert found.expected_share == 1


def test_pace_compares_with_the_business_days_gone_by(session: Session) -> None:
    insert_rows(
        session, (*activity(1, "email", "11-09 10:00", [ANN]), *activity(2, "email", "11-09 11:00", [ANN]))
    )
    found = attainment(session, quota("emails_sent", "5", "ann@us.example"), as_of=at("11-10 12:00"))
    assert (found.attainment, found.expected_share) == (0.4, 0.4)
    assert found.pace == pytest.approx(1.0)


def test_nothing_is_expected_of_days_on_which_a_rep_is_away(session: Session) -> None:
    insert_rows(
        session,
        (
            *activity(1, "email", "11-11 10:00", [ANN]),
            Absence(user_id=ANN, starts_on=date(2026, 11, 9), ends_on=date(2026, 11, 10)),
        ),
    )
    found = attainment(session, quota("emails_sent", "3", "ann@us.example"), as_of=at("11-11 12:00"))
    assert found.expected_share == found.attainment == pytest.approx(1 / 3)
    assert found.pace == pytest.approx(1.0)
    before = attainment(session, quota("emails_sent", "3", "ann@us.example"), as_of=at("11-10 12:00"))
    assert (before.expected_share, before.pace) == (0, None)


def test_money_counts_in_its_own_currency_only_and_nothing_won_is_nothing_attained(session: Session) -> None:
    insert_rows(
        session,
        (
            *deal(1, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=100_050),
            *deal(2, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=700_000, currency="USD"),
        ),
    )
    euros = attainment(session, quota("revenue_won", "4002", currency="EUR"), as_of=AFTER)
    assert (euros.actual, euros.attainment, euros.remaining) == (Decimal("1000.50"), 0.25, Decimal("3001.50"))
    crowns = attainment(session, quota("revenue_won", "10", currency="SEK"), as_of=AFTER)
    assert (crowns.actual, crowns.attainment) == (Decimal(0), 0.0)


def test_where_less_is_better_attainment_is_quota_over_actual_and_at_most_two(session: Session) -> None:
    insert_rows(session, (*lead(1, "11-09 09:00"), *activity(1, "email", "11-09 10:00", [ANN])))
    for target, attained in (("1800", 0.5), ("3600", 1.0), ("90000", 2.0)):
        found = attainment(session, quota("lead_response_time", target), as_of=AFTER)
        assert (found.actual, found.attainment, found.remaining) == (3600, attained, None)


def test_a_quota_of_nothing_and_a_rate_without_cases_have_no_attainment(session: Session) -> None:
    assert attainment(session, quota("emails_sent", "0"), as_of=AFTER).attainment is None
    rate = attainment(session, quota("win_rate", "0.5"), as_of=AFTER)
    assert (rate.actual, rate.attainment, rate.pace) == (None, None, None)


def test_a_day_begins_where_the_rep_works_and_for_a_team_where_the_organization_does(
    session: Session,
) -> None:
    """Tuesday 00:30 in Amsterdam, still Monday in New York, where Wednesday is a holiday, and in UTC. Ann has five days in the
    week, Bob four, Cho in South five."""
    late = at("11-09 23:30")
    zone = ZoneInfo("Europe/Stockholm")
    shares = {
        scope: attainment(session, quota("emails_sent", "5", scope), as_of=late, zone=zone).expected_share
        for scope in ("ann@us.example", "bob@us.example", "North", "")
    }
    of_north, of_all = pytest.approx(4 / 9), pytest.approx(6 / 14)
    assert shares == {"ann@us.example": 0.4, "bob@us.example": 0.25, "North": of_north, "": of_all}


def test_quotas_for_a_period_are_those_that_overlap_it(session: Session) -> None:
    insert_rows(
        session,
        (
            quota("calls_made", "1", "ann@us.example"),
            quota("emails_sent", "1", period=parse_period("2026-Q4")),
            quota("emails_sent", "1", period=parse_period("2026-W45")),
        ),
    )
    assert [(row.metric, row.scope_type) for row in quotas_for(session, WEEK)] == [
        ("emails_sent", "company"),
        ("calls_made", "user"),
    ]


def test_before_a_quota_begins_there_is_nothing_to_attain(session: Session) -> None:
    for metric, currency in (("emails_sent", None), ("revenue_won", "EUR")):
        found = attainment(session, quota(metric, "4", currency=currency), as_of=at("11-01 12:00"))
        assert (found.actual, found.attainment, found.pace, found.remaining) == (None, None, None, None)
        assert (found.expected_share, found.complete) == (0, False)
