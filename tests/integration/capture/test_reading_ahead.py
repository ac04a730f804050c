"""A large capture reads one page ahead in a process of its own, and nothing of that shows in what comes out."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import (
    capture,
    connect_files,
    connect_imap,
    deliver,
    deploy,
    everything,
    message,
)
from tests.integration.capture.relay import Relay
from tests.peers.dovecot import Dovecot

from autocapture.admit.exclusions import Exclusions
from autocapture.application import Application
from autocapture.model.accounts import Account
from autocapture.model.directory import Colleague, Organization
from autocapture.store.engine import reading
from autocapture.workflows import pulling, reading_ahead
from autocapture.workflows.capture import capture_account
from autocapture.workflows.census import take_census
from autocapture.workflows.open_account import open_account
from autocapture.workflows.people import our_people
from autocapture.workflows.reading import Wanted
from autocapture.workflows.reading_ahead import ReadAhead
from autocapture.workflows.staging import Scope

MAILS = 600


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "PAGE_LIMIT", 50)
    monkeypatch.setattr(pulling, "WORTH_READING_AHEAD", 20)


class Watched:
    """An application whose reading process can be seen. `at_start` is called with each one."""

    def __init__(
        self, app: Application, at_start: Callable[[subprocess.Popen[bytes]], None] | None = None
    ) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.pages = 0
        start = app.start_reader
        assert start is not None

        def started() -> subprocess.Popen[bytes]:
            process = start()
            self.processes.append(process)
            if at_start is not None:
                at_start(process)
            return process

        self.app = replace(app, start_reader=started)

    def slowed(self, _channel: str, _items: int) -> None:
        """Gives the process time to connect, on a machine that is busy."""
        self.pages += 1
        time.sleep(0.1)


def _mails(count: int = MAILS) -> list[bytes]:
    """Threads, replies to what comes later, a copy, mail between colleagues, and one that cannot be read."""
    mails = []
    for number in range(count):
        answers = f"In-Reply-To: <{(number * 7) % count}@customer.example>\r\n" if number % 3 else ""
        author = "Sam <sam@ours.example>" if number % 10 == 0 else "Kim <kim@customer.example>"
        mails.append(message(number % (count - 5), author=author, extra=answers))
    return mails


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """What a capture that reads for itself makes of the mails."""
    folder = tmp_path_factory.mktemp("alone")
    app = replace(deploy(folder / "home"), start_reader=None)
    deliver(folder / "mail", *_mails())
    capture(app, connect_files(app, maildir=folder / "mail"))
    yield _comparable(app)
    app.engine.dispose()


def _comparable(app: Application) -> object:
    tables = everything(app)
    for line in tables["ledger"]:
        assert isinstance(line, dict)
        line.pop("message_hash")  # under a key of the deployment's own
    tables["ledger"].sort(key=lambda line: (line["channel_id"], line["source_id"]))
    return {name: rows for name, rows in tables.items() if name not in ("account", "credential", "channel")}


def _captured(folder: Path, watched: Watched) -> object:
    deliver(folder / "mail", *_mails())
    account = connect_files(watched.app, maildir=folder / "mail")
    report = capture_account(watched.app, account, progress=watched.slowed)
    assert report.status == "ok", report
    assert report.listed == MAILS
    return _comparable(watched.app)


def test_the_rows_are_the_same(app: Application, tmp_path: Path, expected: object) -> None:
    watched = Watched(app)
    assert _captured(tmp_path, watched) == expected
    (process,) = watched.processes
    assert process.poll() is not None, "the reading process outlives the capture"


def test_a_reading_process_that_is_killed_costs_nothing(
    app: Application, tmp_path: Path, expected: object
) -> None:
    watched = Watched(app)

    def kill(_channel: str, _items: int) -> None:
        watched.slowed(_channel, _items)
        if watched.pages == 8:
            watched.processes[0].kill()

    deliver(tmp_path / "mail", *_mails())
    account = connect_files(watched.app, maildir=tmp_path / "mail")
    assert capture_account(watched.app, account, progress=kill).status == "ok"
    assert _comparable(app) == expected
    assert len(watched.processes) == 1, "one that failed is not started again in the same capture"


def test_a_reading_process_that_never_starts_costs_nothing(
    app: Application, tmp_path: Path, expected: object
) -> None:
    assert _captured(tmp_path, Watched(app, at_start=lambda process: process.kill())) == expected


def test_a_reading_process_that_hangs_while_connecting_is_not_waited_for(
    app: Application, tmp_path: Path, expected: object
) -> None:
    watched = Watched(app, at_start=lambda process: os.kill(process.pid, signal.SIGSTOP))
    assert _captured(tmp_path, watched) == expected


def test_a_machine_that_starts_no_more_processes_captures_without(
    app: Application, tmp_path: Path, expected: object
) -> None:
    def full() -> subprocess.Popen[bytes]:
        raise BlockingIOError("as many processes as this machine allows")

    deliver(tmp_path / "mail", *_mails())
    alone = replace(app, start_reader=full)
    capture(alone, connect_files(alone, maildir=tmp_path / "mail"))
    assert _comparable(app) == expected


def test_an_answer_that_cannot_be_understood_costs_nothing(
    app: Application, tmp_path: Path, expected: object
) -> None:
    unknown = (
        "import sys; sys.stdout.write('cos\\nno_such_name\\n.'); sys.stdout.flush(); sys.stdin.buffer.read()"
    )

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", unknown], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    assert _captured(tmp_path, Watched(replace(app, start_reader=start))) == expected


def test_what_leaves_while_it_is_read_ahead_has_left_in_the_ledger(app: Application, tmp_path: Path) -> None:
    watched = Watched(app)
    deliver(tmp_path / "mail", message(5_000))
    account = connect_files(watched.app, maildir=tmp_path / "mail")
    capture(watched.app, account)
    deliver(tmp_path / "mail", *_mails())
    removed: list[Path] = []

    def remove(_channel: str, _items: int) -> None:
        """Takes away mails of the next page, which were read ahead and are not stored yet."""
        watched.slowed(_channel, _items)
        if watched.pages == 9:
            time.sleep(1)  # until they are read
            stored = {str(line["source_id"]) for line in everything(app)["ledger"]}
            files = sorted((tmp_path / "mail" / "cur").iterdir())
            removed.extend([file for file in files if file.name.partition(":")[0] not in stored][:3])
            for file in removed:
                file.unlink()

    assert capture_account(watched.app, account, progress=remove).status == "ok"
    assert len(removed) == 3
    assert all(counted.equal for counted in take_census(app, account))


def test_a_reading_process_that_stops_moving_is_ended(
    app: Application, tmp_path: Path, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_ahead, "_ANSWER_WITHIN", 2.0)
    watched = Watched(app)

    def stop(_channel: str, _items: int) -> None:
        watched.slowed(_channel, _items)
        if watched.pages == 8:
            os.kill(watched.processes[0].pid, signal.SIGSTOP)

    deliver(tmp_path / "mail", *_mails())
    account = connect_files(watched.app, maildir=tmp_path / "mail")
    assert capture_account(watched.app, account, progress=stop).status == "ok"
    assert _comparable(app) == expected
    assert watched.processes[0].poll() is not None


def test_a_small_capture_starts_no_process(app: Application, tmp_path: Path) -> None:
    watched = Watched(app)
    deliver(tmp_path / "mail", *_mails(60)[:15])
    capture(watched.app, connect_files(watched.app, maildir=tmp_path / "mail"))
    assert watched.processes == []


def test_a_capture_that_is_asked_to_stop_leaves_no_process(app: Application, tmp_path: Path) -> None:
    watched = Watched(app)
    deliver(tmp_path / "mail", *_mails())
    account = connect_files(watched.app, maildir=tmp_path / "mail")
    report = capture_account(
        watched.app, account, progress=watched.slowed, should_stop=lambda: watched.pages == 6
    )
    assert report.status == "stopped"
    assert watched.processes[0].poll() is not None
    capture(watched.app, account)  # and goes on where it stopped
    assert len(everything(app)["ledger"]) == MAILS


_KILLED_WHILE_READING_AHEAD = """
import os, signal, sys, time
from pathlib import Path
from tests.integration.capture.deployment import application
from autocapture.workflows.reading_ahead import ReadAhead

ahead = ReadAhead(application(Path(sys.argv[1])), 1)
ahead.start()
while not ahead.has_room():
    time.sleep(0.01)
print(ahead.process_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_reading_process_ends_with_its_parent(app: Application, tmp_path: Path) -> None:
    deliver(tmp_path / "mail", *_mails(60))
    assert connect_files(app, maildir=tmp_path / "mail") == 1
    parent = subprocess.run(
        [sys.executable, "-c", _KILLED_WHILE_READING_AHEAD, str(app.settings.home)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert parent.returncode == -signal.SIGKILL
    reader, deadline = Path("/proc") / parent.stdout.strip(), time.monotonic() + 20
    assert reader.name.isdigit()
    while reader.exists() and "(zombie)" not in (reader / "status").read_text():
        assert time.monotonic() < deadline, "it runs on"
        time.sleep(0.05)


def test_the_reading_process_ends_when_its_parent_dies_in_the_middle_of_asking(
    app: Application, tmp_path: Path
) -> None:
    deliver(tmp_path / "mail", *_mails(60))
    account = connect_files(app, maildir=tmp_path / "mail")
    assert app.start_reader is not None
    with app.start_reader() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pickle.dump(account, process.stdin)
        process.stdin.flush()
        assert pickle.load(process.stdout) is True
        request = pickle.dumps([str(number) for number in range(5_000)])
        process.stdin.write(request[: len(request) // 2])
        process.stdin.close()
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.mark.dovecot
def test_an_imap_mailbox_is_read_ahead_and_stays_as_it_was(
    app: Application, dovecot_server: Dovecot, tmp_path: Path, expected: object
) -> None:
    login = dovecot_server.new_user()
    maildir = dovecot_server.folder / "mail" / login / "Maildir"
    deliver(maildir, *_mails())
    for path in (maildir.parent, *maildir.parent.rglob("*")):
        os.chown(path, *_owner(dovecot_server))
    watched = Watched(app)
    account = connect_imap(watched.app, dovecot_server, login)
    report = capture_account(watched.app, account, progress=watched.slowed)
    assert (report.status, report.listed) == ("ok", MAILS)
    assert _threads(_comparable(app)) == _threads(expected)
    assert capture(app, account).listed == 0


@pytest.mark.dovecot
def test_a_server_that_ends_the_first_connection_for_a_second_one_is_captured_over_one(
    app: Application, dovecot_server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "FIRST_LIMIT", 30)
    login = dovecot_server.new_user()
    maildir = dovecot_server.folder / "mail" / login / "Maildir"
    deliver(maildir, *_mails())
    for path in (maildir.parent, *maildir.parent.rglob("*")):
        os.chown(path, *_owner(dovecot_server))
    relay = Relay(dovecot_server.port)
    relay.one_at_a_time = True
    watched = Watched(app)
    account = connect_imap(watched.app, dovecot_server, login, port=relay.port)
    relay.connections, sizes = 0, []

    def progress(_channel: str, items: int) -> None:
        sizes.append(items)
        if watched.processes:
            _wait_for(lambda: relay.connections > 1)

    try:
        report = capture_account(watched.app, account, progress=progress)
        assert (report.status, report.listed) == ("ok", MAILS), report
        assert len(watched.processes) == 1
        assert relay.connections == 3, "ours, the other one, and ours again"
        assert sizes.count(50) >= 10, "pages are as long as ever without it"
        assert all(counted.equal for counted in take_census(app, account))
    finally:
        relay.close()


def test_pages_that_nobody_collects_do_not_end_reading_ahead(app: Application, tmp_path: Path) -> None:
    """A cursor that expires leaves a page that was asked for and is never stored."""
    deliver(tmp_path / "mail", *_mails(60))
    account_id = connect_files(app, maildir=tmp_path / "mail")
    with reading(app.engine) as session:
        account = session.get_one(Account, account_id)
    scope = Scope(1, account_id, *_owner_and_people(app), Exclusions(), "subject", None)
    with open_account(app, account) as connection, ReadAhead(app, account_id) as ahead:
        (channel,) = connection.channels()
        ids = [item.id for item in connection.pull(channel, None, limit=9).items]
        ahead.start()
        _wait_for(ahead.has_room)
        for _ in range(5):
            assert ahead.has_room()
            ahead.forget(ahead.ask(Wanted(channel, ids, 1), scope))
        answers = ahead.collect(ahead.ask(Wanted(channel, ids[:3], 1), scope))
        assert answers is not None
        assert len(answers) == 3
        assert ahead.has_room()


def _owner_and_people(app: Application) -> tuple[Colleague, Organization]:
    people = our_people(app)
    return people.colleagues[1], people


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _threads(tables: Any) -> list[tuple[object, ...]]:
    return [(row["id"], row["thread_id"], row["subject"]) for row in tables["activity"]]


def _owner(server: Dovecot) -> tuple[int, int]:
    status = (server.folder / "mail").stat()
    return status.st_uid, status.st_gid
