"""A login that died: told at once, mailed once, connected again without a loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, func, select
from tests.integration.capture.deployment import PEOPLE, deploy
from tests.integration.summary.mailbox import Mailbox, mailbox
from tests.integration.web.granting import GoogleWorld, at, google_world, with_google
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connect.credentials import StoredGrant, open_credential
from autocapture.errors import InputError, ReconnectNeeded
from autocapture.jobs.queue import Job
from autocapture.jobs.tasks import CAPTURE, tasks
from autocapture.model.accounts import Account, Channel, Credential
from autocapture.model.activities import Activity
from autocapture.model.connecting import ReconnectNotice
from autocapture.model.organization import User
from autocapture.report.smtp import SENT, Handover
from autocapture.service.schedule import schedule
from autocapture.settings import SmtpSettings
from autocapture.store.engine import reading, writing
from autocapture.workflows.capture import capture_account
from autocapture.workflows.dead_logins import GIVEN_UP_AFTER, SENDING, tell_of_dead_logins
from autocapture.workflows.disconnecting import disconnect
from autocapture.workflows.granting import Wanted, answered, question
from autocapture.workflows.listings import list_accounts

START = at("2026-11-16T07:00")
REDIRECT = "http://127.0.0.1:8000/connect/google/callback"
REP = PEOPLE[0]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def sink() -> Iterator[Mailbox]:
    with mailbox() as sink:
        yield sink


@pytest.fixture
def google(tmp_path: Path, clock: FixedClock) -> Iterator[GoogleWorld]:
    with google_world(deploy(tmp_path / "other", clock=clock)) as world:
        world.server.person.address = REP
        world.server.redirect_uris = {REDIRECT}
        world.services.add_user(REP)
        yield world


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def app(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock, google: GoogleWorld, sink: Mailbox
) -> Iterator[Application]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    made = with_google(deploy(tmp_path / "home", url=url, clock=clock), google, tmp_path)
    mail = SmtpSettings(host="127.0.0.1", port=sink.port, security="none", sender="autocapture@ours.example")
    made = replace(made, settings=made.settings.model_copy(update={"smtp": mail}))
    yield made
    made.engine.dispose()


@pytest.fixture
def account(app: Application, google: GoogleWorld) -> int:
    return connect(app, google)


def connect(app: Application, google: GoogleWorld) -> int:
    wanted = Wanted(REP, "google")
    asked = question(app, wanted, REDIRECT)
    return answered(app, wanted, google.server.consent(asked.url), asked).connected.account_id


def service(app: Application, clock: FixedClock, minutes: int) -> None:
    """The service's schedule in simulated time: every minute, what is due is done."""
    work = tasks(app, lambda: False)
    for _ in range(minutes):
        clock.advance(timedelta(minutes=1))
        for tick in schedule(app):
            if tick.name in ("capture", "dead logins"):
                for job in tick.due():
                    work[job.name](job)


def state(app: Application) -> str:
    with reading(app.engine) as session:
        return session.exec(select(Account.state)).one()


def kill(google: GoogleWorld) -> None:
    google.server.withdraw()
    google.services.revoke_tokens()


def captured(app: Application) -> int:
    with reading(app.engine) as session:
        return session.exec(select(func.count()).select_from(Activity)).one()


def test_a_dead_login_is_visible_and_mailed_once_within_ten_minutes_and_asked_no_more(
    app: Application, clock: FixedClock, google: GoogleWorld, sink: Mailbox, account: int
) -> None:
    service(app, clock, 2)
    kill(google)
    service(app, clock, 10)
    [row] = list_accounts(app)
    assert row["state"] == "needs_reconnect"
    assert "sign in again" in row["why"]
    assert len(sink.messages) == 1
    asked = len(google.server.forms), google.services.requests
    service(app, clock, 240)
    assert (len(google.server.forms), google.services.requests) == asked
    [mail] = sink.messages
    assert sink.recipients == [REP]
    assert f"http://127.0.0.1:8000/accounts/{account}" in mail.get_content()
    assert mail["Auto-Submitted"] == "auto-generated"


def test_the_mail_says_in_plain_words_and_by_the_reps_clock_what_who_runs_the_service_sees_with_codes(
    app: Application, clock: FixedClock, google: GoogleWorld, sink: Mailbox, account: int
) -> None:
    die_once(app, clock, google)
    assert tell_of_dead_logins(app) == 1
    text = sink.messages[0].get_content()
    assert "Google no longer accepts this sign-in; sign in again." in text
    assert "It was last captured on Mon, Nov 16, 8:00\u202fAM CET." in text  # 07:00 UTC
    assert "invalid_grant" not in text
    assert google.server.url.partition("//")[2].partition(":")[0] not in text.replace(
        app.settings.web.address, ""
    )
    [row] = list_accounts(app)
    assert row["why"] == "Google no longer accepts this sign-in (invalid_grant); sign in again"


def test_a_disconnected_account_has_no_sign_in_anywhere_and_nobody_is_mailed_about_it(
    app: Application, clock: FixedClock, google: GoogleWorld, sink: Mailbox, account: int
) -> None:
    user = google.services.users[REP]
    receive(user, 3, clock)
    service(app, clock, 2)
    with reading(app.engine) as session:
        grant = open_credential(app.vault, account, session.get_one(Credential, account).sealed)
    assert isinstance(grant, StoredGrant)
    assert disconnect(app, account, purge=False).stays == ""
    with pytest.raises(ReconnectNeeded):
        app.clients.get("google").refresh(grant.refresh_token, grant.scopes)
    asked = google.services.requests
    receive(user, 4, clock, first=10)
    service(app, clock, 60)
    assert (google.services.requests, captured(app), sink.messages) == (asked, 3, [])
    with pytest.raises(InputError, match="kept or purged"):
        disconnect(app, account)
    assert state(app) == "disconnected"
    assert connect(app, google) == account
    service(app, clock, 3)
    assert captured(app) == 7


def test_a_grant_that_cannot_be_taken_back_now_is_forgotten_here_and_that_is_told(
    app: Application, account: int
) -> None:
    away = app.settings.google.model_copy(update={"revoke_url": "http://127.0.0.1:1/revoke"})
    app = replace(app, settings=app.settings.model_copy(update={"google": away}))
    assert "https://myaccount.google.com/connections" in disconnect(app, account).stays
    with reading(app.engine) as session:
        assert session.get(Credential, account) is None


def test_a_grant_with_which_another_account_is_captured_is_not_taken_back(
    app: Application, google: GoogleWorld, account: int
) -> None:
    """Google would end with it all that this login granted our client."""
    wanted = Wanted(PEOPLE[1], "google", any_address=True)
    asked = question(app, wanted, REDIRECT)
    other = answered(app, wanted, google.server.consent(asked.url), asked).connected.account_id
    granted = set(google.server._grants)
    assert "another account here is captured with it" in disconnect(app, account).stays
    assert set(google.server._grants) == granted
    assert capture_account(app, other).status == "ok"
    assert disconnect(app, other).stays == ""
    assert set(google.server._grants) < granted


def test_connecting_again_keeps_the_account_and_reads_the_gap_and_a_new_death_is_mailed_again(
    app: Application, clock: FixedClock, google: GoogleWorld, sink: Mailbox, account: int
) -> None:
    user = google.services.users[REP]
    receive(user, 3, clock)
    service(app, clock, 2)
    assert captured(app) == 3
    with reading(app.engine) as session:
        before = {channel.id: channel.generation for channel in session.exec(select(Channel))}
    kill(google)
    service(app, clock, 3)
    receive(user, 4, clock, first=10)
    assert connect(app, google) == account
    assert state(app) == "active"
    service(app, clock, 3)
    assert captured(app) == 7
    with reading(app.engine) as session:
        after = {channel.id: channel.generation for channel in session.exec(select(Channel))}
    assert before.keys() == after.keys()
    assert len(sink.messages) == 1
    kill(google)
    service(app, clock, 5)
    assert len(sink.messages) == 2


def receive(user: object, count: int, clock: FixedClock, first: int = 0) -> None:
    for number in range(first, first + count):
        headers = [
            ("From", "Kim <kim@customer.example>"), ("To", REP), ("Subject", f"Offer {number}"),
            ("Date", clock.now().strftime("%a, %d %b %Y %H:%M:%S +0000")), ("Message-ID", f"<{number}@customer.example>"),
        ]  # fmt: skip
        user.mailbox.receive(headers, clock.now())  # type: ignore[attr-defined]


def test_a_mail_server_that_refuses_is_asked_again_and_takes_it_once(
    app: Application, clock: FixedClock, google: GoogleWorld, sink: Mailbox, account: int
) -> None:
    sink.answer = "451 try again later"
    service(app, clock, 1)
    kill(google)
    service(app, clock, 5)
    assert sink.messages == []
    sink.answer = "250 accepted"
    service(app, clock, 60)
    assert len(sink.messages) == 1


def test_a_process_that_died_while_sending_may_have_sent_it(
    app: Application, clock: FixedClock, google: GoogleWorld, sink: Mailbox, account: int
) -> None:
    class Died(BaseException):
        pass

    def die(*_: object) -> Handover:
        raise Died

    die_once(app, clock, google)
    with pytest.raises(Died):
        tell_of_dead_logins(app, through=die)
    with reading(app.engine) as session:
        assert session.exec(select(ReconnectNotice.state)).one() == SENDING
    assert tell_of_dead_logins(app) == 0
    clock.advance(GIVEN_UP_AFTER + timedelta(minutes=1))
    assert tell_of_dead_logins(app) == 0
    assert sink.messages == []
    with reading(app.engine) as session:
        assert session.exec(select(ReconnectNotice.state)).one() == "unknown"


def die_once(app: Application, clock: FixedClock, google: GoogleWorld) -> None:
    capture_account(app, 1)
    kill(google)
    clock.advance(timedelta(minutes=2))
    work = tasks(app, lambda: False)
    work[CAPTURE](Job(CAPTURE, {"account_id": 1}))
    assert state(app) == "needs_reconnect"


def test_two_workers_send_one_mail(
    app: Application, clock: FixedClock, google: GoogleWorld, account: int
) -> None:
    sent = []

    def slowly(*given: object) -> Handover:
        sent.append(given)
        assert tell_of_dead_logins(app) == 0  # another worker, while this one is sending
        return Handover(SENT)

    die_once(app, clock, google)
    assert tell_of_dead_logins(app, through=slowly) == 1
    assert len(sent) == 1


def test_who_was_disabled_is_not_mailed(
    app: Application, clock: FixedClock, google: GoogleWorld, sink: Mailbox, account: int
) -> None:
    die_once(app, clock, google)
    with writing(app.engine) as session:
        user = session.exec(select(User).where(col(User.email) == REP)).one()
        user.active = False
        session.add(user)
    assert tell_of_dead_logins(app) == 0
    assert sink.messages == []


def test_an_outage_of_the_provider_is_no_death(
    app: Application, clock: FixedClock, google: GoogleWorld, sink: Mailbox, account: int
) -> None:
    service(app, clock, 1)
    google.services.revoke_tokens()
    google.server.faults = [(503, {}, b"") for _ in range(50)]
    service(app, clock, 10)
    assert state(app) == "active"
    assert sink.messages == []
    google.server.faults.clear()
    service(app, clock, 70)
    [row] = list_accounts(app)
    assert (row["state"], row["why"]) == ("active", None)
