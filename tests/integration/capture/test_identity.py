"""What is one activity and what is two, and what becomes of an activity whose source says something else now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from autocapture.connect.vault import Place
from autocapture.connector import CaptureLevel
from autocapture.model.activities import Activity, ActivityText, Participant
from autocapture.model.crm import Contact, ContactHandle
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import UserHandle
from autocapture.store.engine import writing
from autocapture.workflows.capture import capture_account
from autocapture.workflows.census import take_census
from autocapture.workflows.connect_account import Login, connect_account

RUTH, KIM = "ruth@ours.example", "kim@customer.example"


def _activities(app: Application) -> list[dict[str, Any]]:
    return sorted(rows(app, Activity), key=lambda row: (row["occurred_at"], row["dedupe_key"]))


def test_the_mails_of_a_program_with_one_constant_id_are_each_an_activity(tmp_path: Path) -> None:
    mails = [
        message(n, to="ruth@ours.example, sam@ours.example", message_id="ticket@system") for n in range(60)
    ]
    reports = [message(24 * n, subject="Usage report", message_id="report@system") for n in range(5)]
    told = []
    for number, order in enumerate(((0, 1), (1, 0))):
        folder = tmp_path / str(number)
        app = deploy(folder / "home")
        for place in order:
            maildir = folder / PEOPLE[place]
            deliver(maildir, *(mails[::-1] if place else mails + reports), at=1_794_500_000)
            capture(app, connect_files(app, PEOPLE[place], maildir=maildir))
        found = _activities(app)
        assert len(found) == 65
        told.append(sorted((row["subject"], row["occurred_at"]) for row in found))
        sightings = [row["activity_id"] for row in rows(app, LedgerEntry)]
        assert sum(sightings.count(row["id"]) == 2 for row in found) == 60
        app.engine.dispose()
    assert told[0] == told[1]


def test_a_stranger_who_reuses_the_id_of_our_mail_does_not_change_it(
    app: Application, tmp_path: Path
) -> None:
    ours = message(1, author=RUTH, to=KIM, subject="The offer", message_id="offer@ours.example")
    theirs = message(
        1, author="eve@elsewhere.example", to=RUTH, subject="The offer", message_id="offer@ours.example"
    )
    maildir = tmp_path / "Maildir"
    deliver(maildir, ours)
    account = connect_files(app, maildir=maildir)
    capture(app, account)
    deliver(maildir, theirs)
    capture(app, account)
    assert sorted(row["direction"] for row in _activities(app)) == ["inbound", "outbound"]


def _with_a_telephone(app: Application) -> Application:
    with writing(app.engine) as session:
        for value in ("+493012345601", "ext:12"):
            session.add(UserHandle(kind="phone", value=value, user_id=1))
    return app


def _call(number: str, to: str, start: str, seconds: int, call: str = "") -> str:
    return f"{number},+493012345601,{to},2026-11-{start}:00,{seconds},answered,{call}\n"


def _log(folder: Path, name: str, *lines: str) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calls.toml").write_text(CALLS_MAPPING)
    (folder / name).write_text(CALLS_HEADER + "".join(lines))
    return {"calls": folder / name, "mapping": folder / "calls.toml"}


def test_two_telephone_systems_that_both_count_from_one_are_two_sets_of_calls(tmp_path: Path) -> None:
    headquarters = [_call("1", "+4930111", "10 09:00", 60), _call("2", "+4930222", "10 10:00", 60)]
    branch = [_call("1", "+4930333", "10 09:03", 60), _call("2", "+4930222", "11 10:00", 60)]
    told = []
    for number, order in enumerate(((0, 1), (1, 0))):
        folder = tmp_path / str(number)
        app = _with_a_telephone(deploy(folder / "home"))
        logs = [_log(folder, "0.csv", *headquarters), _log(folder, "1.csv", *branch)]
        for place in order:
            capture(app, connect_files(app, PEOPLE[place], **logs[place]))
        told.append([row["occurred_at"] for row in _activities(app)])
        assert len(told[-1]) == 4
        app.engine.dispose()
    assert told[0] == told[1]


def test_one_call_in_two_logs_and_its_legs_are_one_activity_in_any_order(tmp_path: Path) -> None:
    legs = [_call("7", "+4930111", "10 09:00", 120, "7"), _call("8", "+4930111", "10 09:20", 300, "7")]
    for number, order in enumerate(((0, 1), (1, 0))):
        folder = tmp_path / str(number)
        app = _with_a_telephone(deploy(folder / "home"))
        logs = [_log(folder, "0.csv", legs[0]), _log(folder, "1.csv", *legs[::-1])]
        for place in order:
            capture(app, connect_files(app, PEOPLE[place], **logs[place]))
        (activity,) = _activities(app)
        assert (activity["occurred_at"].hour, activity["occurred_at"].minute, activity["duration_s"]) == (
            8,
            0,
            300,
        )
        app.engine.dispose()


def test_a_corrected_row_of_a_call_log_replaces_what_it_told_before(app: Application, tmp_path: Path) -> None:
    other = _call("2", "+4930222", "10 11:00", 60)
    _with_a_telephone(app)
    paths = _log(tmp_path, "calls.csv", _call("1", "+4930111", "10 09:00", 3600), other)
    account = connect_files(app, RUTH, **paths)
    capture(app, account)
    _log(tmp_path, "calls.csv", _call("1", "+4930999", "12 15:00", 30), other)
    capture(app, account)
    first, second = _activities(app)
    assert (second["occurred_at"].day, second["duration_s"]) == (12, 30)
    assert {row["address"] for row in rows(app, Participant) if row["activity_id"] == second["id"]} == {
        "+4930999",
        "+493012345601",
    }
    _log(tmp_path, "calls.csv", _call("1", "ext:12", "12 15:00", 30), other)
    capture(app, account)
    assert _activities(app) == [first], "among ourselves: nothing of the customer's call stays"


def _eml(folder: Path, name: str, raw: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(raw)
    return folder


PRIVATE = "Sensitivity: Private\r\n"


def test_a_mail_that_turned_private_takes_its_activity_with_the_last_mailbox_that_showed_it(
    app: Application, tmp_path: Path
) -> None:
    both = "ruth@ours.example, sam@ours.example"
    accounts = [
        connect_files(app, person, eml=_eml(tmp_path / person, "1.eml", message(1, to=both)))
        for person in PEOPLE[:2]
    ]
    answer = message(2, author=RUTH, to=KIM, extra="In-Reply-To: <1@customer.example>\r\n")
    _eml(tmp_path / RUTH, "2.eml", answer)
    for account in accounts:
        capture(app, account)
    assert len(_activities(app)) == 2
    _eml(tmp_path / RUTH, "1.eml", message(1, to=both, extra=PRIVATE))
    capture(app, accounts[0])
    assert len(_activities(app)) == 2, "Sam's copy is not private"
    _eml(tmp_path / PEOPLE[1], "1.eml", message(1, to=both, extra=PRIVATE))
    capture(app, accounts[1])
    assert [row["subject"] for row in _activities(app)] == ["number 2"]
    kept = everything(app)
    assert "number 1" not in repr(kept)
    assert {row["activity_id"] for row in kept["match"]} == {row["id"] for row in kept["activity"]}
    assert sorted(row["outcome"] for row in kept["ledger"]) == ["captured", "skipped", "skipped"]


def test_a_departed_copy_does_not_keep_what_turned_private(app: Application, tmp_path: Path) -> None:
    account = connect_files(app, eml=_eml(tmp_path / "mail", "1.eml", message(1)))
    capture(app, account)
    (tmp_path / "mail" / "1.eml").rename(tmp_path / "mail" / "2.eml")
    capture(app, account)
    _eml(tmp_path / "mail", "2.eml", message(1, extra=PRIVATE))
    capture(app, account)
    assert _activities(app) == []
    assert {(row["outcome"], row["activity_id"]) for row in rows(app, LedgerEntry)} == {("skipped", None)}


def test_a_corrected_mail_is_as_it_is_now(app: Application, tmp_path: Path) -> None:
    account = connect_files(
        app, eml=_eml(tmp_path / "mail", "1.eml", message(1, subject="Draft, private notes"))
    )
    _eml(tmp_path / "mail", "2.eml", message(2).replace(b"Message-ID: <2@customer.example>\r\n", b""))
    capture(app, account)
    corrected = message(30, author=RUTH, to=KIM, subject="The offer", message_id="1@customer.example")
    _eml(tmp_path / "mail", "1.eml", corrected)
    _eml(
        tmp_path / "mail",
        "2.eml",
        message(2, body="longer").replace(b"Message-ID: <2@customer.example>\r\n", b""),
    )
    capture(app, account)
    assert [(row["subject"], row["direction"]) for row in _activities(app)] == [
        ("number 2", "inbound"),
        ("The offer", "outbound"),
    ]


def test_of_what_is_not_captured_the_ledger_keeps_no_name(app: Application, tmp_path: Path) -> None:
    private = message(1, subject="Salary of Lee", message_id="salary-of-lee@ours.example", extra=PRIVATE)
    folder = _eml(tmp_path / "mail", "Salary of Lee.eml", private)
    _eml(
        folder, "Re- Salary of Lee.eml", private.replace(b"Message-ID: <salary-of-lee@ours.example>\r\n", b"")
    )
    event = "BEGIN:VEVENT\nUID:Salary of Lee\nDTSTART:20261110T090000Z\nCLASS:PRIVATE\nEND:VEVENT\n"
    (tmp_path / "calendar.ics").write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\n{event}END:VCALENDAR\n")
    account = connect_files(app, eml=folder, ics=tmp_path / "calendar.ics")
    capture(app, account)
    kept = everything(app)
    assert [row["outcome"] for row in kept["ledger"]] == ["skipped"] * 3
    assert "alary" not in repr(kept)
    assert sorted(row["message_hash"] is None for row in kept["ledger"]) == [False, False, True]
    assert all(channel.equal for channel in take_census(app, account))


def _texts(app: Application) -> dict[str, str]:
    """What is kept of texts, by subject."""
    subjects = {row["id"]: row["subject"] for row in rows(app, Activity)}
    return {
        subjects[row["activity_id"]]: app.vault.open(
            row["sealed"], Place("activity_text", row["activity_id"], "sealed")
        ).decode()
        for row in rows(app, ActivityText)
    }


def test_texts_are_kept_of_what_matched_and_of_nothing_else(app: Application, tmp_path: Path) -> None:
    with writing(app.engine) as session:  # a colleague who stands in the CRM too
        session.add(Contact(id=2, source_id="p2", name="Sam"))
        session.flush()
        session.add(ContactHandle(kind="email", value="sam@ours.example", contact_id=2))
    stranger = "both@stranger.example"
    mails = [
        message(1, body="about the offer"),
        message(2, author="lee@mail.customer.example", body="by registrable domain"),
        message(3, author="Kim <kim+crm@customer.example>", body="by tag"),
        message(4, author=stranger, to="ruth@ours.example, sam@ours.example", body="nobody's business"),
    ]
    deliver(tmp_path / "Maildir", *mails)
    login = Login(RUTH, "files", {"maildir": str(tmp_path / "Maildir")}, capture_level="full")
    account = connect_account(app, login).account_id
    capture(app, account)
    assert {subject: text.strip() for subject, text in _texts(app).items()} == {
        "number 1": "about the offer",
        "number 2": "by registrable domain",
        "number 3": "by tag",
    }
    assert len(rows(app, Activity)) == 4


def test_the_text_of_a_corrected_mail_is_the_corrected_one(app: Application, tmp_path: Path) -> None:
    folder = _eml(tmp_path / "mail", "1.eml", message(1, body="first"))
    login = Login(RUTH, "files", {"eml": str(folder)}, capture_level="full")
    account = connect_account(app, login).account_id
    capture(app, account)
    _eml(folder, "1.eml", message(1, body="second, and longer"))
    capture(app, account)
    assert _texts(app)["number 1"].strip() == "second, and longer"
    _eml(folder, "1.eml", message(1, body="third", extra=PRIVATE))
    capture(app, account)
    assert _texts(app) == {}


def test_a_mail_whose_identity_is_told_otherwise_when_all_is_read_again_leaves_no_activity_behind(
    app: Application, tmp_path: Path
) -> None:
    """Two mails under one id. The one without a date is told apart by its subject, which one of the accounts does not keep."""
    dated = message(1, subject="Offer", message_id="c@x")
    undated = b"\r\n".join(
        line for line in message(2, subject="Other", message_id="c@x").split(b"\r\n") if b"Date:" not in line
    )
    levels: tuple[tuple[str, CaptureLevel, list[bytes]], ...] = (
        (PEOPLE[0], "subject", [undated, dated, undated]),
        (PEOPLE[1], "full", [undated, dated]),
        (PEOPLE[2], "metadata", [dated, undated, dated, undated, dated]),
    )
    accounts = []
    for person, level, mails in levels:
        deliver(tmp_path / person, *mails)
        login = Login(person, "files", {"maildir": str(tmp_path / person)}, capture_level=level)
        accounts.append(connect_account(app, login).account_id)
    for account in accounts:
        capture(app, account)
    for account in (accounts[1], accounts[2], accounts[0], *accounts):
        assert capture_account(app, account, resync=True).status == "ok"
    for account in accounts * 2:
        capture(app, account)
    assert {row["activity_id"] for row in rows(app, LedgerEntry)} == {
        row["id"] for row in rows(app, Activity)
    }
