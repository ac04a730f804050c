"""Subscriptions: what is asked for, what was promised, and what they tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from tests.connectors.microsoft.account import (
    AGENDA,
    CALENDARS,
    CALL_REP,
    INBOX,
    MAIL,
    calls_opened,
    opened,
)
from tests.connectors.microsoft.callbacks import callbacks

from autocapture.clock import FixedClock
from autocapture.connector import Callback, Channel, Subscription, Watches
from autocapture.errors import RateLimited, ScopeMissing, SetupError, Unreachable
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.http import Response
from autocapture_microsoft import connector


def test_a_subscription_is_promised_renewed_and_ended(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    """How long it lasts is what was promised, not what was asked for."""
    with opened(graph, MAIL) as connection, callbacks() as target:
        assert isinstance(connection, Watches)
        callback = Callback(target, "s3cret", f"{target}/lifecycle")
        subscription = connection.watch(INBOX, callback)
        assert subscription is not None
        assert subscription.expires_at == graph.clock.now() + timedelta(minutes=10_069)
        (held,) = graph.subscriptions.held.values()
        assert held["resource"] == f"me/mailFolders('{INBOX.id}')/messages"
        assert held["lifecycleNotificationUrl"] == f"{target}/lifecycle"
        assert held["clientState"] == "s3cret"
        cast(FixedClock, graph.clock).advance(timedelta(days=3))
        renewed = connection.renew(INBOX, subscription, callback)
        assert renewed.id == subscription.id
        assert renewed.expires_at == subscription.expires_at + timedelta(days=3)
        connection.unwatch(INBOX, renewed)
        assert not graph.subscriptions.held
        connection.unwatch(INBOX, renewed)  # what is no longer known is ended
    created = next(request for request in graph.asked if request.verb == "POST")
    assert created.prefers('IdType="ImmutableId"')


def test_a_promise_of_which_no_answer_came_is_made_once_more(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    """Two then tell of the same changes, which does no harm: a notice is only a hint to look."""
    graph.fail(Response(201, {}, manner="drop"), where="subscriptions", after=True)
    with opened(graph, MAIL) as connection, callbacks() as target:
        assert isinstance(connection, Watches)
        with pytest.raises(Unreachable):
            connection.watch(INBOX, Callback(target, "s3cret"))
        assert connection.watch(INBOX, Callback(target, "s3cret")) is not None
    assert len(graph.subscriptions.held) == 2


def test_one_that_graph_forgot_is_made_anew(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    with opened(graph, MAIL) as connection, callbacks() as target:
        assert isinstance(connection, Watches)
        callback = Callback(target, "s3cret")
        subscription = connection.watch(INBOX, callback)
        assert subscription is not None
        assert graph.subscriptions.tell_lifecycle(subscription.id, "subscriptionRemoved") == 202
        renewed = connection.renew(INBOX, subscription, callback)
        assert renewed.id != subscription.id
        assert graph.subscriptions.held.keys() == {renewed.id}


def test_a_cloud_that_promises_less_is_asked_for_less(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    graph.subscriptions.longest = timedelta(minutes=4_230)
    with opened(graph, MAIL) as connection, callbacks() as target:
        assert isinstance(connection, Watches)
        subscription = connection.watch(INBOX, Callback(target, "s3cret"))
        assert subscription is not None
        assert subscription.expires_at == graph.clock.now() + timedelta(minutes=4_219)


def test_an_address_that_does_not_greet_back_is_promised_nothing(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    with opened(graph, MAIL) as connection, callbacks(greets=False) as target:
        assert isinstance(connection, Watches)
        with pytest.raises(Unreachable, match="400"):
            connection.watch(INBOX, Callback(target, "s3cret"))
        with pytest.raises(SetupError, match="128"):
            connection.watch(INBOX, Callback(target, "s" * 129))


def test_notices_carry_the_secret_to_where_they_were_asked_to(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    with opened(graph, MAIL) as connection, callbacks() as target:
        assert isinstance(connection, Watches)
        subscription = connection.watch(INBOX, Callback(target, "s3cret", f"{target}/lifecycle"))
        assert subscription is not None
        assert graph.subscriptions.notify(subscription.id) == 202
        for event in ("reauthorizationRequired", "missed"):
            assert graph.subscriptions.tell_lifecycle(subscription.id, event) == 202
    assert [path for path, _ in target.told] == ["/notices", *["/notices/lifecycle"] * 2]
    assert all(body["value"][0]["clientState"] == "s3cret" for _, body in target.told)
    assert target.told[1][1]["value"][0]["lifecycleEvent"] == "reauthorizationRequired"


def test_calendars_are_watched_only_by_who_may_read_them_whole(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    other = Channel(mailbox.add_calendar("Beurzen").id, "event", "Beurzen")
    with opened(graph, CALENDARS) as connection, callbacks() as target:
        assert isinstance(connection, Watches)
        assert connection.watch(AGENDA, Callback(target, "s3cret")) is None
    with opened(graph, {"Calendars.Read"}) as connection, callbacks() as target:
        assert isinstance(connection, Watches)
        for channel in (AGENDA, other):
            assert connection.watch(channel, Callback(target, "s3cret")) is not None
    resources = [held["resource"] for held in graph.subscriptions.held.values()]
    for level, is_watched in (("metadata", False), ("subject", False), ("full", True)):
        with opened(graph, set(connector.auth.scopes[level])) as connection, callbacks() as target:  # type: ignore[index]
            assert isinstance(connection, Watches)
            watched = [connection.watch(channel, Callback(target, "s3cret")) for channel in (INBOX, AGENDA)]
            assert [each is not None for each in watched] == [True, is_watched]
    assert resources == ["me/events", f"me/calendars/{other.id.replace('=', '%3D')}/events"]


def test_calls_are_watched_for_one_rep_alone(graph: FakeGraph) -> None:
    with calls_opened(graph) as connection, callbacks() as target:
        assert isinstance(connection, Watches)
        (channel,) = connection.channels()
        assert connection.watch(channel, Callback(target, "s3cret")) is not None
    (held,) = graph.subscriptions.held.values()
    assert held["resource"].endswith(f"$filter=participants/any(p:p/id eq '{CALL_REP}')")
    assert held["changeType"] == "updated"


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (refusal(429, "TooManyRequests", Retry_After="5"), RateLimited),
        (refusal(403, "ErrorAccessDenied"), ScopeMissing),
        (refusal(500, "InternalServerError"), Unreachable),
        (Response(201, {"id": "../x", "expirationDateTime": "2026-11-20T00:00:00Z"}), Unreachable),
        (Response(201, {"id": "a-1", "expirationDateTime": "soon"}), Unreachable),
        (Response(201, {}, manner="drop"), Unreachable),
    ],
)
def test_a_refused_subscription_says_who_must_act(
    graph: FakeGraph, mailbox: FakeMailbox, response: Response, fault: type[Exception]
) -> None:
    graph.fail(response, where="subscriptions", times=9)
    with opened(graph, MAIL) as connection:
        assert isinstance(connection, Watches)
        with pytest.raises(fault):
            connection.watch(INBOX, Callback("https://ours.example/", "s3cret"))
        known = Subscription("a-1", datetime(2026, 11, 20, tzinfo=UTC))
        with pytest.raises(fault):
            connection.renew(INBOX, known, Callback("https://ours.example/", "s3cret"))
