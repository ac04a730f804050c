"""The engine over the connector: what a first import costs and how long it takes, and that a census finds nothing missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.connectors.google.account import MAIL, write, write_many
from tests.contracts.google_worlds import CalendarWorld, GmailWorld, SignedIn, event

from autocapture.connector import Tools
from autocapture.model.activities import Activity, CalendarItem
from autocapture.store.engine import reading
from autocapture.testing.fakes.google import FakeGoogle
from autocapture.testing.loop import START, Loop
from autocapture.workflows.capture import capture_account
from autocapture.workflows.census import settle_census, take_census

LIMIT = 6_000
WINDOW = 60.5
SINCE = date(2026, 9, 1)


def since(tools: Tools) -> Tools:
    return replace(tools, since=SINCE)


@pytest.fixture
def import_(google: FakeGoogle) -> Iterator[tuple[GmailWorld, Loop]]:
    """A mailbox that is captured from a day on, through the budget that the database keeps."""
    world = GmailWorld(google)
    world.connector = SignedIn(google.grant(world.address, MAIL), since)
    with Loop(world, page_limit=500) as loop:
        yield world, loop


def run(loop: Loop) -> str:
    return str(capture_account(loop.app, loop.account_id, worker="import").status)


def wait(loop: Loop) -> None:
    loop.clock.advance(max(loop.throttled_until() - loop.clock.now(), timedelta(seconds=1)))


def subjects(loop: Loop) -> set[str]:
    return set(loop.activities())


def test_a_first_import_uses_the_quota_and_no_more_and_hides_no_new_mail() -> None:
    with FakeGoogle() as google:
        world = GmailWorld(google)
        world.connector = SignedIn(google.grant(world.address, MAIL), since)
        write_many(world.user, 860, newest=START, apart=timedelta(minutes=90))
        with Loop(world, page_limit=500) as loop:
            google.clock, google.quota.user = loop.clock, LIMIT
            began = loop.clock.now()
            written_at = seen_at = None
            while run(loop) == "rate_limited":
                wait(loop)
                if written_at is None and len(subjects(loop)) > 100:
                    write(world.user, loop.clock.now(), "urgent")
                    written_at = loop.clock.now()
                elif written_at and seen_at is None and "urgent" in subjects(loop):
                    seen_at = loop.clock.now()
            took = (loop.clock.now() - began).total_seconds()
            assert len(subjects(loop)) >= 861
            read = google.calls["gmail.messages.get"]
            assert read <= 885  # nothing was read twice, but what the world holds beside
            assert read * 20 / google.quota.spent > 0.95
            assert google.quota.spent / (LIMIT * (took / WINDOW + 1)) > 0.95
            assert google.quota.refused == 0
            assert written_at is not None
            assert seen_at is not None
            assert seen_at - written_at <= timedelta(minutes=2)


def test_a_census_finds_what_is_in_scope_and_nothing_else(import_: tuple[GmailWorld, Loop]) -> None:
    world, loop = import_
    mailbox = world.user.mailbox
    write_many(world.user, 60, newest=START, apart=timedelta(days=2))  # half of them are older
    while run(loop) == "rate_limited":
        wait(loop)
    write(world.user, START - timedelta(days=300), "migrated")
    write(world.user, START, "draft", labels={"DRAFT"})
    trashed = write(world.user, START - timedelta(days=1), "trashed and back")
    mailbox.label(trashed.id, "TRASH")
    old_trash = write(world.user, START - timedelta(days=400), "old trash", labels={"TRASH"})
    assert run(loop) == "ok"
    mailbox.unlabel(trashed.id, "TRASH")
    mailbox.unlabel(old_trash.id, "TRASH")
    assert run(loop) == "ok"
    (counted,) = take_census(loop.app, loop.account_id)
    assert counted.equal, (counted.missing, counted.left)
    assert counted.at_source == counted.in_ledger == sum(counted.outcomes.values()) == 40


MASTER = event(1, title="Weekly") | {
    "id": "weekly",
    "iCalUID": "weekly@google.com",
    "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"],
}
ORIGINAL = datetime.fromisoformat(MASTER["start"]["dateTime"]) + timedelta(weeks=1)


def exception(**more: Any) -> dict[str, Any]:
    """The second instance of the series, as Google tells of it: by itself."""
    begins = MASTER["start"] | {"dateTime": f"{ORIGINAL:%Y-%m-%dT%H:%M:%SZ}"}
    ends = MASTER["end"] | {"dateTime": f"{ORIGINAL + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"}
    told = MASTER | {
        "id": f"weekly_{ORIGINAL:%Y%m%dT%H%M%SZ}",
        "recurringEventId": "weekly",
        "summary": "Doctor",
    }
    told |= {"originalStartTime": begins, "start": begins, "end": ends, **more}
    told.pop("recurrence")
    return told


ALONE = [{"email": "rep@ours.example", "self": True, "organizer": True, "responseStatus": "accepted"}]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    "instead", [{"visibility": "private"}, {"transparency": "transparent"}, {"attendees": ALONE}], ids=str
)
def test_an_exception_that_is_not_captured_is_no_meeting_as_its_series_says(
    instead: dict[str, Any], order: int
) -> None:
    with FakeGoogle() as google:
        world = CalendarWorld(google)
        calendar = next(iter(world.user.calendars.values()))
        with Loop(world) as loop:
            for told in [MASTER, exception(**instead)][::order]:
                calendar.put(told)
                assert run(loop) == "ok"
            days = [ORIGINAL + timedelta(weeks=number) for number in (-1, 1, 2)]
            assert held(loop) == days
            with reading(loop.app.engine) as session:
                kept = repr([item.data for item in session.scalars(select(CalendarItem))])
            assert "Doctor" not in kept
            calendar.put(exception(summary="Weekly"))
            assert run(loop) == "ok"
            assert held(loop) == sorted([*days, ORIGINAL])


def held(loop: Loop) -> list[datetime]:
    """When the meetings of the series take place."""
    with reading(loop.app.engine) as session:
        found = session.scalars(select(Activity).where(Activity.subject == "Weekly"))  # type: ignore[arg-type]
        return sorted(activity.occurred_at.astimezone(UTC) for activity in found)


def test_exceptions_of_a_deleted_series_of_which_nothing_is_told_do_not_take_place() -> None:
    """Google says that clients keep them for as long as their series is there, and not that it tells of their end."""
    with FakeGoogle() as google:
        world = CalendarWorld(google)
        calendar = next(iter(world.user.calendars.values()))
        with Loop(world) as loop:
            comes = loop.clock.now() + timedelta(days=3)
            moved = {"start": {"dateTime": f"{comes:%Y-%m-%dT%H:%M:%SZ}"}}
            moved["end"] = {"dateTime": f"{comes + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
            calendar.put(MASTER)
            calendar.put(exception(summary="Weekly", **moved))
            assert run(loop) == "ok"
            assert statuses(loop)[comes] == "planned"
            calendar.cancel("weekly", alone=True)
            for _ in range(2):
                assert run(loop) == "ok"
            assert statuses(loop)[comes] == "cancelled_by_us"
            assert all(counted.equal for counted in take_census(loop.app, loop.account_id))


def test_a_meeting_that_is_gone_though_nothing_told_of_it_is_found_by_the_census() -> None:
    with FakeGoogle() as google:
        world = CalendarWorld(google)
        calendar = next(iter(world.user.calendars.values()))
        with Loop(world) as loop:
            comes = (loop.clock.now() + timedelta(days=3)).replace(microsecond=0)
            moved = {"start": {"dateTime": f"{comes:%Y-%m-%dT%H:%M:%SZ}"}}
            moved["end"] = {"dateTime": f"{comes + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
            calendar.put(event(1, title="Weekly") | moved)
            assert run(loop) == "ok"
            del calendar.events["event1"]
            assert run(loop) == "ok"
            assert statuses(loop) == {comes: "planned"}
            assert settle_census(loop.app, loop.account_id, take_census(loop.app, loop.account_id))
            assert run(loop) == "ok"
            assert statuses(loop) == {comes: "cancelled_by_us"}
            assert all(counted.equal for counted in take_census(loop.app, loop.account_id))


def statuses(loop: Loop) -> dict[datetime, str]:
    with reading(loop.app.engine) as session:
        return {
            activity.occurred_at.astimezone(UTC).replace(microsecond=0): str(activity.status)
            for activity in session.scalars(select(Activity).where(Activity.kind == "meeting"))  # type: ignore[arg-type]
        }
