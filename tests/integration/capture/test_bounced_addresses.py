"""Hard bounces mark the address, at the level at which texts are read; who writes from there again is reached again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select
from tests.integration.capture.deployment import capture, deploy

from autocapture.application import Application
from autocapture.connector import CaptureLevel
from autocapture.model.activities import Activity, ActivityText
from autocapture.model.crm import BouncedAddress
from autocapture.store.engine import reading, writing
from autocapture.store.unreachable import mark_bounced, unreachable
from autocapture.workflows.change_scope import Scope, change_scope
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.disconnecting import disconnect

BOUNCE = b"""Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.ours.example>
To: ruth@ours.example
Subject: Undelivered Mail Returned to Sender
Date: Mon, 16 Mar 2026 09:20:%02d +0100
Message-ID: <bounce.%d@mx.ours.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

<Kim@Customer.example>: host mx.customer.example said: %s
--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; Kim@Customer.example
Action: failed
Status: %s
Diagnostic-Code: smtp; %s
--b--
"""
UNKNOWN = (b"550 5.1.1 User unknown", b"5.1.1", b"550 5.1.1 User unknown")
FULL = (b"552 5.2.2 Mailbox full", b"5.2.2", b"552 5.2.2 Mailbox full")
KIM = b"From: Kim <kim@customer.example>\nTo: ruth@ours.example\nSubject: Hi\nDate: %s\nMessage-ID: <%d@c>\n\nHello\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("cur", "new", "tmp"):
        (tmp_path / "mail" / part).mkdir(parents=True)
    return tmp_path / "mail"


def _account(tmp_path: Path, folder: Path, level: CaptureLevel) -> tuple[Application, int]:
    app = deploy(tmp_path / "home")
    login = Login("ruth@ours.example", "files", {"maildir": str(folder)}, capture_level=level)
    return app, connect_account(app, login).account_id


def _deliver(folder: Path, number: int, message: bytes) -> None:
    (folder / "cur" / f"{number}.host:2,S").write_bytes(message.replace(b"\n", b"\r\n"))


def _marked(app: Application) -> dict[str, datetime]:
    with reading(app.engine) as session:
        return unreachable(session, {"kim@customer.example", "sam@ours.example"})


def test_a_hard_bounce_marks_the_address_and_leaves_nothing_else(tmp_path: Path, folder: Path) -> None:
    _deliver(folder, 1, BOUNCE % (1, 1, *UNKNOWN))
    app, account = _account(tmp_path, folder, "full")
    capture(app, account)
    assert _marked(app) == {"kim@customer.example": datetime(2026, 3, 16, 8, 20, 1, tzinfo=UTC)}
    with reading(app.engine) as session:
        assert session.exec(select(BouncedAddress.status)).all() == ["5.1.1"]
        assert session.exec(select(Activity)).all() == []
        assert session.exec(select(ActivityText)).all() == []


@pytest.mark.parametrize("level", ["metadata", "subject"])
def test_below_the_level_of_texts_no_bounce_is_read(
    tmp_path: Path, folder: Path, level: CaptureLevel
) -> None:
    _deliver(folder, 1, BOUNCE % (1, 1, *UNKNOWN))
    app, account = _account(tmp_path, folder, level)
    capture(app, account)
    assert _marked(app) == {}


def test_a_soft_bounce_marks_nobody_and_the_latest_hard_one_counts(tmp_path: Path, folder: Path) -> None:
    _deliver(folder, 1, BOUNCE % (30, 1, *FULL))
    app, account = _account(tmp_path, folder, "full")
    capture(app, account)
    assert _marked(app) == {}
    _deliver(folder, 2, BOUNCE % (40, 2, *UNKNOWN))
    _deliver(folder, 3, BOUNCE % (20, 3, *UNKNOWN))
    capture(app, account)
    assert _marked(app)["kim@customer.example"].second == 40
    _deliver(folder, 4, BOUNCE % (10, 4, *UNKNOWN))
    capture(app, account)
    assert _marked(app)["kim@customer.example"].second == 40


def test_the_latest_report_of_each_address_is_kept_on_either_database(either_app: Application) -> None:
    early, late = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    for told in (
        {"a@x.example": (late, "5.1.1"), "b@x.example": (early, "")},
        {"a@x.example": (early, "5.1.2")},
        {},
    ):
        with writing(either_app.engine) as session:
            mark_bounced(session, told)
    with reading(either_app.engine) as session:
        found = unreachable(session, ["a@x.example", "b@x.example", "c@x.example"])
    assert found == {"a@x.example": late, "b@x.example": early}


def test_who_writes_after_the_bounce_is_reached_again(tmp_path: Path, folder: Path) -> None:
    _deliver(folder, 1, BOUNCE % (1, 1, *UNKNOWN))
    _deliver(folder, 2, KIM % (b"Mon, 16 Mar 2026 08:00:00 +0100", 2))
    app, account = _account(tmp_path, folder, "full")
    capture(app, account)
    assert "kim@customer.example" in _marked(app)
    _deliver(folder, 3, KIM % (b"Tue, 17 Mar 2026 08:00:00 +0100", 3))
    capture(app, account)
    assert _marked(app) == {}


TO_KIM = (
    b"From: %s\nTo: kim@customer.example\nSubject: Hi\nDate: Mon, 16 Mar 2026 08:00:00 +0100\n"
    b"Message-ID: <%d@ours>\n\nHello\n"
)


@pytest.mark.parametrize("less", ["a lower level", "disconnected"])
def test_a_mark_goes_with_what_told_it_unless_it_is_kept(tmp_path: Path, folder: Path, less: str) -> None:
    _deliver(folder, 1, BOUNCE % (1, 1, *UNKNOWN))
    _deliver(folder, 2, TO_KIM % (b"ruth@ours.example", 2))
    app, account = _account(tmp_path, folder, "full")
    capture(app, account)
    for purge in (False, True):
        assert "kim@customer.example" in _marked(app)
        if less == "disconnected":
            disconnect(app, account, purge=purge)
        else:
            change_scope(app, account, Scope(None, "subject"), purge=purge)
    assert _marked(app) == {}


def test_a_mark_stays_where_another_account_could_have_been_told_the_same(
    tmp_path: Path, folder: Path
) -> None:
    _deliver(folder, 1, BOUNCE % (1, 1, *UNKNOWN))
    _deliver(folder, 2, TO_KIM % (b"ruth@ours.example", 2))
    app, account = _account(tmp_path, folder, "full")
    capture(app, account)
    sams = tmp_path / "sams"
    for part in ("cur", "new", "tmp"):
        (sams / part).mkdir(parents=True)
    _deliver(sams, 3, TO_KIM % (b"sam@ours.example", 3))
    login = Login("sam@ours.example", "files", {"maildir": str(sams)}, capture_level="full")
    other = connect_account(app, login).account_id
    capture(app, other)
    change_scope(app, account, Scope(None, "metadata"), purge=True)
    assert "kim@customer.example" in _marked(app)
    change_scope(app, other, Scope(None, "metadata"), purge=True)
    assert _marked(app) == {}
