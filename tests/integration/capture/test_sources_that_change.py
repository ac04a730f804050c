"""A file or folder of an account that is no longer what it was costs its own channels alone, and they say so."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.capture.deployment import (
    CALLS_HEADER,
    CALLS_MAPPING,
    capture,
    connect_files,
    deliver,
    deploy,
    message,
    rows,
    settle,
)

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import SetupError
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity
from autocapture.model.ledger import LedgerEntry
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.census import take_census

VISIT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:visit
DTSTAMP:20261101T080000Z
DTSTART:20261204T090000Z
DTEND:20261204T100000Z
SUMMARY:Visit
ORGANIZER:mailto:ruth@ours.example
ATTENDEE:mailto:kim@customer.example
END:VEVENT
END:VCALENDAR
"""
CALL = "1,+31201234567,+31301234567,2026-11-19 09:00:00,60,answered,1\n"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock) -> Iterator[Application]:
    """With an account of every kind of file."""
    app = deploy(tmp_path / "home", clock=clock)
    deliver(tmp_path / "mail", message(1))
    for folder in ("single", "folder"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "work.ics").write_text(VISIT.replace("UID:visit", f"UID:{folder}"))
    (tmp_path / "calls.csv").write_text(CALLS_HEADER + CALL)
    (tmp_path / "mapping.toml").write_text(CALLS_MAPPING)
    yield app
    app.engine.dispose()


def _text(path: Path) -> None:
    path.write_text("<!doctype html><title>Sign in</title>")


def _file(path: Path) -> None:
    shutil.rmtree(path)
    _text(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _columns(path: Path) -> None:
    path.write_text(CALLS_HEADER.replace("start,", "begin,") + CALL)


@pytest.mark.parametrize(
    ("ics", "bent", "bend", "said"),
    [
        ("single/work.ics", "single/work.ics", _text, "work: {} is not an iCalendar file"),
        ("single/work.ics", "single/work.ics", _folder, "work: {} is not an iCalendar file: it is a folder"),
        ("folder", "folder", _file, "work: {} is not an iCalendar file"),
        ("folder", "folder/work.ics", _text, "the calendar work cannot be read: it is not an iCalendar file"),
        ("folder", "calls.csv", _columns, "calls.csv: {}: the call log's header has no column start"),
        ("folder", "calls.csv", _folder, "calls.csv: {} is not a call log: it is a folder"),
    ],
)
def test_a_source_that_became_something_else_costs_its_own_channel_alone(
    app: Application,
    tmp_path: Path,
    clock: FixedClock,
    ics: str,
    bent: str,
    bend: Callable[[Path], None],
    said: str,
) -> None:
    account = connect_files(
        app,
        maildir=tmp_path / "mail",
        ics=tmp_path / ics,
        calls=tmp_path / "calls.csv",
        mapping=tmp_path / "mapping.toml",
    )
    capture(app, account)
    settle(app)
    before = rows(app, Activity)
    assert len(before) == 3
    bend(tmp_path / bent)
    for number in (2, 3):
        deliver(tmp_path / "mail", message(number))
        clock.advance(timedelta(hours=1))
        report = capture_account(app, account)
        assert (report.status, report.captured) == ("incomplete", 1)
        assert said.format(tmp_path / bent) in (report.why or "")
    settle(app)
    kept = {row["id"]: row["status"] for row in rows(app, Activity)}
    assert {row["id"]: row["status"] for row in before}.items() <= kept.items()
    assert all(row["gone_at"] is None for row in rows(app, LedgerEntry))
    assert [row["fails"] for row in rows(app, Account)] == [0]
    assert sum(row["last_error"] is not None for row in rows(app, Channel)) == 1
    assert all(row["enabled"] for row in rows(app, Channel))


def test_the_only_source_of_an_account_is_asked_again_as_soon_as_any_other(
    app: Application, tmp_path: Path, clock: FixedClock
) -> None:
    """Nothing else is wrong with the account, so it does not wait ever longer."""
    path = tmp_path / "single" / "work.ics"
    account = connect_files(app, ics=path)
    capture(app, account)
    kept = path.read_text()
    _text(path)
    for _ in range(8):
        clock.advance(timedelta(minutes=5))
        assert due_accounts(app) == [account]
        report = capture_account(app, account)
        assert (report.status, "is not an iCalendar file" in (report.why or "")) == ("incomplete", True)
    path.write_text(kept.replace("UID:single", "UID:another"))
    clock.advance(timedelta(minutes=5))
    assert due_accounts(app) == [account]
    assert capture_account(app, account).status == "ok"
    assert [row["why"] for row in rows(app, Account)] == [None]


def test_a_source_that_is_unusable_when_it_is_connected_is_refused(app: Application, tmp_path: Path) -> None:
    _columns(tmp_path / "calls.csv")
    with pytest.raises(SetupError, match=r"calls\.csv: the call log's header has no column start"):
        connect_files(
            app, maildir=tmp_path / "mail", calls=tmp_path / "calls.csv", mapping=tmp_path / "mapping.toml"
        )
    assert rows(app, Account) == []


def test_a_census_says_what_cannot_be_listed_and_takes_nothing_for_gone(
    app: Application, tmp_path: Path
) -> None:
    account = connect_files(app, maildir=tmp_path / "mail", ics=tmp_path / "single" / "work.ics")
    capture(app, account)
    _text(tmp_path / "single" / "work.ics")
    found = {each.channel: each for each in take_census(app, account)}
    assert (found["INBOX"].missing, found["INBOX"].left) == ((), ())
    assert "is not an iCalendar file" in (found["work"].left_out or "")
    assert found["work"].left == ()
