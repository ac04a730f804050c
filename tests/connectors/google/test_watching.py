"""Subscriptions: Gmail publishes to a topic, Google Calendar calls an address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.connectors.google.account import MAILBOX, PRIMARY, new_user, opened

from autocapture.clock import SystemClock
from autocapture.connector import Callback, Subscription
from autocapture.errors import ChannelGone
from autocapture.testing.fakes.google import FakeGoogle

TOPIC = Callback("projects/ours/topics/gmail", "unused")
ADDRESS = Callback("https://capture.ours.example/notices", "the secret")


def test_a_mailbox_is_watched_through_a_topic(google: FakeGoogle) -> None:
    user = new_user(google)
    clock = SystemClock()
    with opened(google, user, clock=clock) as connection:
        subscription = connection.watch(MAILBOX, TOPIC)
        assert subscription is not None
        assert user.mailbox.watched == TOPIC.target
        assert timedelta(days=6) < subscription.expires_at - clock.now() <= timedelta(days=7)
        renewed = connection.renew(MAILBOX, subscription, TOPIC)
        assert renewed.expires_at >= subscription.expires_at
        connection.unwatch(MAILBOX, renewed)
        assert user.mailbox.watched == ""
        connection.unwatch(MAILBOX, renewed)


def test_a_calendar_is_watched_through_a_channel_that_is_replaced(google: FakeGoogle) -> None:
    user = new_user(google)
    calendar = user.calendars[user.address]
    with opened(google, user, clock=SystemClock()) as connection:
        first = connection.watch(PRIMARY, ADDRESS)
        assert first is not None
        assert calendar.watches == {first.id: first.state}
        second = connection.renew(PRIMARY, first, ADDRESS)
        assert calendar.watches == {second.id: second.state}
        connection.unwatch(PRIMARY, second)
        assert calendar.watches == {}
        connection.unwatch(PRIMARY, second)  # one that Google no longer knows is ended


def test_what_cannot_be_watched_is_told(google: FakeGoogle) -> None:
    user = new_user(google)
    user.calendars[user.address].pushes = False
    with opened(google, user) as connection:
        assert connection.watch(PRIMARY, ADDRESS) is None
        assert connection.watch(PRIMARY, TOPIC) is None
        assert connection.watch(MAILBOX, ADDRESS) is None
        with pytest.raises(ChannelGone):
            connection.renew(PRIMARY, Subscription("old", SystemClock().now()), ADDRESS)
