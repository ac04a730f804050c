"""A mailbox that tells of news is captured at once, not at the next interval."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlmodel import select
from tests.integration.service.conftest import Run
from tests.peers.dovecot import Dovecot

from autocapture.cli.application import open_application
from autocapture.model.accounts import Channel
from autocapture.model.organization import User
from autocapture.service.watchers import Watchers
from autocapture.store.engine import reading, writing
from autocapture.workflows.capture import capture_account, due_accounts

MESSAGE = b"From: kunde@example.org\r\nTo: erika@example.com\r\nSubject: Angebot\r\nMessage-ID: <n@example.org>\r\n\r\nText\r\n"


@pytest.mark.dovecot
def test_news_wake_the_inbox_before_its_time(
    run: Run, dovecot_server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOCAPTURE_CAPTURE_INTERVAL_SECONDS", "3600")
    assert run("init").exit_code == 0
    app = open_application()
    with writing(app.engine) as session:
        session.add(User(email="erika@example.com", name="Erika"))
    server = ("--host", "127.0.0.1", "--port", str(dovecot_server.port), "--security", "none")
    login = ("--username", dovecot_server.user, "--password-stdin")
    connected = run(
        "connect",
        "imap",
        "--user",
        "erika@example.com",
        *server,
        *login,
        stdin=dovecot_server.password + "\n",
    )
    assert connected.exit_code == 0, connected.stderr
    assert capture_account(app, 1).status == "ok"
    assert due_accounts(app) == []

    watchers = Watchers(app)
    watchers.keep()
    try:
        time.sleep(1)  # until the watcher waits; news from before that are the interval's
        dovecot_server.append("INBOX", MESSAGE)
        ends = time.monotonic() + 20
        while not due_accounts(app):
            assert time.monotonic() < ends, "nobody woke the inbox"
            time.sleep(0.1)
    finally:
        watchers.stop()
    assert capture_account(app, 1).captured >= 1
    with reading(app.engine) as session:
        inbox = session.exec(select(Channel).where(Channel.source_id == "INBOX")).one()
    assert inbox.wake_at > app.clock.now() + timedelta(minutes=30)
