"""Subscriptions are asked for, prolonged and ended by the rows, whoever looks at them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic

import httpx
import pytest
from tests.integration.capture.deployment import PEOPLE
from tests.integration.push.conftest import (
    START,
    TOPIC,
    Gmail,
    Outlook,
    both_databases,
    subscriptions,
)

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.accounts import Credential
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.google import FakeGoogle
from autocapture.testing.fakes.microsoft import FakeGraph, message
from autocapture.testing.fakes.microsoft.http import Request, Response
from autocapture.workflows import subscriptions as watching
from autocapture.workflows.account_health import alerts
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.disconnecting import disconnect
from autocapture.workflows.pausing import pause, resume
from autocapture.workflows.people_access import set_active, user_id_of
from autocapture.workflows.subscriptions import accounts_to_watch, keep_watched


def _keep(app: Application) -> None:
    for account_id in accounts_to_watch(app):
        keep_watched(app, account_id)


@both_databases
def test_every_channel_that_can_be_watched_is(
    app: Application, web: httpx.Client, outlook: Outlook, gmail: Gmail, graph: FakeGraph
) -> None:
    _keep(app)
    rows = subscriptions(app)
    assert {row.state for row in rows.values()} == {"active"}
    assert rows["Gmail"].target == TOPIC
    assert rows["Gmail"].notice_key == gmail.user.address
    assert gmail.user.mailbox.watched == TOPIC
    held = graph.subscriptions.held
    assert {row.source_id for name, row in rows.items() if row.source_id in held} == set(held)
    assert all(
        row.secret_hash != held[row.source_id]["clientState"]
        for row in rows.values()
        if row.source_id in held
    )
    assert accounts_to_watch(app) == [], "nothing is due any more"


def test_a_subscription_is_prolonged_at_half_its_life(
    app: Application, web: httpx.Client, outlook: Outlook, graph: FakeGraph, clock: FixedClock
) -> None:
    _keep(app)
    before = subscriptions(app)
    life = min(row.expires_at for row in before.values() if row.expires_at) - START
    clock.advance(life / 2 - timedelta(minutes=1))
    assert accounts_to_watch(app) == []
    clock.advance(timedelta(minutes=2))
    _keep(app)
    after = subscriptions(app)
    assert {name: row.source_id for name, row in after.items()} == {
        name: row.source_id for name, row in before.items()
    }
    assert all(row.expires_at and row.expires_at > clock.now() + life * 0.9 for row in after.values())
    assert {row.secret_hash for row in after.values()} == {row.secret_hash for row in before.values()}


def test_a_calendars_channel_is_replaced_with_a_new_secret(
    app: Application, gmail: Gmail, clock: FixedClock
) -> None:
    _keep(app)
    (name,) = [name for name in subscriptions(app) if name != "Gmail"]
    before = subscriptions(app)[name]
    clock.advance(timedelta(days=4))
    _keep(app)
    after = subscriptions(app)[name]
    assert (after.source_id, after.secret_hash) != (before.source_id, before.secret_hash)
    (calendar,) = gmail.user.calendars.values()
    assert set(calendar.watches) == {after.source_id}


@both_databases
def test_two_workers_never_subscribe_to_one_channel_twice(
    app: Application, web: httpx.Client, outlook: Outlook, graph: FakeGraph
) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _number: keep_watched(app, outlook.account_id), range(4)))
    assert len(graph.subscriptions.held) == len(subscriptions(app))


def test_a_calendar_that_cannot_be_watched_is_remembered(
    app: Application, gmail: Gmail, google: FakeGoogle, clock: FixedClock
) -> None:
    (calendar,) = gmail.user.calendars.values()
    calendar.pushes = False
    _keep(app)
    row = next(row for name, row in subscriptions(app).items() if name != "Gmail")
    assert (row.state, row.expires_at) == ("unwatchable", None)
    asked = google.calls["calendar.events.watch"]
    clock.advance(timedelta(days=3))
    _keep(app)
    assert google.calls["calendar.events.watch"] == asked
    calendar.pushes = True
    clock.advance(timedelta(days=28))
    _keep(app)
    assert subscriptions(app)[channel_name(app)].state == "active"


def channel_name(app: Application) -> str:
    return next(name for name in subscriptions(app) if name != "Gmail")


def test_pausing_waits_for_nobody_and_what_was_promised_is_ended_by_the_next_look(
    app: Application, web: httpx.Client, outlook: Outlook, graph: FakeGraph
) -> None:
    _keep(app)
    asked = graph.requests
    pause(app, outlook.account_id)
    assert graph.requests == asked
    _keep(app)
    assert (graph.subscriptions.held, subscriptions(app)) == ({}, {})
    assert accounts_to_watch(app) == []
    resume(app, outlook.account_id)
    _keep(app)
    assert graph.subscriptions.held


def test_what_was_promised_of_a_dead_sign_in_is_left_to_lapse_once_it_is_paused(
    app: Application, web: httpx.Client, outlook: Outlook, graph: FakeGraph
) -> None:
    _keep(app)
    with writing(app.engine) as session:
        session.delete(session.get_one(Credential, outlook.account_id))
    pause(app, outlook.account_id)
    _keep(app)
    assert (subscriptions(app), accounts_to_watch(app)) == ({}, [])


def test_disconnecting_ends_them_at_once(
    app: Application, web: httpx.Client, outlook: Outlook, gmail: Gmail, graph: FakeGraph
) -> None:
    """Before the sign-in is forgotten, without which they would go on until they lapse."""
    _keep(app)
    assert graph.subscriptions.held
    disconnect(app, outlook.account_id)
    assert graph.subscriptions.held == {}
    with reading(app.engine) as session:
        assert session.get(Credential, outlook.account_id) is None
    assert set(subscriptions(app)) & {"Gmail"}, "the other account's stay"


def test_disconnecting_waits_for_a_silent_provider_for_a_moment_and_the_rest_lapses(
    app: Application,
    web: httpx.Client,
    outlook: Outlook,
    graph: FakeGraph,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _keep(app)
    promised, answers = len(graph.subscriptions.held), threading.Event()

    def keep_waiting(request: Request, _response: Response) -> None:
        if request.verb == "DELETE":
            answers.wait(30)

    graph.judge = keep_waiting
    monkeypatch.setattr(watching, "ENDED_WITHIN", timedelta(seconds=0.2))
    began = monotonic()
    disconnect(app, outlook.account_id)
    assert monotonic() - began < 5
    assert subscriptions(app) == {}
    with reading(app.engine) as session:
        assert session.get(Credential, outlook.account_id) is None
    answers.set()
    for thread in threading.enumerate():
        if thread.name == f"end {outlook.account_id}":
            thread.join()
    assert len(graph.subscriptions.held) == promised - 1 > 0, "nothing more was asked for in the background"


def test_another_address_of_ours_has_them_made_anew(
    app: Application, web: httpx.Client, gmail: Gmail, clock: FixedClock
) -> None:
    _keep(app)
    moved = app.settings.model_copy(
        update={"push": app.settings.push.model_copy(update={"gmail_topic": "projects/other/topics/gmail"})}
    )
    object.__setattr__(app, "settings", moved)
    _keep(app)
    _keep(app)
    assert gmail.user.mailbox.watched == "projects/other/topics/gmail"


def test_without_a_public_address_nothing_is_asked_for(app: Application, outlook: Outlook) -> None:
    web = app.settings.web.model_copy(update={"public_url": ""})
    object.__setattr__(app, "settings", app.settings.model_copy(update={"web": web}))
    assert accounts_to_watch(app) == []


def test_a_watched_account_is_polled_less_often_and_a_lapsed_one_as_ever(
    app: Application, web: httpx.Client, outlook: Outlook, graph: FakeGraph, clock: FixedClock
) -> None:
    _keep(app)
    clock.advance(timedelta(seconds=10))
    assert due_accounts(app) == [outlook.account_id], "what came before the subscription is looked for"
    capture_account(app, outlook.account_id)
    clock.advance(timedelta(seconds=150))
    assert due_accounts(app) == []
    clock.advance(timedelta(seconds=60))
    assert due_accounts(app) == [outlook.account_id]
    graph.fail(Response(503), where="subscriptions", times=10_000)
    clock.advance(timedelta(days=8))
    _keep(app)
    capture_account(app, outlook.account_id)
    clock.advance(timedelta(seconds=70))
    assert due_accounts(app) == [outlook.account_id]


def test_T40_watch_expired(
    app: Application, web: httpx.Client, outlook: Outlook, graph: FakeGraph, clock: FixedClock
) -> None:
    """Renewal fails for eight days: told before it expires, and nothing is later than polling makes it."""

    _keep(app)
    graph.fail(Response(503), where="subscriptions", times=1_000_000)
    expires = min(row.expires_at for row in subscriptions(app).values() if row.expires_at)
    told_at = None
    while clock.now() < START + timedelta(days=8):
        clock.advance(timedelta(hours=4))
        _keep(app)
        if told_at is None and alerts(app, outlook.account_id):
            told_at = clock.now()
    assert told_at is not None
    assert told_at < expires
    assert capture_account(app, outlook.account_id).status == "ok"
    outlook.mailbox.add(message(7), "inbox")
    clock.advance(timedelta(seconds=70))
    assert due_accounts(app) == [outlook.account_id]
    assert capture_account(app, outlook.account_id).listed == 1
    graph.forget_failures()
    clock.advance(timedelta(hours=1))
    _keep(app)
    assert alerts(app, outlook.account_id) == []


def test_what_is_promised_of_who_is_disabled_is_ended_and_asked_for_anew_when_they_are_back(
    app: Application, web: httpx.Client, outlook: Outlook, graph: FakeGraph
) -> None:
    _keep(app)
    owner = user_id_of(app, PEOPLE[0])
    set_active(app, owner, False)
    _keep(app)
    assert (subscriptions(app), graph.subscriptions.held, accounts_to_watch(app)) == ({}, {}, [])
    set_active(app, owner, True)
    _keep(app)
    assert {row.state for row in subscriptions(app).values()} == {"active"}
