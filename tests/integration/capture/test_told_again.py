"""What was captured from several mailboxes or logs, read again after something changed: it is as if read for the first time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, delete
from tests.integration.capture.deployment import (
    CALLS_HEADER,
    CALLS_MAPPING,
    PEOPLE,
    capture,
    connect_files,
    deliver,
    deploy,
    everything,
    message,
    rows,
)

from autocapture.application import Application
from autocapture.model.accounts import Account
from autocapture.model.activities import Activity, Participant
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User, UserHandle
from autocapture.store.engine import writing
from autocapture.workflows.capture import capture_account

RUTH, SAM, TINA = PEOPLE
KIM = "kim@customer.example"
OLD = "ruth@before-the-merger.example"
TABLES = ("activity", "participant", "participation", "match", "thread_key")


def _own(app: Application, *values: str, user: int = 1, kind: str = "email") -> None:
    with writing(app.engine) as session:
        for value in values:
            session.add(UserHandle(kind=kind, value=value, user_id=user))


def _disown(app: Application, value: str) -> None:
    with writing(app.engine) as session:
        session.execute(delete(UserHandle).where(col(UserHandle.value) == value))


def _again(app: Application, account: int) -> None:
    report = capture_account(app, account, resync=True)
    assert report.status == "ok", report


def _mailboxes(app: Application, folder: Path, mail: bytes, *others: bytes) -> list[int]:
    """The mail in Ruth's mailbox and, with what else is given, in Sam's and Tina's."""
    accounts = []
    for person, held in zip(PEOPLE, (mail, *others), strict=False):
        deliver(folder / person, held)
        accounts.append(connect_files(app, person, maildir=folder / person))
    return accounts


def _told(app: Application) -> dict[str, Any]:
    found = everything(app)
    return {name: found[name] for name in TABLES}


WRITTEN = message(1, author=f"Ruth <{OLD}>", to=f"{KIM}, {SAM}", extra="Bcc: lee@partner.example\r\n")
SEEN = WRITTEN.replace(b"Bcc: lee@partner.example\r\n", b"")


def _gets_an_alias(app: Application) -> None:
    _own(app, OLD)


def _loses_an_address(app: Application) -> None:
    _disown(app, SAM)
    with writing(app.engine) as session:
        session.get_one(User, 2).email = "sam@new.example"
        session.flush()
        session.add(UserHandle(kind="email", value="sam@new.example", user_id=2))


def _passes_an_address_on(app: Application) -> None:
    _disown(app, SAM)
    _own(app, SAM, user=3)


def _moves_to_tokyo(app: Application) -> None:
    with writing(app.engine) as session:
        session.get_one(User, 2).time_zone = "Asia/Tokyo"


LATE = message(13, author=KIM, to=f"{RUTH}, {SAM}")
FOR_ANOTHER = message(1, author="sales@ours.example", to=KIM, extra=f"Sender: {SAM}\r\nCc: {RUTH}\r\n")


@pytest.mark.parametrize(
    ("change", "copies"),
    [
        pytest.param(_gets_an_alias, (WRITTEN, SEEN), id="an alias"),
        pytest.param(_loses_an_address, (SEEN, SEEN, SEEN), id="another address"),
        pytest.param(_passes_an_address_on, (SEEN, SEEN), id="an address passed on"),
        pytest.param(_passes_an_address_on, (FOR_ANOTHER, FOR_ANOTHER), id="a sender passed on"),
        pytest.param(_moves_to_tokyo, (LATE, LATE), id="a time zone"),
    ],
)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)], ids=["forwards", "backwards"])
def test_mail_of_several_mailboxes_is_judged_by_our_people_as_they_are_now(
    change: Callable[[Application], None], copies: tuple[bytes, ...], order: tuple[int, ...], tmp_path: Path
) -> None:
    app, fresh = (deploy(tmp_path / name) for name in ("home", "fresh"))
    connected = _mailboxes(fresh, tmp_path / "mail", *copies)
    change(fresh)
    for account in connected:
        capture(fresh, account)
    accounts = _mailboxes(app, tmp_path / "again", *copies)
    for account in accounts:
        capture(app, account)
    before = _told(app)
    change(app)
    told = []
    for place in order[: len(accounts)] if order[0] == 0 else order[-len(accounts) :]:
        _again(app, accounts[place])
        told.append(_told(app))
    assert before != _told(fresh)
    assert told == [_told(fresh)] * len(told), "already when one of them has been read"
    app.engine.dispose()
    fresh.engine.dispose()


def test_a_mailbox_that_is_captured_later_is_joined_to_what_our_people_are_now(
    app: Application, tmp_path: Path
) -> None:
    accounts = _mailboxes(app, tmp_path, WRITTEN, SEEN)
    capture(app, accounts[0])
    assert [row["direction"] for row in rows(app, Activity)] == ["inbound"]
    _own(app, OLD)
    capture(app, accounts[1])
    (activity,) = rows(app, Activity)
    assert activity["direction"] == "outbound"
    assert {row["address"] for row in rows(app, Participant) if row["role"] == "bcc"} == {
        "lee@partner.example"
    }


def _eml(folder: Path, raw: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1.eml").write_bytes(raw)
    return folder


def test_of_a_mail_that_is_corrected_in_each_mailbox_nothing_of_the_old_form_stays(
    app: Application, tmp_path: Path
) -> None:
    wrong = message(1, author=RUTH, to=KIM, subject="Offer", extra=f"Cc: {SAM}, max@auditor.example\r\n")
    right = message(1, author=RUTH, to=KIM, subject="The offer, corrected", extra=f"Cc: {SAM}\r\n")
    accounts = [connect_files(app, each, eml=_eml(tmp_path / each, wrong)) for each in (RUTH, SAM)]
    for account in accounts:
        capture(app, account)
    for each, account in zip((RUTH, SAM), accounts, strict=True):
        _eml(tmp_path / each, right)
        capture(app, account)
    capture(app, accounts[0])
    assert [row["subject"] for row in rows(app, Activity)] == ["The offer, corrected"]
    assert "max@auditor.example" not in repr(everything(app))
    assert {row["reason"] for row in rows(app, LedgerEntry)} == {None}


def test_what_only_a_copy_told_that_turned_private_does_not_stay(app: Application, tmp_path: Path) -> None:
    sent = message(1, author=RUTH, to=f"{KIM}, {SAM}", extra="Bcc: lee@partner.example\r\n")
    seen = sent.replace(b"Bcc: lee@partner.example\r\n", b"")
    accounts = [
        connect_files(app, person, eml=_eml(tmp_path / person, raw))
        for person, raw in ((RUTH, sent), (SAM, seen))
    ]
    for account in accounts:
        capture(app, account)
    private = message(1, author=RUTH, to=f"{KIM}, {SAM}", extra="Sensitivity: Private\r\n")
    _eml(tmp_path / RUTH, private)
    for account in accounts:
        capture(app, account)
    assert len(rows(app, Activity)) == 1, "Sam's copy is not private"
    assert "lee@partner.example" not in repr(everything(app))


# ---- calls of several rows ----

LINES = {1: "+493012345601", 2: "+493012345602"}


def _leg(number: int, to: str, start: str, seconds: int, *, user: int = 1, call: str = "7") -> str:
    return f"{number},{LINES[user]},{to},2026-11-{start}:00,{seconds},answered,{call}\n"


def _log(folder: Path, *lines: str) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calls.toml").write_text(CALLS_MAPPING)
    (folder / "calls.csv").write_text(CALLS_HEADER + "".join(lines))
    return {"calls": folder / "calls.csv", "mapping": folder / "calls.toml"}


FIRST = _leg(1, "+4930111", "10 09:00", 900)
SECOND = _leg(2, "+4930111", "10 09:15", 300)
PASSED_ON = _leg(3, "+4930111", "10 09:20", 60, user=2)
OTHER = _leg(9, "+4930222", "10 11:00", 60, call="")

CORRECTED = {
    "another number": _leg(1, "+4930999", "10 09:00", 900),
    "a shorter talk": _leg(1, "+4930111", "10 09:10", 30),
    "another day": _leg(1, "+4930111", "12 09:00", 900),
    "a call of its own": _leg(1, "+4930111", "10 09:00", 900, call=""),
}


def _telephones(home: Path) -> Application:
    app = deploy(home)
    for user, number in LINES.items():
        _own(app, number, user=user, kind="phone")
    return app


@pytest.mark.parametrize("correction", CORRECTED)
@pytest.mark.parametrize("logs", ["one log", "two logs"])
def test_a_call_of_several_rows_is_told_by_their_present_form(
    correction: str, logs: str, tmp_path: Path
) -> None:
    corrected = CORRECTED[correction]
    told = []
    for name, versions in (("home", (FIRST, corrected)), ("fresh", (corrected,))):
        app, folder = _telephones(tmp_path / name / "home"), tmp_path / name
        accounts: list[int] = []
        for first in versions:
            ours, theirs = [first, SECOND, OTHER], [PASSED_ON]
            if logs == "one log":
                ours, theirs = ours + theirs, []
            paths = [_log(folder / str(place), *held) for place, held in enumerate((ours, theirs))]
            if not accounts:
                accounts = [connect_files(app, PEOPLE[n], **each) for n, each in enumerate(paths)]
            for account in accounts:
                capture(app, account)
        told.append((_told(app), {row["reason"] for row in rows(app, LedgerEntry)}))
        app.engine.dispose()
    assert told[0] == told[1]


def test_a_call_of_two_logs_is_judged_by_our_people_as_they_are_now(tmp_path: Path) -> None:
    app, fresh = (_telephones(tmp_path / name / "home") for name in ("home", "fresh"))
    _own(fresh, "+4930111", user=3, kind="phone")
    for each, name in ((app, "home"), (fresh, "fresh")):
        paths = [
            _log(tmp_path / name / str(n), *held) for n, held in enumerate(([FIRST, OTHER], [PASSED_ON]))
        ]
        accounts = [connect_files(each, PEOPLE[n], **path) for n, path in enumerate(paths)]
        for account in accounts:
            capture(each, account)
    _own(app, "+4930111", user=3, kind="phone")
    for account in accounts:
        _again(app, account)
    for account in accounts:
        capture(app, account)
    assert _told(app) == _told(fresh)
    app.engine.dispose()
    fresh.engine.dispose()


def test_a_leg_in_the_log_of_an_account_that_is_not_captured_is_kept(tmp_path: Path) -> None:
    app = _telephones(tmp_path / "home")
    paths = [_log(tmp_path / str(n), *held) for n, held in enumerate(([FIRST], [PASSED_ON]))]
    accounts = [connect_files(app, PEOPLE[n], **each) for n, each in enumerate(paths)]
    for account in accounts:
        capture(app, account)
    with writing(app.engine) as session:
        session.get_one(Account, accounts[1]).state = "paused"
    _log(tmp_path / "0", CORRECTED["a shorter talk"])
    capture(app, accounts[0])
    assert {row["address"] for row in rows(app, Participant)} == {"+4930111", *LINES.values()}
    app.engine.dispose()
