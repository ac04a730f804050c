"""Waiting for news instead of asking again and again."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from tests.connectors.imap.mailbox import INBOX, Held, Mailbox, Opener, message, talking_to
from tests.peers.dovecot import Dovecot
from tests.peers.scripted_imap import DROP, scripted_imap

from autocapture.connector import ReadsText, Waits
from autocapture.errors import Unreachable

LONG = timedelta(seconds=20)


def test_an_arrival_ends_the_wait_and_the_connection_goes_on(box: Mailbox, opened: Opener) -> None:
    held = Held(opened(box)).drain()
    assert isinstance(held.connection, Waits)
    assert isinstance(held.connection, ReadsText)
    timer = threading.Timer(0.3, box.append, [message()])
    timer.start()
    started = time.monotonic()
    assert held.connection.wait(INBOX, LONG)
    assert time.monotonic() - started < 15
    timer.join()
    assert held.drain().uids == box.uids()


def test_a_quiet_folder_ends_the_wait_when_the_time_is_over(box: Mailbox, opened: Opener) -> None:
    held = Held(opened(box)).drain()
    assert isinstance(held.connection, Waits)
    assert not held.connection.wait(INBOX, timedelta(seconds=0.2))
    assert not held.pull().items


def test_what_arrived_between_the_pull_and_the_wait_is_not_waited_for(box: Mailbox, opened: Opener) -> None:
    held = Held(opened(box)).drain()
    assert isinstance(held.connection, Waits)
    box.append(message())
    started = time.monotonic()
    assert held.connection.wait(INBOX, LONG)
    assert time.monotonic() - started < 5


@pytest.mark.dovecot
def test_a_connection_dropped_while_waiting_is_unreachable(
    dovecot_server: Dovecot, dovecot_box: Mailbox, opened: Opener
) -> None:
    connection = opened(dovecot_box)
    timer = threading.Timer(0.3, dovecot_server.kick, [dovecot_box.user])
    timer.start()
    with pytest.raises(Unreachable):
        connection.wait(INBOX, LONG)
    timer.join()


@pytest.mark.parametrize(
    "idle", [DROP, b"%T NO not now\r\n", b"%T BAD what\r\n", b"+ ok\r\n* BYE\r\n" + DROP, b"\xff\r\n" + DROP]
)
def test_a_refused_or_broken_wait_is_unreachable(idle: bytes) -> None:
    with scripted_imap({"IDLE": idle}) as server, talking_to(server) as connection:
        assert isinstance(connection, Waits)
        with pytest.raises(Unreachable):
            connection.wait(INBOX, LONG)


def test_a_server_without_idle_is_asked_once_at_the_end() -> None:
    answers = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n%T OK done\r\n",
        "NOOP": b"* 4 EXISTS\r\n%T OK done\r\n",
    }
    with scripted_imap(answers) as server, talking_to(server) as connection:
        assert isinstance(connection, Waits)
        assert connection.wait(INBOX, timedelta(seconds=0.1))
        assert server.commands().count("NOOP") == 1
        assert "IDLE" not in server.commands()


def test_other_reports_do_not_end_the_wait() -> None:
    idle = b"* 3 EXISTS\r\n+ idling\r\n* OK Still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 0 RECENT\r\n* 3 EXISTS\r\n"
    with scripted_imap({"IDLE": idle}) as server, talking_to(server) as connection:
        assert isinstance(connection, Waits)
        assert not connection.wait(INBOX, timedelta(seconds=0.2))
        assert connection.pull(INBOX, None, limit=5).complete
