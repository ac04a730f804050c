"""A notice names a place in the history that is ahead of ours: what lies between the two is read all the same."""

from __future__ import annotations

import json

from tests.connectors.google.account import write
from tests.integration.push.conftest import Gmail, channel
from tests.integration.push.test_pulled_notices import pubsub, pulling  # noqa: F401
from tests.peers.pubsub import FakePubSub

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.service.puller import Puller
from autocapture.workflows.capture import capture_account


def test_what_lies_before_the_id_of_a_notice_is_captured(
    pulling: Application,  # noqa: F811
    pubsub: FakePubSub,  # noqa: F811
    gmail: Gmail,
    clock: FixedClock,
) -> None:
    for number in range(3):
        write(gmail.user, clock.now(), f"missed-{number}")
    newest = {"emailAddress": gmail.user.address, "historyId": gmail.user.mailbox.history_id}
    known = channel(pulling, "Gmail").cursor
    pubsub.publish(json.dumps(newest).encode())
    assert Puller(pulling).pull_once() == 1
    assert channel(pulling, "Gmail").cursor == known
    assert capture_account(pulling, gmail.account_id).captured == 3
