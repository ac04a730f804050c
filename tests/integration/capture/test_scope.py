"""What is captured is chosen anew: what lies outside is kept or purged, and what others saw stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col, func
from tests.integration.capture.deployment import PEOPLE, capture, connect_files, deploy, settle
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, CalendarItem, Participation
from autocapture.model.ledger import LedgerEntry
from autocapture.model.measures import DirtyCell
from autocapture.store import leases
from autocapture.store.engine import reading, writing
from autocapture.workflows.change_scope import (
    Changed,
    Scope,
    change_scope,
    channel_ids,
    keeps_what_is_outside,
    scope_of,
)
from autocapture.workflows.channels import discover
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.open_account import open_account

RUTH, SAM = PEOPLE[:2]
OLD, NEW = "Mon, 02 Mar 2026 09:00:00 +0000", "Mon, 16 Nov 2026 09:00:00 +0000"


def mail(folder: Path, name: str, when: str, to: str = RUTH) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.eml").write_text(
        f"From: Kim <kim@customer.example>\r\nTo: {to}\r\nSubject: {name}\r\nDate: {when}\r\n"
        f"Message-ID: <{name}@customer.example>\r\n\r\nHello\r\n",
        encoding="utf-8",
    )


def meeting(folder: Path, name: str, start: str, rule: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\n"
        f"UID:{name}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{start}T090000Z\r\nDTEND:{start}T100000Z\r\n{rule}"
        f"SUMMARY:{name}\r\nORGANIZER:mailto:{RUTH}\r\nATTENDEE:mailto:kim@customer.example\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n",
        encoding="utf-8",
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Application]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    made = deploy(tmp_path / "home", url=url)
    yield made
    made.engine.dispose()


def kept(app: Application) -> set[str]:
    with reading(app.engine) as session:
        return {subject or "" for subject in session.scalars(select(col(Activity.subject)))}


def outcomes(app: Application, account_id: int) -> dict[tuple[str, str | None], int]:
    with reading(app.engine) as session:
        rows = session.execute(
            select(col(LedgerEntry.outcome), col(LedgerEntry.reason), func.count())
            .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
            .where(col(Channel.account_id) == account_id)
            .group_by(col(LedgerEntry.outcome), col(LedgerEntry.reason))
        )
        return {(outcome, reason): number for outcome, reason, number in rows}


def later(app: Application, account_id: int, *, purge: bool | None) -> Changed:
    return change_scope(app, account_id, Scope(date(2026, 11, 1), "subject"), purge=purge)


def test_purging_removes_what_nobody_else_saw_and_counts_anew(app: Application, tmp_path: Path) -> None:
    for name, when in (("mine", OLD), ("shared", OLD), ("new", NEW)):
        mail(tmp_path / "ruth", name, when, f"{RUTH}, {SAM}")
    mail(tmp_path / "sam", "shared", OLD, f"{RUTH}, {SAM}")
    ruth = connect_files(app, RUTH, eml=tmp_path / "ruth")
    sam = connect_files(app, SAM, eml=tmp_path / "sam")
    capture(app, ruth), capture(app, sam)
    settle(app)
    assert kept(app) == {"mine", "shared", "new"}
    assert later(app, ruth, purge=True).removed == 2
    assert kept(app) == {"shared", "new"}
    assert outcomes(app, ruth) == {("captured", None): 1, ("skipped", "out_of_scope"): 2}
    with reading(app.engine) as session:
        assert session.scalar(select(func.count()).select_from(DirtyCell)) != 0
        days = set(session.scalars(select(col(Participation.local_date))))
    assert days == {date(2026, 3, 2), date(2026, 11, 16)}
    capture(app, ruth), capture(app, sam)
    settle(app)
    assert kept(app) == {"shared", "new"}


def test_keeping_leaves_everything_also_when_all_is_settled(app: Application, tmp_path: Path) -> None:
    mail(tmp_path / "mail", "old", OLD)
    meeting(tmp_path / "cal", "weekly", "20260302", "RRULE:FREQ=WEEKLY;COUNT=4\r\n")
    mails = connect_files(app, RUTH, eml=tmp_path / "mail")
    events = connect_files(app, RUTH, ics=tmp_path / "cal")
    capture(app, mails), capture(app, events)
    settle(app)
    with reading(app.engine) as session:
        before = session.scalar(select(func.count()).select_from(Activity))
    later(app, mails, purge=False), later(app, events, purge=False)
    capture(app, mails), capture(app, events)
    settle(app)
    with reading(app.engine) as session:
        assert session.scalar(select(func.count()).select_from(Activity)) == before == 5


def test_what_was_kept_is_purged_by_the_same_scope_later(app: Application, tmp_path: Path) -> None:
    for folder, name, when in ((".", "old", OLD), (".", "new", NEW), ("Sub", "aside", NEW)):
        mail(tmp_path / "mail" / folder, name, when)
    account = connect_files(app, RUTH, eml=tmp_path / "mail")
    capture(app, account)
    scope = Scope(date(2026, 11, 1), "metadata")
    change_scope(app, account, scope, purge=False)
    assert kept(app) == {"old", "new", "aside"}
    assert _keeps_more(app, account)
    assert change_scope(app, account, scope, purge=True).removed == 1
    assert kept(app) == {""}
    assert not _keeps_more(app, account)
    assert change_scope(app, account, scope, purge=True).removed == 0
    capture(app, account)
    assert kept(app) == {""}


def test_occurrences_that_were_kept_are_purged_later(app: Application, tmp_path: Path) -> None:
    meeting(tmp_path / "cal", "weekly", "20261019", "RRULE:FREQ=WEEKLY;COUNT=4\r\n")
    account = connect_files(app, RUTH, ics=tmp_path / "cal")
    capture(app, account)
    for purge, left in ((False, 4), (True, 2)):
        later(app, account, purge=purge)
        settle(app)
        with reading(app.engine) as session:
            assert session.scalar(select(func.count()).select_from(Activity)) == left
        assert _keeps_more(app, account) is not purge


def _keeps_more(app: Application, account_id: int) -> bool:
    with reading(app.engine) as session:
        account = session.get_one(Account, account_id)
    return keeps_what_is_outside(app, account)


def test_of_a_series_the_occurrences_before_the_bound_are_purged(app: Application, tmp_path: Path) -> None:
    meeting(tmp_path / "cal", "weekly", "20261019", "RRULE:FREQ=WEEKLY;COUNT=4\r\n")
    meeting(tmp_path / "cal", "single", "20260302")
    account = connect_files(app, RUTH, ics=tmp_path / "cal")
    capture(app, account)
    settle(app)
    with reading(app.engine) as session:
        assert session.scalar(select(func.count()).select_from(Activity)) == 5
    later(app, account, purge=True)
    with reading(app.engine) as session:
        left = sorted(session.scalars(select(col(Activity.occurred_at))))
        assert session.scalar(select(func.count()).select_from(CalendarItem)) == 1
    assert [each.date() for each in left] == [date(2026, 11, 2), date(2026, 11, 9)]


def test_less_is_not_decided_for_its_owner(app: Application, tmp_path: Path) -> None:
    mail(tmp_path / "mail", "old", OLD)
    account = connect_files(app, RUTH, eml=tmp_path / "mail")
    later(app, account, purge=None)  # nothing was captured yet
    change_scope(app, account, Scope(None, "subject"))
    capture(app, account)
    with pytest.raises(InputError, match="kept or purged"):
        later(app, account, purge=None)
    with pytest.raises(InputError, match="kept or purged"):
        change_scope(app, account, Scope(None, "metadata"))
    assert scope_of(app, account) == Scope(None, "subject")


def test_a_lower_level_takes_subjects_out_or_leaves_them(app: Application, tmp_path: Path) -> None:
    mail(tmp_path / "mail", "old", OLD)
    account = connect_files(app, RUTH, eml=tmp_path / "mail")
    capture(app, account)
    change_scope(app, account, Scope(None, "metadata"), purge=False)
    assert kept(app) == {"old"}
    change_scope(app, account, Scope(None, "subject"))
    change_scope(app, account, Scope(None, "metadata"), purge=True)
    assert kept(app) == {""}


def test_a_channel_that_is_left_out_is_not_read_and_comes_back_whole(
    app: Application, tmp_path: Path
) -> None:
    mail(tmp_path / "mail", "old", OLD)
    meeting(tmp_path / "cal", "single", "20261116")
    options = {"eml": str(tmp_path / "mail"), "ics": str(tmp_path / "cal")}
    account = connect_account(app, Login(RUTH, "files", options)).account_id
    capture(app, account)
    settle(app)
    assert kept(app) == {"old", "single"}
    with reading(app.engine) as session:
        name = session.scalars(select(col(Channel.name)).where(col(Channel.kind) == "email")).one()
    ids = channel_ids(app, account, [name])
    assert change_scope(app, account, Scope(None, "subject", ids), purge=True).removed == 1
    mail(tmp_path / "mail", "another", NEW)
    capture(app, account)
    assert kept(app) == {"single"}
    change_scope(app, account, Scope(None, "subject"))
    capture(app, account)
    assert kept(app) == {"old", "another", "single"}


def test_whoever_is_reading_meanwhile_stores_nothing_by_the_scope_of_before(
    app: Application, tmp_path: Path
) -> None:
    mail(tmp_path / "mail", "old", OLD)
    account_id = connect_files(app, RUTH, eml=tmp_path / "mail")
    with writing(app.engine) as session:
        account = session.get_one(Account, account_id)
        lease = leases.claim(session, account_id, "somebody", app.clock.now())
    assert lease is not None
    later(app, account_id, purge=None)
    with open_account(app, account) as connection, pytest.raises(Exception, match="taken over"):
        discover(app, lease, connection)
    capture(app, account_id)
    assert outcomes(app, account_id) == {("skipped", "before_since"): 1}
