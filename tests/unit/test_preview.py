"""How long an import takes, from counts and limits alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from autocapture.sections import RateLimits
from autocapture.workflows.preview import Held, Preview, estimate, in_words

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMITS = RateLimits()


def preview(*channels: Held) -> Preview:
    return Preview(AT, channels, {})


def gmail(total: int | None) -> Held:
    return Held("mailbox", "email", "Gmail", total, method="gmail.messages.get")


def test_gmail_gives_300_messages_a_minute() -> None:
    expected = estimate(preview(gmail(30_000)), date(2026, 8, 24), (), LIMITS)
    assert (expected.items, expected.lasts, expected.dated) == (30_000, timedelta(minutes=100), False)


def test_graph_brings_a_page_with_each_request_so_what_we_store_is_the_bound() -> None:
    folder = Held("inbox", "email", "Inbox", 30_000, {2026: 30_000}, "graph.request", 500)
    expected = estimate(preview(folder), None, (), LIMITS)
    assert (expected.items, expected.lasts) == (30_000, timedelta(minutes=10))


def test_the_year_of_the_bound_counts_by_its_share() -> None:
    folder = Held("in", "email", "in", 1_000, {2024: 100, 2025: 365, 2026: 535})
    expected = estimate(preview(folder), date(2025, 7, 2), (), LIMITS)
    assert expected.items == 535 + 183
    assert expected.dated
    assert estimate(preview(folder), None, (), LIMITS).items == 1_000
    assert estimate(preview(folder), date(2027, 1, 1), (), LIMITS).items == 0


def test_what_cannot_be_counted_is_not_guessed_unless_it_is_left_out() -> None:
    held = preview(Held("a", "email", "a", 10), Held("b", "event", "b", None))
    assert estimate(held, None, (), LIMITS).items is None
    assert estimate(held, None, {"b"}, LIMITS).items == 10


@pytest.mark.parametrize(
    ("lasts", "words"),
    [
        (timedelta(0), "about a minute"),
        (timedelta(minutes=7), "about 7 minutes"),
        (timedelta(minutes=42), "about 45 minutes"),
        (timedelta(minutes=100), "about 2 hours"),
        (timedelta(hours=30), "about 30 hours"),
    ],
)
def test_time_is_told_to_the_precision_that_can_be_answered_for(lasts: timedelta, words: str) -> None:
    assert in_words(lasts) == words
