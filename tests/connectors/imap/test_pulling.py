"""Enumeration, arrivals and departures, on real servers."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from tests.connectors.imap.mailbox import INBOX, Held, Mailbox, Opener, message, tools
from tests.peers.dovecot import Dovecot

from autocapture.connector import Channel, Gone, Ref
from autocapture.errors import ChannelGone, CursorExpired


def test_an_enumeration_lists_every_message_newest_first_and_ends_complete(
    box: Mailbox, opened: Opener
) -> None:
    box.append(*map(message, range(7)))
    held = Held(opened(box)).drain(limit=3)
    assert held.uids == box.uids()
    assert [each.complete for each in held.pages] == [False] * (len(held.pages) - 1) + [True]
    listed = [int(each.partition("/")[2]) for each in held.ids]
    assert listed == sorted(listed, reverse=True)
    assert all(len(page.items) <= 3 for page in held.pages)


def test_an_empty_folder_is_complete_at_once(box: Mailbox, opened: Opener) -> None:
    page = opened(box).pull(INBOX, None, limit=10)
    assert (list(page.items), page.more, page.complete) == ([], False, True)


def test_what_arrives_during_an_enumeration_is_found_by_the_next_pull(box: Mailbox, opened: Opener) -> None:
    box.append(*map(message, range(5)))
    held = Held(opened(box))
    held.pull(limit=2)
    box.append(message(5), message(6))
    held.drain(limit=2)
    assert len(held.ids) == 5
    held.drain(limit=2)
    assert held.uids == box.uids()


def test_an_unchanged_folder_answers_an_empty_page(box: Mailbox, opened: Opener) -> None:
    box.append(message())
    held = Held(opened(box)).drain()
    before = held.cursor
    page = held.pull()
    assert (list(page.items), page.cursor, page.more, page.complete) == ([], before, False, False)


def test_arrivals_come_in_pages_of_the_limit(box: Mailbox, opened: Opener) -> None:
    held = Held(opened(box)).drain()
    box.append(*map(message, range(5)))
    held.drain(limit=2)
    assert held.uids == box.uids()
    assert all(len(page.items) <= 2 for page in held.pages)


def test_expunged_messages_are_gone_and_nothing_else_is(box: Mailbox, opened: Opener) -> None:
    box.append(*map(message, range(6)))
    held = Held(opened(box)).drain()
    first = held.uids[0]
    box.expunge(first + 1, first + 3, first + 4)
    held.drain(limit=2)
    assert held.uids == box.uids() == [first, first + 2, first + 5]


def test_an_arrival_that_makes_up_for_a_departure_hides_neither(box: Mailbox, opened: Opener) -> None:
    box.append(*map(message, range(3)))
    held = Held(opened(box)).drain()
    box.expunge(held.uids[0])
    box.append(message(9))
    assert held.drain().uids == box.uids()


def test_a_message_that_leaves_between_two_pages_of_the_enumeration_is_gone_later(
    box: Mailbox, opened: Opener
) -> None:
    box.append(*map(message, range(6)))
    held = Held(opened(box))
    held.pull(limit=3)
    box.expunge(held.uids[-1], held.uids[0] - 1)  # one already listed, one not yet
    held.drain(limit=3).drain()
    assert held.uids == box.uids()


def test_a_cursor_outlives_its_connection(box: Mailbox, opened: Opener) -> None:
    box.append(*map(message, range(5)))
    held = Held(opened(box))
    held.pull(limit=2)
    held.connection = opened(box)
    held.drain(limit=2)
    assert held.uids == box.uids()


def test_only_messages_received_since_the_first_day_are_in_scope(box: Mailbox, opened: Opener) -> None:
    for number, day in enumerate((1, 10, 20)):
        box.append(message(number), at=datetime(2026, 3, day, 12, tzinfo=UTC))
    held = Held(opened(box, tools(since=date(2026, 3, 10)))).drain(limit=1)
    everything = box.uids()
    assert held.uids == everything[1:]
    box.append(message(4), at=datetime(2026, 3, 2, 12, tzinfo=UTC))
    box.append(message(5), at=datetime(2026, 3, 25, 12, tzinfo=UTC))
    held.drain(limit=1)
    assert held.uids == [*everything[1:], box.uids()[-1]]
    box.expunge(everything[0], everything[2])  # one out of scope, one in
    assert held.drain().uids == [everything[1], box.uids()[-1]]


def test_the_reps_first_day_is_in_scope_where_it_begins_before_the_servers(
    box: Mailbox, opened: Opener
) -> None:
    box.append(message(1), at=datetime(2026, 3, 8, 12, tzinfo=UTC))
    box.append(message(2), at=datetime(2026, 3, 9, 23, 30, tzinfo=UTC))  # half past midnight in Berlin
    held = Held(opened(box, tools(since=date(2026, 3, 10)))).drain()
    assert held.uids == box.uids()[1:]


def test_a_page_never_ends_complete_after_the_enumeration(box: Mailbox, opened: Opener) -> None:
    box.append(*map(message, range(3)))
    held = Held(opened(box)).drain()
    enumeration = len(held.pages)
    box.expunge(held.uids[0])
    box.append(message(7))
    held.drain()
    assert not any(page.complete for page in held.pages[enumeration:])


@pytest.mark.parametrize(
    "cursor",
    ["", "nonsense", "{}", "[]", "null", "7", '{"v":0,"uv":1,"top":1,"n":1,"scan":null,"seen":""}',
     '{"v":1,"uv":1,"top":1,"n":1,"scan":null,"seen":"5:1"}', '{"v":1,"uv":"x","top":1,"n":1,"scan":null,"seen":""}'],
)  # fmt: skip
def test_a_cursor_of_an_unknown_form_expires(plain_box: Mailbox, opened: Opener, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        opened(plain_box).pull(INBOX, cursor, limit=10)


def test_a_cursor_of_another_uid_validity_expires(box: Mailbox, opened: Opener) -> None:
    box.append(message())
    held = Held(opened(box)).drain()
    cursor = json.loads(held.cursor or "")
    cursor["uv"] += 1
    with pytest.raises(CursorExpired):
        held.connection.pull(INBOX, json.dumps(cursor), limit=10)


def test_a_uid_that_was_never_given_expires_the_cursor(box: Mailbox, opened: Opener) -> None:
    box.append(message())
    held = Held(opened(box)).drain()
    cursor = json.loads(held.cursor or "")
    cursor["top"] += 100
    with pytest.raises(CursorExpired):
        held.connection.pull(INBOX, json.dumps(cursor), limit=10)


def test_too_many_gaps_to_remember_make_a_departure_expire_the_cursor(box: Mailbox, opened: Opener) -> None:
    box.append(*map(message, range(3)))
    held = Held(opened(box)).drain()
    held.cursor = json.dumps({**json.loads(held.cursor or ""), "seen": None})
    assert list(held.pull().items) == []
    box.append(message(8))
    assert [type(item) for item in held.pull().items] == [Ref]
    box.expunge(held.uids[0])
    with pytest.raises(CursorExpired):
        held.drain()


@pytest.mark.dovecot
def test_a_folder_with_a_new_uid_validity_expires_the_cursor_and_its_old_ids_are_gone(
    dovecot_server: Dovecot, dovecot_box: Mailbox, opened: Opener
) -> None:
    dovecot_box.append(message(1), message(2))
    held = Held(opened(dovecot_box)).drain()
    dovecot_server.new_uid_validity("INBOX", 4_000_000_000, user=dovecot_box.user)
    connection = opened(dovecot_box)
    with pytest.raises(CursorExpired):
        connection.pull(INBOX, held.cursor, limit=10)
    assert connection.get(INBOX, held.ids) == [Gone(each) for each in held.ids]
    anew = Held(connection).drain()
    assert [each.partition("/")[0] for each in anew.ids] == ["4000000000"] * 2


@pytest.mark.dovecot
@pytest.mark.parametrize("change", ["delete", "rename"])
def test_a_folder_that_is_no_longer_there_is_a_channel_gone(
    dovecot_server: Dovecot, dovecot_box: Mailbox, opened: Opener, change: str
) -> None:
    dovecot_box.create("Projects")
    dovecot_box.append(message(), to="Projects")
    channel = Channel("Projects", "email")
    held = Held(opened(dovecot_box), channel).drain()
    if change == "delete":
        dovecot_server.delete_folder("Projects", user=dovecot_box.user)
    else:
        dovecot_server.rename_folder("Projects", "Old projects", user=dovecot_box.user)
    connection = opened(dovecot_box)
    for cursor in (held.cursor, None):
        with pytest.raises(ChannelGone):
            connection.pull(channel, cursor, limit=10)
    with pytest.raises(ChannelGone):
        connection.get(channel, held.ids)


@pytest.mark.dovecot
def test_a_moved_message_leaves_one_folder_and_arrives_in_the_other(
    dovecot_server: Dovecot, dovecot_box: Mailbox, opened: Opener
) -> None:
    dovecot_box.create("Archive")
    dovecot_box.append(message(1), message(2))
    inbox, archive = Held(opened(dovecot_box)), Held(opened(dovecot_box), Channel("Archive", "email"))
    inbox.drain(), archive.drain()
    dovecot_server.move(inbox.uids[:1], "INBOX", "Archive", user=dovecot_box.user)
    assert len(inbox.drain().ids) == len(archive.drain().ids) == 1


@pytest.mark.dovecot
def test_a_sparse_folder_is_listed_whole(
    dovecot_server: Dovecot, dovecot_box: Mailbox, opened: Opener
) -> None:
    dovecot_server.append_many("INBOX", list(map(message, range(300))), user=dovecot_box.user)
    dovecot_box.expunge(*[uid for uid in range(1, 301) if uid % 37])
    held = Held(opened(dovecot_box)).drain(limit=2)
    assert held.uids == dovecot_box.uids()
    assert len(held.pages) <= len(held.uids) // 2 + 2


def test_a_connection_reads_what_another_one_listed_later(box: Mailbox, opened: Opener) -> None:
    box.append(*map(message, range(2)))
    lists, reads = Held(opened(box)).drain(), opened(box)
    reads.get(INBOX, lists.ids)
    box.append(message(2))
    lists.drain()
    assert len(lists.ids) == 3
    assert not [each for each in reads.get(INBOX, lists.ids) if isinstance(each, Gone)]
