"""A server that drops the connection over some of its messages keeps none of the others waiting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.capture.deployment import deploy, rows
from tests.peers.scripted_imap import DROP, ScriptedImap, scripted_imap

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connector import CaptureLevel, PasswordCredential
from autocapture.model.activities import Activity, ActivityText
from autocapture.model.ledger import TEXT_UNREAD, LedgerEntry
from autocapture.workflows.capture import capture_account
from autocapture.workflows.connect_account import Login, connect_account

START = datetime.fromisoformat("2026-11-20T08:00:00+00:00")

ASKED = {"1": (1,), "2": (2,), "3": (3,), "1:2": (1, 2), "2:3": (2, 3), "1,3": (1, 3), "1:3": (1, 2, 3)}


def _header(uid: int) -> bytes:
    header = (
        f"From: kim@customer.example\r\nTo: ruth@ours.example\r\nSubject: {uid}\r\n"
        f"Message-ID: <{uid}@customer.example>\r\nDate: Mon, 02 Nov 2026 09:00:00 +0000\r\n\r\n"
    ).encode()
    return (
        (
            f'* {uid} FETCH (UID {uid} INTERNALDATE "02-Nov-2026 09:00:00 +0000" RFC822.SIZE 900 '
            f"BODY[HEADER.FIELDS (FROM)] {{{len(header)}}}\r\n"
        ).encode()
        + header
        + b")\r\n"
    )


def _answers(*poisonous: int) -> dict[str, bytes]:
    """Of three messages, those over which the connection is dropped when their headers are asked for."""
    answers = {}
    for named, uids in ASKED.items():
        given = b"".join(map(_header, uids)) + b"%T OK done\r\n"
        dropped = not set(poisonous).isdisjoint(uids)
        answers[f"UID FETCH {named} (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS"] = (
            given[:40] + DROP if dropped else given
        )
    return answers


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock) -> Iterator[Application]:
    app = deploy(tmp_path / "home", clock=clock)
    yield app
    app.engine.dispose()


def _connect(app: Application, server: ScriptedImap, level: CaptureLevel = "subject") -> int:
    options = {"host": "127.0.0.1", "port": server.port, "security": "none"}
    credential = PasswordCredential("ruth", "secret")
    return connect_account(
        app, Login("ruth@ours.example", "imap", options, credential, None, level)
    ).account_id


def _subjects(app: Application) -> list[str]:
    return sorted(row["subject"] for row in rows(app, Activity))


@pytest.mark.parametrize("poisonous", [(2,), (1, 3)])
def test_a_message_over_which_the_connection_breaks_is_found_and_left_for_later(
    app: Application, clock: FixedClock, poisonous: tuple[int, ...]
) -> None:
    with scripted_imap(_answers(*poisonous)) as server:
        account = _connect(app, server)
        first = capture_account(app, account)
        assert (first.status, _subjects(app)) == ("incomplete", []), "it may be any fault of the network"
        clock.advance(timedelta(minutes=10))
        second = capture_account(app, account)
        assert (second.status, second.quarantined) == ("ok", len(poisonous))
        assert _subjects(app) == [str(uid) for uid in (1, 2, 3) if uid not in poisonous]
        ledger = {row["source_id"]: (row["outcome"], row["reason"]) for row in rows(app, LedgerEntry)}
        for uid in poisonous:
            assert ledger[f"7/{uid}"] == ("quarantined", "the connection breaks when it is read")
        clock.advance(timedelta(minutes=5))
        assert capture_account(app, account).status == "ok", "it is not asked for at each pass"
        server.answers = _answers()
        clock.advance(timedelta(days=1))
        assert capture_account(app, account).status == "ok"
        assert _subjects(app) == ["1", "2", "3"]


def test_a_server_that_breaks_over_everything_has_nothing_put_aside_for_good(
    app: Application, clock: FixedClock
) -> None:
    with scripted_imap(_answers(1, 2, 3)) as server:
        account = _connect(app, server)
        for _ in range(2):
            capture_account(app, account)
            clock.advance(timedelta(minutes=10))
        server.answers = _answers()
        clock.advance(timedelta(days=1))
        assert capture_account(app, account).status == "ok"
        assert _subjects(app) == ["1", "2", "3"]


def test_a_text_over_which_the_connection_breaks_is_not_kept_and_its_mail_is(
    app: Application, clock: FixedClock
) -> None:
    answers = _answers()
    with scripted_imap(answers | {"UID FETCH": DROP}) as server:
        account = _connect(app, server, "full")
        assert capture_account(app, account).status == "incomplete"
        clock.advance(timedelta(minutes=10))
        assert capture_account(app, account).status == "ok"
        assert _subjects(app) == ["1", "2", "3"]
        assert rows(app, ActivityText) == []
        assert {(row["outcome"], row["reason"], row["tries"]) for row in rows(app, LedgerEntry)} == {
            ("captured", TEXT_UNREAD, 1)
        }


def test_a_text_that_a_server_failed_to_give_is_read_when_it_gives_it(
    app: Application, clock: FixedClock
) -> None:
    """Ever more rarely, since it may fail for ever, and beside everything else."""
    answers = _answers()
    with scripted_imap(answers | {"UID FETCH": DROP}) as server:
        account = _connect(app, server, "full")
        for _ in range(2):
            capture_account(app, account)
            clock.advance(timedelta(minutes=5))
        asked = len(server.received)
        assert capture_account(app, account).status == "ok"
        assert not any("BODY" in line for line in server.received[asked:]), "it is not asked for at each pass"
        server.answers = answers
        clock.advance(timedelta(minutes=10))
        assert capture_account(app, account).status == "ok"
        assert {(row["reason"], row["retry_at"]) for row in rows(app, LedgerEntry)} == {(None, None)}
