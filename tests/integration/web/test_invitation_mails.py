"""Invitations that are asked for on a page: mailed in the background, each once, and told of."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select
from tests.integration.summary.mailbox import Mailbox, mailbox
from tests.integration.summary.serving import serving
from tests.integration.web.people import let_in
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import SetupError
from autocapture.jobs.queue import Job
from autocapture.jobs.tasks import SEND_INVITATIONS, tasks
from autocapture.model.organization import User
from autocapture.model.sign_in import InvitationMail
from autocapture.service.schedule import schedule
from autocapture.store.engine import reading, writing
from autocapture.workflows.invitation_mails import ask_for_invitations, send_invitations
from autocapture.workflows.invitations import users_to_invite
from autocapture.workflows.people_access import set_active

ADMIN, REP, BO = "admin@ours.example", "rep@ours.example", "bo@ours.example"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def ready(app: Application, box: Mailbox) -> Application:
    """The admin can sign in, two reps cannot yet, and there is a mail server."""
    let_in(app, 1)
    with writing(app.engine) as session:
        session.add(User(id=3, email=BO, name="Bo"))
    return reached_at(app, box.port)


def reached_at(app: Application, port: int) -> Application:
    smtp = app.settings.smtp.model_copy(update={"port": port})
    return replace(app, settings=app.settings.model_copy(update={"smtp": smtp}))


@pytest.fixture
def admin(ready: Application) -> Iterator[Tab]:
    with serving(ready) as address, Tab(address) as tab:
        tab.sign_in(ADMIN)
        tab.get("/users")
        yield tab


def invite_all(app: Application) -> None:
    ask_for_invitations(app, users_to_invite(app, None), actor_id=1)


def states(app: Application) -> dict[int, str]:
    with reading(app.engine) as session:
        return {mail.user_id: mail.state for mail in session.exec(select(InvitationMail))}


def jobs(app: Application) -> list[Job]:
    """What the next tick enqueues."""
    [tick] = [tick for tick in schedule(app) if tick.name == "invitations"]
    return list(tick.due())


def link_in(mail: object) -> str:
    [path] = [f"/link/{word.partition('/link/')[2]}" for word in str(mail).split() if "/link/" in word]
    return path


def test_inviting_all_answers_before_any_mail_is_sent_and_the_mails_follow(
    ready: Application, admin: Tab, box: Mailbox
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,  # takes connections, and never says a word
        serving(reached_at(ready, silent.getsockname()[1])) as address,
        Tab(address) as tab,
    ):
        tab.sign_in(ADMIN)
        tab.get("/users")
        told = tab.send("/users/invite")
        tab.get(told.headers["location"])
    assert "2 people are mailed an invitation within the next minutes" in tab.words
    assert tab.words.count("invitation is being mailed") == 2
    assert "without a sign-in" not in tab.words  # nobody is left to invite
    assert box.recipients == []
    [job] = jobs(ready)
    tasks(ready, lambda: False)[SEND_INVITATIONS](job)
    assert sorted(box.recipients) == [BO, REP]
    assert jobs(ready) == []
    assert "invitation is being mailed" not in admin.get("/users").text
    for mail in box.messages:
        assert admin.get(link_in(mail.get_content())).status_code == 200


def test_a_link_is_said_to_work_until_a_time_of_who_gets_it(ready: Application, box: Mailbox) -> None:
    with writing(ready.engine) as session:
        session.get_one(User, 2).time_zone = "America/New_York"
    ask_for_invitations(ready, users_to_invite(ready, REP), actor_id=1)
    assert send_invitations(ready) == 1
    text = box.messages[0].get_content()
    assert "It works once, until Mon, Nov 23, 2:00\u202fAM EST:" in text
    assert "UTC" not in text


def test_nobody_is_mailed_twice_however_often_it_is_asked(ready: Application, box: Mailbox) -> None:
    invite_all(ready)
    invite_all(ready)
    assert send_invitations(ready) == 2
    invite_all(ready)
    assert send_invitations(ready) == 0
    assert len(box.recipients) == 2


def test_a_mail_that_was_refused_is_tried_again_with_a_new_link_and_told(
    ready: Application, admin: Tab, box: Mailbox, clock: FixedClock
) -> None:
    box.answer = "451 later"
    invite_all(ready)
    assert send_invitations(ready) == 0
    assert states(ready) == {2: "waiting", 3: "waiting"}
    assert "refused so far" in admin.get("/users").text
    box.answer = "250 accepted"
    assert send_invitations(ready) == 1  # the other one, whose turn had not come
    clock.advance(timedelta(minutes=1))
    assert send_invitations(ready) == 1
    assert states(ready) == {2: "sent", 3: "sent"}
    assert len(box.recipients) == 2


def test_after_seven_days_of_refusals_a_mail_is_given_up(
    ready: Application, admin: Tab, box: Mailbox, clock: FixedClock
) -> None:
    box.recipient_answer = "550 no such user"
    ask_for_invitations(ready, users_to_invite(ready, REP), actor_id=1)
    for _ in range(9):
        send_invitations(ready)
        clock.advance(timedelta(days=1))
    assert states(ready) == {2: "failed"}
    with Tab(admin.address) as tab:
        tab.sign_in(ADMIN)
        tab.get("/users")
        assert "invitation not mailed" in tab.words
    assert REP in [user.email for user in users_to_invite(ready, None)]


def test_a_mail_whose_process_died_is_not_sent_again(
    ready: Application, box: Mailbox, clock: FixedClock
) -> None:
    ask_for_invitations(ready, users_to_invite(ready, REP), actor_id=1)
    with writing(ready.engine) as session:
        claimed = session.get_one(InvitationMail, 2)
        claimed.state, claimed.due_at = "sending", clock.now() + timedelta(minutes=10)
    assert send_invitations(ready) == 0
    clock.advance(timedelta(minutes=11))
    assert send_invitations(ready) == 0
    assert states(ready) == {2: "unknown"}
    assert box.recipients == []


def test_who_is_disabled_meanwhile_is_not_mailed(ready: Application, box: Mailbox) -> None:
    invite_all(ready)
    set_active(ready, 2, False)
    set_active(ready, 2, True)
    with writing(ready.engine) as session:
        session.get_one(User, 3).active = False  # past the workflow, which would end what waits
    assert send_invitations(ready) == 0
    assert states(ready) == {}


def test_nothing_is_claimed_where_mail_settings_cannot_be_used(ready: Application) -> None:
    invite_all(ready)
    smtp = ready.settings.smtp.model_copy(update={"host": "mail.example", "security": "none"})
    unsafe = replace(ready, settings=ready.settings.model_copy(update={"smtp": smtp}))
    with pytest.raises(SetupError):
        send_invitations(unsafe)
    assert states(ready) == {2: "waiting", 3: "waiting"}
