"""What left one account is told as it was, until somebody who still has it keeps it to themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.capture.deployment import (
    PEOPLE,
    capture,
    connect_files,
    deliver,
    deploy,
    message,
    rows,
)

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.clock import FixedClock
from autocapture.model.activities import Activity, CalendarItem, Participant
from autocapture.model.ledger import LedgerEntry, OutboxEntry
from autocapture.settings import load_settings
from autocapture.workflows.capture import capture_account
from autocapture.workflows.change_scope import Scope, change_scope

RUTH, SAM, _ = PEOPLE
KIM = "kim@customer.example"
EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nEND:VCALENDAR\r\n"
PRIVATE = "CLASS:PRIVATE\n"


def _calendar(*events: str) -> str:
    return EMPTY.replace("END:", "".join(events).replace("\n", "\r\n") + "END:")


def _event(extra: str = "", *, sequence: int = 1, more: str = "") -> str:
    return f"""BEGIN:VEVENT
UID:visit@customer.example
DTSTAMP:20261101T080000Z
CREATED:20261101T080000Z
SEQUENCE:{sequence}
DTSTART:20261102T090000Z
DTEND:20261102T100000Z
SUMMARY:Visit
ORGANIZER:mailto:{KIM}
ATTENDEE;PARTSTAT=ACCEPTED:mailto:{RUTH}
ATTENDEE;PARTSTAT=ACCEPTED:mailto:{SAM}
{more}{extra}END:VEVENT
"""


WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=2\n"
SECOND_IS_PRIVATE = _event(PRIVATE, more="RECURRENCE-ID:20261109T090000Z\n").replace(
    "START:20261102", "START:20261109"
)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock) -> Iterator[Application]:
    deploy(tmp_path / "home", clock=clock).engine.dispose()
    (tmp_path / "never.toml").write_text("")
    app = build(
        load_settings(
            {
                "AUTOCAPTURE_HOME": str(tmp_path / "home"),
                "AUTOCAPTURE_CAPTURE_EXCLUSIONS_FILE": str(tmp_path / "never.toml"),
            }
        ),
        clock,
    )
    yield app
    app.engine.dispose()


class Calendars:
    """One calendar for Ruth and one for Sam."""

    def __init__(self, app: Application, folder: Path, clock: FixedClock) -> None:
        self._app, self._clock = app, clock
        self._paths = {person: folder / f"{person}.ics" for person in (RUTH, SAM)}
        for path in self._paths.values():
            path.write_text(EMPTY)
        self._accounts = {
            person: connect_files(app, person, ics=path) for person, path in self._paths.items()
        }

    def hold(self, person: str, *events: str) -> None:
        """This person's calendar holds these events from now on, and is captured."""
        self._paths[person].write_text(_calendar(*events))
        self._clock.advance(timedelta(hours=1))
        capture(self._app, self._accounts[person])


@pytest.fixture
def calendars(app: Application, tmp_path: Path, clock: FixedClock) -> Calendars:
    return Calendars(app, tmp_path, clock)


def _nothing_is_told(app: Application) -> None:
    for model in (Activity, Participant, CalendarItem, OutboxEntry):
        assert rows(app, model) == [], model
    assert {(row["outcome"], row["series_id"], row["activity_id"]) for row in rows(app, LedgerEntry)} == {
        ("skipped", None, None)
    }


def _starts(app: Application) -> list[int]:
    return sorted(row["occurred_at"].day for row in rows(app, Activity))


def test_a_meeting_that_left_one_calendar_is_forgotten_when_the_other_copy_turns_private(
    app: Application, calendars: Calendars
) -> None:
    calendars.hold(RUTH, _event())
    calendars.hold(SAM, _event())
    calendars.hold(RUTH)
    assert _starts(app) == [2]
    calendars.hold(SAM, _event(PRIVATE, sequence=2))
    _nothing_is_told(app)


def test_a_private_copy_that_comes_later_has_what_left_before_forgotten(
    app: Application, calendars: Calendars
) -> None:
    calendars.hold(RUTH, _event())
    calendars.hold(RUTH)
    assert _starts(app) == [2]
    calendars.hold(SAM, _event(PRIVATE))
    _nothing_is_told(app)


def test_a_meeting_is_told_until_the_last_copy_that_may_be_told_leaves(
    app: Application, calendars: Calendars
) -> None:
    calendars.hold(SAM, _event(PRIVATE))
    calendars.hold(RUTH, _event())
    assert _starts(app) == [2]
    calendars.hold(RUTH)
    _nothing_is_told(app)


def test_a_calendar_that_is_deleted_tells_no_more_than_events_that_are(
    app: Application, tmp_path: Path, clock: FixedClock
) -> None:
    calendars = Calendars(app, tmp_path, clock)
    calendars.hold(SAM, _event(PRIVATE))
    folder = tmp_path / "of ruth"
    folder.mkdir()
    (folder / "work.ics").write_text(_calendar(_event()))
    (folder / "other.ics").write_text(EMPTY)
    ruth = connect_files(app, PEOPLE[2], ics=folder)
    capture(app, ruth)
    assert _starts(app) == [2]
    (folder / "work.ics").unlink()
    clock.advance(timedelta(hours=1))
    capture(app, ruth)
    _nothing_is_told(app)


def test_an_instance_that_is_private_where_it_still_is_is_told_by_nobody_who_has_left(
    app: Application, calendars: Calendars
) -> None:
    calendars.hold(RUTH, _event(more=WEEKLY))
    calendars.hold(SAM, _event(more=WEEKLY), SECOND_IS_PRIVATE)
    assert _starts(app) == [2, 9]
    calendars.hold(RUTH)
    assert _starts(app) == [2]


@pytest.mark.parametrize("what", ["meetings", "mails"])
def test_what_one_has_purged_is_not_told_by_who_left_while_another_keeps_it_to_themselves(
    app: Application, tmp_path: Path, clock: FixedClock, what: str
) -> None:
    accounts = []
    for person in PEOPLE:
        folder = tmp_path / what / person
        folder.mkdir(parents=True)
        (folder / "kept.ics").write_text(EMPTY)
        accounts.append(
            connect_files(app, person, ics=folder)
            if what == "meetings"
            else connect_files(app, person, eml=folder)
        )
    extras = ("", "", PRIVATE) if what == "meetings" else ("", "", "Sensitivity: Private\r\n")
    for person, account, extra in zip(PEOPLE, accounts, extras, strict=True):
        place = tmp_path / what / person
        if what == "meetings":
            (place / "work.ics").write_text(_calendar(_event(extra)))
        else:
            (place / "1.eml").write_bytes(message(1, to=f"{RUTH}, {SAM}", extra=extra))
        capture(app, account)
    for each in (tmp_path / what / RUTH).glob("[1w]*"):
        each.unlink()
    clock.advance(timedelta(hours=1))
    capture(app, accounts[0])
    assert len(rows(app, Activity)) == 1
    change_scope(app, accounts[1], Scope(date(2026, 11, 10), "subject"), purge=True)
    assert rows(app, Activity) == []


def test_what_left_everybody_stays_as_it_was_told(app: Application, calendars: Calendars) -> None:
    calendars.hold(RUTH, _event())
    calendars.hold(SAM, _event(PRIVATE))
    calendars.hold(SAM)
    calendars.hold(RUTH)
    assert _starts(app) == [2]


def test_a_mail_that_left_one_mailbox_is_forgotten_when_it_is_excluded_where_it_arrives(
    app: Application, tmp_path: Path
) -> None:
    """Also under another Message-ID, as a gateway gives it."""
    for person in (RUTH, SAM):
        deliver(tmp_path / person)
    ruth, sam = (connect_files(app, person, maildir=tmp_path / person) for person in (RUTH, SAM))
    mails = [message(number, to=f"{RUTH}, {SAM}") for number in (1, 2)]
    deliver(tmp_path / RUTH, *mails)
    capture(app, ruth)
    _empty(tmp_path / RUTH)
    capture(app, ruth)
    assert len(rows(app, Activity)) == 2
    (tmp_path / "never.toml").write_text('domains = ["customer.example"]\n')
    rewritten = mails[1].replace(b"Message-ID: <2@customer.example>", b"Message-ID: <2@gateway.example>")
    deliver(tmp_path / SAM, mails[0], rewritten)
    capture(app, sam)
    _nothing_is_told(app)


def test_a_mail_is_forgotten_when_it_leaves_for_where_it_is_excluded(
    app: Application, tmp_path: Path
) -> None:
    for person in (RUTH, SAM):
        deliver(tmp_path / person)
    ruth, sam = (connect_files(app, person, maildir=tmp_path / person) for person in (RUTH, SAM))
    deliver(tmp_path / RUTH, message(1, to=f"{RUTH}, {SAM}"))
    capture(app, ruth)
    (tmp_path / "never.toml").write_text('domains = ["customer.example"]\n')
    deliver(tmp_path / SAM, message(1, to=f"{RUTH}, {SAM}"))
    capture(app, sam)
    assert len(rows(app, Activity)) == 1, "what was captured before the list was changed stays until a resync"
    _empty(tmp_path / RUTH)
    capture(app, ruth)
    _nothing_is_told(app)


def test_a_meeting_that_is_no_meeting_where_it_still_is_is_none(
    app: Application, calendars: Calendars
) -> None:
    calendars.hold(RUTH, _event())
    calendars.hold(SAM, _event())
    calendars.hold(RUTH)
    calendars.hold(SAM, _event("TRANSP:TRANSPARENT\n", sequence=2))
    _nothing_is_told(app)


def test_a_resync_forgets_what_left_before_its_other_copy_was_excluded(
    app: Application, tmp_path: Path, calendars: Calendars
) -> None:
    calendars.hold(RUTH, _event())
    calendars.hold(SAM, _event())
    calendars.hold(RUTH)
    (tmp_path / "never.toml").write_text('domains = ["customer.example"]\n')
    for account in (1, 2):
        assert capture_account(app, account, resync=True).status == "ok"
    _nothing_is_told(app)


def _empty(maildir: Path) -> None:
    for each in (maildir / "cur").iterdir():
        each.unlink()
