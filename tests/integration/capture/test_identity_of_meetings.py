"""Which calendar entries are one meeting, and what of a meeting must not stay."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import (
    PEOPLE,
    application,
    capture,
    deploy,
    everything,
    rows,
    settle,
)

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.activities import Activity, Match
from autocapture.model.crm import Company, CompanyDomain, Deal
from autocapture.store.engine import writing
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.listings import Selection, list_activities

BEGUN = datetime(2026, 9, 1, tzinfo=UTC)

EVENT = """BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T080000Z
DTSTART:{start}
DTEND:{end}
SUMMARY:{title}
ORGANIZER:mailto:{organizer}
ATTENDEE;PARTSTAT=ACCEPTED:mailto:{guest}
{more}END:VEVENT
"""


def _event(
    title: str,
    *,
    day: int = 10,
    uid: str = "1",
    organizer: str = PEOPLE[0],
    guest: str = "kim@customer.example",
    more: str = "",
) -> str:
    return EVENT.format(
        uid=uid,
        start=f"202611{day:02}T090000Z",
        end=f"202611{day:02}T100000Z",
        title=title,
        organizer=organizer,
        guest=guest,
        more=more,
    )


def _calendar(path: Path, *events: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n" + "".join(events) + "END:VCALENDAR\n"
    path.write_text(text.replace("\n", "\r\n"))
    return path


def _connect(app: Application, user: str, path: Path, since: date | None = None) -> int:
    return connect_account(app, Login(user, "files", {"ics": str(path)}, since=since)).account_id


def _meetings(app: Application) -> list[dict[str, Any]]:
    kept = ("dedupe_key", "occurred_at", "subject", "status")
    found = [{name: row[name] for name in kept} for row in rows(app, Activity)]
    return sorted(found, key=lambda row: (row["occurred_at"], row["dedupe_key"]))


def test_meetings_with_nobody_in_common_are_not_one_for_sharing_a_uid(tmp_path: Path) -> None:
    told = []
    for number, order in enumerate(permutations(range(3))):
        folder = tmp_path / str(number)
        app = deploy(folder / "home")
        calendars = (
            [_event("Renewal"), _event("Kick-off", uid="2", guest="sam@ours.example\nATTENDEE:mailto:kim@customer.example")],
            [_event("Demo", day=12, organizer=PEOPLE[1], guest="lee@partner.example"), _event("Kick-off", uid="2")],
            [_event("Audit", day=10, organizer="max@auditor.example", guest=PEOPLE[2])],
        )  # fmt: skip
        accounts = [
            _connect(app, person, _calendar(folder / person / "calendar.ics", *events))
            for person, events in zip(PEOPLE, calendars, strict=True)
        ]
        for place in order:
            capture(app, accounts[place])
        told.append(_meetings(app))
        titles = sorted(row["subject"] for row in told[-1])
        assert titles == ["Audit", "Demo", "Kick-off", "Renewal"]
        app.engine.dispose()
    assert all(each == told[0] for each in told)


def _sightings(app: Application) -> dict[str, list[int]]:
    return {
        f"{row['subject']} {row['occurred_at']:%d}": [each["account"] for each in row["sightings"]]
        for row in list_activities(app, Selection())
    }


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["forwards", "backwards"])
def test_two_series_with_one_uid_are_two_series_until_one_of_them_is_gone(
    order: tuple[int, int], tmp_path: Path
) -> None:
    clock = FixedClock(datetime(2026, 11, 5, tzinfo=UTC))
    app = deploy(tmp_path / "home", clock=clock)
    with writing(app.engine) as session:
        session.add(Company(id=2, source_id="c2", name="Partner"))
        session.flush()
        session.add(CompanyDomain(domain="partner.example", company_id=2))
        for number, company in ((1, 1), (2, 2)):
            name = ("Renewal", "Demo")[number - 1]
            deal = {"id": number, "source_id": f"d{number}", "name": name, "company_id": company}
            session.add(Deal(**deal, created_at=BEGUN, created_on=BEGUN.date()))
    weekly = "RRULE:FREQ=WEEKLY;COUNT=2\n"
    ours = _event("Renewal", more=weekly)
    theirs = _event("Demo", day=11, organizer=PEOPLE[1], guest="lee@partner.example", more=weekly)
    paths = [
        _calendar(tmp_path / person / "calendar.ics", event)
        for person, event in zip(PEOPLE, (ours, theirs), strict=False)
    ]
    accounts = [_connect(app, person, path) for person, path in zip(PEOPLE, paths, strict=False)]
    for place in order:
        capture(app, accounts[place])
    apart = {"Renewal 10": [1], "Demo 11": [2], "Renewal 17": [1], "Demo 18": [2]}
    by_account = {accounts[0]: 1, accounts[1]: 2}
    assert {key: [by_account[each] for each in seen] for key, seen in _sightings(app).items()} == apart
    series = {row["subject"]: row["series_id"] for row in rows(app, Activity)}
    assert series["Renewal"] != series["Demo"]
    about = sorted(row["target_id"] for row in rows(app, Match) if row["target"] == "deal")
    assert about == [1, 1, 2, 2], "a date goes on with its own series"
    app.engine.dispose()
    app = application(tmp_path / "home", clock=FixedClock(datetime(2026, 11, 12, tzinfo=UTC)))
    settle(app)
    assert [row["status"] for row in rows(app, Activity)].count("held") == 2
    assert {key: [by_account[each] for each in seen] for key, seen in _sightings(app).items()} == apart
    _calendar(paths[1], theirs.replace("END:VEVENT", "CLASS:PRIVATE\nEND:VEVENT"))
    capture(app, accounts[1])
    assert {row["subject"] for row in rows(app, Activity)} == {"Renewal"}
    fresh = deploy(tmp_path / "fresh", clock=app.clock)
    capture(fresh, _connect(fresh, PEOPLE[0], paths[0]))
    assert [row["series_id"] for row in rows(app, Activity)] == [
        row["series_id"] for row in rows(fresh, Activity)
    ]
    assert _sightings(app).keys() == _sightings(fresh).keys()
    for each in (app, fresh):
        each.engine.dispose()


def test_a_private_date_of_a_public_series_is_stored_without_what_it_is_about(
    app: Application, tmp_path: Path
) -> None:
    series = _event("Weekly call", more="RRULE:FREQ=WEEKLY;COUNT=3\n")
    private = _event(
        "Salary of Lee",
        day=18,
        guest="doctor@clinic.example",
        more="RECURRENCE-ID:20261117T090000Z\nCLASS:PRIVATE\n",
    )
    account = _connect(app, PEOPLE[0], _calendar(tmp_path / "calendar.ics", series, private))
    capture(app, account)
    assert [row["occurred_at"].day for row in _meetings(app)] == [10, 24]
    kept = repr(everything(app))
    assert "Salary" not in kept
    assert "clinic" not in kept


def test_what_only_a_copy_that_turned_private_reached_back_to_goes_with_it(tmp_path: Path) -> None:
    told = []
    for number, order in enumerate(((0, 1), (1, 0))):
        folder = tmp_path / str(number)
        app = deploy(folder / "home")
        series = _event("Weekly call", day=3, more="RRULE:FREQ=WEEKLY;COUNT=3\n")
        paths = [_calendar(folder / person / "calendar.ics", series) for person in PEOPLE[:2]]
        accounts = [
            _connect(app, PEOPLE[0], paths[0], date(2026, 11, 1)),
            _connect(app, PEOPLE[1], paths[1], date(2026, 11, 15)),
        ]
        for place in order:
            capture(app, accounts[place])
        assert [row["occurred_at"].day for row in _meetings(app)] == [3, 10, 17]
        _calendar(paths[0], _event("Weekly call", day=3, more="RRULE:FREQ=WEEKLY;COUNT=3\nCLASS:PRIVATE\n"))
        capture(app, accounts[0])
        told.append(_meetings(app))
        assert [row["occurred_at"].day for row in told[-1]] == [17]
        app.engine.dispose()
    assert told[0] == told[1]
