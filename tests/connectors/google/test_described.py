"""Google's own descriptions judge every request of ours and every answer of the fake."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Literal

import pytest
from tests.connectors.google.account import (
    CALENDARS,
    MAIL_WITH_TEXTS,
    MAILBOX,
    NOW,
    PRIMARY,
    items,
    new_user,
    opened,
    pages,
    write,
    write_many,
)
from tests.connectors.google.test_calendars import exception, meeting, series
from tests.contracts.google_worlds import event
from tests.peers import openapi
from tests.peers.openapi import Answered, Asked, Judge

from autocapture.clock import SystemClock
from autocapture.connector import Callback, Ref
from autocapture.errors import AutocaptureError
from autocapture.testing.fakes.google import Calendar, FakeGoogle, User
from autocapture.testing.fakes.google.answers import Answer, Request

pytestmark = pytest.mark.skipif(openapi.missing() is not None, reason=str(openapi.missing()))


@cache
def judge_of(name: Literal["gmail", "calendar"]) -> Judge:
    return Judge(openapi.described(name))


def judged(exchanges: list[tuple[Request, Answer]]) -> list[str]:
    """The violations of all exchanges."""
    gmail, calendar = judge_of("gmail"), judge_of("calendar")
    found = []
    for request, answer in exchanges:
        kind = request.headers.get("content-type", "application/json")
        target, judge = request.target, gmail
        if target.startswith("/calendar/v3"):
            target, judge = target.removeprefix("/calendar/v3"), calendar
        asked = Asked(request.method, target, request.body, kind)
        violations = judge.violations(asked, Answered(answer.status, answer.body))
        found += [f"{request.method} {target}: {each}" for each in violations]
    return found


def everything(google: FakeGoogle) -> None:
    """Every call that the connector makes, with every kind of answer."""
    user = new_user(google)
    other = Calendar("visits@group.calendar.google.com", "Visits", google.step, role="reader")
    user.calendars[other.id] = other
    _fill(user)
    scopes = MAIL_WITH_TEXTS | CALENDARS
    with opened(
        google, user, scopes, since=date(2026, 11, 1), level="full", clock=SystemClock()
    ) as connection:
        connection.channels()
        connection.left_out()
        for channel, target in ((MAILBOX, "projects/p/topics/t"), (PRIMARY, "https://c.ours.example/")):
            listed = pages(connection, channel, limit=7)
            refs = [item.id for item in items(listed) if isinstance(item, Ref)]
            connection.get(channel, [*refs, "ffff"])
            connection.texts(channel, refs)
            connection.count(channel)
            connection.newest(channel)
            subscription = connection.watch(channel, Callback(target, "secret"))
            assert subscription is not None
            connection.unwatch(channel, connection.renew(channel, subscription, Callback(target, "secret")))
            _change(user)
            pages(connection, channel, listed[-1].cursor, limit=2)
            user.mailbox.forget_history()
            user.calendars[user.address].expire_tokens()
            with pytest.raises(AutocaptureError):
                connection.pull(channel, listed[-1].cursor, limit=2)


def _fill(user: User) -> None:
    write_many(user, 30, apart=timedelta(hours=20))
    write(user, NOW, labels={"DRAFT"}, text="text")
    calendar = user.calendars[user.address]
    calendar.put(series())
    calendar.put(exception())
    for number in range(8):
        calendar.put(meeting(f"meeting{number}") if number % 2 else event(number, title="meeting"))


def _change(user: User) -> None:
    message = write(user, datetime.now(NOW.tzinfo), text="hello")
    user.mailbox.label(message.id, "TRASH")
    user.mailbox.unlabel(message.id, "TRASH")
    user.mailbox.delete(write(user, NOW).id)
    calendar = user.calendars[user.address]
    calendar.put(series())
    calendar.put(exception())
    calendar.cancel("series_20261123T090000Z")
    calendar.put(meeting("meeting1"))
    calendar.cancel("meeting1")


def test_every_request_and_every_answer_is_as_google_describes_it() -> None:
    with FakeGoogle(record=True) as google:
        everything(google)
        exchanges = google.exchanges or []
    called = {(request.method, request.path[-1]) for request, _ in exchanges}
    assert len(exchanges) > 60
    assert {("POST", "watch"), ("POST", "stop"), ("GET", "history"), ("GET", "calendarList")} <= called
    assert judged(exchanges) == []


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/gmail/v1/users/me/profile", b'{"historyId": 5}'),
        ("/gmail/v1/users/me/messages", b'{"messages": [{"id": 1}]}'),
        ("/gmail/v1/users/me/messages?format=full", b"{}"),
        ("/gmail/v1/users/me/messages/1?format=everything", b"{}"),
        ("/gmail/v1/users/me/messages", b'{"surprise": 1}'),
        ("/calendar/v3/calendars/primary/events?maxResults=many", b"{}"),
        ("/calendar/v3/calendars/primary/events", b'{"items": [{"status": 1}]}'),
        ("/calendar/v3/calendars/primary/nothing", b"{}"),
    ],
)
def test_the_judge_finds_what_is_wrong(target: str, body: bytes) -> None:
    assert judged([(Request("GET", target), Answer(200, body))])
