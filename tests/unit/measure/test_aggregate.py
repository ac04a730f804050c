"""Values: whose they are, by which clock, in which currency, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session, select
from tests.unit.measured_cast import measured_cast

from autocapture.errors import InputError
from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import METRICS, metric_named
from autocapture.measure.declare import Metric
from autocapture.measure.examples import (
    ANN,
    AS_OF,
    BOB,
    CHO,
    WEEK,
    activity,
    at,
    deal,
    insert_rows,
    lead,
)
from autocapture.measure.period import parse_period
from autocapture.measure.query import Gap, Query, Scope
from autocapture.measure.shape import value_row
from autocapture.measure.trace import trace
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Match
from autocapture.model.crm import Company, DealState
from autocapture.model.organization import Membership, User


@pytest.fixture
def session() -> Iterator[Session]:
    with measured_cast() as session:
        yield session


def values(session: Session, name: str, query: Query) -> dict[object, object]:
    """Values by their dimensions, or by the start of their period where the query has a grain."""
    found = aggregate(session, metric_named(name), query)
    return {value.period.start if query.grain else tuple(value.by.values()): value.value for value in found}


def test_every_rep_and_team_is_told_of_even_with_nothing(session: Session) -> None:
    insert_rows(session, activity(1, "email", "11-09 10:00", [ANN]))
    assert values(session, "emails_sent", Query(WEEK, AS_OF, by=("user",))) == {
        ("ann@us.example",): 1,
        ("bob@us.example",): 0,
        ("cho@us.example",): 0,
    }
    assert values(session, "emails_sent", Query(WEEK, AS_OF, by=("team",))) == {("North",): 1, ("South",): 0}
    assert values(session, "win_rate", Query(WEEK, AS_OF, by=("team",))) == {
        ("North",): None,
        ("South",): None,
    }
    north = Query(WEEK, AS_OF, by=("user",), scope=Scope("team", "North"))
    assert list(values(session, "emails_sent", north)) == [("ann@us.example",), ("bob@us.example",)]


def test_who_changes_teams_leaves_the_past_where_it_was(session: Session) -> None:
    session.get_one(Membership, (CHO, 2, date(2026, 1, 1))).valid_to = date(2026, 11, 10)
    session.flush()
    insert_rows(
        session,
        (
            Membership(user_id=CHO, team_id=1, valid_from=date(2026, 11, 11)),
            *activity(1, "email", "11-10 10:00", [CHO]),
            *activity(2, "email", "11-11 10:00", [CHO]),
            *activity(3, "email", "11-12 10:00", [CHO]),
        ),
    )
    assert values(session, "emails_sent", Query(WEEK, AS_OF, by=("team",))) == {("North",): 2, ("South",): 1}
    assert values(session, "emails_sent", Query(WEEK, AS_OF, scope=Scope("team", "South"))) == {(): 1}


def test_a_meeting_that_is_sunday_for_one_rep_and_monday_for_another_is_counted_in_one_week_only(
    session: Session,
) -> None:
    insert_rows(
        session, activity(1, "meeting", "11-15 23:30", [ANN, BOB], status="held")
    )  # Ann: Monday 00:30
    both_weeks = Query(parse_period("2026-11-09..2026-11-22"), AS_OF, grain="week")
    assert values(session, "meetings_held", both_weeks) == {date(2026, 11, 9): 1, date(2026, 11, 16): 0}
    assert values(session, "meetings_held", Query(parse_period("2026-W47"), AS_OF)) == {(): 0}
    by_rep = Query(parse_period("2026-W47"), AS_OF, by=("user",), scope=Scope("team", "North"))
    assert values(session, "meetings_held", by_rep) == {("ann@us.example",): 1, ("bob@us.example",): 0}


def test_on_a_day_of_25_hours_the_local_date_decides(session: Session) -> None:
    """Amsterdam leaves summer time on Sunday 25 October 2026: the day begins at 22:00 UTC and ends at 23:00 UTC."""
    insert_rows(session, (*lead(1, "10-24 22:00"), *lead(2, "10-25 22:59"), *lead(3, "10-25 23:00")))
    days = Query(parse_period("2026-10-24..2026-10-26"), AS_OF, grain="day")
    assert values(session, "leads_created", days) == {
        date(2026, 10, 24): 0,
        date(2026, 10, 25): 2,
        date(2026, 10, 26): 1,
    }


def test_currencies_are_never_added_and_keep_their_own_digits(session: Session) -> None:
    insert_rows(
        session,
        (
            *deal(1, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=100_050),
            *deal(2, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=5_000, currency="JPY"),
        ),
    )
    found = aggregate(session, metric_named("revenue_won"), Query(WEEK, AS_OF))
    assert [(value.currency, value.value) for value in found] == [
        ("EUR", Decimal("1000.50")),
        ("JPY", Decimal(5000)),
    ]
    assert [value_row(value)["value"] for value in found] == ["1000.50", "5000"]


def test_without_won_deals_there_is_no_amount_rather_than_zero(session: Session) -> None:
    [value] = aggregate(session, metric_named("revenue_won"), Query(WEEK, AS_OF))
    assert value_row(value) == {
        "metric": "revenue_won",
        "period_start": "2026-11-09",
        "period_end": "2026-11-15",
        "by": {},
        "value": None,
        "numerator": None,
        "denominator": None,
        "n": 0,
        "unit": "money",
        "complete": True,
        "as_of": "2026-11-30T12:00:00+00:00",
    }


def test_a_deal_counts_for_who_owned_it_at_its_close(session: Session) -> None:
    rows = list(deal(1, "10-01 10:00", closed="11-10 10:00", outcome="won", owner=ANN))
    closed = rows[-1]
    assert isinstance(closed, DealState)
    closed.valid_to = at("11-20 10:00")
    given_away = DealState(
        id=99,
        deal_id=1,
        valid_from=at("11-20 10:00"),
        known_from=at("11-20 10:00"),
        outcome="won",
        owner_id=BOB,
    )
    rows[0].sqlmodel_update({"owner_id": BOB})
    insert_rows(session, (*rows, given_away))
    by_user = values(session, "deals_won", Query(WEEK, AS_OF, by=("user",)))
    assert (by_user["ann@us.example",], by_user["bob@us.example",]) == (1, 0)


def test_the_pipeline_of_a_past_day_is_told_as_it_stood_and_as_it_was_known(session: Session) -> None:
    first, state = deal(1, "10-01 10:00", amount=10_000)
    assert isinstance(state, DealState)
    state.known_to = at("11-20 10:00")
    raised = DealState(
        id=99,
        deal_id=1,
        valid_from=at("10-01 10:00"),
        known_from=at("11-20 10:00"),
        owner_id=ANN,
        amount_minor=30_000,
        currency="EUR",
    )
    insert_rows(session, (first, state, raised))
    assert values(session, "open_pipeline_value", Query(WEEK, AS_OF)) == {(): Decimal("300.00")}
    last_monday = Query(WEEK, AS_OF, known_at=at("11-16 08:00"))
    assert values(session, "open_pipeline_value", last_monday) == {(): Decimal("100.00")}


def test_a_running_period_shows_the_pipeline_as_of_now(session: Session) -> None:
    insert_rows(session, (*deal(1, "11-09 10:00"), *deal(2, "11-12 10:00")))
    assert values(session, "open_pipeline_count", Query(WEEK, at("11-10 12:00"))) == {(): 1}
    assert values(session, "open_pipeline_count", Query(WEEK, at("11-20 12:00"))) == {(): 2}


def test_a_period_that_begins_before_capture_is_not_complete_for_those_concerned(session: Session) -> None:
    for user_id, since in ((ANN, date(2026, 11, 11)), (BOB, date(2026, 11, 9)), (CHO, None)):
        row = Account(
            user_id=user_id,
            connector="imap",
            subject="x",
            options={},
            since=since,
            created_at=at("11-20 10:00"),
        )
        insert_rows(session, (row,))
    by_user = aggregate(session, metric_named("emails_sent"), Query(WEEK, AS_OF, by=("user",)))
    assert [value.complete for value in by_user] == [False, True, True]
    by_team = aggregate(session, metric_named("emails_sent"), Query(WEEK, AS_OF, by=("team",)))
    assert [value.complete for value in by_team] == [False, True]
    [company] = aggregate(session, metric_named("emails_sent"), Query(WEEK, AS_OF))
    [later] = aggregate(session, metric_named("emails_sent"), Query(parse_period("2026-W47"), AS_OF))
    [won] = aggregate(session, metric_named("deals_won"), Query(WEEK, AS_OF))
    assert (company.complete, later.complete, won.complete) == (False, True, True)


@pytest.mark.parametrize(
    "metric", [metric for metric in METRICS if metric.counted_from], ids=lambda m: m.name
)
def test_before_the_bound_of_an_account_nothing_captured_is_complete(
    session: Session, metric: Metric
) -> None:
    session.get_one(Account, ANN).since = date(2026, 11, 11)
    session.flush()
    for query in (Query(WEEK, AS_OF), Query(WEEK, AS_OF, scope=Scope("team", "North"))):
        assert [value.complete for value in aggregate(session, metric, query)] == [False]
    by_user = aggregate(session, metric, Query(WEEK, AS_OF, by=("user",)))
    assert [value.complete for value in by_user] == [False, True, True]
    by_day = aggregate(session, metric, Query(WEEK, AS_OF, grain="day"))
    assert [value.complete for value in by_day] == [False, False, *[True] * 5]


def test_mail_learned_of_later_was_not_known_last_monday(session: Session) -> None:
    insert_rows(
        session,
        (
            *activity(1, "email", "11-09 10:00", [ANN]),
            *activity(2, "email", "11-09 11:00", [ANN], known_at=at("11-18 10:00")),
        ),
    )
    assert values(session, "emails_sent", Query(WEEK, AS_OF)) == {(): 2}
    assert values(session, "emails_sent", Query(WEEK, AS_OF, known_at=at("11-16 08:00"))) == {(): 1}


def test_a_reply_rate_says_that_it_may_still_rise(session: Session) -> None:
    insert_rows(session, activity(1, "email", "11-09 10:00", [ANN]))
    [early] = aggregate(session, metric_named("reply_rate"), Query(WEEK, at("11-20 10:00")))
    [late] = aggregate(session, metric_named("reply_rate"), Query(WEEK, at("12-20 10:00")))
    assert (early.provisional, late.provisional) == (True, False)


def test_an_activity_counts_for_each_company_it_was_matched_to(session: Session) -> None:
    links = [
        Match(activity_id=1, target="company", target_id=n, method="domain", evidence={}) for n in (1, 2)
    ]
    other = Company(id=2, source_id="beta", name="Beta")
    insert_rows(session, (other, *activity(1, "email", "11-09 10:00", [ANN]), *links))
    insert_rows(session, activity(2, "email", "11-09 10:00", [ANN]))
    by_company = values(session, "emails_sent", Query(WEEK, AS_OF, by=("company",)))
    assert by_company == {("Acme",): 1, ("Beta",): 1, (None,): 1}
    assert values(session, "emails_sent", Query(WEEK, AS_OF, where={"company": "Beta"})) == {(): 1}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (Query(WEEK, AS_OF, by=("stage",)), "has no dimension 'stage'; it has user, team, company, kind"),
        (Query(WEEK, AS_OF, where={"colour": "red"}), "has no dimension 'colour'"),
        (Query(WEEK, AS_OF, where={"user": "zoe@us.example"}), "there is no user 'zoe@us.example'"),
        (Query(WEEK, AS_OF, scope=Scope("team", "West")), "there is no team 'West'"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(session: Session, query: Query, why: str) -> None:
    with pytest.raises(InputError, match=why):
        aggregate(session, metric_named("emails_sent"), query)


def _without(session: Session, user_id: int, *kinds: str) -> None:
    for channel in session.exec(select(Channel).where(Channel.account_id == user_id)):
        if not kinds or channel.kind in kinds:
            session.delete(channel)
    session.flush()


def test_who_connected_nothing_that_is_counted_has_no_value_rather_than_zero(session: Session) -> None:
    _without(session, ANN, "call")
    insert_rows(session, activity(1, "email", "11-09 10:00", [BOB]))

    def told(name: str, *by: str, **others: Any) -> list[tuple[object, bool]]:
        found = aggregate(session, metric_named(name), Query(WEEK, AS_OF, by=by, **others))
        return [(value.value, value.complete) for value in found]

    assert told("calls_made", "user") == [(None, False), (0, True), (0, True)]
    assert told("calls_made", "team") == [(0, False), (0, True)]
    assert told("calls_made") == [(0, False)]
    assert told("calls_made", where={"user": "ann@us.example"}) == [(None, False)]
    assert told("emails_sent", "user") == [(0, True), (1, True), (0, True)]
    assert told("deals_won", "user") == [(0, True)] * 3


def test_where_nothing_at_all_is_connected_nothing_is_zero(session: Session) -> None:
    for user_id in (ANN, BOB, CHO):
        _without(session, user_id)
    [calls] = aggregate(session, metric_named("calls_made"), Query(WEEK, AS_OF))
    [answered] = aggregate(session, metric_named("lead_response_time"), Query(WEEK, AS_OF))
    assert (calls.value, calls.gap, answered.gap) == (None, Gap.NOT_CONNECTED, Gap.NOT_CONNECTED)


def test_what_a_colleague_s_account_brought_counts_for_who_connected_nothing(session: Session) -> None:
    _without(session, ANN)
    insert_rows(session, activity(1, "meeting", "11-10 10:00", [ANN, BOB], status="held"))
    found = aggregate(
        session, metric_named("meetings_held"), Query(WEEK, AS_OF, where={"user": "ann@us.example"})
    )
    assert [(value.value, value.complete) for value in found] == [(1, False)]


def test_managers_need_no_call_log_for_their_team_to_be_complete(session: Session) -> None:
    _without(session, ANN, "call")
    session.get_one(User, ANN).role = "manager"
    session.flush()
    by_team = aggregate(session, metric_named("calls_made"), Query(WEEK, AS_OF, by=("team",)))
    assert [value.complete for value in by_team] == [True, True]


def test_while_the_first_capture_runs_nothing_is_complete(session: Session) -> None:
    session.exec(
        select(Channel).where(Channel.account_id == ANN, Channel.kind == "email")
    ).one().backfilled = False
    session.flush()
    by_user = aggregate(session, metric_named("emails_sent"), Query(WEEK, AS_OF, by=("user",)))
    assert [value.gap for value in by_user] == [Gap.BACKFILLING, None, None]


@pytest.mark.parametrize(
    "name", ["emails_sent", "deals_won", "revenue_won", "open_pipeline_count", "win_rate"]
)
def test_a_period_that_has_not_begun_has_no_value(session: Session, name: str) -> None:
    insert_rows(session, deal(1, "11-01 10:00"))
    [value] = aggregate(session, metric_named(name), Query(parse_period("2027-Q1"), AS_OF))
    told = value_row(value)
    assert (told["value"], told["numerator"], told["denominator"], told["n"]) == (None, None, None, 0)
    assert told["complete"] is False
    days = Query(parse_period("2026-11-29..2026-12-02"), AS_OF, grain="day")
    by_day = aggregate(session, metric_named(name), days)
    assert [value.gap for value in by_day] == [None, None, Gap.NOT_BEGUN, Gap.NOT_BEGUN]


def test_deals_won_without_an_amount_are_told_beside_the_revenue(session: Session) -> None:
    won = partial(deal, created="10-01 10:00", closed="11-10 10:00", outcome="won")
    insert_rows(
        session,
        (
            *won(1, amount=100_000),
            *won(2, amount=None),
            *won(3, currency=None, owner=BOB),
            *deal(4, "10-01 10:00", amount=None, owner=CHO),
        ),
    )

    def missing(name: str, *by: str, **others: Any) -> list[tuple[object, int]]:
        found = aggregate(session, metric_named(name), Query(WEEK, AS_OF, by=by, **others))
        return [(value.value, value.missing) for value in found]

    assert missing("revenue_won") == [(Decimal("1000.00"), 2)]
    assert missing("revenue_won", where={"currency": "EUR"}) == [(Decimal("1000.00"), 2)]
    assert missing("revenue_won", "user") == [(Decimal("1000.00"), 1), (None, 1), (None, 0)]
    assert missing("average_deal", "currency") == [(Decimal("1000.00"), 2)]
    assert missing("revenue_won", "company") == [(Decimal("1000.00"), 2)]
    assert missing("open_pipeline_value", "stage") == [(None, 1)]
    assert missing("deals_won") == [(3, 0)]


def test_what_was_learned_later_changes_no_number_as_it_was_known(session: Session) -> None:
    """An older mail of the thread and an earlier attempt come to light a week later."""
    learned = at("11-18 10:00")
    insert_rows(
        session,
        (
            *activity(1, "email", "11-09 10:00", [ANN], thread_id=1),
            *activity(2, "email", "11-05 10:00", [BOB], thread_id=1, known_at=learned),
            *activity(3, "call", "11-10 10:01", [ANN], status="busy"),
            *activity(4, "call", "11-10 10:00", [ANN], status="busy", known_at=learned),
        ),
    )
    monday, today = Query(WEEK, AS_OF, known_at=at("11-16 08:00")), Query(WEEK, AS_OF)
    [then], [now] = (aggregate(session, metric_named("reply_rate"), query) for query in (monday, today))
    assert (then.n, now.n) == (1, 0)
    [then], [now] = (aggregate(session, metric_named("calls_made"), query) for query in (monday, today))
    assert (then.value, now.value) == (1, 1)
    assert [row.id for row in trace(session, metric_named("calls_made"), monday)] == [3]
