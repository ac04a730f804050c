"""What may happen once happens once, however many try at the same moment, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlmodel import select
from tests.integration.summary.mailbox import mailbox
from tests.integration.web.conftest import write_few
from tests.integration.web.people import let_in
from tests.integration.web.tabs import PASSWORD
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401
from tests.tables import make_tables

from autocapture.application import Application
from autocapture.connect.oauth import Asked
from autocapture.errors import InputError
from autocapture.model.sign_in import AuditEntry, WebSession
from autocapture.store.engine import open_engine, reading, writing
from autocapture.workflows import asked_consents
from autocapture.workflows.invitation_mails import ask_for_invitations, send_invitations
from autocapture.workflows.invitations import invite, users_to_invite
from autocapture.workflows.sign_in import Refused, choose_password, sign_in
from autocapture.workflows.sign_in_sessions import signed_in
from autocapture.workflows.sign_in_tries import give_back, password_buckets, remember, take

REP = "rep@ours.example"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(app: Application, request: pytest.FixtureRequest) -> Iterator[Application]:
    """The few, on either database; the admin can sign in."""
    if request.param == "sqlite":
        let_in(app, 1)
        yield app
        return
    engine = open_engine(request.getfixturevalue("postgres_url"))
    make_tables(engine)
    moved = replace(app, engine=engine)
    with writing(engine) as session:
        write_few(session)
    let_in(moved, 1)
    yield moved
    engine.dispose()


def _at_once(times: int, call: Callable[[], object]) -> list[object]:
    def tried(_number: int) -> object:
        try:
            return call()
        except InputError as refused:
            return refused

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(tried, range(times)))


def test_a_link_is_used_by_one(either: Application) -> None:
    [user] = users_to_invite(either, REP)
    token = invite(either, user, by_mail=False).address.rpartition("/")[2]
    outcomes = _at_once(6, lambda: choose_password(either, token, "eleven patient otters"))
    [opened] = [one for one in outcomes if isinstance(one, str)]
    assert sum(isinstance(one, InputError) for one in outcomes) == 5
    found = signed_in(either, opened)
    assert found is not None
    assert found.email == REP


def test_ten_guesses_are_looked_at_and_no_more(either: Application) -> None:
    outcomes = _at_once(16, lambda: sign_in(either, REP, "wrong", "192.0.2.1"))
    assert sum(isinstance(one, Refused) and one.wait is None for one in outcomes) == 10
    with reading(either.engine) as session:
        assert len(session.exec(select(AuditEntry)).all()) == 10


def test_one_browser_signs_in_many_times_at_once(either: Application) -> None:
    let_in(either, 2)
    outcomes = _at_once(6, lambda: sign_in(either, REP, PASSWORD, "192.0.2.1"))
    assert len({one for one in outcomes if isinstance(one, str)}) == 6
    with reading(either.engine) as session:
        assert len(session.exec(select(WebSession)).all()) == 6


def test_tries_taken_and_given_back_at_once_do_not_block_each_other(either: Application) -> None:
    now = either.clock.now()

    def tries(who: int) -> None:
        for turn in range(6):
            email, source = f"rep{(who + turn) % 3}@example.com", f"192.0.2.{turn % 2}"
            with writing(either.engine) as session:
                buckets = password_buckets(session, email, source, now)
                take(session, buckets, now)
            with writing(either.engine) as session:
                give_back(session, buckets, now)
                remember(session, email, source, now)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(tries, range(6)))


def test_an_answer_of_a_provider_is_taken_by_one(either: Application) -> None:
    now = either.clock.now()
    asked = Asked("", "http://127.0.0.1/back", ("openid", "email"), "state", "nonce", "verifier")
    with writing(either.engine) as session:
        asked_consents.keep(session, asked, provider="company", browser_id="b", about={"next": "/"}, now=now)

    def answer() -> object:
        with writing(either.engine) as session:
            return asked_consents.take(session, "state", provider="company", browser_id="b", now=now)

    [taken] = [one for one in _at_once(6, answer) if one is not None]
    assert isinstance(taken, asked_consents.Awaited)
    assert taken.asked == asked


def test_an_invitation_is_mailed_by_one(either: Application) -> None:
    with mailbox() as box:
        smtp = either.settings.smtp.model_copy(update={"port": box.port})
        app = replace(either, settings=either.settings.model_copy(update={"smtp": smtp}))
        ask_for_invitations(app, users_to_invite(app, REP), actor_id=1)
        assert sorted(map(str, _at_once(8, lambda: send_invitations(app)))) == ["0"] * 7 + ["1"]
        assert box.recipients == [REP]
