"""Every figure of the page, of the saved file and of the mail opens to what it was counted from."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from httpx import Client
from sqlmodel import col, select
from tests.integration.summary.organization import MONDAY, WEEK, reopened
from tests.integration.summary.serving import serving
from tests.integration.summary.walking import addresses, figures_that_open_nowhere
from tests.integration.web import people
from tests.integration.web.people import EMAILS, MANAGER, REP
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.model.activities import Activity, Match
from autocapture.report.publication import summary_of
from autocapture.report.reader import Reader
from autocapture.report.render import mail_html, mail_text, page_file
from autocapture.report.summary import Adjusted, Cause, Precision, Summary
from autocapture.store.engine import writing
from autocapture.workflows.summarize import links, publish

PAGE = f"/summary/north/{WEEK}"


def _full(summary: Summary) -> Summary:
    """With every sentence that a summary can hold."""
    number = summary.people[0].numbers[0]
    causes = tuple(
        Cause(kind, 2, (3, 4), ("Bo",)) for kind in ("late", "corrected", "rules", "deals", "changed")
    )
    more = replace(number, value=(number.value or Decimal(0)) + 2)
    unknown = replace(
        summary.unknown,
        unpriced_wins=2,
        wins_since=date(2026, 10, 1),
        missing=3,
        listed=1200,
        incomplete=("Bo",),
        stalled=("Bo",),
        unconnected=("Bo",),
        other_currencies=("SEK",),
    )
    judged = Precision(days=90, right=Decimal(40), n=41, links=492, corrected=2)
    told = Adjusted("2026-W45", "Anna", number, more, causes)
    return replace(summary, unknown=unknown, precision=judged, adjusted=(told,), sourced=False)


@pytest.fixture(scope="module")
def kept(told: Path, tmp_path_factory: pytest.TempPathFactory) -> Application:
    home = tmp_path_factory.mktemp("opened") / "home"
    shutil.copytree(told, home)
    return reopened(home)


@pytest.fixture(scope="module")
def client(kept: Application) -> Iterator[Client]:
    with serving(kept) as address, Client(base_url=address, trust_env=False) as client:
        yield client


def test_no_figure_of_a_summary_stands_alone(kept: Application) -> None:
    publication = publish(kept, team_id=1, week=WEEK)
    summary = _full(summary_of(publication))
    link = links(kept, publication).number
    for told, reader in (
        (summary, Reader("sv", "Europe/Stockholm")),
        (replace(summary, attainment=None), Reader()),
    ):
        file = page_file(told, reader, link, since=told.adjusted)
        mail = mail_html(told, reader, link, "http://127.0.0.1/", lambda _chart: "cid:1")
        for html in (file, mail):
            assert figures_that_open_nowhere(html, told) == []
            assert len(figures_that_open_nowhere(re.sub(r"</?a\b[^>]*>", "", html), told)) > 60
    text = mail_text(summary, Reader(), link, "http://127.0.0.1/page")
    assert "Every number opens to the rows it was counted from on the page:\nhttp://127.0.0.1/page\n" in text
    assert "Part(" not in text


def test_whatever_a_summary_leads_to_is_there(kept: Application, client: Client) -> None:
    page = client.get(PAGE).text
    summary = summary_of(publish(kept, team_id=1, week=WEEK))
    assert figures_that_open_nowhere(page.partition("<main")[2], summary) == []
    found = {
        href for href in addresses(page) if not re.search(r"/n/\d+/(?!deal/|wins|open_deals|activ)", href)
    }
    kinds = {href.split("/")[3] for href in found if href.startswith("/n/")}
    assert kinds == {
        "deal",
        "activities_outside",
        "activities_unmatched",
        "activities_put_on_deals",
        "open_deals_without_amount",
    }
    assert {href: client.get(href).status_code for href in found} == dict.fromkeys(found, 200)


def _rows(page: str) -> int:
    return page.partition('id="rows"')[2].partition("<tbody>")[2].partition("</tbody>")[0].count("<tr>")


def test_the_unmatched_share_opens_to_its_activities(app: Application) -> None:
    publication = publish(app, team_id=1, week=WEEK)
    unknown, cell = summary_of(publication).unknown, "2026-11-09..2026-11-15;team=1"
    paths = [f"/n/{publication.id}/activities_{name}/{cell}" for name in ("unmatched", "outside")]
    with serving(app) as address, Client(base_url=address, trust_env=False) as client:
        counted = [_rows(client.get(path).text) for path in paths]
        assert counted == [unknown.unmatched, unknown.matchable]
        with writing(app.engine) as session:
            lost = session.exec(
                select(Activity).where(
                    col(Activity.id).not_in(select(Match.activity_id)),
                    Activity.occurred_at > MONDAY - timedelta(days=7),
                )
            ).first()
            assert lost is not None
            lost.business = False
        page = unescape(client.get(paths[0]).text)
        assert f"Published: {unknown.unmatched}. By now there are {unknown.unmatched - 1}" in page
        assert (
            client.get(f"/n/{publication.id}/activities_unmatched/2026-11-02..2026-11-15;team=1").status_code
            == 404
        )


def test_a_win_opens_to_the_history_and_the_activities_of_its_deal(kept: Application, client: Client) -> None:
    publication = publish(kept, team_id=1, week=WEEK)
    win = next(one for one in summary_of(publication).wins if one.deal_id == 41)
    change = summary_of(publication).pipelines[0].largest[0]
    page = unescape(client.get(f"/n/{publication.id}/deal/41").text)
    assert "€64,000" in page
    assert "won" in page.partition('id="history"')[2]
    assert f"Who contributed: {win.contributors[0].name} (1 activity)" in page
    assert _rows(page) == sum(one.activities for one in win.contributors)
    assert client.get(f"/n/{publication.id}/deal/{change.deal_id}").status_code == 200
    for nothing in ("1", "99999", "x", "-41", "9" * 30):
        assert client.get(f"/n/{publication.id}/deal/{nothing}").status_code == 404


def test_the_number_of_a_quota_tells_the_quota_and_the_pace(kept: Application, client: Client) -> None:
    publication = publish(kept, team_id=1, week=WEEK)
    held = summary_of(publication).attainment
    assert held is not None
    page = unescape(client.get(f"/n/{publication.id}/{held.actual.metric}/{held.actual.cell}").text)
    assert "The quota of Q4 2026 is €600,000, as it was set: 69% of it is reached, " in page


def test_what_a_number_opens_to_is_told_to_whom_it_is_theirs_to_see(app: Application) -> None:
    publication = publish(app, team_id=1, week=WEEK)
    people.let_in(app, REP, MANAGER)
    paths = [
        f"/n/{publication.id}/{name}"
        for name in ("deal/41", "activities_outside/2026-11-09..2026-11-15;team=1")
    ]
    with writing(app.engine) as session:
        hidden = session.exec(
            select(Activity)
            .join(Match, col(Match.activity_id) == col(Activity.id))
            .where(Match.target == "deal", Match.target_id == 41)
        ).first()
        assert hidden is not None
        hidden.business = False
        number = hidden.id
    with serving(app) as address, Tab(address) as rep, Tab(address) as manager:
        rep.sign_in(EMAILS[REP])
        manager.sign_in(EMAILS[MANAGER])
        assert [rep.get(path).status_code for path in paths] == [404, 404]
        assert [manager.get(path).status_code for path in paths] == [200, 200]
        assert f"/activities/{number}" not in manager.shown.text
        page = manager.get(paths[0]).text
        assert "2 activities are matched to it by now. 1 of them is not yours to see." in page
        assert f"/activities/{number}" not in page
