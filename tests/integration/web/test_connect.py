"""Reps connect their own accounts: consent, preview, choice; and the answers that are not taken."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from httpx import Response
from sqlmodel import SQLModel, col, func, select
from tests.integration.summary.serving import serving
from tests.integration.web.granting import REP, GoogleWorld, at, google_world, with_google, with_microsoft
from tests.integration.web.people import let_in
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.accounts import Account, Credential
from autocapture.model.activities import Activity
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User, UserHandle
from autocapture.model.sign_in import AuditEntry
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.authorization_server import AuthorizationServer, authorization_server
from autocapture.workflows.audit import CONNECTED, CONNECTION_REFUSED, DISCONNECTED, PAUSED, RESUMED
from autocapture.workflows.capture import capture_account, due_accounts

ADMIN = "admin@ours.example"


@pytest.fixture
def google(app: Application) -> Iterator[GoogleWorld]:
    with google_world(app) as world:
        yield world


@pytest.fixture
def other(clock: FixedClock) -> Iterator[AuthorizationServer]:
    """Microsoft, to mix up with Google."""
    with authorization_server(clock) as server:
        yield server


@pytest.fixture
def app(app: Application) -> Application:
    let_in(app, 1, 2)
    return app


@pytest.fixture
def ready(app: Application, google: GoogleWorld, other: AuthorizationServer, tmp_path: Path) -> Application:
    return with_microsoft(with_google(app, google, tmp_path), other, tmp_path)


@pytest.fixture
def address(ready: Application, google: GoogleWorld) -> Iterator[str]:
    with serving(ready) as address:
        google.server.redirect_uris = {f"{address}/connect/google/callback"}
        yield address


@pytest.fixture
def rep(tab: Tab) -> Tab:
    tab.sign_in(REP)
    return tab


def start(tab: Tab, name: str = "google", page: str = "/connect", **fields: str) -> str:
    """The address at the provider that the browser is sent to."""
    tab.get(page)
    return sent_to(tab.send(f"/connect/{name}/consent", **fields))


def sent_to(answer: Response) -> str:
    found = re.search(r'content="0;url=([^"]+)"', answer.text)
    assert found is not None, answer.text
    return unescape(found[1])


def back(tab: Tab, answer: dict[str, str], name: str = "google") -> Response:
    return tab.get(f"/connect/{name}/callback?{urlencode(answer)}")


def connect(tab: Tab, google: GoogleWorld) -> str:
    """The page of the account that the rep connects."""
    done = back(tab, google.server.consent(start(tab)))
    assert done.status_code == 303, tab.words
    return str(done.headers["location"])


def counted(tab: Tab, page: str) -> Tab:
    """The tab with the account's page, once its numbers are there or cannot be told."""
    while 'http-equiv="refresh"' in tab.get(page).text:
        time.sleep(0.05)
    return tab


def begin(tab: Tab, page: str, **fields: str) -> Response:
    counted(tab, page)
    offered = re.findall(r'name="offered" value="([^"]+)"', tab.shown.text)
    data = {"level": "subject", "since": "2026-08-18", "offered": offered, "channel": offered, **fields}
    return tab.send(f"{page}/scope", **data)  # type: ignore[arg-type]


def rows(app: Application, table: type[SQLModel]) -> int:
    with reading(app.engine) as session:
        return session.exec(select(func.count()).select_from(table)).one()


def account_of(app: Application) -> Account:
    with reading(app.engine) as session:
        found = session.exec(select(Account)).one()
        session.expunge(found)
        return found


def actions(app: Application) -> list[str]:
    with reading(app.engine) as session:
        return list(session.exec(select(AuditEntry.action).order_by(col(AuditEntry.id))))


def test_nothing_is_imported_before_its_owner_has_seen_how_much_there_is_and_said_so(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    google.receive(120, newest=at("2026-11-15T12:00"))
    page = connect(rep, google)
    assert account_of(ready).state == "pending"
    assert due_accounts(ready) == []
    assert capture_account(ready, account_of(ready).id or 0).status == "pending"
    counted(rep, page)
    assert "Nothing is imported yet" in rep.words
    assert "Gmail" in rep.words
    assert "Inbox 120" in rep.words
    told = dict(re.findall(r"(30 days|90 days|everything)\s.*?about (\d+)\s+about a minute", rep.words))
    assert told == {"30 days": "30", "90 days": "90", "everything": "120"}, rep.words
    assert 'value="2026-08-18"' in rep.shown.text  # ninety days back
    assert rows(ready, LedgerEntry) == 0
    assert begin(rep, page).headers["location"] == f"{page}?done=1"
    [account_id] = due_accounts(ready)
    assert capture_account(ready, account_id).status == "ok"
    assert rows(ready, Activity) == 90
    assert CONNECTED in actions(ready)


def test_the_question_asks_no_more_than_the_level_needs_and_is_kept_without_secrets(rep: Tab) -> None:
    asked = parse_qs(urlsplit(start(rep)).query)
    assert "gmail.metadata" in asked["scope"][0]
    assert "gmail.readonly" not in asked["scope"][0]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{rep.address}/connect/google/callback"]
    assert asked["login_hint"] == [REP]


def _none(answer: dict[str, str]) -> dict[str, str]:
    return {}


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda answer: {key: value for key, value in answer.items() if key != "state"},
        lambda answer: {**answer, "state": "guessed"},
        lambda answer: {**answer, "state": ""},
        lambda answer: {**answer, "iss": "https://evil.example"},
        lambda answer: {**answer, "code": "stolen"},
        lambda answer: {"state": answer["state"], "error": "access_denied"},
        lambda answer: {"state": answer["state"]},
        _none,
    ],
    ids=["no state", "state guessed", "state empty", "issuer", "code", "declined", "neither", "nothing"],
)
def test_an_answer_that_is_not_the_one_awaited_connects_nothing(
    ready: Application, rep: Tab, google: GoogleWorld, spoiled: object
) -> None:
    answer = google.server.consent(start(rep))
    assert back(rep, spoiled(answer)).status_code in (403, 502)  # type: ignore[operator]
    assert (rows(ready, Account), rows(ready, Credential)) == (0, 0)
    assert CONNECTION_REFUSED in actions(ready)


def test_answers_that_nobody_asked_for_fill_no_audit(ready: Application, rep: Tab) -> None:
    for number in range(70):
        assert rep.get(f"/connect/google/callback?state=invented-{number}").status_code == 403
    assert actions(ready).count(CONNECTION_REFUSED) == 60


def test_an_answer_is_good_once_and_its_code_too(ready: Application, rep: Tab, google: GoogleWorld) -> None:
    answer = google.server.consent(start(rep))
    assert back(rep, answer).status_code == 303
    assert back(rep, answer).status_code == 403
    fresh = google.server.consent(start(rep))
    replayed = {**fresh, "code": answer["code"]}
    assert back(rep, replayed).status_code == 403
    assert rows(ready, Account) == 1


def test_an_answer_comes_back_to_the_session_that_asked(
    ready: Application, rep: Tab, another: Tab, google: GoogleWorld
) -> None:
    answer = google.server.consent(start(rep))
    another.sign_in(ADMIN)
    assert back(another, answer).status_code == 403
    assert another.client.get(f"/connect/google/callback?{urlencode(answer)}").status_code == 403
    rep.get("/me")
    rep.send("/sign-out")
    rep.sign_in(REP)
    assert back(rep, answer).status_code == 403  # signed in again: another session
    assert rows(ready, Account) == 0


def test_an_answer_comes_within_ten_minutes(
    rep: Tab, google: GoogleWorld, clock: FixedClock, ready: Application
) -> None:
    answer = google.server.consent(start(rep))
    clock.advance(timedelta(minutes=10, seconds=1))
    assert back(rep, answer).status_code == 403
    assert rows(ready, Account) == 0


def test_a_verifier_of_another_question_opens_nothing(
    rep: Tab, google: GoogleWorld, ready: Application
) -> None:
    first, second = google.server.consent(start(rep)), google.server.consent(start(rep))
    assert back(rep, {**second, "code": first["code"]}).status_code == 403
    assert rows(ready, Credential) == 0


def test_an_answer_of_one_provider_is_none_at_the_address_of_another(
    ready: Application, rep: Tab, google: GoogleWorld, other: AuthorizationServer
) -> None:
    answer = google.server.consent(start(rep))
    assert back(rep, answer, "microsoft").status_code == 403
    assert other.forms == []  # the code was not sent on
    answer = google.server.consent(start(rep))
    assert rep.get(f"/sign-in/google/callback?{urlencode(answer)}").status_code == 403
    assert rows(ready, Account) == 0


def test_a_parameter_that_comes_twice_is_no_answer(rep: Tab, google: GoogleWorld, ready: Application) -> None:
    answer = google.server.consent(start(rep))
    assert rep.get(f"/connect/google/callback?{urlencode(answer)}&state=x").status_code == 403
    assert rows(ready, Account) == 0


def test_a_mailbox_of_somebody_else_is_refused_and_an_alias_is_not(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    google.server.person.address = "rita@ours.example"
    google.services.add_user("rita@ours.example")
    assert back(rep, google.server.consent(start(rep))).status_code == 403
    assert "not known to be an address of rep@ours.example" in rep.words
    assert rows(ready, Credential) == 0
    with writing(ready.engine) as session:
        session.add(UserHandle(kind="email", value="rita@ours.example", user_id=2))
    assert back(rep, google.server.consent(start(rep))).status_code == 303


def test_another_mailbox_under_the_same_address_is_not_the_account(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    page = connect(rep, google)
    google.server.person.subject = "somebody-new"
    assert back(rep, google.server.consent(start(rep))).status_code == 403
    account_id = page.rpartition("/")[2]
    assert back(rep, google.server.consent(start(rep, account=account_id))).status_code == 403
    assert "another mailbox" in rep.words
    assert account_of(ready).subject == "sub-1"


def test_what_was_not_ticked_is_told_and_the_rest_works(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    google.server.person.ticks = lambda scope: "gmail" not in scope
    page = connect(rep, google)
    rep.get(page)
    assert "You did not grant: mail. Everything else works." in rep.words
    begin(rep, page)
    assert capture_account(ready, 1).status == "ok"
    google.server.person.ticks = lambda scope: scope in ("openid", "email")
    assert back(rep, google.server.consent(start(rep))).status_code == 403
    assert "nothing was granted" in rep.words.lower()


def test_a_consent_that_connects_nothing_is_given_back_unless_its_owner_is_connected_here(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    def nothing_is_left() -> bool:
        """Of a consent at which nothing was ticked."""
        before = set(google.server._grants)
        google.server.person.ticks = lambda scope: scope in ("openid", "email")
        assert back(rep, google.server.consent(start(rep))).status_code == 403
        google.server.person.ticks = lambda _scope: True
        return set(google.server._grants) == before

    assert nothing_is_left()
    page = connect(rep, google)
    assert not nothing_is_left(), "Google would end what is captured by, too"
    rep.get(f"{page}?wait=no")
    rep.send(f"{page}/disconnect", captured="keep")
    assert nothing_is_left()


def test_texts_need_a_wider_grant_which_is_asked_for_then(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    page = connect(rep, google)
    begin(rep, page)
    assert capture_account(ready, 1).status == "ok"
    rep.get(page)
    url = sent_to(begin(rep, page, level="full"))
    assert "gmail.readonly" in url
    assert "gmail.metadata" not in url
    assert account_of(ready).capture_level == "subject"
    assert back(rep, google.server.consent(url)).headers["location"] == page
    assert account_of(ready).capture_level == "full"
    assert rows(ready, Account) == 1


def test_a_lower_level_needs_no_other_grant_and_asks_what_becomes_of_what_was_captured(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    google.receive(3, newest=at("2026-11-15T12:00"))
    page = connect(rep, google)
    assert back(rep, google.server.consent(sent_to(begin(rep, page, level="full")))).status_code == 303
    rep.get(page)
    begin(rep, page, level="full")
    assert capture_account(ready, 1).captured == 3
    assert "Keep it" in begin(rep, page, level="metadata").text
    assert account_of(ready).capture_level == "full"
    assert begin(rep, page, level="metadata", captured="keep").status_code == 303
    assert account_of(ready).capture_level == "metadata"
    rep.get(page)
    assert "You did not grant" not in rep.words
    google.receive(1, newest=at("2026-11-15T13:00"))
    assert (report := capture_account(ready, 1)).status == "ok", report.why
    assert begin(rep, page, level="full").status_code == 303  # what was granted then is granted still


def test_capturing_less_asks_what_becomes_of_what_was_captured(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    google.receive(80, newest=at("2026-11-15T12:00"))
    page = connect(rep, google)
    begin(rep, page)
    capture_account(ready, 1)
    asked = begin(rep, page, since="2026-11-01")
    assert asked.status_code == 200
    assert "What shall become of it?" in rep.words
    assert rows(ready, Activity) == 80
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', rep.shown.text)
    fields: dict[str, list[str]] = {}
    for name, value in hidden:
        fields.setdefault(unescape(name), []).append(unescape(value))
    del fields["form_token"]
    kept = rep.send(f"{page}/scope", captured="keep", **fields)  # type: ignore[arg-type]
    assert kept.status_code == 303
    assert (rows(ready, Activity), account_of(ready).since) == (80, date(2026, 11, 1))
    rep.get(page)
    assert "purge the rest" in rep.words
    rep.send(f"{page}/scope", captured="purge", **fields)  # type: ignore[arg-type]
    assert rows(ready, Activity) == 15
    rep.get(page)
    assert "purge the rest" not in rep.words
    begin(rep, page, since="2026-11-10", captured="purge")
    assert rows(ready, Activity) == 6
    with reading(ready.engine) as session:
        skipped = session.exec(select(LedgerEntry.reason).where(LedgerEntry.outcome == "skipped")).all()
    assert set(skipped) == {"out_of_scope"}
    assert len(skipped) == 74
    begin(rep, page, since="2026-08-18")
    capture_account(ready, 1)
    assert rows(ready, Activity) == 80


def test_an_account_is_its_owners_alone(
    ready: Application, rep: Tab, another: Tab, google: GoogleWorld
) -> None:
    page = connect(rep, google)
    another.sign_in(ADMIN)
    assert another.get(page).status_code == 404
    another.get("/me")
    for action in ("scope", "count", "password"):
        assert another.send(f"{page}/{action}", level="full").status_code == 404
    assert another.send("/connect/google/consent", account=page.rpartition("/")[2]).status_code == 404


def captured(app: Application, page: str) -> int:
    """The activities there are, once the account was captured."""
    assert capture_account(app, int(page.rpartition("/")[2])).status == "ok"
    return rows(app, Activity)


def test_a_rep_pauses_their_account_and_has_it_go_on(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    google.receive(2, newest=at("2026-11-15T12:00"))
    page = connect(rep, google)
    begin(rep, page)
    assert captured(ready, page) == 2
    rep.get(f"{page}?wait=no")
    assert rep.send(f"{page}/pause").headers["location"] == page
    google.receive(1, newest=at("2026-11-15T18:00"))
    assert (account_of(ready).state, due_accounts(ready)) == ("paused", [])
    rep.get("/")
    assert "1 paused" in rep.words
    assert "reconnected" not in rep.words, "what its owner wanted is no fault"
    assert "Resume" in rep.get(page).text
    assert rep.send(f"{page}/resume").headers["location"] == page
    assert captured(ready, page) == 3
    assert [action for action in actions(ready) if action in (PAUSED, RESUMED)] == [PAUSED, RESUMED]
    assert rep.send(f"{page}/resume").headers["location"] == page, "once more changes nothing"


def test_an_account_is_disconnected_only_once_its_owner_was_asked_and_what_was_captured_is_kept(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    google.receive(2, newest=at("2026-11-15T12:00"))
    page = connect(rep, google)
    begin(rep, page)
    assert captured(ready, page) == 2
    rep.get(page)
    assert "Disconnect it?" in rep.send(f"{page}/disconnect").text
    assert (account_of(ready).state, rows(ready, Credential)) == ("active", 1)
    assert rep.send(f"{page}/disconnect", captured="keep").headers["location"] == page
    assert "disconnected" in rep.get(page).text
    assert (account_of(ready).state, rows(ready, Credential), rows(ready, Activity)) == ("disconnected", 0, 2)
    assert back(rep, google.server.consent(start(rep, account=page.rpartition("/")[2]))).is_redirect
    google.receive(1, newest=at("2026-11-15T18:00"))
    assert account_of(ready).state == "active"
    assert captured(ready, page) == 3


def test_what_was_kept_of_a_disconnected_account_can_be_purged_and_is_read_anew_once_it_is_connected(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    google.receive(3, newest=at("2026-11-15T12:00"))
    page = connect(rep, google)
    begin(rep, page)
    assert captured(ready, page) == 3
    rep.get(page)
    rep.send(f"{page}/disconnect", captured="keep")
    rep.get(page)
    assert "Purge what was kept?" in rep.send(f"{page}/disconnect").text
    assert rep.send(f"{page}/disconnect", captured="purge").headers["location"] == page
    assert (rows(ready, Activity), rows(ready, LedgerEntry)) == (0, 3), "the ledger says what became of them"
    assert f"{page}/disconnect" not in rep.get(page).text
    assert account_of(ready).state == "disconnected"
    assert connect(rep, google) == page
    assert captured(ready, page) == 3


def test_a_choice_that_was_never_made_is_asked_for_again_after_disconnecting(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    page = connect(rep, google)
    rep.get(f"{page}?wait=no")
    rep.send(f"{page}/disconnect", captured="keep")
    assert connect(rep, google) == page
    assert account_of(ready).state == "pending"


def test_an_address_with_a_new_login_is_connected_once_the_old_one_was_disconnected(
    ready: Application, rep: Tab, google: GoogleWorld
) -> None:
    google.receive(2, newest=at("2026-11-15T12:00"))
    page = connect(rep, google)
    begin(rep, page)
    assert captured(ready, page) == 2
    google.server.person.subject = "sub-made-anew"
    assert back(rep, google.server.consent(start(rep))).status_code == 403
    assert "disconnect the account first" in rep.words
    rep.get(page)
    rep.send(f"{page}/disconnect", captured="keep")
    again = back(rep, google.server.consent(start(rep, account=page.rpartition("/")[2]))).headers["location"]
    assert again != page, "its mailbox is another: nothing of the old one's cursors is taken over"
    begin(rep, again)
    assert captured(ready, again) == 2, "what both held is there once"
    assert "disconnected" in rep.get(page).text


def test_who_runs_the_service_pauses_and_disconnects_for_others_and_another_rep_does_not(
    ready: Application, rep: Tab, another: Tab, google: GoogleWorld
) -> None:
    page = connect(rep, google)
    begin(rep, page)
    with writing(ready.engine) as session:
        boss = session.get_one(User, 1)
        boss.role = "rep"
        session.add(boss)
    another.sign_in(ADMIN)
    for act in ("pause", "resume", "disconnect"):
        another.get("/accounts")
        assert f"{page}/{act}" not in another.shown.text
        assert another.send(f"{page}/{act}", captured="purge").status_code == 404
    with writing(ready.engine) as session:
        boss = session.get_one(User, 1)
        boss.role = "ops"
        session.add(boss)
    another.sign_in(ADMIN)
    for act, state in (("pause", "paused"), ("resume", "active"), ("disconnect", "disconnected")):
        assert f'action="{page}/{act}"' in another.get("/accounts").text
        assert another.send(f"{page}/{act}", captured="keep").headers["location"] == "/accounts"
        assert account_of(ready).state == state
    with reading(ready.engine) as session:
        done = session.exec(select(AuditEntry).where(AuditEntry.action == DISCONNECTED)).one()
    assert (done.actor_id, done.user_id, done.detail) == (1, 2, "kept")


def test_where_a_provider_is_not_set_up_the_administrator_is_told_what_to_do(
    app: Application, google: GoogleWorld
) -> None:
    with serving(app) as address, Tab(address) as tab:
        tab.sign_in(REP)
        tab.get("/connect")
        assert "Google is not set up here" in " ".join(tab.words.split())
        assert "google.client_id" not in tab.words
        tab.get("/me")
        tab.send("/sign-out")
        tab.sign_in(ADMIN)
        tab.get("/connect")
        assert "google.client_id" in tab.words
        assert tab.send("/connect/google/consent").status_code == 502


def test_what_the_organisation_alone_can_grant_is_told_to_the_admin(rep: Tab, another: Tab) -> None:
    rep.get("/connect")
    assert "microsoft-calls" not in rep.words
    another.sign_in(ADMIN)
    another.get("/connect")
    assert "grant the application CallRecords.Read.All" in another.words


def test_everybody_of_any_role_connects_their_own(ready: Application, tab: Tab, google: GoogleWorld) -> None:
    google.server.person.address = ADMIN
    google.services.add_user(ADMIN)
    tab.sign_in(ADMIN)
    connect(tab, google)
    with reading(ready.engine) as session:
        owner = session.exec(select(User.email).join(Account, col(Account.user_id) == col(User.id))).one()
    assert owner == ADMIN
