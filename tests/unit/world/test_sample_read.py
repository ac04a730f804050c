"""What our own parsers, importers and rules make of the sample: the same as the world knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel

import autocapture.model  # noqa: F401  registers every table
from autocapture.admit.email import admit_email
from autocapture.admit.exclusions import Exclusions
from autocapture.clock import FixedClock
from autocapture.connector import Record, Tools
from autocapture.formats.icalendar import parse_calendar
from autocapture.formats.mime import parse_message
from autocapture.model.directory import Colleague, Organization
from autocapture.records import CallRecord, EventRecord
from autocapture.store.engine import open_engine
from autocapture.testing.sample import SamplePaths, write
from autocapture.testing.sample.crm import BAD_ROWS
from autocapture.testing.world import Size, World, generate
from autocapture.workflows.import_crm import import_crm
from autocapture.workflows.import_users import import_users
from autocapture_files import connector
from autocapture_files.options import FilesOptions

CAPTURED_FOLDERS = ("", ".Sent", ".Archive")


@pytest.fixture(scope="module")
def world() -> World:
    return generate(11, date(2027, 4, 7), Size(weeks=5))


@pytest.fixture(scope="module")
def sample(world: World, tmp_path_factory: pytest.TempPathFactory) -> SamplePaths:
    return write(world, tmp_path_factory.mktemp("sample"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'test.db'}")
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


def organization(world: World) -> Organization:
    people = dict(enumerate(world.users))
    return Organization(
        colleagues={key: Colleague(key, u.email, u.name, u.time_zone, "NL") for key, u in people.items()},
        handles={handle: key for key, u in people.items() for handle in (u.email, *u.aliases, *u.phones)},
        domains=frozenset(world.domains),
    )


def test_the_headers_read_back_are_those_of_the_world(world: World, sample: SamplePaths) -> None:
    known = {message.message_id: message for message in world.messages}
    for path in sample.maildirs[world.reps[2].email].rglob("cur/*"):
        record = parse_message(path.read_bytes())
        message = known[record.message_id or ""]
        assert record.subject == message.subject
        assert [(a.email, a.name) for a in record.from_] == [(message.sender.email, message.sender.name)]
        assert [(a.email, a.name) for a in record.cc] == [(p.email, p.name) for p in message.cc]
        assert record.references == message.references
        assert record.sent_at == message.sent_at


Verdicts = Counter[tuple[str | None, str | None]]


@pytest.fixture(scope="module")
def verdicts(world: World, sample: SamplePaths) -> Verdicts:
    """(reason in truth, reason of admission) of every copy in a folder that is captured."""
    ours, nothing = organization(world), Exclusions()
    truths = {message.message_id: message.truth for message in world.messages}
    found: Verdicts = Counter()
    for owner in ours.colleagues.values():
        for folder in CAPTURED_FOLDERS:
            for path in (sample.maildirs[owner.email] / folder / "cur").iterdir():
                record = parse_message(path.read_bytes())
                verdict = admit_email(record, owner, ours, nothing)
                found[truths[record.message_id or ""].reason, verdict.reason] += 1
    return found


def test_admission_agrees_with_the_truth_of_mail(verdicts: Verdicts) -> None:
    mail = {pair for pair in verdicts if pair[0] != "calendar_mail"}
    assert mail == {
        (reason, reason)
        for reason in (None, "internal", "newsletter", "notification", "auto_reply", "bounce")
    }


def test_admission_agrees_with_the_truth_of_calendar_mail(verdicts: Verdicts) -> None:
    assert {given for truth, given in verdicts if truth == "calendar_mail"} == {"calendar_mail"}


def test_the_calendars_read_back_are_those_of_the_world(world: World, sample: SamplePaths) -> None:
    for user in world.users:
        own = {event.uid: event for event in world.events if user.email in event.calendars}
        raw = sample.calendars[user.email].read_bytes()
        records = parse_calendar(raw, default_time_zone=user.time_zone)
        assert len(records) == len(own)
        for record in records:
            assert isinstance(record, EventRecord)
            event = own[record.uid]
            assert (record.starts_at, record.ends_at) == (event.starts_at, event.ends_at)
            assert (record.private, record.transparent) == (event.private, event.transparent)
            assert (record.status == "cancelled") == event.cancelled
            assert [guest.resource for guest in record.attendees] == [guest.room for guest in event.guests]
            changed = [item for item in event.occurrences if event.rule and (item.moved or item.cancelled)]
            assert {item.recurrence_id for item in record.overrides} == {
                item.original_start for item in changed
            }


def test_the_call_logs_read_back_are_those_of_the_world(world: World, sample: SamplePaths) -> None:
    clock = FixedClock(datetime(2027, 4, 7, 9, tzinfo=UTC))
    for rep in world.reps:
        log = sample.calls[rep.email]
        tools = Tools(clock=clock, time_zone=rep.time_zone)
        with connector.open(FilesOptions(calls=log.path, mapping=log.mapping), None, tools) as connection:
            page = connection.pull(connection.channels()[0], None, limit=1000)
            ids = [item.id for item in page.items]
            items = connection.get(connection.channels()[0], ids)
        read = sorted(_heard(item) for item in items)
        legs = [(call, leg) for call in world.calls if call.log == rep.email for leg in call.legs]
        assert read == sorted(
            (call.call_id, leg.started_at.astimezone(UTC), leg.caller, leg.callee, leg.talked_for)
            for call, leg in legs
        )


def _heard(item: object) -> tuple[str, datetime, str, str, timedelta]:
    assert isinstance(item, Record)
    assert isinstance(item.data, CallRecord)
    call = item.data
    assert call.outcome != "unknown"
    return (call.group or "", call.started_at.astimezone(UTC), call.caller, call.callee, call.talked_for)


def test_the_importers_refuse_the_bad_rows_and_no_others(
    world: World, sample: SamplePaths, engine: Engine
) -> None:
    clock = FixedClock(datetime(2027, 4, 7, 9, tzinfo=UTC))
    users = import_users(engine, clock, sample.users)
    assert (users.created, users.refused, users.notes) == ({"user": len(world.users)}, (), ())
    report = import_crm(engine, clock, mapping=sample.crm_mapping)
    assert Counter(Path(remark.place.file).name for remark in report.refused) == BAD_ROWS
    assert report.notes == ()
    assert report.created == {
        "company": len(world.companies),
        "contact": len(world.contacts),
        "lead": len(world.leads),
        "lead_change": sum(len(lead.history) for lead in world.leads),
        "product": len(world.products),
        "deal": len(world.deals),
        "deal_contact": sum(len(deal.contacts) for deal in world.deals),
        "stage_change": sum(len(deal.changes) for deal in world.deals),
    }
    again = import_crm(engine, clock, mapping=sample.crm_mapping)
    assert not any(again.created.values())
    assert not any(again.updated.values())
