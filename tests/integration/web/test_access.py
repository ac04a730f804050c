"""Everybody sees what is theirs, and nobody what is not: every route, every role, own and others' rows."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlmodel import col, select
from tests.integration.summary.organization import WEEK, reopened
from tests.integration.summary.serving import serving
from tests.integration.web import people
from tests.integration.web.people import ADMIN, EMAILS, HEAD, MANAGER, OPS, OTHER_REP, REP, SOUTHS_ACTIVITY
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.model.activities import Activity, Participation
from autocapture.model.organization import ROLES, Membership, User
from autocapture.report.publication import summary_of
from autocapture.store.engine import reading, writing
from autocapture.web.access import ROUTES, Reach, addresses, assert_complete
from autocapture.web.app import build_app
from autocapture.workflows.summarize import publish

EVERYBODY = (REP, OTHER_REP, MANAGER, HEAD, OPS, ADMIN)
NORTH = f"/summary/north/{WEEK}"


@pytest.fixture(scope="module")
def teams(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Application:
    home = tmp_path_factory.mktemp("access") / "home"
    shutil.copytree(published, home)
    app = reopened(home)
    people.let_in(app, *EVERYBODY)
    return app


@pytest.fixture(scope="module")
def tabs(teams: Application) -> Iterator[Mapping[int, Tab]]:
    """A signed-in browser of everybody, and of nobody at 0."""
    with serving(teams) as address:
        found = {user_id: Tab(address) for user_id in (0, *EVERYBODY)}
        for user_id in EVERYBODY:
            assert found[user_id].sign_in(EMAILS[user_id]).is_redirect
        yield found
        for tab in found.values():
            tab.client.close()


def _who_sees(tabs: Mapping[int, Tab], path: str) -> set[int]:
    """Those whom the page is shown to; to all others it is as if it were not there, or they must sign in."""
    seen = {user_id: tab.get(path).status_code for user_id, tab in tabs.items()}
    assert seen.pop(0) in (303, 404)
    assert set(seen.values()) <= {200, 404}
    return {user_id for user_id, status in seen.items() if status == 200}


def test_every_route_has_its_row_and_every_row_its_route(teams: Application) -> None:
    assert set(addresses(build_app(teams).routes)) == set(ROUTES)


def test_a_route_without_a_row_is_refused_at_the_start(teams: Application) -> None:
    app: FastAPI = build_app(teams)
    app.get("/forgotten-row")(lambda: "")
    with pytest.raises(LookupError, match="GET /forgotten-row"):
        assert_complete(app.routes)


@pytest.mark.parametrize("address", [key for key, row in ROUTES.items() if not row.anyone], ids=" ".join)
def test_nobody_sees_what_their_role_does_not_reach(
    tabs: Mapping[int, Tab], address: tuple[str, str]
) -> None:
    method, path = address
    path = path.replace("{user_id}", "999")
    for role, user_id in {"rep": REP, "manager": MANAGER, "ops": OPS, "admin": ADMIN, "": 0}.items():
        if role and ROUTES[address].reach(role) is not Reach.NOTHING:
            continue
        tab = tabs[user_id]
        tab.get("/me")
        if method == "GET":
            assert tab.get(path).status_code == (404 if role else 303)
        else:
            assert tab.send(path).status_code == (404 if role else 403)


def test_roles_are_those_of_the_table() -> None:
    assert all(row.reach("somebody else") is Reach.NOTHING for row in ROUTES.values())
    assert set(ROLES) == {"rep", "manager", "ops", "admin"}


def test_a_summary_and_its_numbers_are_for_those_who_lead_the_team(
    teams: Application, tabs: Mapping[int, Tab]
) -> None:
    assert _who_sees(tabs, NORTH) == {MANAGER, HEAD}
    publication = publish(teams, team_id=1, week=WEEK)
    number = next(found for found in summary_of(publication).numbers() if found.n)
    assert _who_sees(tabs, f"/n/{publication.id}/{number.metric}/{number.cell}") == {MANAGER, HEAD}
    for user_id, tab in tabs.items():
        shown = tab.get("/")
        assert (NORTH in shown.text) == (user_id in (MANAGER, HEAD))


def test_an_activity_is_for_who_took_part_and_who_leads_them(
    teams: Application, tabs: Mapping[int, Tab]
) -> None:
    with reading(teams.engine) as session:
        mine = session.exec(select(Participation.activity_id).where(Participation.user_id == REP)).first()
    assert _who_sees(tabs, f"/activities/{mine}") == {REP, MANAGER, HEAD}
    assert _who_sees(tabs, f"/activities/{SOUTHS_ACTIVITY}") == {OTHER_REP}


def test_what_is_somebody_elses_looks_like_what_is_not_there(tabs: Mapping[int, Tab]) -> None:
    for theirs, absent in (
        (f"/activities/{SOUTHS_ACTIVITY}", "/activities/4712"),
        (NORTH, "/summary/north/2020-W01"),
        ("/n/1/emails_sent/2026-11-09..2026-11-15;team=1", "/n/999/emails_sent/x"),
    ):
        reader = tabs[OTHER_REP] if theirs == NORTH else tabs[REP]
        assert reader.get(theirs).text == reader.get(absent).text


def test_a_rep_lists_their_own_activities_alone(teams: Application, tabs: Mapping[int, Tab]) -> None:
    for user_id in (REP, OTHER_REP):
        with reading(teams.engine) as session:
            own = set(
                session.exec(
                    select(Activity.id)
                    .join(Participation, col(Participation.activity_id) == col(Activity.id))
                    .where(Participation.user_id == user_id)
                )
            )
        listed: set[int] = set()
        for page in range(1, len(own) // 50 + 2):
            shown = tabs[user_id].get(f"/activities?page={page}").text
            listed |= {int(found) for found in re.findall(r'href="/activities/(\d+)"', shown)}
        assert "Older" not in shown
        assert listed == own
    assert "Nothing yet" in tabs[OPS].get("/activities").text


def test_accounts_are_their_owners_and_of_those_who_keep_them_running(tabs: Mapping[int, Tab]) -> None:
    of_north, of_south = "rep2@ours.example", "the account of south"
    seen = {user_id: tabs[user_id].get("/accounts").text for user_id in EVERYBODY}
    assert {user_id for user_id in EVERYBODY if f'title="{of_north}"' in seen[user_id]} == {
        REP, MANAGER, HEAD, OPS, ADMIN,
    }  # fmt: skip
    assert {user_id for user_id in EVERYBODY if of_south in seen[user_id]} == {OTHER_REP, OPS, ADMIN}


def test_why_items_were_left_out_is_the_owners_matter(tabs: Mapping[int, Tab]) -> None:
    seen = {user_id: tabs[user_id].get("/accounts").text for user_id in EVERYBODY}
    assert {user_id for user_id in EVERYBODY if "newsletter" in seen[user_id]} == {REP}
    assert {user_id for user_id in EVERYBODY if "more than 1000 parts" in seen[user_id]} == {REP, OPS, ADMIN}


def test_an_activity_tells_of_no_colleagues_mailbox(teams: Application, tabs: Mapping[int, Tab]) -> None:
    with reading(teams.engine) as session:
        mine = session.exec(select(Participation.activity_id).where(Participation.user_id == REP)).first()
    assert "Anna Berg" in tabs[REP].get(f"/activities/{mine}").text
    assert "In no account" not in tabs[REP].shown.text


def test_ops_and_admin_see_no_content(tabs: Mapping[int, Tab]) -> None:
    for user_id in (OPS, ADMIN):
        for path in ("/", "/accounts", "/activities"):
            shown = tabs[user_id].get(path).text
            assert "Offer for the pump line" not in shown
            assert "kim@customer" not in shown


def test_who_left_a_team_is_seen_by_its_manager_for_their_time_there(published: Path, tmp_path: Path) -> None:
    shutil.copytree(published, tmp_path / "home")
    app = reopened(tmp_path / "home")
    people.let_in(app, MANAGER)
    with writing(app.engine) as session:
        rep = session.get_one(User, REP)
        rep.manager_id = people.SOUTHS_MANAGER
        there = session.exec(select(Membership).where(Membership.user_id == REP)).one()
        there.valid_to = date(2026, 10, 31)
        session.add_all([rep, there])
        session.add(Membership(user_id=REP, team_id=2, valid_from=date(2026, 11, 1)))
        days = dict(
            session.exec(
                select(Participation.local_date, Participation.activity_id).where(
                    Participation.user_id == REP
                )
            ).all()
        )
    then, since = days[max(day for day in days if day < date(2026, 11, 1))], days[max(days)]
    with serving(app) as address, Tab(address) as tab:
        tab.sign_in(EMAILS[MANAGER])
        assert tab.get(f"/activities/{then}").status_code == 200
        assert tab.get(f"/activities/{since}").status_code == 404
        assert "rep2@ours.example" not in tab.get("/accounts").text
