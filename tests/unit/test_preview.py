"""How long an import takes, from counts and limits alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from autocapture.sections import RateLimits
from autocapture.workflows.dated_counts import newer, years
from autocapture.workflows.preview import Estimate, Held, Preview, estimate, in_words

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMITS = RateLimits()


def preview(*channels: Held) -> Preview:
    return Preview(AT, channels, {})


def gmail(total: int | None, dated: Sequence[tuple[datetime, int]] = ()) -> Held:
    get = "gmail.messages.get"
    return Held("mailbox", "email", "Gmail", total, method=get, text_method=get, dated=dated)


def steady(total: int, days: int, *, known: int | None = None) -> list[tuple[datetime, int]]:
    """As many a day, of which every hundredth was dated, the last `known` of all."""
    shown = [1, *range(100, (known or total) + 1, 100)]
    return [(AT - timedelta(days=days) * (number - 1) / (total - 1), number) for number in shown]


def test_gmail_gives_300_messages_a_minute_less_what_is_asked_besides() -> None:
    expected = estimate(preview(gmail(30_000)), date(2026, 8, 24), (), LIMITS)
    assert (expected.items, expected.lasts, expected.dated) == (30_000, timedelta(minutes=110), False)
    assert in_words(expected) == "at most 2 hours"


def test_the_further_back_the_longer() -> None:
    held = preview(gmail(100_000, steady(100_000, 1_000)))
    told = [
        estimate(held, AT.date() - timedelta(days=days) if days else None, (), LIMITS)
        for days in (30, 90, 365, 0)
    ]
    assert [round((each.items or 0) / 1_000) for each in told] == [3, 9, 37, 100]
    assert list(map(in_words, told)) == [
        "about 15 minutes",
        "about 35 minutes",
        "about 3 hours",
        "about 7 hours",
    ]


def test_texts_are_read_of_none_to_all_of_the_mail() -> None:
    """As it was measured at the enforced limit: 600 mails that all matter took 2:10 without texts, and 4:20 with them."""
    held = preview(gmail(600, steady(600, 60)))
    assert in_words(estimate(held, None, (), LIMITS, "subject")) == "about 3 minutes"
    full = estimate(held, None, (), LIMITS, "full")
    assert in_words(full) == "about 3 to 5 minutes"
    assert full.longest is not None
    assert full.longest > timedelta(minutes=4, seconds=20)


def test_what_is_older_than_what_was_dated_is_bounded_by_all_there_is() -> None:
    held = preview(gmail(100_000, steady(100_000, 1_000, known=20_000)))
    recent, old = (estimate(held, AT.date() - timedelta(days=days), (), LIMITS) for days in (90, 365))
    assert (recent.dated, in_words(recent)) == (True, "about 35 minutes")
    assert (old.items, old.dated, in_words(old)) == (100_000, False, "at most 7 hours")


def test_years_are_told_as_far_as_they_are_known_whole() -> None:
    everything = steady(1_000, 1_000)
    told = years(everything, 1_000)
    assert list(told) == [2024, 2025, 2026]
    assert sum(told.values()) == 1_000
    assert abs(told[2025] - 365) <= 1
    assert list(years(everything[:5], 1_000)) == [2026]
    assert years((), 1_000) == {}
    assert newer(everything[:5], 1_000, everything[4][0]) == 400
    assert newer(everything, 1_000, AT + timedelta(days=1)) == 0


def test_graph_brings_a_page_with_each_request_so_what_we_store_is_the_bound() -> None:
    folder = Held("inbox", "email", "Inbox", 30_000, {2026: 30_000}, "graph.request", 500)
    expected = estimate(preview(folder), None, (), LIMITS)
    assert (expected.items, expected.lasts) == (30_000, timedelta(minutes=11))


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
        (timedelta(hours=1), "about 60 minutes"),
        (timedelta(minutes=7), "about 7 minutes"),
        (timedelta(minutes=42), "about 45 minutes"),
        (timedelta(minutes=100), "about 2 hours"),
        (timedelta(hours=30), "about 30 hours"),
    ],
)
def test_time_is_told_to_the_precision_that_can_be_answered_for(lasts: timedelta, words: str) -> None:
    assert in_words(Estimate(1, lasts, lasts, dated=True)) == words
