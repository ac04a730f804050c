"""A deployment that nobody can reach pulls Gmail's notices from Pub/Sub."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.integration.push.conftest import Gmail, channel
from tests.peers.pubsub import SUBSCRIPTION, FakePubSub, pubsub_server

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.clock import FixedClock
from autocapture.errors import SetupError, Unreachable
from autocapture.service.puller import Puller
from autocapture.testing.fakes.authorization_server import KEY
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.subscriptions import accounts_to_watch, keep_watched


@pytest.fixture
def pubsub() -> Iterator[FakePubSub]:
    with pubsub_server() as fake:
        yield fake


@pytest.fixture
def pulling(
    app: Application, gmail: Gmail, pubsub: FakePubSub, clock: FixedClock, tmp_path: Path
) -> Iterator[Application]:
    """The application with the subscription's settings; its Gmail account is watched and at rest."""
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    key = {"client_email": "reader@our-project.iam", "private_key": pem, "private_key_id": "k1"}
    (tmp_path / "pubsub.json").write_text(json.dumps(key))
    push = {
        "gmail_subscription": SUBSCRIPTION,
        "pubsub_url": pubsub.url,
        "pubsub_account_file": tmp_path / "pubsub.json",
    }
    google = {"client_id": "ours", "token_url": f"{pubsub.url}/token"}
    settings = app.settings.model_copy(
        update={
            "push": app.settings.push.model_copy(update=push),
            "google": app.settings.google.model_copy(update=google),
        }
    )
    for account_id in accounts_to_watch(app):
        keep_watched(app, account_id)
    clock.advance(timedelta(seconds=10))
    capture_account(app, gmail.account_id)
    clock.advance(timedelta(seconds=10))
    made = build(settings, clock)
    yield made
    made.engine.dispose()


def _notice(mailbox: str) -> bytes:
    return json.dumps({"emailAddress": mailbox, "historyId": 1}).encode()


def test_a_message_makes_its_mailbox_due_and_is_acknowledged(
    pulling: Application, gmail: Gmail, pubsub: FakePubSub
) -> None:
    puller = Puller(pulling)
    assert puller.pull_once() == 0
    assert due_accounts(pulling) == []
    pubsub.publish(b"not of Gmail")
    pubsub.publish(_notice("nobody@ours.example"))
    assert puller.pull_once() == 2
    assert due_accounts(pulling) == []
    pubsub.publish(_notice(gmail.user.address.upper()))
    assert puller.pull_once() == 1
    assert due_accounts(pulling) == [gmail.account_id]
    assert channel(pulling, "Gmail").wake_at == pulling.clock.now()
    assert pubsub.waiting == {}
    (assertion,) = pubsub.assertions
    claims = jwt.decode(assertion.partition("assertion=")[2], options={"verify_signature": False})
    assert claims["scope"] == "https://www.googleapis.com/auth/pubsub"
    assert "sub" not in claims


def test_a_token_that_was_withdrawn_is_asked_for_anew(pulling: Application, pubsub: FakePubSub) -> None:
    puller = Puller(pulling)
    puller.pull_once()
    pubsub.tokens[:] = ["another"]
    pubsub.publish(b"x")
    assert puller.pull_once() == 1


@pytest.mark.parametrize(
    ("status", "problem"), [(403, SetupError), (404, SetupError), (503, Unreachable), (400, SetupError)]
)
def test_what_google_refuses_is_told_as_what_it_is(
    pulling: Application, pubsub: FakePubSub, status: int, problem: type[Exception]
) -> None:
    pubsub.publish(b"x")
    pubsub.refuse.append(status)
    with pytest.raises(problem):
        Puller(pulling).pull_once()
    assert pubsub.waiting, "it comes again"


def test_the_service_pulls_on_whatever_happens(
    pulling: Application, gmail: Gmail, pubsub: FakePubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autocapture.service.puller._FIRST_REST", timedelta(milliseconds=10))
    pubsub.refuse += [500, 403]
    pubsub.publish(_notice(gmail.user.address))
    puller = Puller(pulling)
    puller.start()
    try:
        ends = time.monotonic() + 20
        while not due_accounts(pulling):
            assert time.monotonic() < ends
            time.sleep(0.05)
    finally:
        puller.stop()


def test_without_a_subscription_nothing_is_pulled(app: Application) -> None:
    before = threading.active_count()
    Puller(app).start()
    assert threading.active_count() == before
