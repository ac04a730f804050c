"""When the newest message of a folder came, which a pass that went well must know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.connectors.imap.mailbox import INBOX, Held, Mailbox, Opener, message, tools

from autocapture.connector import Record, TellsNewest


def test_the_newest_message_is_the_one_that_was_read_last(box: Mailbox, opened: Opener) -> None:
    connection = opened(box)
    assert isinstance(connection, TellsNewest)
    assert connection.newest(INBOX) is None
    began = datetime.now(UTC) - timedelta(seconds=2)
    for number in range(3):
        box.append(message(number))
    newest = connection.newest(INBOX)
    assert newest is not None
    assert began <= newest <= datetime.now(UTC) + timedelta(seconds=2)
    held = Held(connection).drain()
    (last,) = connection.get(INBOX, [max(held.ids, key=lambda id_: int(id_.partition("/")[2]))])
    assert isinstance(last, Record)
    assert last.data.received_at == newest  # type: ignore[union-attr]


def test_what_lies_before_the_bound_is_not_the_newest(box: Mailbox, opened: Opener) -> None:
    box.append(message(1))
    connection = opened(box, tools(since=datetime.now(UTC).date() + timedelta(days=30)))
    assert isinstance(connection, TellsNewest)
    assert connection.newest(INBOX) is None
