"""Quotas from CSV: what is taken, and how the rest is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from autocapture.errors import InputError
from autocapture.measure.catalog import CATALOG
from autocapture.measure.fiscal_calendar import FiscalCalendar
from autocapture.quota.check import mismatches
from autocapture.quota.read import read_quotas

HEADER = "metric,scope_type,scope,period_start,period_end,value,currency\n"
USERS = {"ann@us.example", "bob@us.example"}
TEAMS = {"North"}


def test_a_quota_of_each_scope_is_read() -> None:
    rows, problems = read_quotas(
        HEADER
        + "revenue_won,user,Ann@us.example,2026-10-01,2026-12-31,120000.50,EUR\n"
        + "emails_sent,team,North,2026-11-09,2026-11-15,200,\n"
        + "win_rate,company,,2026-01-01,2026-12-31,0.3,\n",
        CATALOG,
        USERS,
        TEAMS,
    )
    assert problems == []
    assert [(row.metric, row.scope_type, row.scope, row.value, row.currency) for row in rows] == [
        ("revenue_won", "user", "ann@us.example", Decimal("120000.50"), "EUR"),
        ("emails_sent", "team", "North", Decimal(200), None),
        ("win_rate", "company", "", Decimal("0.3"), None),
    ]
    assert (rows[0].period_start, rows[0].period_end) == (date(2026, 10, 1), date(2026, 12, 31))


def test_a_period_may_be_named_in_place_of_its_days() -> None:
    header = "metric,scope_type,scope,period,value,currency\n"
    lines = ("FY2026-Q4", "2026-W46", "2026-13", "")
    text = header + "".join(f"emails_sent,company,,{period},1,\n" for period in lines)
    rows, problems = read_quotas(text, CATALOG, USERS, TEAMS, calendar=FiscalCalendar(begins_in=2))
    assert [(row.period_start, row.period_end) for row in rows] == [
        (date(2026, 11, 1), date(2027, 1, 31)),
        (date(2026, 11, 9), date(2026, 11, 15)),
    ]
    assert [problem.line for problem in problems] == [4, 5]


def test_a_name_and_days_that_disagree_are_refused() -> None:
    text = HEADER.replace(",value", ",period,value") + "".join(
        f"emails_sent,company,,{start},2026-12-31,2026-Q4,1,\n" for start in ("2026-10-01", "2026-09-01")
    )
    [row], [problem] = read_quotas(text, CATALOG, USERS, TEAMS)
    assert row.period_start == date(2026, 10, 1)
    assert str(problem) == (
        "line 3: 2026-Q4 is 2026-10-01..2026-12-31, not what period_start and period_end say"
    )


@pytest.mark.parametrize(
    ("metric", "text", "seconds"),
    [
        ("sales_cycle", "90d", 7_776_000),
        ("sales_cycle", "1.5 d", 129_600),
        ("lead_response_time", "4h", 14_400),
        ("lead_response_time", "30m", 1_800),
        ("lead_response_time", "45s", 45),
    ],
)
def test_a_duration_is_read_with_its_unit(metric: str, text: str, seconds: int) -> None:
    line = f"{metric},company,,2026-01-01,2026-12-31,{text},\n"
    rows, problems = read_quotas(HEADER + line, CATALOG, USERS, TEAMS)
    assert (problems, [row.value for row in rows]) == ([], [Decimal(seconds)])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("emials_sent,company,,2026-01-01,2026-12-31,1,", "there is no metric 'emials_sent'"),
        ("emails_sent,user,zoe@us.example,2026-01-01,2026-12-31,1,", "there is no user 'zoe@us.example'"),
        ("emails_sent,team,South,2026-01-01,2026-12-31,1,", "there is no team 'South'"),
        ("emails_sent,company,North,2026-01-01,2026-12-31,1,", "a company quota has no scope, not 'North'"),
        ("emails_sent,rep,x,2026-01-01,2026-12-31,1,", "scope_type is user, team, company, not 'rep'"),
        (
            "emails_sent,company,,1/1/2026,2026-12-31,1,",
            "period_start is a date such as 2026-11-30, not '1/1/2026'",
        ),
        (
            "emails_sent,company,,2026-12-31,2026-01-01,1,",
            "a period cannot end (2026-01-01) before it begins (2026-12-31)",
        ),
        (
            'emails_sent,company,,2026-01-01,2026-12-31,"1,5",',
            "value is a number with a decimal point, not '1,5'",
        ),
        ("emails_sent,company,,2026-01-01,2026-12-31,1e400,", "value is too large: '1e400'"),
        (
            "emails_sent,company,,2026-01-01,9999-12-31,1,",
            "'9999-12-31' lies outside the years 1900 to 2999",
        ),
        ("revenue_won,company,,2026-01-01,2026-12-31,1000.123,EUR", "'1000.123' has more decimals than EUR"),
        (f"sales_cycle,company,,2026-01-01,2026-12-31,{'9' * 17}d,", f"value is too large: '{'9' * 17}d'"),
        ("emails_sent,company,,2026-01-01,2026-12-31,NaN,", "value is a number of at least 0, not 'NaN'"),
        ("win_rate,company,,2026-01-01,2026-12-31,30,", "win_rate is a rate between 0 and 1, not '30'"),
        (
            "revenue_won,company,,2026-01-01,2026-12-31,30,",
            "revenue_won takes a currency such as EUR, not ''",
        ),
        (
            "sales_cycle,company,,2026-01-01,2026-12-31,90,",
            "sales_cycle is a duration: write its unit, such as 90d, 4h or 30m, not '90'",
        ),
        (
            "lead_response_time,company,,2026-01-01,2026-12-31,14400,",
            "lead_response_time is a duration: write its unit, such as 4h or 30m, not '14400'",
        ),
        (
            "lead_response_time,company,,2026-01-01,2026-12-31,2d,",
            "lead_response_time is working time: write it in hours, such as 16h, not '2d'",
        ),
        (
            "sales_cycle,company,,2026-01-01,2026-12-31,-1d,",
            "sales_cycle is a duration: write its unit, such as 90d, 4h or 30m, not '-1d'",
        ),
        (
            "emails_sent,company,,2026-01-01,2026-12-31,30,EUR",
            "emails_sent is no amount of money: leave the currency empty, not 'EUR'",
        ),
    ],
)
def test_a_line_that_cannot_be_imported_is_refused_with_its_number_and_reason(line: str, why: str) -> None:
    good = "calls_made,company,,2026-01-01,2026-12-31,1,\n"
    rows, problems = read_quotas(HEADER + good + line + "\n", CATALOG, USERS, TEAMS)
    assert len(rows) == 1
    assert [str(problem) for problem in problems] == [f"line 3: {why}"]


def test_semicolons_between_cells_are_read_as_well() -> None:
    text = HEADER + "meetings_held,company,,2026-11-01,2026-11-30,24,\n"
    assert (
        read_quotas(text.replace(",", ";"), CATALOG, USERS, TEAMS)[0]
        == read_quotas(text, CATALOG, USERS, TEAMS)[0]
        != []
    )


def test_a_currency_that_does_not_exist_is_refused() -> None:
    text = HEADER + "revenue_won,company,,2026-10-01,2026-12-31,1000,ERU\n"
    _, [problem] = read_quotas(text, CATALOG, USERS, TEAMS)
    assert problem.reason == "revenue_won takes a currency such as EUR, not 'ERU'"


def test_the_same_quota_twice_is_refused() -> None:
    line = "emails_sent,company,,2026-01-01,2026-12-31,1,\n"
    _, problems = read_quotas(HEADER + line + line, CATALOG, USERS, TEAMS)
    assert [str(problem) for problem in problems] == ["line 3: the same metric, scope and dates as line 2"]


def test_a_file_without_a_column_is_refused_whole() -> None:
    header = "metric,scope_type,scope,period_start,period_end,value\n"
    with pytest.raises(InputError, match=r"in/quotas\.csv lacks the column currency"):
        read_quotas(header, CATALOG, USERS, TEAMS, file="in/quotas.csv")


def test_a_team_quota_that_differs_from_its_members_is_told_with_who_has_none() -> None:
    rows, _ = read_quotas(
        HEADER
        + "deals_won,team,North,2026-01-01,2026-12-31,10,\n"
        + "deals_won,user,ann@us.example,2026-01-01,2026-12-31,4,\n"
        + "win_rate,team,North,2026-01-01,2026-12-31,0.3,\n"
        + "win_rate,user,ann@us.example,2026-01-01,2026-12-31,0.2,\n",
        CATALOG,
        USERS,
        TEAMS,
    )
    [found] = mismatches(rows, CATALOG, {"North": sorted(USERS)})
    assert str(found) == (
        "deals_won 2026-01-01..2026-12-31: team North has 10, those below it 4; without a quota: bob@us.example"
    )
