"""How much there is, before anything is read."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tests.connectors.imap.mailbox import INBOX, Mailbox, Opener, message

from autocapture.clock import FixedClock
from autocapture.connector import Counts, Tools


def at(year: int, month: int = 6) -> datetime:
    return datetime(year, month, 1, 12, tzinfo=UTC)


def test_messages_are_counted_by_the_year_in_which_they_came(box: Mailbox, opened: Opener) -> None:
    for number, when in enumerate((at(2026), at(2026, 2), at(2025), at(2023), at(1999))):
        box.append(message(number), at=when)
    connection = opened(box, Tools(FixedClock(at(2026, 11)), since=date(2026, 5, 1)))
    assert isinstance(connection, Counts)
    count = connection.count(INBOX)
    assert count.total == 5
    assert count.by_year == {2026: 2, 2025: 1, 2023: 1, 2007: 1}


def test_an_empty_folder_is_not_asked_by_year(box: Mailbox, opened: Opener) -> None:
    count = opened(box).count(INBOX)
    assert (count.total, count.by_year) == (0, {})
