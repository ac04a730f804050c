"""Each kind of fault at each request of a capture: it is told as what it is, and what comes after it lacks nothing."""

from __future__ import annotations

from threading import Event

import pytest
from tests.connectors.google.account import MAILBOX, PRIMARY, items, new_user, opened, pages, write_many
from tests.connectors.google.test_calendars import exception, meeting, series

from autocapture.connector import Channel, Connection, Item
from autocapture.errors import CredentialRejected, RateLimited, TryLater, Unreachable
from autocapture.testing.fakes.google import FAULTS, FakeGoogle, User

MENDED = {"unauthorized", "reset", "answer_lost"}
"""By a fresh token; by a fresh connection, where the broken one had been kept from an earlier request."""

RAISED = {
    "reset": Unreachable,
    "answer_lost": Unreachable,
    "truncated": Unreachable,
    "html": Unreachable,
    "limited": RateLimited,
    "failed": Unreachable,
    "unavailable": RateLimited,
}


def captured(connection: Connection, channel: Channel, cursor: str | None) -> tuple[list[Item], str]:
    found = pages(connection, channel, cursor, limit=4)
    refs = [item.id for item in items(found) if type(item).__name__ == "Ref"]
    return [*items(found), *connection.get(channel, refs)], found[-1].cursor


def outcome(connection: Connection, channel: Channel) -> list[Item] | type[TryLater]:
    """What was captured, or what kept it."""
    try:
        return captured(connection, channel, None)[0]
    except TryLater as told:
        return type(told)


def filled(google: FakeGoogle) -> User:
    user = new_user(google)
    write_many(user, 6)
    calendar = user.calendars[user.address]
    for number in range(5):
        calendar.put(meeting(f"meeting{number}"))
    calendar.put(exception())
    calendar.cancel("series_20261123T090000Z")
    calendar.put(series())
    return user


@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("channel", [MAILBOX, PRIMARY], ids=["mail", "calendar"])
def test_a_fault_at_any_request_loses_nothing(google: FakeGoogle, channel: Channel, fault: str) -> None:
    user = filled(google)
    with opened(google, user) as connection:
        before = google.requests
        whole, _ = captured(connection, channel, None)
        requests = google.requests - before
    assert requests >= 2
    for nth in range(1, requests + 1):
        with opened(google, user) as connection:
            google.break_next(fault, nth)
            met = outcome(connection, channel)
            assert met is RAISED.get(fault) or (fault in MENDED and met == whole)
            assert captured(connection, channel, None)[0] == whole  # over the same connection


def test_an_answer_that_never_comes_has_an_end(google: FakeGoogle) -> None:
    user = filled(google)
    released = Event()
    google.on_step(lambda: bool(released.wait(10)), 1)
    with opened(google, user, seconds=0.3) as connection:
        with pytest.raises(Unreachable):
            connection.pull(MAILBOX, None, limit=10)
        released.set()


def test_tokens_that_run_out_in_the_midst_are_replaced(google: FakeGoogle) -> None:
    user = filled(google)
    with opened(google, user) as connection:
        first = connection.pull(MAILBOX, None, limit=3)
        google.revoke_tokens()
        rest = pages(connection, MAILBOX, first.cursor, limit=3)
        google.revoke_tokens()
        assert len(connection.get(MAILBOX, [item.id for item in items([first, *rest])])) == 6


def test_a_dead_grant_is_told_from_a_token_that_ran_out() -> None:
    with FakeGoogle() as google:
        user = filled(google)
        grant = google.grant(user.address, frozenset())
        dead = type(grant)(
            grant.subject, grant.address, frozenset({"https://mail.google.com/"}), lambda _fresh: "old"
        )
        with opened(google, user, grant=dead) as connection, pytest.raises(CredentialRejected):
            connection.pull(MAILBOX, None, limit=3)


def test_a_quota_that_is_spent_is_a_limit_and_no_loss() -> None:
    """Also when it is spent in the midst of a batch: what was refused is asked for again as long as anything is answered."""
    with FakeGoogle() as google:
        user = new_user(google)
        written = write_many(user, 30)
        google.quota.user = 6 * 20
        with opened(google, user) as connection:
            ids = [message.id for message in written]
            with pytest.raises(RateLimited):
                connection.get(MAILBOX, ids)
            google.quota.user = 0
            assert len(connection.get(MAILBOX, ids)) == 30
