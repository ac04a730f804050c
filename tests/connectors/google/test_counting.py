"""How much a mailbox holds, and when it came in, by listing and a few dates: within a budget, and without a search."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.connectors.google.account import (
    MAIL,
    MAIL_WITH_TEXTS,
    MAILBOX,
    NOW,
    SmallMeter,
    new_user,
    opened,
    write,
    write_many,
)

from autocapture.testing.fakes.google import FakeGoogle
from autocapture.workflows.dated_counts import newer, years

APART = timedelta(hours=6)


@pytest.mark.parametrize("scopes", [MAIL, MAIL_WITH_TEXTS], ids=["metadata", "readonly"])
def test_a_mailbox_is_counted_by_about_when_it_came_in(google: FakeGoogle, scopes: frozenset[str]) -> None:
    user, meter = new_user(google), SmallMeter(6_000)
    write_many(user, 1_600, apart=APART)  # 400 days of four a day
    for number in range(30):
        write(user, NOW - timedelta(days=number), f"sent {number}", labels={"SENT"})
    with opened(google, user, scopes, meter=meter) as connection:
        found = connection.count(MAILBOX)
    assert (found.total, found.folders) == (1_630, {"Inbox": 1_600, "Sent": 30})
    for days, really in ((7, 35), (30, 150), (90, 390), (365, 1_490)):
        told = newer(found.dated, 1_630, NOW - timedelta(days=days))
        assert told == pytest.approx(really, rel=0.05, abs=3), days
    really_2026 = 4 * (NOW - datetime(2026, 1, 1, tzinfo=NOW.tzinfo)).days + 30
    assert years(found.dated, 1_630)[2026] == pytest.approx(really_2026, rel=0.02)
    assert meter.taken["gmail.messages.list"] == 4
    assert meter.taken["gmail.messages.get"] == 50
    assert meter.units == 6_000 - 4 * 5 - 50 * 20 - 3


def test_where_the_budget_ends_what_was_listed_is_dated_and_the_rest_is_older(google: FakeGoogle) -> None:
    user, meter = new_user(google), SmallMeter(70)
    write_many(user, 1_200, apart=APART)
    with opened(google, user, MAIL, meter=meter) as connection:
        found = connection.count(MAILBOX)
    assert found.total == 1_200
    assert found.dated[0] == (NOW, 1)
    assert found.dated[-1] == (NOW - 999 * APART, 1_000)
    assert newer(found.dated, 1_200, NOW - timedelta(days=100)) == pytest.approx(400, abs=5)
    assert newer(found.dated, 1_200, NOW - timedelta(days=300)) is None
    assert meter.units < 20, "what was held was spent, or given back"


def test_a_listing_in_another_order_dates_nothing(google: FakeGoogle) -> None:
    user = new_user(google)
    write(user, NOW - timedelta(days=900), "imported")
    write_many(user, 30)
    user.mailbox.by_date = False
    with opened(google, user, MAIL) as connection:
        found = connection.count(MAILBOX)
    assert (found.total, list(found.dated)) == (31, [])
