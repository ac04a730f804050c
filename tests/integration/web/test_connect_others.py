"""Accounts by user name and password, and the consent of an organisation at Microsoft."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlmodel import select
from tests.integration.summary.organization import reopened
from tests.integration.summary.serving import serving
from tests.integration.web.granting import REP
from tests.integration.web.people import let_in
from tests.integration.web.tabs import Tab
from tests.integration.web.test_connect import ADMIN, account_of, actions, begin, counted, rows, sent_to
from tests.peers.entra import entra

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.accounts import Account, Credential
from autocapture.model.connecting import OrganizationConsent
from autocapture.sections import MicrosoftSettings
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import PASSWORD, USER, Store, event_text
from autocapture.testing.fakes.entra_server import EntraServer
from autocapture.workflows.capture import capture_account
from autocapture.workflows.set_up import set_up


@pytest.fixture
def app(app: Application) -> Application:
    let_in(app, 1, 2)
    return app


@pytest.fixture
def calendars() -> Iterator[CaldavServer]:
    store = Store()
    store.put(store.make("work"), "1.ics", event_text(1))
    server = CaldavServer(store)
    server.start()
    yield server
    server.stop()


def test_a_calendar_is_connected_by_a_form_made_of_its_options(
    app: Application, tab: Tab, calendars: CaldavServer
) -> None:
    tab.sign_in(REP)
    tab.get("/connect")
    assert 'name="url"' in tab.shown.text
    assert 'name="host"' in tab.shown.text  # of IMAP
    assert "ca_file" not in tab.shown.text  # a file of the server is not for a browser to name
    wrong = tab.send("/connect/caldav", url=calendars.url, username=USER, password="wrong")
    assert wrong.status_code == 403
    assert f'value="{calendars.url}"' in tab.shown.text
    assert "wrong" not in tab.shown.text
    done = tab.send("/connect/caldav", url=calendars.url, username=USER, password=PASSWORD)
    page = str(done.headers["location"])
    assert account_of(app).state == "pending"
    counted(tab, page)
    assert "work" in tab.words
    begin(tab, page)
    assert capture_account(app, 1).status == "ok"
    assert calendars.wrote == []


def test_what_was_typed_wrongly_is_told_in_the_words_of_the_form(app: Application, tab: Tab) -> None:
    tab.sign_in(REP)
    tab.get("/connect")

    def told(**fields: str) -> str:
        tab.send("/connect/caldav", username="ann", password="x", **fields)
        return tab.words

    assert "Give “Address” or “Domain”, one of them." in told()
    assert "“Address”: must begin with https:// and a host." in told(url="calendar.example")
    assert "CalDAV cannot be asked now, so nothing was connected: 127.0.0.1 does not answer" in told(
        url="http://127.0.0.1:9/"
    )
    elsewhere = told(url="https://10.1.2.3/")
    assert "is not public" in elsewhere
    assert "allow_networks" not in elsewhere, "no rep can set it"
    assert "tell who runs autocapture" in elsewhere


def test_a_changed_password_is_typed_in_on_the_accounts_page(
    app: Application, tab: Tab, calendars: CaldavServer
) -> None:
    tab.sign_in(REP)
    tab.get("/connect")
    page = str(
        tab.send("/connect/caldav", url=calendars.url, username=USER, password=PASSWORD).headers["location"]
    )
    begin(tab, page)
    calendars.password = "a new one"
    assert capture_account(app, 1).status == "needs_reconnect"
    tab.get(page)
    assert "needs to be reconnected" in tab.words
    assert tab.send(f"{page}/password", password=PASSWORD).status_code == 403
    done = tab.send(f"{page}/password", password="a new one")
    assert done.status_code == 303, tab.words
    assert account_of(app).state == "active"
    assert capture_account(app, 1).status == "ok"


def test_an_account_whose_key_was_replaced_before_its_owner_chose_is_connected_again_and_chosen_then(
    app: Application, tab: Tab, calendars: CaldavServer
) -> None:
    tab.sign_in(REP)
    tab.get("/connect")
    typed = {"url": calendars.url, "username": USER, "password": PASSWORD}
    page = str(tab.send("/connect/caldav", **typed).headers["location"])
    app.settings.key_file.unlink()
    lost = reopened(app.settings.home)
    set_up(lost, new_key=True)
    with serving(lost) as address, Tab(address) as again:
        again.sign_in(REP)
        again.get(page)
        assert "needs to be reconnected" in again.words
        assert "the key under which its sign-in was kept here was replaced; sign in again" in again.words
        done = again.send(f"{page}/password", password=PASSWORD)
        assert done.status_code == 303, again.words
        assert account_of(lost).state == "pending"
        assert "work" in counted(again, page).words


def test_passwords_of_others_are_not_guessed_through_the_form(
    app: Application, tab: Tab, calendars: CaldavServer
) -> None:
    tab.sign_in(REP)
    tab.get("/connect")
    tried = [
        tab.send("/connect/caldav", url=calendars.url, username=USER, password=f"guess {number}").status_code
        for number in range(40)
    ]
    assert tried[0] == 403
    assert tried[-1] == 429


@pytest.mark.parametrize("name", ["files", "microsoft-calls", "nothing", "google"])
def test_what_is_not_a_reps_to_connect_has_no_form(app: Application, tab: Tab, name: str) -> None:
    tab.sign_in(REP)
    tab.get("/connect")
    assert tab.send(f"/connect/{name}", username="u", password="p").status_code == 404


@pytest.fixture
def microsoft(
    app: Application, clock: FixedClock, tmp_path: Path
) -> Iterator[tuple[Application, EntraServer]]:
    with entra(tmp_path, clock) as (server, ca_file):
        (tmp_path / "secret").write_text(server.client_secret, encoding="utf-8")
        settings = MicrosoftSettings(
            tenant=server.tenant,
            client_id=server.client_id,
            client_secret_file=tmp_path / "secret",
            login_url=server.url,
            graph_url="https://graph.microsoft.us/v1.0",
        )
        network = app.settings.network.model_copy(update={"ca_file": ca_file})
        changed = app.settings.model_copy(update={"microsoft": settings, "network": network})
        yield replace(app, settings=changed), server


@pytest.fixture
def admin(microsoft: tuple[Application, EntraServer]) -> Iterator[Tab]:
    with serving(microsoft[0]) as address, Tab(address) as tab:
        tab.sign_in(ADMIN)
        tab.get("/admin/microsoft")
        yield tab


def consent(app: Application) -> OrganizationConsent | None:
    with reading(app.engine) as session:
        return session.exec(select(OrganizationConsent)).first()


def test_an_admin_is_sent_to_the_consent_of_the_organisation_and_what_came_back_is_told(
    microsoft: tuple[Application, EntraServer], admin: Tab
) -> None:
    app, server = microsoft
    url = sent_to(admin.send("/admin/microsoft/consent"))
    asked = parse_qs(urlsplit(url).query)
    assert asked["scope"] == ["https://graph.microsoft.us/.default"]
    assert url.startswith(f"{server.url}/{server.tenant}/v2.0/adminconsent?")
    assert asked["redirect_uri"] == [f"{admin.address}/admin/microsoft/callback"]
    answer = {
        "admin_consent": "True",
        "tenant": server.tenant,
        "scope": "https://graph.microsoft.com/Mail.ReadBasic https://graph.microsoft.com/Calendars.ReadBasic",
        "state": asked["state"][0],
    }
    assert admin.get(f"/admin/microsoft/callback?{urlencode(answer)}").status_code == 303
    admin.get("/admin/microsoft")
    assert "Mail.ReadBasic, Calendars.ReadBasic" in admin.words
    assert "consent of the organisation answered" in actions(app)
    assert admin.get(f"/admin/microsoft/callback?{urlencode(answer)}").status_code == 403  # once


def test_a_consent_that_nobody_asked_for_is_not_believed(
    microsoft: tuple[Application, EntraServer], admin: Tab, clock: FixedClock
) -> None:
    app, _server = microsoft
    forged = {"admin_consent": "True", "tenant": "evil", "state": "guessed"}
    assert admin.get(f"/admin/microsoft/callback?{urlencode(forged)}").status_code == 403
    admin.get("/admin/microsoft")
    [state] = parse_qs(urlsplit(sent_to(admin.send("/admin/microsoft/consent"))).query)["state"]
    clock.advance(timedelta(minutes=11))
    assert admin.get(f"/admin/microsoft/callback?{urlencode({**forged, 'state': state})}").status_code == 403
    assert consent(app) is None


def test_a_refusal_is_told_without_its_description(
    microsoft: tuple[Application, EntraServer], admin: Tab
) -> None:
    [state] = parse_qs(urlsplit(sent_to(admin.send("/admin/microsoft/consent"))).query)["state"]
    answer = {
        "error": "access_denied",
        "error_description": "canary",
        "admin_consent": "True",
        "state": state,
    }
    admin.get(f"/admin/microsoft/callback?{urlencode(answer)}")
    admin.get("/admin/microsoft")
    assert "not given" in admin.words
    assert "access_denied" in admin.words
    assert "canary" not in admin.words


def test_what_is_granted_is_told_by_a_token(microsoft: tuple[Application, EntraServer], admin: Tab) -> None:
    _app, server = microsoft
    admin.send("/admin/microsoft/try")
    assert "a token that does not say what it is good for" in admin.words  # the fake's is no JWT
    server.client_secret = "another"
    admin.get("/admin/microsoft")
    admin.send("/admin/microsoft/try")
    assert "No token:" in admin.words


def test_the_consent_of_the_organisation_is_the_admins_alone(
    microsoft: tuple[Application, EntraServer], admin: Tab
) -> None:
    with Tab(admin.address) as rep:
        rep.sign_in(REP)
        assert rep.get("/admin/microsoft").status_code == 404
        rep.get("/me")
        assert rep.send("/admin/microsoft/consent").status_code == 404
        assert rep.send("/admin/microsoft/try").status_code == 404


def test_an_account_of_somebody_else_takes_no_password(app: Application, tab: Tab) -> None:
    with writing(app.engine) as session:
        session.add(
            Account(id=7, user_id=1, connector="caldav", subject="x", options={}, created_at=app.clock.now())
        )
    tab.sign_in(REP)
    tab.get("/me")
    assert tab.send("/accounts/7/password", password="x").status_code == 404
    assert rows(app, Account) == 1


def test_what_only_the_operator_can_mend_is_told_to_who_runs_the_service_and_asks_nothing_of_the_rep(
    app: Application, tab: Tab
) -> None:
    why = "Google does not take the service account's key (invalid_grant): make a new one"
    with writing(app.engine) as session:
        session.add(
            Account(
                id=7, user_id=2, connector="google", subject=f"delegate:{REP}", address=REP, options={}, why=why, fails=3,
                created_at=app.clock.now(),
            )
        )  # fmt: skip
    tab.sign_in(REP)
    for page in ("/accounts", "/accounts/7"):
        tab.get(page)
        assert "you need do nothing" in tab.words
        assert "service account" not in tab.words
        assert "Connect it again" not in tab.words
    tab.send("/sign-out")
    tab.sign_in(ADMIN)
    tab.get("/accounts")
    assert why in tab.words


@pytest.mark.parametrize("connector", ["files", "google"])
def test_an_account_without_a_password_takes_none(
    app: Application, tab: Tab, tmp_path: Path, connector: str
) -> None:
    for name in ("cur", "new", "tmp"):
        (tmp_path / "maildir" / name).mkdir(parents=True)
    with writing(app.engine) as session:
        session.add(
            Account(
                id=7,
                user_id=2,
                connector=connector,
                subject="x",
                options={"maildir": str(tmp_path / "maildir")} if connector == "files" else {},
                state="paused",
                created_at=app.clock.now(),
            )
        )
    tab.sign_in(REP)
    tab.get("/me")
    assert tab.send("/accounts/7/password", password="x").status_code == 404
    assert account_of(app).state == "paused"
    assert rows(app, Credential) == 0
