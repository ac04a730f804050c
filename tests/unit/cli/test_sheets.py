"""What a manager reads in the tables of values, quotas, accounts and activities."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autocapture.cli import sheets
from autocapture.cli.tables import Table, lines
from autocapture.cli.values import amount, duration, percent, period_title
from autocapture.measure.catalog import metric_named
from autocapture.measure.fiscal_calendar import FiscalCalendar
from autocapture.measure.period import Period, parse_grain, parse_period
from autocapture.measure.query import Gap, Query, TracedRow, Value
from autocapture.model.measures import Quota
from autocapture.quota.attain import Attainment

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NOW = datetime(2026, 11, 16, 6, 30, 12, 345_678, tzinfo=UTC)
WEEK = parse_period("2026-W46")


def shown(table: Table) -> list[str]:
    return list(lines(table))


def value(metric: str, value: Any, n: int, **others: Any) -> Value:
    made = {"by": {}, "unit": metric_named(metric).unit, "as_of": NOW, "period": WEEK, **others}
    return Value(metric=metric, value=value, n=n, **made)


def test_values_are_told_in_their_units_with_what_they_were_made_from() -> None:
    values = [
        value("emails_sent", 1113, 1113),
        value("reply_rate", 19 / 48, 48, numerator=19, denominator=48, provisional=True),
        value("lead_response_time", 32_699, 4, numerator=2, denominator=4),
        value("revenue_won", Decimal("166200.00"), 6, currency="EUR"),
        value("average_deal", Decimal("27700.00"), 6, currency="EUR", numerator=Decimal(166_200), denominator=6),
        value("win_rate", None, 0, denominator=0, gap=Gap.CAPTURED_LATER),
    ]  # fmt: skip
    assert shown(sheets.values_table(values, Query(WEEK, NOW), STOCKHOLM)) == [
        "2026-W46 (Nov 9 – 15, 2026) · as of 2026-11-16 07:30 Europe/Stockholm",
        "metric                    value      n  notes",
        "──────────────────  ───────────  ─────  " + "─" * 41,
        "emails_sent               1,113  1,113",
        "reply_rate                39.6%     48  19 of 48; may still grow",
        "lead_response_time   9 hr 5 min      4  2 of 4 not over yet",
        "revenue_won         €166,200.00      6",
        "average_deal         €27,700.00      6  €166,200.00 over 6",
        "win_rate                      –      0  incomplete: it begins before capture does",
    ]


def test_a_value_that_is_no_number_says_why() -> None:
    values = [
        value("calls_made", None, 0, gap=Gap.NOT_CONNECTED),
        value("revenue_won", None, 0),
        value("revenue_won", Decimal(900), 1, currency="EUR", missing=2),
        value("average_deal", None, 0, denominator=0),
        value("deals_won", None, 0, gap=Gap.NOT_BEGUN),
        value("open_pipeline_value", None, 0, gap=Gap.NOT_BEGUN),
    ]
    assert shown(sheets.values_table(values, Query(WEEK, NOW), STOCKHOLM))[3:] == [
        "calls_made                 –  0  incomplete: nothing is connected that it is counted from",
        "revenue_won             none  0",
        "revenue_won          €900.00  1  2 more without an amount",
        "average_deal               –  0",
        "deals_won                  –  0  the period has not begun",
        "open_pipeline_value        –  0  the period has not begun",
    ]


def test_a_running_period_is_told_until_today() -> None:
    sunday = datetime(2026, 11, 15, 12, tzinfo=UTC)
    told = shown(sheets.values_table([value("calls_made", 3, 3)], Query(WEEK, sunday), STOCKHOLM))
    assert told[0] == "2026-W46 (Nov 9 – 15, 2026) · until today · as of 2026-11-15 13:00 Europe/Stockholm"
    assert told[-1] == "calls_made      3  3"
    by_week = Query(parse_period("2026-11"), sunday, grain="week")
    [*_, line] = shown(sheets.values_table([value("calls_made", 3, 3, as_of=sunday)], by_week, STOCKHOLM))
    assert line.endswith("3  3  until today")


def test_pieces_of_a_fiscal_year_have_its_names() -> None:
    retail = FiscalCalendar("4-5-4", begins_in=2, week_begins_on=6)
    year = retail.parse("FY2026")
    for grain, label in (("quarter", "FY2026-Q1"), ("month", "FY2026-M01"), ("week", "FY2026-W01")):
        query = Query(year, NOW, grain=parse_grain(grain), calendar=retail)
        first = value("calls_made", 3, 3, period=query.pieces[0])
        caption, head, _, line = shown(sheets.values_table([first], query, STOCKHOLM))
        assert caption.startswith("FY2026 (Feb 1, 2026 – Jan 30, 2027) · ")
        assert head.split() == ["metric", grain, "value", "n"]
        assert line.split() == ["calls_made", label, "3", "3"]


def test_each_dimension_that_was_asked_for_is_a_column() -> None:
    day = Period(date(2026, 11, 9), date(2026, 11, 9))
    query = Query(WEEK, NOW, by=("user", "team"), grain="day", where={"team": "North"})
    values = [value("calls_made", 3, 3, by={"user": "ann@us.example", "team": "North"}, period=day)]
    assert shown(sheets.values_table(values, query, STOCKHOLM)) == [
        "2026-W46 (Nov 9 – 15, 2026) · team North · as of 2026-11-16 07:30 Europe/Stockholm",
        "metric      user            team   day             value  n",
        "──────────  ──────────────  ─────  ──────────────  ─────  ─",
        "calls_made  ann@us.example  North  Mon 2026-11-09      3  3",
    ]


def attained(metric: str, target: str, actual: Any, **others: Any) -> Attainment:
    quarter = parse_period("2026-Q4")
    quota = Quota(metric=metric, scope_type="team", scope="North", period_start=quarter.start,
                  period_end=quarter.end, value=Decimal(target))  # fmt: skip
    found = Attainment(quota=quota, unit="count", actual=actual, attainment=0.764, expected_share=0.56,
                       pace=1.364, remaining=Decimal(4), n=1, gap=None, as_of=NOW)  # fmt: skip
    return replace(found, **others)


def test_quotas_show_attainment_pace_and_what_is_missing() -> None:
    found = [
        attained("deals_won", "16", 12),
        attained(
            "revenue_won",
            "520000",
            Decimal("397400.50"),
            remaining=Decimal("122599.50"),
            gap=Gap.CAPTURED_LATER,
        ),
        attained("win_rate", "0.4", None, attainment=None, pace=None, remaining=None),
        attained("deals_lost", "3", None, attainment=None, pace=None, expected_share=0.0, gap=Gap.NOT_BEGUN),
        attained("revenue_won", "10", Decimal(0), attainment=0.0, pace=0.0, remaining=Decimal(10), n=0),
    ]
    found[1].quota.currency = found[-1].quota.currency = "EUR"
    assert shown(sheets.quotas_table(found, parse_period("2026-Q4"), STOCKHOLM)) == [
        "quotas of 2026-Q4 (Oct 1 – Dec 31, 2026) · as of 2026-11-16 07:30 Europe/Stockholm",
        "metric       scope  period         quota       actual  attained       pace    remaining  notes",
        "───────────  ─────  ───────  ───────────  ───────────  ────────  ─────────  ───────────  "
        + "─" * 31,
        "deals_won    North  2026-Q4           16           12     76.4%     136.4%            4",
        "revenue_won  North  2026-Q4  €520,000.00  €397,400.50     76.4%     136.4%  €122,599.50  incomplete: it begins before",
        "                                                                                         capture does",
        "win_rate     North  2026-Q4        40.0%            –         –          –",
        "deals_lost   North  2026-Q4            3            –         –  not begun            4",
        "revenue_won  North  2026-Q4       €10.00         none      0.0%       0.0%       €10.00",
    ]


def test_a_file_of_quotas_is_shown_with_units() -> None:
    year = partial(Quota, period_start=date(2026, 1, 1), period_end=date(2026, 12, 31))
    rows = [
        year(metric="sales_cycle", scope_type="company", scope="", value=Decimal(7_776_000)),
        year(metric="lead_response_time", scope_type="team", scope="North", value=Decimal(36_000)),
        year(metric="revenue_won", scope_type="team", scope="North", value=Decimal(900), currency="EUR"),
        year(metric="calls_made", scope_type="team", scope="North", value=Decimal(1200)),
    ]
    assert shown(sheets.quota_lines_table(rows)) == [
        "metric              scope    period    quota  unit",
        "──────────────────  ───────  ──────  ───────  ────────",
        "sales_cycle         company  2026    90 days  duration",
        "lead_response_time  North    2026      10 hr  duration",
        "revenue_won         North    2026    €900.00  EUR",
        "calls_made          North    2026      1,200  count",
    ]


def test_a_trace_shows_what_each_row_adds() -> None:
    row = TracedRow(kind="lead", id=5, at=NOW, on=date(2026, 11, 16), users=("ann@us.example",), with_whom=("Kim",),
                    title="website", contribution=254_340, numerator=0, denominator=1, by={})  # fmt: skip
    metric = metric_named("lead_response_time")
    table = sheets.traced_table([row], metric, Query(WEEK, NOW), STOCKHOLM)
    assert shown(table)[-1] == (
        "2026-11-16 07:30  lead  ann@us.example  Kim   website  70 hr 39 min so far   5"
    )


_ACCOUNTS = [
    "times in Europe/Stockholm",
    "id  user         from                    state            last ok           captured  skipped  quarantined     here  why",
    "──  ───────────  ──────────────────────  ───────────────  ────────────────  ────────  ───────  ───────────  ───────  ───",
    " 2  a@b.example  files maildir+ics+cal…  needs reconnect  never                1,486        2            0           no",
    " 2  a@b.example  imap                    active           2026-11-16 07:30     1,486        2            0  99.99 %  old",
]


def test_an_account_fits_a_line_however_long_its_paths_are() -> None:
    row = {"id": 2, "user": "a@b.example", "connector": "files", "state": "needs_reconnect", "last_ok_at": None,
           "subject": "maildir=/srv/x/mail/ann/Maildir ics=/srv/x/ann.ics calls=/srv/x/ann.csv", "address": None,
           "captured": 1486, "skipped": 2, "quarantined": 0, "why": "no", "coverage": None, "alerts": []}  # fmt: skip
    plain = {
        **row,
        "connector": "imap",
        "subject": "a@b.example",
        "last_ok_at": NOW,
        "state": "active",
        "why": None,
        "coverage": 0.99996,
        "alerts": ["old"],
    }
    granted = {**row, "connector": "google", "subject": "1084", "address": "ann@b.example"}
    assert shown(sheets.accounts_table([granted], STOCKHOLM))[-1].startswith(
        " 2  a@b.example  google ann@b.example  "
    )
    assert shown(sheets.accounts_table([row, plain], STOCKHOLM)) == _ACCOUNTS


def activity(**others: Any) -> dict[str, Any]:
    outside = {"name": "Kim", "address": "kim@c.example", "user": None, "resource": False}
    room = {**outside, "name": "Room 4", "resource": True}
    ours = {**outside, "name": "Ann", "user": "ann@us.example"}
    return {"id": "77", "occurred_at": NOW, "kind": "email", "direction": "outbound", "status": None, "moved": 0,
            "participants": [outside, room, ours], "subject": "Offer", "companies": ["Acme"], "deals": [{"deal": "D-1"}],
            **others}  # fmt: skip


def test_activities_are_told_in_the_organisations_zone() -> None:
    rows = [
        activity(),
        activity(kind="call", status="voicemail", direction="inbound", deals=[]),
        activity(kind="meeting", status="held", subject=None),
        activity(kind="meeting", status="no_show", moved=2),
    ]
    assert shown(sheets.activities_table(rows, STOCKHOLM)) == [
        "times in Europe/Stockholm",
        "when              what                    with  subject  deals  id",
        "────────────────  ──────────────────────  ────  ───────  ─────  ──",
        "2026-11-16 07:30  email out               Kim   Offer    D-1    77",
        "2026-11-16 07:30  call in, voicemail      Kim   Offer           77",
        "2026-11-16 07:30  meeting held            Kim            D-1    77",
        "2026-11-16 07:30  meeting no show, moved  Kim   Offer    D-1    77",
    ]


def test_a_call_with_a_bare_number_names_the_company_that_it_was_matched_to() -> None:
    number = {"name": "", "address": "+442079460125", "user": None, "resource": False}
    [_caption, _head, _line, told] = shown(
        sheets.activities_table([activity(kind="call", participants=[number])], STOCKHOLM)
    )
    assert "+442079460125, Acme" in told


def test_the_ledger_names_item_outcome_and_reason() -> None:
    row = {"account": 1, "channel": "INBOX", "source_id": "1:7", "occurred_at": NOW, "outcome": "skipped",
           "reason": "newsletter", "activity": None}  # fmt: skip
    assert shown(sheets.ledger_table([row], STOCKHOLM))[1:] == [
        "account  channel  item  of                outcome  reason",
        "───────  ───────  ────  ────────────────  ───────  ──────────",
        "      1  INBOX    1:7   2026-11-16 07:30  skipped  newsletter",
    ]


@pytest.mark.parametrize(
    ("seconds", "working", "text"),
    [
        (0, False, "0 min"),
        (32_699, True, "9 hr 5 min"),
        (254_340, True, "70 hr 39 min"),
        (254_340, False, "2 days 22 hr"),
        (86_400, False, "1 day"),
    ],
)
def test_working_time_stays_in_hours(seconds: int, working: bool, text: str) -> None:
    assert duration(seconds, working=working) == text


def test_cents_are_kept_and_no_value_is_a_dash() -> None:
    won = metric_named("revenue_won")
    assert amount(Decimal("10.5"), won, "EUR") == "€10.50"
    assert amount(Decimal(1200), won, "JPY") == "¥1,200"
    assert (amount(None, won), percent(None)) == ("–", "–")


def test_a_period_is_titled_with_its_days() -> None:
    assert period_title(WEEK) == "2026-W46 (Nov 9 – 15, 2026)"
    assert period_title(parse_period("2026-11-01..2026-11-15")) == "Nov 1 – 15, 2026"
    assert period_title(parse_period("2026-11-01..2026-11-01")) == "2026-11-01"
