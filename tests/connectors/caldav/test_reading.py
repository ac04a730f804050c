"""Resources become events: one href is one item, whatever it says and however it is given."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.connectors.caldav.support import Opener, calendar_text, channel, event, one, tools

from autocapture.connector import Broken, Gone, Record
from autocapture.errors import Unreachable
from autocapture.records import EventRecord
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import HOME, event_text

HEAD = "UID:a@b\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:weekly"
MASTER = HEAD + "\r\nDTSTART:20261102T090000Z\r\nDURATION:PT1H30M\r\nRRULE:FREQ=WEEKLY"
MOVED = "UID:a@b\r\nSUMMARY:moved\r\nRECURRENCE-ID:202611{day}T090000Z\r\nDTSTART:202611{day}T100000Z\r\nDURATION:PT1H"
BERLIN = (
    "BEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\n"
    "TZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n"
    "DTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
    "END:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
)


def put(server: CaldavServer, text: str, name: str = "a.ics", *, more: str = "") -> None:
    path = f"{HOME}work/"
    calendar = server.store.collections.get(path) or server.store.make("work", more=more)
    server.store.put(calendar, name, text)


def read(opened: Opener, *names: str) -> list[Record | Gone | Broken]:
    connection = opened()
    return list(connection.get(channel(connection), names or ["a.ics"]))


def test_a_series_and_its_two_exceptions_are_one_item(server: CaldavServer, opened: Opener) -> None:
    put(server, calendar_text(MASTER, MOVED.format(day="09"), MOVED.format(day=16)))
    found = event(read(opened))
    assert found.title == "weekly"
    assert found.recurrence is not None
    assert [each.recurrence_id for each in found.overrides] == [
        datetime(2026, 11, day, 9, tzinfo=UTC) for day in (9, 16)
    ]


def test_exceptions_without_their_series_travel_together(server: CaldavServer, opened: Opener) -> None:
    put(server, calendar_text(MOVED.format(day="09"), MOVED.format(day=16)))
    found = event(read(opened))
    assert found.recurrence_id == datetime(2026, 11, 9, 9, tzinfo=UTC)
    assert [each.recurrence_id for each in found.overrides] == [datetime(2026, 11, 16, 9, tzinfo=UTC)]


def test_a_series_with_an_exception_that_cannot_be_read_is_not_told_without_it(
    server: CaldavServer, opened: Opener
) -> None:
    put(server, calendar_text(MASTER, MOVED.format(day="09").replace("DTSTART:2026", "DTSTART:never")))
    assert isinstance(one(read(opened)), Broken)


def test_a_duration_ends_the_event(server: CaldavServer, opened: Opener) -> None:
    put(server, calendar_text(MASTER))
    found = event(read(opened))
    assert isinstance(found.starts_at, datetime)
    assert isinstance(found.ends_at, datetime)
    assert found.ends_at - found.starts_at == timedelta(hours=1, minutes=30)


def test_an_all_day_event_has_dates(server: CaldavServer, opened: Opener) -> None:
    put(server, calendar_text(HEAD + "\r\nDTSTART;VALUE=DATE:20261102"))
    found = event(read(opened))
    assert (found.starts_at, found.ends_at) == (date(2026, 11, 2), date(2026, 11, 3))


@pytest.mark.parametrize("kind", ["PRIVATE", "CONFIDENTIAL", "X-SECRET"])
def test_a_private_event_says_so(server: CaldavServer, opened: Opener, kind: str) -> None:
    put(server, event_text(1, more=f"CLASS:{kind}"))
    assert event(read(opened)).private


FLOATING = HEAD + "\r\nDTSTART:20261102T090000"
NAMED = "<C:calendar-timezone-id>{}</C:calendar-timezone-id>"


def written(name: str) -> str:
    return f"<C:calendar-timezone>{calendar_text(more=BERLIN.format(name=name))}</C:calendar-timezone>"


@pytest.mark.parametrize(
    ("more", "zone"),
    [
        ("", "America/New_York"),
        (NAMED.format("Asia/Tokyo"), "Asia/Tokyo"),
        (written("Europe/Berlin"), "Europe/Berlin"),
        (written("W. Europe Standard Time"), "Europe/Berlin"),
        (NAMED.format("Mars/Base") + written("Europe/Berlin"), "Europe/Berlin"),
        (NAMED.format("Mars/Base") + "<C:calendar-timezone>no</C:calendar-timezone>", "America/New_York"),
    ],
)
def test_a_time_without_a_zone_is_in_that_of_its_calendar_else_in_the_reps(
    server: CaldavServer, opened: Opener, more: str, zone: str
) -> None:
    put(server, calendar_text(FLOATING), more=more)
    connection = opened(with_=tools(zone="America/New_York"))
    found = event(connection.get(channel(connection), ["a.ics"]))
    assert found.starts_at == datetime(2026, 11, 2, 9, tzinfo=ZoneInfo(zone))


def test_characters_that_xml_forbids_spoil_nothing(server: CaldavServer, opened: Opener) -> None:
    put(server, event_text(1).replace("item 1", "a\x0bb\x01c\x1f\ufffed"))
    put(server, event_text(2), "b.ics")
    first, second = read(opened, "a.ics", "b.ics")
    assert isinstance(first, Record)
    assert isinstance(first.data, EventRecord)
    assert first.data.title == "abcd v0"
    assert isinstance(second, Record)


def test_what_is_not_there_is_gone(server: CaldavServer, opened: Opener) -> None:
    put(server, event_text(1))
    for swallows in (False, True):
        server.manners.swallows = swallows
        kinds = {answer.id: type(answer) for answer in read(opened, "no.ics", "a.ics", "no.ics")}
        assert kinds == {"no.ics": Gone, "a.ics": Record}


def test_fifty_are_asked_for_at_a_time(server: CaldavServer, opened: Opener) -> None:
    for number in range(120):
        put(server, event_text(number % 40), f"{number}.ics")
    connection = opened()
    work = channel(connection)
    before = len(server.asked)
    assert len(connection.get(work, [f"{number}.ics" for number in range(120)])) == 120
    assert len(server.asked) - before == 3


@pytest.mark.parametrize("status", [400, 403, 404, 405, 415, 302])
def test_a_server_without_multiget_is_asked_one_by_one(
    server: CaldavServer, opened: Opener, status: int
) -> None:
    for number in range(60):
        put(server, event_text(number % 40), f"{number}.ics")
    server.manners.multiget = status
    connection = opened()
    work = channel(connection)
    before = len(server.asked)
    answers = connection.get(work, [f"{number}.ics" for number in range(61)])
    assert sum(isinstance(answer, Record) for answer in answers) == 60
    assert len(server.asked) - before == 62


def test_a_server_that_fails_in_multiget_alone_is_asked_one_by_one(
    server: CaldavServer, opened: Opener
) -> None:
    put(server, event_text(1))
    put(server, event_text(2), "b.ics")
    server.manners.multiget = 500
    assert all(isinstance(answer, Record) for answer in read(opened, "a.ics", "b.ics"))


def test_one_resource_that_spoils_the_answer_is_the_only_one_that_cannot_be_read(
    server: CaldavServer, opened: Opener
) -> None:
    """The server forgets to escape what lies in it."""
    names = [f"{number}.ics" for number in range(20)]
    for number, name in enumerate(names):
        put(server, event_text(number), name)
    put(server, event_text(7, more="X-NOTE:]]><unclosed"), "7.ics")
    server.manners.forgets_to_escape = True
    connection = opened()
    work = channel(connection)
    before = len(server.asked)
    answers = {answer.id: answer for answer in connection.get(work, names)}
    assert len(server.asked) - before < 14  # halves, not one by one
    assert all(isinstance(answers[name], Record) for name in names if name != "7.ics")
    assert isinstance(answers["7.ics"], Record)  # by GET, which needs no XML


def test_a_resource_that_the_server_fails_to_give_is_broken_alone(
    server: CaldavServer, opened: Opener
) -> None:
    put(server, event_text(1))
    put(server, event_text(2), "b.ics")
    server.manners.multiget = 403
    server.manners.raw[f"{HOME}work/a.ics"] = (500, "text/plain", b"")
    first, second = sorted(read(opened, "a.ics", "b.ics"), key=lambda answer: answer.id)
    assert isinstance(first, Broken)
    assert isinstance(second, Record)


def test_a_server_that_gives_nothing_is_unreachable(server: CaldavServer, opened: Opener) -> None:
    put(server, event_text(1))
    server.manners.multiget = 500
    for name in ("a.ics", "b.ics"):
        server.manners.raw[f"{HOME}work/{name}"] = (500, "text/plain", b"")
    with pytest.raises(Unreachable):
        read(opened, "a.ics", "b.ics")


@pytest.mark.parametrize(
    "text",
    [
        calendar_text(),
        event_text(1).replace("VEVENT", "VTODO"),
        event_text(1).replace("VEVENT", "VJOURNAL"),
    ],
)
def test_what_is_no_event_is_not_there(server: CaldavServer, opened: Opener, text: str) -> None:
    put(server, text)
    assert isinstance(one(read(opened)), Gone)


@pytest.mark.parametrize("multiget", [207, 501])
@pytest.mark.parametrize("text", ["nonsense", event_text(1)[:-40], event_text(1)[20:], event_text(1)[::-1]])
def test_what_is_no_whole_calendar_is_not_taken_for_gone(
    server: CaldavServer, opened: Opener, text: str, multiget: int
) -> None:
    server.manners.multiget = multiget
    put(server, text)
    answer = one(read(opened))
    assert isinstance(answer, Broken)
    assert "not a whole calendar" in answer.why


@pytest.mark.parametrize(
    "text",
    [
        calendar_text("UID:1\r\nDTSTART:20261102T090000Z", "UID:2\r\nDTSTART:20261102T090000Z"),
        calendar_text("UID:1"),
        calendar_text("UID:1\r\nDTSTART:99991231T000000Z"),
        calendar_text("UID:1\r\nDTSTART:20261102T090000Z\r\nX-FILL:" + "x" * (5 << 20)),
        calendar_text("UID:1\r\nDTSTART:20261102T090000Z" + "\r\nATTENDEE:mailto:a@b.c" * 60_000),
        calendar_text("UID:1\r\nDTSTART:15001102T090000Z\r\nRRULE:FREQ=SECONDLY"),
    ],
    ids=["two events", "no start", "absurd year", "too large", "too many guests", "absurd rule"],
)  # fmt: skip
def test_what_cannot_be_read_is_broken_in_time(server: CaldavServer, opened: Opener, text: str) -> None:
    put(server, text)
    put(server, event_text(2), "b.ics")
    first, second = sorted(read(opened, "a.ics", "b.ics"), key=lambda answer: answer.id)
    assert isinstance(first, Broken)
    assert isinstance(second, Record)


def test_many_large_resources_are_read_in_smaller_parts(server: CaldavServer, opened: Opener) -> None:
    """Together they are more than any answer may be."""
    names = [f"{number}.ics" for number in range(12)]
    for number, name in enumerate(names):
        put(
            server,
            event_text(number, more="ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "QUJD" * (900 << 10)),
            name,
        )
    answers = read(opened, *names)
    assert sum(isinstance(answer, Record) for answer in answers) == 12
