"""Notices over HTTP: each proves itself or is ignored, and all that one can do is to make its channel due."""

from __future__ import annotations

import base64
import json
import resource
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from sqlmodel import col, update
from structlog.testing import capture_logs
from tests.integration.push.conftest import (
    PUBLIC,
    SENDER,
    Gmail,
    Outlook,
    channel,
    subscriptions,
)
from tests.integration.summary.serving import serving

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.store.engine import writing
from autocapture.testing.fakes.authorization_server import KEY, AuthorizationServer
from autocapture.testing.fakes.microsoft import FakeGraph, message
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.subscriptions import accounts_to_watch, hash_of, keep_watched

INBOX = "Postvak IN"
STORED = 0.2  # seconds after which a notice is in the database, and some more
MICROSOFT, CALENDAR, MAIL = "/notices/microsoft", "/notices/google/calendar", "/notices/google/mail"


@pytest.fixture
def watched(app: Application, web: httpx.Client, outlook: Outlook, clock: FixedClock) -> None:
    """The account at Microsoft is watched and at rest."""
    _settle(app, outlook.account_id, clock)


@pytest.fixture
def gmail_watched(app: Application, gmail: Gmail, clock: FixedClock) -> None:
    """The account at Google is watched and at rest."""
    _settle(app, gmail.account_id, clock)


def _settle(app: Application, account_id: int, clock: FixedClock) -> None:
    _keep(app)
    clock.advance(timedelta(seconds=10))
    capture_account(app, account_id)
    clock.advance(timedelta(seconds=10))
    assert _due(app) == []


def _keep(app: Application) -> None:
    for account_id in accounts_to_watch(app):
        keep_watched(app, account_id)


def _due(app: Application) -> list[int]:
    """The accounts that are due once what was told is stored."""
    time.sleep(STORED)
    return due_accounts(app)


def _inbox(app: Application, graph: FakeGraph) -> dict[str, Any]:
    row = subscriptions(app)[INBOX]
    return graph.subscriptions.held[row.source_id]


@pytest.mark.parametrize("greeting", ["Validation: Testing <b>client</b> & 100%+1 Ünïcode", "x" * 2_048])
def test_T35_graph_validation_echo(web: httpx.Client, greeting: str) -> None:
    began = time.monotonic()
    answer = web.post(MICROSOFT, params={"validationToken": greeting})
    assert (answer.status_code, answer.text) == (200, greeting)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("greeting", ["", "x" * 10_240, "a\r\nSet-Cookie: b=c", "a\x00b", "<script>\n"])
def test_T35_what_no_provider_greets_with_is_refused(web: httpx.Client, greeting: str) -> None:
    answer = web.post(MICROSOFT, params={"validationToken": greeting})
    assert answer.status_code == 400
    assert greeting not in answer.text or not greeting
    assert "set-cookie" not in answer.headers
    assert web.get(MICROSOFT, params={"validationToken": "x"}).status_code == 405


@pytest.mark.usefixtures("watched")
def test_a_notice_makes_its_channel_due_and_nothing_else(
    app: Application, graph: FakeGraph, outlook: Outlook
) -> None:
    outlook.mailbox.add(message(3), "inbox")
    assert graph.subscriptions.notify(_inbox(app, graph)["id"]) == 202
    assert _due(app) == [outlook.account_id]
    assert channel(app, INBOX).wake_at == app.clock.now()
    assert capture_account(app, outlook.account_id).captured == 1


@pytest.mark.usefixtures("watched")
def test_T36_graph_clientstate(
    app: Application, web: httpx.Client, graph: FakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong, missing or foreign secret: taken politely, ignored, told to the log, and nothing of it is kept."""
    held = _inbox(app, graph)
    others = [one["clientState"] for one in graph.subscriptions.held.values() if one["id"] != held["id"]]
    with capture_logs() as logs:
        for secret in ("wrong", "", *others[:1]):
            assert graph.subscriptions.notify(held["id"], secret=secret) == 202
        unknown = {"value": [{"subscriptionId": "nobody", "clientState": held["clientState"]}]}
        assert web.post(MICROSOFT, json=unknown).status_code == 202
        missing = {"value": [{"subscriptionId": held["id"], "resourceData": {"id": "canary"}}]}
        assert web.post(MICROSOFT, json=missing).status_code == 202
    assert _due(app) == []
    told = {line["state"] for line in logs if line["event"] == "notice_refused"}
    assert told == {"wrong secret", "no secret", "unknown subscription"}
    assert "canary" not in json.dumps(logs)
    assert held["clientState"] not in json.dumps(logs)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"value": 1}', b'{"value": {}}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_body_that_is_no_notice_is_refused(web: httpx.Client, body: bytes) -> None:
    assert web.post(MICROSOFT, content=body).status_code == 400


def test_odd_notices_hurt_nobody(web: httpx.Client) -> None:
    odd = [
        1,
        None,
        {},
        {"subscriptionId": {}, "clientState": []},
        {"subscriptionId": "x", "clientState": "\ud800"},
    ]
    assert web.post(MICROSOFT, content=json.dumps({"value": odd})).status_code == 202
    assert web.post(MICROSOFT, content=b" " * 1_100_000).status_code == 413


@pytest.mark.usefixtures("watched")
def test_T37_graph_lifecycle_and_lost_webhooks(
    app: Application, web: httpx.Client, graph: FakeGraph, outlook: Outlook, clock: FixedClock
) -> None:
    name = INBOX
    id_ = _inbox(app, graph)["id"]
    before = subscriptions(app)[name].expires_at
    assert before is not None
    assert graph.subscriptions.tell_lifecycle(id_, "reauthorizationRequired") == 202
    assert _due(app) == []
    _keep(app)
    renewed = subscriptions(app)[name]
    assert renewed.source_id == id_
    assert renewed.expires_at is not None
    assert renewed.expires_at > before
    assert _due(app) == []

    assert graph.subscriptions.tell_lifecycle(id_, "missed") == 202
    assert _due(app) == [outlook.account_id]
    capture_account(app, outlook.account_id)
    clock.advance(timedelta(seconds=10))

    outlook.mailbox.add(message(4), "inbox")
    assert graph.subscriptions.tell_lifecycle(id_, "subscriptionRemoved") == 202
    assert _due(app) == [outlook.account_id]
    assert capture_account(app, outlook.account_id).captured == 1
    _keep(app)
    assert subscriptions(app)[name].source_id in graph.subscriptions.held
    assert subscriptions(app)[name].source_id != id_

    found_after = []  # three days without any notice: polling finds all of it
    for day in range(3):
        for hour in (0, 7, 16):
            outlook.mailbox.add(message(100 + 10 * day + hour), "inbox")
            written = clock.now()
            while not (due_accounts(app) and capture_account(app, outlook.account_id).listed):
                clock.advance(timedelta(seconds=30))
                assert clock.now() - written < timedelta(minutes=15)
            found_after.append(clock.now() - written)
            clock.advance(timedelta(hours=7))
    assert max(found_after) < timedelta(minutes=5)


@pytest.mark.usefixtures("gmail_watched")
def test_a_calendars_notice_is_believed_by_its_token(
    app: Application, web: httpx.Client, gmail: Gmail
) -> None:
    name, row = next(
        (name, row)
        for name, row in subscriptions(app).items()
        if row.target == PUBLIC + CALENDAR and "google" in row.target
    )
    with writing(app.engine) as session:  # the fake keeps no tokens
        session.execute(
            update(type(row)).where(col(type(row).id) == row.id).values(secret_hash=hash_of("the token"))
        )
    headers = {"X-Goog-Channel-ID": row.source_id, "X-Goog-Resource-State": "exists"}
    assert web.post(CALENDAR, headers=headers).status_code == 202
    assert web.post(CALENDAR, headers={**headers, "X-Goog-Channel-Token": "another"}).status_code == 202
    assert _due(app) == []
    app.clock.advance(timedelta(seconds=31))  # type: ignore[attr-defined]
    assert web.post(CALENDAR, headers={**headers, "X-Goog-Channel-Token": "the token"}).status_code == 202
    assert _due(app) == [gmail.account_id]
    assert channel(app, name).wake_at == app.clock.now()


def _push(mailbox: str) -> dict[str, Any]:
    data = base64.urlsafe_b64encode(json.dumps({"emailAddress": mailbox, "historyId": 7}).encode()).decode()
    return {
        "message": {"data": data, "messageId": "1"},
        "subscription": "projects/our-project/subscriptions/s",
    }


def _token(issuer: AuthorizationServer, app: Application, **claims: Any) -> dict[str, str]:
    now = app.clock.now()
    made = {
        "iss": issuer.url,
        "aud": PUBLIC + MAIL,
        "email": SENDER,
        "email_verified": True,
        "sub": "1",
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
        **claims,
    }
    token = jwt.encode(made, KEY, algorithm="RS256", headers={"kid": "k1"})
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.usefixtures("gmail_watched")
def test_T39_pubsub_jwt(
    app: Application, web: httpx.Client, gmail: Gmail, issuer: AuthorizationServer
) -> None:
    now = app.clock.now().timestamp()
    mailbox = _push(gmail.user.address)
    forged = jwt.encode({"iss": issuer.url}, "k" * 32, algorithm="HS256", headers={"kid": "k1"})
    good = _token(issuer, app)["Authorization"]
    bad = [
        {},
        {"Authorization": "Basic eDp5"},
        {"Authorization": f"Bearer {forged}"},
        {"Authorization": good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBB")},
        {"Authorization": "Bearer " + "x" * 5_000},
        _token(issuer, app, exp=int(now) - 300, iat=int(now) - 4_000),
        _token(issuer, app, iat=int(now) + 600),
        _token(issuer, app, exp="soon"),
        _token(issuer, app, aud="https://other.example" + MAIL),
        _token(issuer, app, iss="https://accounts.other.example"),
        _token(issuer, app, email="somebody@our-project.iam.gserviceaccount.com"),
        _token(issuer, app, email_verified=False),
    ]
    for headers in bad:
        assert web.post(MAIL, json=mailbox, headers=headers).status_code == 401, headers
    assert _due(app) == []
    assert web.post(MAIL, json=mailbox, headers={"Authorization": good}).status_code == 204
    assert _due(app) == [gmail.account_id]
    assert channel(app, "Gmail").wake_at == app.clock.now()


@pytest.mark.usefixtures("gmail_watched")
def test_a_pushed_message_that_says_nothing_is_taken_once_and_for_all(
    app: Application, web: httpx.Client, issuer: AuthorizationServer
) -> None:
    headers = _token(issuer, app)
    for body in (
        b"",
        b"{",
        b"[]",
        b'{"message": 1}',
        b'{"message": {"data": "!"}}',
        json.dumps(_push("no@body.example")).encode(),
    ):
        assert web.post(MAIL, content=body, headers=headers).status_code == 204
    assert _due(app) == []


@pytest.mark.usefixtures("gmail_watched")
def test_where_googles_keys_cannot_be_had_the_message_is_to_come_again(
    app: Application, gmail: Gmail, issuer: AuthorizationServer
) -> None:
    settings = app.settings.model_copy(
        update={"google": app.settings.google.model_copy(update={"keys_url": f"{issuer.url[:-5]}1/keys"})}
    )
    object.__setattr__(app, "settings", settings)
    with serving(app) as address:
        answer = httpx.post(address + MAIL, json=_push(gmail.user.address), headers=_token(issuer, app))
    assert answer.status_code == 503


@pytest.mark.usefixtures("watched")
def test_a_notice_that_comes_during_a_pull_is_not_lost(
    app: Application, graph: FakeGraph, outlook: Outlook, clock: FixedClock
) -> None:
    outlook.mailbox.add(message(5), "inbox")
    id_ = _inbox(app, graph)["id"]
    graph.subscriptions.notify(id_)

    def news(_name: str, _items: int) -> None:
        clock.advance(timedelta(milliseconds=1))
        graph.subscriptions.notify(id_)
        time.sleep(STORED)

    assert capture_account(app, outlook.account_id, progress=news).status == "ok"
    clock.advance(timedelta(seconds=5))
    assert _due(app) == [outlook.account_id]


@pytest.mark.usefixtures("watched")
def test_a_mailbox_is_pulled_for_notices_every_five_seconds_at_most(
    app: Application, graph: FakeGraph, outlook: Outlook, clock: FixedClock
) -> None:
    id_ = _inbox(app, graph)["id"]
    pulls = 0
    for _second in range(20):
        graph.subscriptions.notify(id_)
        if _due(app):
            capture_account(app, outlook.account_id)
            pulls += 1
        clock.advance(timedelta(seconds=1))
    assert 3 <= pulls <= 5


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("number", ["2000", pytest.param("10000", marks=pytest.mark.soak)])
def test_T38_webhook_burst(
    app: Application, web: httpx.Client, graph: FakeGraph, outlook: Outlook, number: str
) -> None:
    """Two hundred notices a second, one a request, two thousand at every run and ten thousand in long ones: each is answered
    within a second, nearly all of them share a transaction, and no memory stays with them."""
    held = _inbox(app, graph)
    notice = {
        "value": [{"subscriptionId": held["id"], "clientState": held["clientState"], "changeType": "updated"}]
    }
    body = json.dumps(notice).encode()
    request = (
        f"POST {MICROSOFT} HTTP/1.1\r\nHost: {web.base_url.netloc.decode()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    assert web.post(MICROSOFT, content=body).status_code == 202
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    port, seconds = web.base_url.port, "10" if number == "2000" else "50"
    command = [sys.executable, "-m", "tests.integration.push.burst", str(port), number, seconds]
    done = subprocess.run(command, input=request, capture_output=True, timeout=240, check=True)
    told = json.loads(done.stdout)
    assert told["statuses"] == {"202": int(number)}
    assert told["p99"] < 1, told
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert _due(app) == [outlook.account_id]
