"""The page behind a number says what was counted, when, and what has changed since."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape

from sqlmodel import col, select
from tests.integration.summary.beginning import deal
from tests.integration.summary.organization import MONDAY, WEEK
from tests.integration.summary.serving import shown
from tests.integration.summary.walking import words

from autocapture.application import Application
from autocapture.model.activities import Activity, Match
from autocapture.model.crm import Contact, Deal, DealContact, Lead
from autocapture.model.measures import Publication, Quota
from autocapture.report.numbers import Number
from autocapture.report.publication import summary_of
from autocapture.store.engine import reading, writing
from autocapture.workflows.summarize import publish


def _number(publication: Publication, metric: str, *, user: int | None = None) -> Number:
    return next(
        number
        for number in summary_of(publication).numbers()
        if number.metric == metric
        and WEEK_CELL in number.cell
        and (user is None or f"user={user}" in number.cell)
    )


WEEK_CELL = "2026-11-09..2026-11-15"
SUMMARY = f"/summary/north/{WEEK}"


def _page(app: Application, publication: Publication, number: Number) -> str:
    page = shown(app, f"/n/{publication.id}/{number.metric}/{number.cell}")
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def test_a_deal_has_the_day_it_was_closed_on_and_no_time(people: Application) -> None:
    deal(people, 1, at=datetime(2026, 11, 8, 23, tzinfo=UTC), on=date(2026, 11, 9), minor=100_000)
    publication = publish(people, team_id=1, week=WEEK)
    page = _page(people, publication, _number(publication, "deals_won", user=2))
    assert " Nov 9, 2026 " in page
    assert "Nov 8" not in page


def test_activities_are_told_in_the_zone_of_the_rep_who_took_part(app: Application) -> None:
    publication = publish(app, team_id=1, week=WEEK)
    for metric in ("emails_sent", "meetings_held"):
        page = _page(app, publication, _number(publication, metric))
        times = re.findall(r"\d+:\d\d\s[AP]M (\w+)", page)
        assert (
            times.count("CET") == len(times) - 1
        )  # all but the moment of publication, in the organisation's zone
        assert times.count("UTC") == 1
    with reading(app.engine) as session:
        mail = session.exec(select(Activity).where(Activity.kind == "email")).first()
        assert mail is not None
        session.expunge(mail)
    page = shown(app, f"/activities/{mail.id}")
    assert re.search(r"\d:\d\d:\d\d\sAM|PM CES?T", page)


def test_what_was_published_stands_beside_what_the_rows_are_now(people: Application) -> None:
    deal(people, 1, minor=100_000)
    publication = publish(people, team_id=1, week=WEEK)
    number = _number(publication, "revenue_won", user=2)
    assert "The sum of the rows below." in _page(people, publication, number)
    with writing(people.engine) as session:
        won = session.get(Deal, 1)
        assert won is not None
        won.amount_minor = 250_000
    page = _page(people, publication, number)
    assert "Published: €1,000. The rows below are now €2,500." in page
    assert "The sum of the rows below." not in page
    assert "Together €2,500" in page


def test_rows_that_are_known_to_have_changed_are_marked(app: Application) -> None:
    publication = publish(app, team_id=1, week=WEEK)
    number = _number(publication, "meetings_held")
    with writing(app.engine) as session:
        meetings = session.exec(
            select(Activity)
            .where(Activity.kind == "meeting", col(Activity.occurred_at) > MONDAY - timedelta(days=7))
            .order_by(col(Activity.id))
        ).all()
        meetings[0].status = "cancelled_by_them"
        meetings[1].subject, meetings[1].changed_at = "Moved", MONDAY + timedelta(days=1)
    page = _page(app, publication, number)
    assert f"The rows below are now {number.n - 1}, from {number.n - 1} rows instead of {number.n}." in page
    assert page.count("changed since") == 1 + page.count("have changed since")


def test_a_median_that_is_not_reached_says_who_still_waits(people: Application) -> None:
    with writing(people.engine) as session:
        session.add(Contact(id=1, source_id="p1", name="Kim"))
        session.flush()
        for number in (1, 2):
            session.add(
                Lead(
                    source_id=f"l{number}",
                    contact_id=1,
                    owner_id=2,
                    created_at=MONDAY - timedelta(days=number + 2),
                )
            )
    publication = publish(people, team_id=1, week=WEEK)
    summary = unescape(shown(people, SUMMARY))
    assert ">not yet</a>" in summary
    assert "2 of 2 leads still unanswered" in summary
    assert "The median of lead response time is not known yet: 0 of 2 leads were answered." in words(summary)
    page = _page(people, publication, _number(publication, "lead_response_time"))
    assert "No median yet: 0 of 2 leads were answered." in page
    assert "nothing was counted" not in page


def test_what_has_no_value_is_a_dash_with_its_reason_and_not_0(people: Application) -> None:
    deal(people, 1)
    publication = publish(people, team_id=1, week=WEEK)
    [anna] = summary_of(publication).people
    told = {number.metric: number for number in anna.numbers}
    assert (told["revenue_won"].value, told["revenue_won"].why) == (None, "1 deal without an amount")
    assert (told["emails_sent"].value, told["emails_sent"].why) == (
        None,
        "nothing is connected that it is counted from",
    )
    assert (told["opportunities_created"].value, told["deals_won"].value) == (0, 1)  # a true 0 stays one
    page = unescape(shown(people, SUMMARY))
    assert "€0" not in page
    assert 'title="– (1 deal without an amount): see the rows">–</a>' in page
    assert '<span class="change">no comparison with last week · nothing is connected' in page
    assert "North in week 46: 1 deal won" in words(
        page
    )  # nothing is said of meetings that nobody could count
    behind = _page(people, publication, told["revenue_won"])
    assert "There is no value: 1 deal without an amount." in behind


def test_wins_without_an_amount_are_counted_under_not_known(people: Application) -> None:
    deal(people, 1, minor=100_000)
    deal(people, 2)
    deal(people, 3, at=datetime(2026, 10, 29, 9, tzinfo=UTC))
    unknown = summary_of(publish(people, team_id=1, week=WEEK)).unknown
    assert (unknown.unpriced_wins, unknown.wins_since) == (1, date(2026, 11, 9))
    page = words(shown(people, SUMMARY))
    assert "1 deal won since Nov 9, 2026 without an amount: nothing is added to revenue for it." in page


def test_wins_without_an_amount_are_counted_over_the_period_of_the_quota(people: Application) -> None:
    for number, at in (
        (1, datetime(2026, 11, 12, 9, tzinfo=UTC)),
        (2, datetime(2026, 10, 29, 9, tzinfo=UTC)),
    ):
        deal(people, number, at=at)
    with writing(people.engine) as session:
        session.add(
            Quota(
                metric="revenue_won",
                scope_type="team",
                scope="North",
                period_start=date(2026, 10, 1),
                period_end=date(2026, 12, 31),
                value=Decimal(1000),
                currency="EUR",
            )
        )
    unknown = summary_of(publish(people, team_id=1, week=WEEK)).unknown
    assert (unknown.unpriced_wins, unknown.wins_since) == (2, date(2026, 10, 1))


def test_reasons_of_a_match_are_told_in_names(app: Application) -> None:
    with writing(app.engine) as session:
        matches = session.exec(select(Match).where(Match.target == "company").limit(4)).all()
        for match, (method, evidence_of) in zip(
            matches,
            (
                ("contact_role", {"contacts": [1, 2]}),
                ("only_live_deal", {"company": 3}),
                ("thread", {"precedent": matches[0].activity_id}),
                ("deal", {"by": "41"}),
            ),
            strict=True,
        ):
            match.method, match.evidence = method, evidence_of
        session.add(DealContact(deal_id=41, contact_id=1, role="decision_maker"))
        session.add(
            Match(
                activity_id=matches[1].activity_id,
                target="deal",
                target_id=41,
                method="contact_role",
                evidence={"contacts": [1]},
            )
        )
        ids = [match.activity_id for match in matches]
        name = session.get(Deal, 41)
        assert name is not None
        deal_name = name.name
    pages = [shown(app, f"/activities/{number}") for number in ids]
    assert "Kim Hoekstra, Kim Lindqvist" in pages[0]
    assert "Northwind Foods" in pages[1]
    assert "Kim Hoekstra (decision maker)" in pages[1]
    assert f'href="/activities/{ids[0]}"' in pages[2]
    assert deal_name in pages[3]
